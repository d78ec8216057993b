"""Exposures that follow the answers: the weighted up-down staircase and QUEST+, and the threshold that each gives.

A threshold is the exposure at which 75 % of the answers are right (the staircase's: where its steps settle).
What each does and its sources: docs/protocols.md.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, QUEST_PLUS
from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.tables.frames import Row

RIGHT = 0.75
"""The proportion of right answers at the threshold, by default the staircase's, always that of QUEST+."""
DROPPED_REVERSALS = 4
"""The first reversals, on the way from the start to the threshold; they do not enter its mean."""
FEWEST_REVERSALS = 4
"""Minimum number of reversals for a staircase's threshold."""
FEWEST_ANSWERS = 20
"""Minimum number of answers for a threshold of QUEST+, which with fewer is mostly the prior."""
_EXPOSURES, _THRESHOLDS = 40, 80
"""Exposures that QUEST+ chooses from, and thresholds that it weighs, both in equal ratios."""
_SLOPES = np.geomspace(1.7, 12, 6)
"""Slopes of the logistic over the logarithm of the exposure: 90 % are correct at 2.5 to 1.14 times the threshold."""
_LAPSES = np.array([0.01, 0.04, 0.1])
"""Lapse rates: how far the proportion of correct answers stays below 1 at any exposure."""

End = Literal["shortest", "longest"]


@dataclass(frozen=True)
class Threshold:
    """The threshold of one block."""

    session: str
    participant: str
    block: int
    dataset: str | None
    protocol: str
    answers: int
    """Trials that moved the exposure."""
    reversals: int | None
    """Number of times that a staircase's exposure changed direction."""
    threshold_ms: float | None
    """Staircase: mean exposure of the reversals after the first few; QUEST+: mean of the posterior distribution, or the
    end of the range that `bound` names. None: too few."""
    threshold_ms_low: float | None
    """QUEST+: lower end of the 95 % credible interval, within the range of exposures."""
    threshold_ms_high: float | None
    mode_ms: float | None
    """Staircase: the exposure shown most often after the first few reversals, the shortest of several."""
    bound: End | None
    """The threshold is close to this end of the range or beyond: the staircase's commonest exposure is this end, or
    more than half of the posterior distribution lies beyond it."""


def thresholds(rows: Iterable[Row], settings: StaircaseSettings | None) -> list[Threshold]:
    """The threshold of each session and block, from rows of `gan_eval.tables.TRIALS`; other protocols' are left out."""
    blocks: dict[tuple[str, int], list[Row]] = {}
    asked: list[float] = []
    for row in moving_trials(rows):
        if row["protocol"] in ADAPTIVE_PROTOCOLS:
            blocks.setdefault((row["session"], row["block"]), []).append(row)
            asked.append(row["requested_exposure_ms"])
    known = settings or StaircaseSettings()
    grid = None
    results = []
    for (session, number), block in sorted(blocks.items(), key=lambda item: item[0]):
        first = block[0]
        shared = (session, first["participant"], number, first["dataset"], first["protocol"], len(block))
        if first["protocol"] == QUEST_PLUS:
            if grid is None:
                ends = (known.shortest_ms, known.longest_ms)
                grid = PsychometricGrid(*ends) if settings else PsychometricGrid(min(*ends, *asked), max(*ends, *asked))
            enough = len(block) >= FEWEST_ANSWERS
            mean, low, high, bound = grid.estimate(block) if enough else (None, None, None, None)
            results.append(Threshold(*shared, None, mean, low, high, None, bound))
            continue
        exposures = [row["requested_exposure_ms"] for row in block]
        turns = [at for at, (row, after) in enumerate(pairwise(block), 1) if row["correct"] != after["correct"]]
        counted = turns[DROPPED_REVERSALS:]
        enough = len(counted) >= FEWEST_REVERSALS
        often = Counter(exposures[counted[0] :] if enough else exposures)
        mode = min(often, key=lambda exposure: (-often[exposure], exposure))  # of several the shortest
        ends_of_range: dict[float, End] = {known.shortest_ms: "shortest", known.longest_ms: "longest"}
        mean = sum(exposures[at] for at in counted) / len(counted) if enough else None
        bound = ends_of_range.get(mode) if settings else None
        results.append(Threshold(*shared, len(turns), mean, None, None, mode if enough else None, bound))
    return results


def moving_trials(rows: Iterable[Row]) -> list[Row]:
    """The trials that move the exposure, in order."""
    moving = [row for row in rows if row["phase"] == "main" and row["correct"] is not None]
    return sorted(moving, key=lambda row: row["trial"])


def staircase_exposure(rows: Iterable[Row], settings: StaircaseSettings) -> float:
    """Return the exposure in ms of the trial that follows these trials of one block.

    A main trial with an answer moves it. Practice and catch trials do not, nor does a trial without an answer (none in
    time, paused, interrupted, killed): nobody knows what was seen.

    >>> staircase_exposure([], StaircaseSettings())
    500.0
    """
    exposure = settings.start_ms
    for row in moving_trials(rows):
        step = -settings.down_ms if row["correct"] else settings.up_ms
        exposure = min(max(exposure + step, settings.shortest_ms), settings.longest_ms)
    return exposure


