"""The groups of trials behind the scopes of the tables, and what travels with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

UNTIL_ANSWER = "until-answer"
"""The exposure's id where none was requested: the picture stays until it is judged."""


@dataclass(frozen=True)
class Groups:
    """Trials sorted into groups; a trial may stand in several groups, or in none."""

    ids: list[str]
    """The groups' names, G of them."""
    row: np.ndarray
    """(M,) position of a trial in the table."""
    group: np.ndarray
    """(M,) number of the group, 0..G-1, that this trial stands in."""

    def count(self, chosen: np.ndarray | pd.Series) -> np.ndarray:
        """(G,) how many of the trials marked in `chosen` (N, bool) stand in each group."""
        return np.bincount(self.group[np.asarray(chosen, bool)[self.row]], minlength=len(self.ids))


def groups(trials: pd.DataFrame, scope: str) -> Groups:
    """The groups of one scope.

    Scope `model` takes, beside the model's own fakes, the reals of the same data sets in the same sessions.

    Args:
        trials: as `gan_eval.stats.trials.main_trials` returns them.
        scope: one of `gan_eval.tables.SCOPES`.
    """
    match scope:
        case "all":
            everything = np.arange(len(trials))
            return Groups(["all"], everything, np.zeros(len(trials), np.intp))
        case "model":
            return _model_groups(trials)
        case "exposure":
            return _labelled(trials["requested_exposure_ms"].fillna(np.inf), _exposure_text)
        case "block":
            return _labelled(trials["block"], lambda block: str(int(block)))
        case _:
            return _labelled(trials[scope], str)


def provenance(trials: pd.DataFrame, grouped: Groups) -> pd.DataFrame:
    """What travels with each group: `simulated` (any of its trials), `fraction` where unique, and `note`."""
    size = len(grouped.ids)
    simulated = grouped.count(trials["simulated"].fillna(False))
    total = np.bincount(grouped.group, minlength=size)
    fraction = pd.Series(trials["fraction"].to_numpy("float64")[grouped.row]).groupby(grouped.group)
    low = fraction.min().reindex(range(size)).to_numpy()
    high = fraction.max().reindex(range(size)).to_numpy()
    several_studies = _several(trials["study"], grouped)
    return pd.DataFrame(
        {
            "simulated": simulated > 0,
            "fraction": np.where(low == high, low, np.nan),
            "note": join_notes(
                [
                    (several_studies, "trials of several studies"),
                    ((simulated > 0) & (simulated < total), "people and simulated participants mixed"),
                    (high > low, "models of different fractions of the planned steps"),
                ],
                size,
            ),
        }
    )


def join_notes(notes: list[tuple[np.ndarray, str]], size: int) -> list[str]:
    """One text for each of `size` rows: the words whose mask (size, bool) holds there, joined by semicolons."""
    texts: list[list[str]] = [[] for _ in range(size)]
    for mask, text in notes:
        for position in np.flatnonzero(mask):
            texts[position].append(text)
    return ["; ".join(words) for words in texts]


def distinct(values: pd.Series, grouped: Groups) -> np.ndarray:
    """(G,) how many distinct values, missing ones left out, stand in each group."""
    code, _ = pd.factorize(values)
    pairs = pd.DataFrame({"group": grouped.group, "code": code[grouped.row]}).drop_duplicates()
    return np.bincount(pairs["group"][pairs["code"] >= 0], minlength=len(grouped.ids))


def _several(values: pd.Series, grouped: Groups) -> np.ndarray:
    return distinct(values, grouped) > 1


def _labelled(labels: pd.Series, text: Callable[[Any], str]) -> Groups:
    """Groups of equal labels in sorted order; trials without a label stand in no group."""
    code, values = pd.factorize(labels, sort=True)
    row = np.flatnonzero(code >= 0)
    return Groups([text(value) for value in values], row, code[row])


def _exposure_text(milliseconds: float) -> str:
    if np.isinf(milliseconds):
        return UNTIL_ANSWER
    return str(int(milliseconds)) if float(milliseconds).is_integer() else repr(float(milliseconds))


def _model_groups(trials: pd.DataFrame) -> Groups:
    place = pd.DataFrame(
        {
            "row": np.arange(len(trials)),
            "model": trials["model"],
            "session": trials["session"],
            "dataset": trials["dataset"],
        }
    )
    fakes = place[trials["is_fake"].to_numpy() & place["model"].notna().to_numpy()]
    shown = fakes[["model", "session", "dataset"]].drop_duplicates()
    reals = place[~trials["is_fake"].to_numpy()].drop(columns="model")
    members = pd.concat([fakes[["row", "model"]], shown.merge(reals, on=["session", "dataset"])[["row", "model"]]])
    code, ids = pd.factorize(members["model"], sort=True)
    return Groups([str(name) for name in ids], members["row"].to_numpy(), code)
