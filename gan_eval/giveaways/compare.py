"""One clue over the real and the generated pictures of one model: how far it separates them, and the verdict."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import median
from typing import Any, Literal

import numpy as np

from gan_eval.giveaways.clues import Clue, Facts, Sort
from gan_eval.giveaways.separation import Separation, certain_share, separate_categories, separate_numbers

Verdict = Literal["ok", "look", "gives_away"]

LOOK = 0.6
"""An AUC beyond this (or below 1 less this), with an interval without 0.5, is worth a look."""
GIVES_AWAY = 0.65
"""A metadata clue whose whole interval lies beyond this (or below 1 less this) gives the truth away."""
CERTAIN = 0.05
"""Metadata that identify at least this share of the pictures with certainty give the truth away."""
FEWEST = 5
"""Fewest pictures of each class for a verdict: with fewer, a clue that separates them perfectly may be chance."""


@dataclass(frozen=True)
class Finding:
    """One clue's comparison."""

    clue: Clue
    n_real: int
    n_fake: int
    real: str = ""
    """The clue in real pictures: the value that separates most with its share, or the median."""
    fake: str = ""
    """The same of generated pictures."""
    separation: Separation | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    """Reason for a missing separation."""


def compare(clue: Clue, real: Sequence[Facts], fake: Sequence[Facts], *, test: bool = True) -> Finding:
    """Compare one clue between two lists of pictures' facts.

    Args:
        clue: what is compared.
        real, fake: the facts of each picture.
        test: compute the p-value too.
    """
    if clue.shared_formats_only:
        formats = {facts["format"] for facts in real} & {facts["format"] for facts in fake}
        real, fake = ([facts for facts in pictures if facts["format"] in formats] for pictures in (real, fake))
    # all float, all str or all frozenset[str], as the clue's measure says
    in_real: list[Any] = [facts[clue.name] for facts in real if facts[clue.name] is not None]
    in_fake: list[Any] = [facts[clue.name] for facts in fake if facts[clue.name] is not None]
    counts = len(in_real), len(in_fake)
    if min(counts) < 2:
        return Finding(clue, *counts, reason="fewer than 2 pictures of a class have it")
    match clue.measure:
        case "number":
            separation = separate_numbers(in_real, in_fake)
            values = _number(median(in_real)), _number(median(in_fake))
        case "category":
            separation = separate_categories(in_real, in_fake, test=test)
            values = _most_telling(in_real, in_fake)
        case "tokens":
            separation, values = _best_token(in_real, in_fake)
    return Finding(clue, *counts, *values, separation, judge(clue.sort, separation, min(counts)))


def judge(sort: Sort, separation: Separation, fewest: int) -> Verdict:
    """The verdict on an AUC with its interval.

    Args:
        sort: only metadata can give the truth away; pictures may differ in content.
        separation: the AUC.
        fewest: pictures of the smaller class.
    """
    low, high, auc = separation.low, separation.high, separation.auc
    far = low > GIVES_AWAY or high < 1 - GIVES_AWAY
    perfect = auc in (0.0, 1.0) and fewest >= FEWEST
    certain = separation.certain is not None and separation.certain >= CERTAIN
    if sort == "metadata" and (far or perfect or certain):
        return "gives_away"
    return "look" if (low > 0.5 and auc > LOOK) or (high < 0.5 and auc < 1 - LOOK) else "ok"


def _most_telling(real: Sequence[str], fake: Sequence[str]) -> tuple[str, str]:
    """The classes' values where each has one; else the value whose proportions differ most."""
    in_real, in_fake = Counter(real), Counter(fake)
    if len(in_real) == len(in_fake) == 1:
        return real[0], fake[0]
    values = sorted(in_real | in_fake)
    best = max(values, key=lambda value: abs(in_real[value] / len(real) - in_fake[value] / len(fake)))
    return f"{best} in {_percent(in_real[best], len(real))}", f"{best} in {_percent(in_fake[best], len(fake))}"


def _best_token(real: Sequence[frozenset[str]], fake: Sequence[frozenset[str]]) -> tuple[Separation, tuple[str, str]]:
    """The word whose being in a name separates best; interval and test allow for the number of words tried."""
    in_real, in_fake = Counter(chain.from_iterable(real)), Counter(chain.from_iterable(fake))
    tokens = sorted(in_real | in_fake)
    if not tokens:
        return separate_numbers([0.0] * len(real), [0.0] * len(fake)), ("no words", "no words")
    best = max(tokens, key=lambda token: abs(in_real[token] / len(real) - in_fake[token] / len(fake)))
    has = ([float(best in tokens_of_name) for tokens_of_name in names] for names in (real, fake))
    certain = certain_share(
        np.array([in_real[best], len(real) - in_real[best]]),
        np.array([in_fake[best], len(fake) - in_fake[best]]),
        tried=2 * len(tokens),
    )
    separation = replace(separate_numbers(*has, tried=len(tokens)), certain=certain)
    percents = _percent(in_real[best], len(real)), _percent(in_fake[best], len(fake))
    return separation, (f"{best!r} in {percents[0]}", f"{best!r} in {percents[1]}")


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def _percent(count: int, total: int) -> str:
    percent = 100 * count / total
    return f"{percent:.0f} %" if percent == round(percent) else f"{percent:.1f} %"
