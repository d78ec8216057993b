"""The features of pictures, found by stimulus: what the pass over the pictures hands to the set metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureTable:
    """Features of one extractor."""

    values: NDArray[np.float32]
    """(N, size), in memory or mapped from a file."""
    place: Mapping[str, int]
    """Row of each stimulus that has features."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a stimulus has none, where its file could be read."""

    def having(self, stimuli: Iterable[str]) -> list[str]:
        """Those of the stimuli that have features, in their order."""
        return [stimulus for stimulus in stimuli if stimulus in self.place]

    def take(self, stimuli: Sequence[str]) -> NDArray[np.float32]:
        """(n, size) features in the stimuli's order; not copied where they stand in a row.

        Raises:
            KeyError: a stimulus has no features.
        """
        rows = np.array([self.place[stimulus] for stimulus in stimuli], dtype=np.intp)
        if len(rows) and (np.diff(rows) == 1).all():
            return self.values[rows[0] : rows[-1] + 1]
        return self.values[rows]
