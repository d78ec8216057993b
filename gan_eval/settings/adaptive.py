"""Exposures that follow the answers: the weighted up-down staircase and QUEST+, and the threshold that each gives.

A threshold is the exposure with a known share of correct answers: 75% for QUEST+, up / (up + down) for the staircase.
Methods and sources: docs/protocols.md.
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
"""Proportion of correct answers at the threshold of QUEST+."""
DROPPED_REVERSALS = 4
"""Number of first reversals, on the way to the threshold, that are not in the mean."""
MIN_REVERSALS = 4
"""Minimum number of reversals for a staircase's threshold."""
MIN_ANSWERS = 20
"""Minimum number of answers for a threshold of QUEST+; with fewer it is mostly the prior."""
_EXPOSURES, _THRESHOLDS = 40, 80
"""Number of exposures that QUEST+ chooses from, and of thresholds in its grid; both in equal ratios."""
_SLOPES = np.geomspace(1.7, 12, 6)
"""Slopes of the logistic over the logarithm of the exposure: 90% are correct at 2.5 to 1.14 times the threshold."""
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
    """Number of trials that moved the exposure."""
    reversals: int | None
    """Number of times that a staircase's exposure changed direction."""
    threshold_ms: float | None
    """Staircase: mean exposure of the reversals after the first few; QUEST+: geometric mean of the posterior
    distribution, or the end of the range that `bound` names. None: too few, or a staircase of another rule."""
    threshold_ms_low: float | None
    """QUEST+: lower end of the 95% credible interval, within the range of exposures."""
    threshold_ms_high: float | None
    mode_ms: float | None
    """Staircase: the exposure shown most often after the first few reversals, the shortest in a tie."""
    bound: End | None
    """The threshold is close to this end of the range or beyond: the staircase's commonest exposure is this end, or
    more than half of the posterior distribution lies beyond it."""
    share: float | None
    """Proportion of correct answers at the threshold; None: not known, as for a staircase of another rule."""


def thresholds(rows: Iterable[Row], settings: StaircaseSettings | None) -> list[Threshold]:
    """Return the threshold of each session and block from rows of `gan_eval.tables.TRIALS`, for adaptive protocols."""
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
            enough = len(block) >= MIN_ANSWERS
            mean, low, high, bound = grid.estimate(block) if enough else (None, None, None, None)
            results.append(Threshold(*shared, None, mean, low, high, None, bound, RIGHT))
            continue
        exposures = [row["requested_exposure_ms"] for row in block]
        steps = (known.up_ms, known.down_ms) if settings else _steps(block)
        if steps is None or steps[0] <= steps[1]:  # equal steps move to half of the answers correct: chance
            moves = np.sign(np.diff(exposures))
            turned = int(np.count_nonzero(np.diff(moves[moves != 0])))
            results.append(Threshold(*shared, turned, None, None, None, None, None, None))
            continue
        turns = [at for at, (row, after) in enumerate(pairwise(block), 1) if row["correct"] != after["correct"]]
        counted = turns[DROPPED_REVERSALS:]
        enough = len(counted) >= MIN_REVERSALS
        often = Counter(exposures[counted[0] :] if enough else exposures)
        mode = min(often, key=lambda exposure: (-often[exposure], exposure))  # the shortest in a tie
        ends_of_range: dict[float, End] = {known.shortest_ms: "shortest", known.longest_ms: "longest"}
        mean = sum(exposures[at] for at in counted) / len(counted) if enough else None
        bound = ends_of_range.get(mode) if settings else None
        results.append(
            Threshold(*shared, len(turns), mean, None, None, mode if enough else None, bound, steps[0] / sum(steps))
        )
    return results


def _steps(block: Sequence[Row]) -> tuple[float, float] | None:
    """Return the steps up and down of a weighted up-down staircase, in ms or in log ms; None if it has another rule.

    Each answer moves the exposure by its step, or by less to the end of the range. Trials that are not in the block
    (excluded ones) may lie between two others; such pairs are not compared.

    >>> rule = enumerate([(490.0, False), (520.0, True), (510.0, True)])
    >>> _steps([{"trial": n, "requested_exposure_ms": ms, "correct": right} for n, (ms, right) in rule])
    (30.0, 10.0)
    """
    exposures, trial = (np.array([row[name] for row in block], float) for name in ("requested_exposure_ms", "trial"))
    follows = np.diff(trial) == 1
    right = np.array([row["correct"] for row in block[:-1]], bool)[follows]
    for level in (exposures, np.log(np.maximum(exposures, 1e-9))):
        moves, after = np.diff(level)[follows], level[1:][follows]
        up, down = (float(np.max(side, initial=0.0)) for side in (moves[~right], -moves[right]))
        at_end = np.where(right, after == level.min(), after == level.max())
        short = np.where(right, (moves <= 0) & (moves > -down), (moves >= 0) & (moves < up)) & at_end
        if up > 0 and down > 0 and (np.isclose(moves, np.where(right, -down, up), atol=1e-6 * down) | short).all():
            return up, down
    return None


