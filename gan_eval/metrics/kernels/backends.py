"""Where a picture metric is computed: by compiled code on the CPU, by torch on any other device.

Both sides offer the same few functions (`Backend`); the metrics are written once, on top of them.
"""

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.kernels.pictures import Unmeasurable

if TYPE_CHECKING:
    from torch import Tensor

Pixels: TypeAlias = "Tensor | NDArray[Any]"
"""(H, W, 3) uint8, 0..255, RGB; an array, or a tensor on any device."""

HolePixels: TypeAlias = "Tensor | NDArray[np.bool_]"
"""(H, W) bool, True in the hole; an array, or a tensor on any device."""

Border = Literal["replicate", "zero"]
"""What lies beyond the picture for a local mean: its edge repeated, or nothing."""


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

        The first axis is `natural_scenes.Moments`, the second the samples: the luma itself, then its products with
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


def as_picture(picture: Pixels) -> "NDArray[np.uint8] | Tensor":
    """The picture as an array where it lies on the CPU, else as the tensor that it is.

    Apple's devices do not have the float64 that the definitions ask for: their pictures are measured on the CPU.

    Raises:
        TypeError: not (H, W, 3) uint8; a range is never guessed from the data.
    """
    kind = str(picture.dtype).removeprefix("torch.") if hasattr(picture, "dtype") else type(picture).__name__
    if kind != "uint8" or picture.ndim != 3 or picture.shape[-1] != 3:
        raise TypeError(f"wanted (H, W, 3) uint8, found {tuple(np.shape(picture))} {kind}")
    if isinstance(picture, np.ndarray):
        return picture
    return picture.cpu().numpy() if picture.device.type in ("cpu", "mps") else picture


def as_pair(fake: Pixels, real: Pixels) -> tuple["NDArray[np.uint8] | Tensor", "NDArray[np.uint8] | Tensor"]:
    """Both pictures in one place: that of the first.

    Raises:
        Unmeasurable: the sizes differ.
        TypeError: not (H, W, 3) uint8.
    """
    first, second = as_picture(fake), as_picture(real)
    if first.shape != second.shape:
        sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (first, second))
        raise Unmeasurable(
            f"the sizes of the generated and the real picture differ ({sizes}); --resize makes them equal"
        )
    if isinstance(first, np.ndarray):
        return first, second if isinstance(second, np.ndarray) else second.cpu().numpy()
    import torch

    return first, torch.as_tensor(second, device=first.device)


def as_hole(hole: HolePixels, picture: "NDArray[np.uint8] | Tensor") -> "NDArray[np.bool_] | Tensor":
    """The hole where the picture is that `as_pair` gave.

    Raises:
        Unmeasurable: it is of another size than the picture, or empty.
        TypeError: not (H, W) bool.
    """
    kind = str(hole.dtype).removeprefix("torch.") if hasattr(hole, "dtype") else type(hole).__name__
    if kind != "bool" or hole.ndim != 2:
        raise TypeError(f"wanted (H, W) bool, found {tuple(np.shape(hole))} {kind}")
    height, width = hole.shape
    if (height, width) != tuple(picture.shape[:2]):
        real = f"{picture.shape[1]}x{picture.shape[0]}"
        raise Unmeasurable(f"the mask is {width}x{height} pixels, the real picture {real}; bring both to one size")
    if not bool(hole.any()):
        raise Unmeasurable("the mask has no hole: none of its pixels is white")
    if isinstance(picture, np.ndarray):
        return hole if isinstance(hole, np.ndarray) else hole.cpu().numpy()
    import torch

    return torch.as_tensor(hole, device=picture.device)