class PsychometricGrid:
    """The psychometric functions that QUEST+ weighs, alike before the first answer, and the exposures it chooses from.

    The proportion of right answers to an exposure x is 1/2 + (1/2 - lapse) F, F being the logistic function over log x
    that makes it 75 % at the threshold.
    """

    def __init__(self, shortest_ms: float, longest_ms: float) -> None:
        """A grid for exposures of a range, in ms; those to choose from are whole milliseconds."""
        self.shortest_ms, self.longest_ms = shortest_ms, longest_ms
        levels = np.geomspace(shortest_ms, longest_ms, _EXPOSURES)
        self.exposures = np.unique(np.clip(np.round(levels), shortest_ms, longest_ms))
        """(X,) ascending."""
        self.thresholds = np.geomspace(shortest_ms / 2, 2 * longest_ms, _THRESHOLDS)
        """(T,) ascending."""
        self._choices = self.proportions_right(self.exposures)
        self._seen: dict[int, np.ndarray] = {}
        """(2, T, K) by exposure: the logarithms of the probabilities of a wrong and of a correct answer."""

    def proportions_right(self, exposures: np.ndarray) -> np.ndarray:
        """(X, T, K): for each of (X,) exposures in ms by each threshold and each of the K pairs of slope and lapse."""
        slope, lapse = (part.ravel() for part in np.meshgrid(_SLOPES, _LAPSES))
        at_threshold = (RIGHT - 0.5) / (0.5 - lapse)
        distance = np.log(exposures[:, None] / self.thresholds)[:, :, None]
        odds = np.exp(slope * distance) * (at_threshold / (1 - at_threshold))
        return 0.5 + (0.5 - lapse) * odds / (1 + odds)

    def posterior(self, rows: Sequence[Row]) -> np.ndarray:
        """(T, K) probabilities of the functions, given the trials of one block that move the exposure.

        What counts is the exposure as presented, to a whole millisecond; where it is not known, the one asked for.
        """
        total = np.zeros(self._choices.shape[1:])
        for row in rows:
            shown = row.get("exposure_ms")
            exposure = max(1, round(row["requested_exposure_ms"] if shown is None else shown))
            if exposure not in self._seen:
                (right,) = self.proportions_right(np.array([float(exposure)]))
                self._seen[exposure] = np.log([1 - right, right])
            total += self._seen[exposure][int(row["correct"])]
        weights: np.ndarray = np.exp(total - total.max())
        return weights / weights.sum()

    def next_exposure(self, rows: Sequence[Row]) -> float:
        """The exposure in ms whose answer is expected to be most informative about the threshold after these trials."""
        return float(self.exposures[most_informative(self.posterior(rows), self._choices)])

    def estimate(self, rows: Sequence[Row]) -> tuple[float, float, float, End | None]:
        """The threshold in ms after these trials, the ends of its interval, and the end of the range that it is at."""
        marginal = self.posterior(rows).sum(axis=1)
        middle = np.cumsum(marginal) - marginal / 2
        ends = np.exp(np.interp([0.025, 0.975], middle, np.log(self.thresholds)))
        found = np.clip([marginal @ self.thresholds, *ends], self.shortest_ms, self.longest_ms)
        mean, low, high = (float(each) for each in found)
        if marginal[self.thresholds < self.shortest_ms].sum() > 0.5:
            return self.shortest_ms, low, high, "shortest"
        if marginal[self.thresholds > self.longest_ms].sum() > 0.5:
            return self.longest_ms, low, high, "longest"
        return mean, low, high, None


def most_informative(posterior: np.ndarray, proportions: np.ndarray) -> int:
    """The place of the stimulus whose answer leaves the least expected entropy of what is asked for.

    That is the one with the most mutual information between the answer and the parameter of interest: the entropy of
    the answer less the mean entropy of the answer given the parameter.

    Args:
        posterior: (T, K) probabilities, of T values of interest by K of nuisance. K = 1: nothing is a nuisance, as in
            Watson's QUEST+ (2017).
        proportions: (X, T, K) probabilities of one of two answers to each of X stimuli.
    """
    joint = np.einsum("tk,xtk->xt", posterior, proportions)
    of_interest = posterior.sum(axis=1)
    given = joint / np.maximum(of_interest, np.finfo(float).tiny)
    return int(np.argmax(_entropy(joint.sum(axis=1)) - _entropy(given) @ of_interest))


def _entropy(proportions: np.ndarray) -> np.ndarray:
    """Entropy of two answers, in nats."""
    parts = np.clip([proportions, 1 - proportions], np.finfo(float).tiny, 1)
    result: np.ndarray = -(parts * np.log(parts)).sum(axis=0)
    return result