def moving_trials(rows: Iterable[Row]) -> list[Row]:
    """Return the trials that move the exposure, in order."""
    moving = [row for row in rows if row["phase"] == "main" and row["correct"] is not None]
    return sorted(moving, key=lambda row: row["trial"])


def staircase_exposure(rows: Iterable[Row], settings: StaircaseSettings) -> float:
    """Return the exposure in ms of the trial that follows these trials of one block.

    A main trial with an answer moves it. Practice, catch and unanswered trials (late, paused, interrupted, killed) do
    not.

    >>> staircase_exposure([], StaircaseSettings())
    500.0
    """
    exposure = settings.start_ms
    for row in moving_trials(rows):
        step = -settings.down_ms if row["correct"] else settings.up_ms
        exposure = min(max(exposure + step, settings.shortest_ms), settings.longest_ms)
    return exposure


class PsychometricGrid:
    """The grid of psychometric functions of QUEST+, with a uniform prior, and the exposures it chooses from.

    The proportion of correct answers at exposure x is 1/2 + (1/2 - lapse) F, where F is the logistic function of log x
    that gives 75% at the threshold.
    """

    def __init__(self, shortest_ms: float, longest_ms: float) -> None:
        """Make a grid for a range of exposures in ms; exposures to choose from are whole milliseconds."""
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
        """Return the proportion of correct answers, (X, T, K), at (X,) exposures in ms.

        T is the number of thresholds, K the number of pairs of slope and lapse.
        """
        slope, lapse = (part.ravel() for part in np.meshgrid(_SLOPES, _LAPSES))
        at_threshold = (RIGHT - 0.5) / (0.5 - lapse)
        distance = np.log(exposures[:, None] / self.thresholds)[:, :, None]
        odds = np.exp(slope * distance) * (at_threshold / (1 - at_threshold))
        return 0.5 + (0.5 - lapse) * odds / (1 + odds)

    def posterior(self, rows: Sequence[Row]) -> np.ndarray:
        """Return the (T, K) posterior probabilities of the functions, given the trials of one block that move the
        exposure. The presented exposure counts, rounded to a millisecond; if it is unknown, the requested one.
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
        """Return the exposure in ms whose answer is expected to be most informative about the threshold."""
        return float(self.exposures[most_informative(self.posterior(rows), self._choices)])

    def estimate(self, rows: Sequence[Row]) -> tuple[float, float, float, End | None]:
        """Return the threshold in ms, its interval, and the end of the range at which it lies, if any."""
        marginal = self.posterior(rows).sum(axis=1)
        middle = np.cumsum(marginal) - marginal / 2
        ends = np.exp(np.interp([0.025, 0.975], middle, np.log(self.thresholds)))
        found = np.clip([np.exp(marginal @ np.log(self.thresholds)), *ends], self.shortest_ms, self.longest_ms)
        mean, low, high = (float(each) for each in found)
        if marginal[self.thresholds < self.shortest_ms].sum() > 0.5:
            return self.shortest_ms, low, high, "shortest"
        if marginal[self.thresholds > self.longest_ms].sum() > 0.5:
            return self.longest_ms, low, high, "longest"
        return mean, low, high, None


def most_informative(posterior: np.ndarray, proportions: np.ndarray) -> int:
    """Return the index of the stimulus whose answer leaves the least expected entropy of the parameter of interest.

    This maximises the mutual information of answer and parameter: the entropy of the answer minus its mean entropy
    given the parameter.

    Args:
        posterior: (T, K) probabilities, of T values of interest by K of nuisance. K = 1: nothing is a nuisance, as in
            Watson's QUEST+ (2017).
        proportions: (X, T, K) probabilities of one of two answers to each of X stimuli.
    """
    joint = np.einsum("tk,xtk->xt", posterior, proportions)
    of_interest = posterior.sum(axis=1)
    conditional = joint / np.maximum(of_interest, np.finfo(float).tiny)
    return int(np.argmax(_entropy(joint.sum(axis=1)) - _entropy(conditional) @ of_interest))


def _entropy(proportions: np.ndarray) -> np.ndarray:
    """Return the entropy of a two-way answer, in nats."""
    parts = np.clip([proportions, 1 - proportions], np.finfo(float).tiny, 1)
    result: np.ndarray = -(parts * np.log(parts)).sum(axis=0)
    return result
