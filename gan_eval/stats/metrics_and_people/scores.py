"""Two-way bootstrap of fooling rates or mean grades: participants and items resampled, each with all its answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gan_eval.base.inference import REPLICATES, sampled_counts

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

_CELLS = 20_000_000
"""Maximum of stimuli times replicates; more stimuli get fewer replicates, at least 200."""
_AT_A_TIME = 250_000
"""Maximum of stimuli times replicates in memory at a time."""


@dataclass(frozen=True)
class Scores:
    """Scores of generated pictures, summed by stimulus and participant: 1 for `real` and 0 for `fake`, or grades."""

    people: np.ndarray
    """(P,) names of the participants, sorted."""
    stimuli: np.ndarray
    """(S,) names of the stimuli, sorted."""
    sums: "csr_array"
    """(S, P) sums of scores; float32 where all scores are whole numbers, float64 otherwise."""
    answers: "csr_array"
    """(S, P) float32, numbers of answers."""

    @classmethod
    def of(cls, fakes: "pd.DataFrame") -> "Scores":
        """Sum trials of fakes with `participant`, `stimulus` and a finite `score`."""
        import pandas as pd
        from scipy.sparse import csr_array

        participant, people = pd.factorize(fakes["participant"], sort=True)
        stimulus, stimuli = pd.factorize(fakes["stimulus"], sort=True)
        score = fakes["score"].to_numpy("float64")
        precision = "float32" if (score == np.rint(score)).all() else "float64"
        sums, answers = (
            csr_array((of_each, (stimulus, participant)), shape=(len(stimuli), len(people)))
            for of_each in (score.astype(precision), np.ones(len(fakes), "float32"))
        )
        return cls(np.asarray(people, object), np.asarray(stimuli, object), sums, answers)

    def totals(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (S,) the sum of scores and (S,) the number of answers of each stimulus."""
        sums, answers = self.weighted(np.ones((1, len(self.people))))
        return sums[0], answers[0]

    def weighted(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, S) the sums of scores, and (B, S) the answers, if participants count by `weight` (B, P).

        Whole weights and scores give exact sums, as float32 holds every whole number below 2^24.
        """
        by_column = np.ascontiguousarray(weight.T, "float32")
        sums, answers = (
            np.ascontiguousarray((values @ by_column).T, "float64") for values in (self.sums, self.answers)
        )
        return sums, answers


@dataclass(frozen=True)
class Replicates:
    """A part of the replicates of the pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1, 386-411)."""

    weight: np.ndarray
    """(B, n) how often each point was sampled, stimuli with their item; 0 also where none of the sampled participants
    has answered."""
    score: np.ndarray
    """(B, n) mean score of each point over the sampled participants; NaN where the weight is 0."""


def bootstrap_replicates(
    scores: Scores,
    *,
    seed: int | tuple[int, ...],
    item: np.ndarray,
    replicates: int = REPLICATES,
) -> Iterator[Replicates]:
    """Yield bootstrap replicates of the mean scores in parts, so that memory does not grow with their number.

    Args:
        seed: equal seeds give equal replicates, in any order of the trials.
        item: (S,) int, the item of each stimulus, 0.. without gaps, which is resampled with all its models' stimuli.
        replicates: their number; very many stimuli get fewer.
    """
    stimuli, people = len(scores.stimuli), len(scores.people)
    remaining = min(replicates, max(200, _CELLS // stimuli))
    rng = np.random.default_rng(seed)
    while remaining:
        size = min(remaining, max(1, _AT_A_TIME // max(stimuli, people)))
        remaining -= size
        persons = sampled_counts(rng, people, size)
        weight = sampled_counts(rng, int(item.max()) + 1, size)[:, item]
        sums, answers = scores.weighted(persons)
        answered = answers > 0
        score = np.divide(sums, answers, out=np.full(answers.shape, np.nan), where=answered)
        yield Replicates(weight * answered, score)
