"""Two-way bootstrap: participants and stimuli drawn anew, each with all its answers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

REPLICATES = 1000
_CELLS = 20_000_000
"""Stimuli times replicates held at a time; more stimuli get fewer replicates, never under 200."""


@dataclass(frozen=True)
class Resamples:
    """Fooling rates under the pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1, 386-411)."""

    stimuli: np.ndarray
    """(S,) names of the stimuli, sorted."""
    called_real: np.ndarray
    """(S, B) weighted answers `real` under each draw of participants."""
    answers: np.ndarray
    """(S, B) weighted answers under each draw of participants."""
    drawn: np.ndarray
    """(S, B) positions of the stimuli drawn in each replicate."""


def resample(fakes: pd.DataFrame, *, seed: int | tuple[int, ...]) -> Resamples:
    """Bootstrap replicates of the answers to generated pictures.

    Args:
        fakes: answered trials of fakes with `participant`, `stimulus` and `says_fake`.
        seed: equal seeds give equal replicates, whatever the order of the rows.
    """
    participant, people = pd.factorize(fakes["participant"], sort=True)
    stimulus, stimuli = pd.factorize(fakes["stimulus"], sort=True)
    shape = (len(stimuli), len(people))
    called = csr_array(((~fakes["says_fake"]).to_numpy(float), (stimulus, participant)), shape=shape)
    shown = csr_array((np.ones(len(fakes)), (stimulus, participant)), shape=shape)
    replicates = int(np.clip(_CELLS // max(len(stimuli), 1), 200, REPLICATES))
    rng = np.random.default_rng(seed)
    weight = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), replicates).T.astype(float)
    drawn = rng.integers(len(stimuli), size=(len(stimuli), replicates))
    return Resamples(stimuli.to_numpy(), called @ weight, shown @ weight, drawn)


def percentile_interval(replicates: np.ndarray, estimate: float) -> tuple[float, float]:
    """95 % percentile interval of the replicates that could be computed; NaN where fewer than nine in ten could.

    Drawing anew adds noise and pulls correlations towards 0, so the interval is widened to reach the estimate.
    """
    known = replicates[np.isfinite(replicates)]
    if len(known) < 0.9 * len(replicates) or len(known) == 0:
        return np.nan, np.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return min(float(low), estimate), max(float(high), estimate)
