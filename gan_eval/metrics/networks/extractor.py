"""Interface of what turns pictures into the features that set metrics compare: the interface."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gan_eval.metrics.definitions.record import ExtractorName
from gan_eval.stimuli.pictures import Picture

Companion = Literal["input", "reference"]
"""A further picture of the stimulus: what the generator was given, or the ground truth."""


class Extractor(Protocol):
    """A network on its device, or anything else that makes one vector of a picture. Threads may share it."""

    @property
    def name(self) -> ExtractorName:
        """Name in the metrics' records."""

    @property
    def size(self) -> int:
        """Features of a picture."""

    @property
    def key(self) -> str:
        """Everything that the features depend on, other than the pictures: cached features are found by it."""

    @property
    def batch_size(self) -> int:
        """Pictures for one call of `features`."""

    @property
    def companion(self) -> Companion | None:
        """The further picture that `prepare` wants."""

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """(H, W, 3) uint8 to what the network takes; the result's shape is the same for every picture, unless
        `batch_size` is 1.

        Raises:
            Unmeasurable: the picture cannot be used.
        """

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """(N, size) float32 of N prepared pictures, in one call."""
