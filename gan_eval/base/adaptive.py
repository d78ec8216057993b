"""Exposures that follow the answers: the trials that move them, and QUEST+ with its psychometric functions.

Methods and sources: docs/adaptive.md.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

Trial = dict[str, Any]
"""A row of the trials table."""

RIGHT = 0.75
"""Proportion of correct answers at the threshold of QUEST+."""
_EXPOSURES = 40
"""Number of exposures that QUEST+ chooses from, in equal ratios."""
_THRESHOLDS = 80
"""Number of thresholds in its grid, in equal ratios."""
_SLOPES = np.geomspace(1.7, 12, 6)
"""Slopes of the logistic over the logarithm of the exposure: 90% are correct at 2.5 to 1.14 times the threshold."""
_LAPSES = np.array([0.01, 0.04, 0.1])
"""Lapse rates: how far the proportion of correct answers stays below 1 at any exposure."""

End = Literal["shortest", "longest"]


def moving_trials(rows: Iterable[Trial]) -> list[Trial]:
    """Return the trials that move the exposure, in order."""
    moving = [row for row in rows if row["phase"] == "main" and row["correct"] is not None]
    return sorted(moving, key=lambda row: row["trial"])


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

    def posterior(self, rows: Sequence[Trial]) -> np.ndarray:
        """Return the (T, K) posterior probabilities of the functions, given the trials of one block that move the
        exposure. The achieved exposure counts, rounded to a millisecond; if it is unknown, the requested one.
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

    def next_exposure(self, rows: Sequence[Trial]) -> float:
        """Return the exposure in ms whose answer is expected to be most informative about the threshold."""
        return float(self.exposures[most_informative(self.posterior(rows), self._choices)])

    def estimate(self, rows: Sequence[Trial]) -> tuple[float, float, float, End | None]:
        """Return the threshold in ms, its interval, and the end of the range at which it lies, if any."""
        marginal = self.posterior(rows).sum(axis=1)
        middle = np.cumsum(marginal) - marginal / 2
        ends = np.exp(np.interp([0.025, 0.975], middle, np.log(self.thresholds)))
        estimates = np.clip([np.exp(marginal @ np.log(self.thresholds)), *ends], self.shortest_ms, self.longest_ms)
        mean, low, high = (float(each) for each in estimates)
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
