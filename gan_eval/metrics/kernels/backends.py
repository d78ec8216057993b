"""Where a picture metric is computed: by compiled code on the CPU, by torch on any other device.

Both sides offer the same few functions (`Backend`); the metrics are written once, on top of them.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.kernels.pictures import Border, Pixels


class Backend(Protocol):
    """What the metrics need done to whole pictures. `Any` is an array for one backend, a tensor for the other."""

    def difference_sums(self, fake: Any, real: Any, where: Any = None) -> tuple[int, int]:
        """The exact sums of squared and of absolute differences of two (H, W, 3) uint8, all or `where`, (H, W) bool."""

    def luma(self, picture: Any) -> Any:
        """(H, W) uint8: BT.601 luma as a whole number, floor((299 R + 587 G + 114 B + 500) / 1000)."""

    def laplacian_sums(self, plane: Any) -> tuple[int, int]:
        """The exact sums of the 4-neighbour Laplacian and of its square over the interior of an (H, W) uint8."""

    def similarity(self, x: Any, y: Any, *, luminance: bool, where: Any = None) -> NDArray[np.float64]:
        """(C,): each channel's mean of the SSIM map of two (H, W, C), uint8 or float32 in 0..255.

        Without `luminance`, the mean of its contrast-structure factor alone. With `where`, (H - 10, W - 10) bool with
        a True in it, the mean over these places of the map.
        """

    def pool(self, x: Any) -> Any:
        """(ceil(H/2), ceil(W/2), C) float32: means of 2x2 of an (H, W, C), uint8 or float32.

        Where a side is odd, the first row and the first column are doubled first.
        """

    def sample_moments(self, plane: Any, *, block: tuple[int, int], border: Border) -> NDArray[np.float64]:
        """(5, 5, blocks): moments of the normalised luma and of its products with neighbours, by whole block.

        The first axis is `no_reference.Moments`, the second the samples: the luma itself, then its products with
        its neighbours left, above, above left and above right, going round inside the block.
        """

    def halve(self, plane: Any) -> Any:
        """(ceil(H/2), ceil(W/2)) float64 as MATLAB's `imresize(plane, 0.5)` of an (H, W) uint8, sides 4 and above."""


def backend_of(picture: Pixels) -> Backend:
    """The backend for what `as_picture` gave."""
    if isinstance(picture, np.ndarray):
        from gan_eval.metrics.kernels import compiled

        return compiled
    from gan_eval.metrics.kernels import tensors

    return tensors
