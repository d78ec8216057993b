"""Compare one clue between the real and the generated pictures of one model: separation and verdict.

The area under the ROC curve (AUC) is the proportion of (real, fake) pairs that a rule orders correctly, ties counting
half: 0.5 is chance, 1 and 0 are perfect separation. For numbers the rule is "the fake has the larger value"; for
categories it is the best guess by the class of other pictures of the same category (`category_auc`).
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gan_eval.pictures.clues import Clue, Facts, Sort
from gan_eval.tables.frames import Row

Verdict = Literal["ok", "look", "gives_away"]

LOOK = 0.6
"""An AUC above this (or below 1 minus this) has the verdict `look`, if its interval excludes 0.5."""
GIVES_AWAY = 0.65
"""A metadata clue gives the truth away if its interval is above this (or below 1 minus this)."""
CERTAIN = 0.05
"""A metadata clue gives the truth away if it identifies at least this share of pictures with certainty."""
MIN_PICTURES = 5
"""Minimum number of pictures of each class for a verdict: with fewer, perfect separation may be chance."""

Counts = NDArray[np.int64]
"""(C,) number of pictures of one class in each category."""

BY_CHANCE = 0.01
"""Largest probability by chance of a category with pictures of one class only."""


@dataclass(frozen=True)
class Separation:
    """An AUC with its interval."""

    auc: float
    low: float
    high: float
    certain: float | None = None
    """Proportion of the pictures that a category identifies with certainty, see `certain_share`."""


@dataclass(frozen=True)
class Finding:
    """Comparison of one clue."""

    clue: Clue
    n_real: int
    n_fake: int
    real: str = ""
    """Value in real pictures: the one that separates most with its share, or the median."""
    fake: str = ""
    """The same for generated pictures."""
    separation: Separation | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    """Reason for a missing separation."""


def compare(clue: Clue, real: Sequence[Facts], fake: Sequence[Facts]) -> Finding:
    """Compare one clue between the facts of real and of generated pictures."""
    # all float or all str, as the clue's sort says
    in_real: list[Any] = [facts[clue.name] for facts in real if facts[clue.name] is not None]
    in_fake: list[Any] = [facts[clue.name] for facts in fake if facts[clue.name] is not None]
    counts = len(in_real), len(in_fake)
    if min(counts) < 2:
        return Finding(clue, *counts, reason="fewer than 2 pictures of a class have it")
    if clue.sort == "picture":
        from scipy.stats import mannwhitneyu  # not at the top: the quiz starts without it

        auc = float(mannwhitneyu(in_fake, in_real).statistic) / (counts[0] * counts[1])
        separation = Separation(auc, *auc_interval(auc, *counts))
        values = _number(median(in_real)), _number(median(in_fake))
    else:
        separation = separate_categories(in_real, in_fake)
        values = _most_telling(in_real, in_fake)
    return Finding(clue, *counts, *values, separation, judge(clue.sort, separation, min(counts)))


def judge(sort: Sort, separation: Separation, fewest: int) -> Verdict:
    """Return the verdict on a clue of this sort; `fewest`: number of pictures of the smaller class."""
    auc, low = separation.auc, separation.low
    if auc < 0.5:
        auc, low = 1 - auc, 1 - separation.high
    is_perfect = auc == 1 and fewest >= MIN_PICTURES
    if sort == "metadata" and (low > GIVES_AWAY or is_perfect or (separation.certain or 0) >= CERTAIN):
        return "gives_away"
    return "look" if low > 0.5 and auc > LOOK else "ok"


def separation_text(row: Row) -> str:
    """Return how well a clue separates, from a row of `giveaways`: the AUC with its interval, or `separates all`.

    >>> separation_text({"auc": 0.0, "ci_low": 0.0, "ci_high": 0.07})
    'separates all'
    """
    if row["auc"] in (0.0, 1.0):
        return "separates all"
    return f"AUC {row['auc']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f})"


def _most_telling(real: Sequence[str], fake: Sequence[str]) -> tuple[str, str]:
    """Return the value of each class if it has only one; else the value whose proportions differ most."""
    in_real, in_fake = Counter(real), Counter(fake)
    if len(in_real) == len(in_fake) == 1:
        return real[0], fake[0]
    values = sorted(in_real | in_fake)
    best = max(values, key=lambda value: abs(in_real[value] / len(real) - in_fake[value] / len(fake)))
    return f"{best} in {_percent(in_real[best], len(real))}", f"{best} in {_percent(in_fake[best], len(fake))}"


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def _percent(count: int, total: int) -> str:
    percent = 100 * count / total
    return f"{percent:.0f}%" if percent == round(percent) else f"{percent:.1f}%"


def auc_interval(auc: float, m: int, n: int) -> tuple[float, float]:
    """Return Newcombe's interval for an AUC from m and n cases (Statistics in Medicine 25, 2006, 559-573, method 5).

    Each bound is 1.96 of its own standard errors from the AUC, by Hanley and McNeil's variance with both sample sizes
    at their mean. With perfect separation the interval has a width above 0; with ties it is too wide.
    """
    z = NormalDist().inv_cdf(0.975)

    def half_width(value: float) -> float:
        mean_size = (m + n) / 2 - 1
        more = mean_size * ((1 - value) / (2 - value) + value / (1 + value))
        return z * math.sqrt(max(0.0, value * (1 - value) * (1 + more) / (m * n)))

    return _crossing(lambda value: auc - value - half_width(value), auc, 0.0), _crossing(
        lambda value: value - auc - half_width(value), auc, 1.0
    )


def _crossing(excess: Callable[[float], float], inner: float, outer: float) -> float:
    """Return where `excess` turns from at most 0 (at `inner`) to positive (towards `outer`), by bisection."""
    if excess(outer) <= 0:
        return outer
    for _ in range(60):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if excess(middle) <= 0 else (inner, middle)
    return (inner + outer) / 2


def separate_categories(real: Sequence[str], fake: Sequence[str]) -> Separation:
    """Return the AUC of the best guess by category, with its interval."""
    codes = {value: code for code, value in enumerate(dict.fromkeys([*real, *fake]))}
    in_real = np.bincount([codes[value] for value in real], minlength=len(codes))
    in_fake = np.bincount([codes[value] for value in fake], minlength=len(codes))
    auc = max(0.5, category_auc(in_real, in_fake))
    low, high = auc_interval(auc, len(real), len(fake))
    return Separation(auc, low, high, certain_share(in_real, in_fake))


def category_auc(in_real: Counts, in_fake: Counts) -> float:
    """Return the AUC of the best guess by category; each pair is judged by all other pictures (leave pair out).

    A category's score is its share of the fakes divided by the sum of its shares of both classes; 0.5 if it is unseen.
    Each (real, fake) pair is left out before its scores are computed. So a category of one picture does not count,
    and pictures without a give-away reach 0.5 on average (Airola et al., Computational Statistics & Data Analysis 55,
    2011, 1828-1844). Each class needs at least 2 pictures.
    """
    reals, fakes = int(in_real.sum()), int(in_fake.sum())
    without_real = _fake_scores(in_real - 1, in_fake, reals - 1, fakes - 1)  # a real of this category is left out,
    without_fake = _fake_scores(in_real, in_fake - 1, reals - 1, fakes - 1)  # and here a fake of this one
    order = np.argsort(without_real)
    reals_up_to = np.concatenate([[0], np.cumsum(in_real[order])])
    below = reals_up_to[np.searchsorted(without_real[order], without_fake, side="left")]
    not_above = reals_up_to[np.searchsorted(without_real[order], without_fake, side="right")]
    won = (in_fake * (below + not_above) / 2).sum()
    own_score = np.where(without_fake > without_real, 1.0, np.where(without_fake == without_real, 0.5, 0.0))
    same = in_real * in_fake  # both of one category: a tie for any score
    return float((won + (same * (0.5 - own_score)).sum()) / (reals * fakes))


def certain_share(in_real: Counts, in_fake: Counts) -> float:
    """Return the share of pictures whose category only their own class has, in more pictures than by chance.

    Chance puts the k pictures of a category all into one class with the hypergeometric probability; it must be below
    `BY_CHANCE` after Bonferroni's correction for the categories.

    >>> certain_share(np.array([15, 35]), np.array([0, 50]))
    0.15
    """
    reals, fakes = int(in_real.sum()), int(in_fake.sum())
    certain = 0
    for of_real, of_fake in zip(in_real.tolist(), in_fake.tolist(), strict=True):
        if of_real and of_fake:
            continue
        count, size = (of_real, reals) if of_real else (of_fake, fakes)
        left = np.arange(count)
        chance = float(np.prod((size - left) / (reals + fakes - left)))
        if chance * len(in_real) < BY_CHANCE:
            certain += count
    return certain / (reals + fakes)


def _fake_scores(in_real: Counts, in_fake: Counts, reals: int, fakes: int) -> NDArray[np.float64]:
    """Return the share of the fakes divided by the sum of both shares; rounded, so that equal fractions tie."""
    real_share, fake_share = np.maximum(in_real, 0) * fakes, np.maximum(in_fake, 0) * reals
    seen = real_share + fake_share
    return np.where(seen == 0, 0.5, np.round(fake_share / np.maximum(seen, 1), 12))
