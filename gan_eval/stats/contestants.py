"""Who stands against whom in a trial of two pictures: the names behind `model`."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.stats.trials import PAIRED, TWO_MODELS

REAL = "real"
"""The contestant that stands for real pictures."""
UNNAMED = "unnamed"
"""Stands for a contestant of pairs that name none."""
SEPARATOR = "|"
"""Between the names of two models, those of `stimulus` and of `stimulus_b`."""


class Contestants(NamedTuple):
    """The names behind N pairs."""

    a: np.ndarray
    """(N,) whose picture is a; empty: not said."""
    b: np.ndarray
    """(N,) whose picture is b."""
    of_reals: np.ndarray
    """(N,) bool, a is asked to be the real picture."""
    misnamed: np.ndarray
    """(N,) bool, `model_vs_model` whose `model` is not two names, or not those of the pictures: whose picture was
    chosen is not known."""


def contestants(pairs: pd.DataFrame) -> Contestants:
    """The contestants of each pair.

    `paired`: real against `model`. `model_vs_model`: `model` is `A|B`, A's picture in `stimulus` and B's in
    `stimulus_b`; where a picture, as `dataset/NAME/stem`, bears the name of another contestant, the pair is misnamed.
    Any other protocol: two models where `model` is `A|B`, else real against `model`.

    Args:
        pairs: as `gan_eval.stats.trials.pair_trials` returns them.
    """
    number, names = pd.factorize(pairs["model"], use_na_sentinel=False)
    texts = [name if isinstance(name, str) else "" for name in names]
    halves = [name.split(SEPARATOR, 1) if SEPARATOR in name else (REAL, name) for name in texts]
    first, second, whole, two = (
        np.array([*column, ""], dtype="object")[number]
        for column in (
            [half[0] for half in halves],
            [half[1] for half in halves],
            texts,
            [SEPARATOR in t for t in texts],
        )
    )
    of_reals, of_models = (
        (pairs["protocol"] == protocol).fillna(False).to_numpy(bool) for protocol in (PAIRED, TWO_MODELS)
    )
    known = {REAL, *(name for half in halves for name in half)} - {""}
    complete = two.astype(bool) & (first != "") & (second != "") & (first != second)
    others = _another(pairs["stimulus"], first, known)
    if "stimulus_b" in pairs:
        others |= _another(pairs["stimulus_b"], second, known)
    return Contestants(
        np.where(of_reals, REAL, first), np.where(of_reals, whole, second), of_reals, of_models & (~complete | others)
    )


def misnamed_note(count: int) -> str:
    """What is said of `count` misnamed pairs; empty: there are none."""
    if not count:
        return ""
    return (
        f"{count} pairs of two models left out: model must be A{SEPARATOR}B, the names of stimulus's and of "
        "stimulus_b's model"
    )


def _another(stimulus: pd.Series, name: np.ndarray, known: set[str]) -> np.ndarray:
    """(N,) bool: the picture, as dataset/NAME/stem, is that of another of the known contestants."""
    number, pictures = pd.factorize(stimulus, use_na_sentinel=False)
    parts = [str(picture).split("/") if isinstance(picture, str) else [] for picture in pictures]
    bears = np.array([each[1] if len(each) > 2 and each[1] in known else "" for each in parts] + [""], dtype="object")
    found = bears[number]
    return np.asarray((found != "") & (found != name), bool)
