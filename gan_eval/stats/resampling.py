"""Two-way bootstrap of fooling rates: participants and stimuli drawn anew, each with all its answers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

REPLICATES = 1000
_CELLS = 20_000_000
"""Stimuli times replicates in all; more stimuli get fewer replicates, never under 200."""
_AT_A_TIME = 250_000
"""Stimuli times replicates held at a time."""
_MOST_DENSE = 20_000_000
"""Cells of participants times stimuli up to which a table with a cell in twenty filled is kept dense."""


@dataclass(frozen=True)
class AnswerCounts:
    """Answers to generated pictures, counted by stimulus and participant."""

    people: np.ndarray
    """(P,) names of the participants, sorted."""
    stimuli: np.ndarray
    """(S,) names of the stimuli, sorted."""
    called: np.ndarray | csr_array
    """(S, P) float32, answers `real`."""
    shown: np.ndarray | csr_array
    """(S, P) float32, answers."""

    @classmethod
    def of(cls, fakes: pd.DataFrame) -> "AnswerCounts":
        """Count answered trials of fakes with `participant`, `stimulus` and `says_fake`."""
        participant, people = pd.factorize(fakes["participant"], sort=True)
        stimulus, stimuli = pd.factorize(fakes["stimulus"], sort=True)
        says_real = (~fakes["says_fake"]).to_numpy(bool)
        shape = (len(stimuli), len(people))
        cells = shape[0] * shape[1]
        if cells <= _MOST_DENSE and len(fakes) * 20 >= cells:
            cell = stimulus * len(people) + participant
            called, shown = (
                np.bincount(chosen, minlength=cells).astype("float32").reshape(shape)
                for chosen in (cell[says_real], cell)
            )
            return cls(np.asarray(people, object), np.asarray(stimuli, object), called, shown)
        sparse_called, sparse_shown = (
            csr_array((counted, (stimulus, participant)), shape=shape)
            for counted in (says_real.astype("float32"), np.ones(len(fakes), "float32"))
        )
        return cls(np.asarray(people, object), np.asarray(stimuli, object), sparse_called, sparse_shown)

    def totals(self) -> tuple[np.ndarray, np.ndarray]:
        """(S,) answers `real`, and (S,) answers, of each stimulus."""
        called, shown = self.weighted(np.ones((1, len(self.people))))
        return called[0], shown[0]

    def weighted(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Answers `real`, and answers, of each stimulus when participants count by `weight` (B, P).

        Whole weights give exact counts, as float32 holds every whole number below 2^24.

        Returns:
            two arrays (B, S).
        """
        by_column = np.ascontiguousarray(weight.T, "float32")
        called, shown = (
            np.ascontiguousarray((counts @ by_column).T, "float64") for counts in (self.called, self.shown)
        )
        return called, shown


@dataclass(frozen=True)
class Replicates:
    """Some replicates of the pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1, 386-411)."""

    weight: np.ndarray
    """(B, n) how often each point was drawn; 0 also where nobody drawn has answered."""
    rate: np.ndarray
    """(B, n) its fooling rate over the participants drawn; NaN where the weight is 0."""


def replicates(
    counts: AnswerCounts, *, seed: int | tuple[int, ...], point: np.ndarray | None = None
) -> Iterator[Replicates]:
    """Bootstrap replicates of the fooling rates, a part at a time: memory does not grow with their number.

    Args:
        counts: the answers.
        seed: equal seeds give equal replicates, with and without `point`, whatever the order of the trials.
        point: (S,) int, the model that each stimulus belongs to, 0.. without gaps: rates are then those of the models
            over the stimuli drawn, and each model counts once.
    """
    stimuli, people = len(counts.stimuli), len(counts.people)
    if stimuli == 0:
        return
    left = int(np.clip(_CELLS // stimuli, 200, REPLICATES))
    rng = np.random.default_rng(seed)
    while left:
        size = min(left, max(1, _AT_A_TIME // max(stimuli, people)))
        left -= size
        persons = draws(rng, people, size)
        weight = draws(rng, stimuli, size)
        called, shown = counts.weighted(persons)
        if point is not None:
            called, shown = (_summed(weight * answers, point) for answers in (called, shown))
            weight = np.ones_like(shown)
        seen = shown > 0
        yield Replicates(weight * seen, np.divide(called, shown, out=np.full(shown.shape, np.nan), where=seen))


def draws(rng: np.random.Generator, of: int, size: int) -> np.ndarray:
    """(size, of) how often each of `of` was drawn in `of` draws with replacement."""
    cell = rng.integers(of, size=(size, of)) + np.arange(size)[:, None] * of
    return np.bincount(cell.ravel(), minlength=size * of).reshape(size, of).astype("float64")


def draws_of_alike(rng: np.random.Generator, times: np.ndarray, size: int) -> np.ndarray:
    """(size, D) how often each of D kinds, of which there are `times` (D,), was drawn in as many draws as there are."""
    total = int(times.sum())
    if 4 * len(times) < total:
        return rng.multinomial(total, times / total, size).astype("float64")
    return np.add.reduceat(draws(rng, total, size), np.cumsum(times) - times, axis=1)  # quicker where few are alike


def _summed(values: np.ndarray, point: np.ndarray) -> np.ndarray:
    """(B, n) sums of the columns of `values` (B, S) that belong to the same point."""
    belongs = csr_array((np.ones(len(point)), (np.arange(len(point)), point)))
    return np.asarray(values @ belongs)


def percentile_interval(replicates: np.ndarray, estimate: float | None = None) -> tuple[float, float]:
    """95 % percentile interval of the replicates that could be computed; NaN where fewer than nine in ten could.

    Drawing anew adds noise and pulls correlations towards 0: with an estimate the interval is widened to reach it.
    """
    known = replicates[np.isfinite(replicates)]
    if len(known) < 0.9 * len(replicates) or len(known) == 0:
        return np.nan, np.nan
    low, high = (float(end) for end in np.quantile(known, [0.025, 0.975]))
    return (low, high) if estimate is None else (min(low, estimate), max(high, estimate))
