"""What the metrics take: pictures and holes as arrays or tensors; and why one has no value."""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


class Unmeasurable(Exception):  # noqa: N818 - not an error of the program: the row says why its value is missing
    """A metric is not defined for these pictures (too small, sizes differ, too few).

    The message is the `reason` of the table's row.
    """


Pixels: TypeAlias = "Tensor | NDArray[Any]"
"""(H, W, 3) uint8, 0..255, RGB; an array, or a tensor on any device."""

HolePixels: TypeAlias = "Tensor | NDArray[np.bool_]"
"""(H, W) bool, True in the hole; an array, or a tensor on any device."""

Border = Literal["replicate", "zero"]
"""What lies beyond the picture for a local mean: its edge repeated, or nothing."""


def as_picture(picture: Pixels, *, any_format: bool = False) -> "NDArray[np.uint8] | Tensor":
    """The picture as an array where it lies on the CPU, else as the tensor that it is.

    Apple's devices do not have the float64 that the definitions ask for: their pictures are measured on the CPU.

    Args:
        picture: (H, W, 3) uint8.
        any_format: (H, W, channels) uint8 or uint16 will do, too.

    Raises:
        TypeError: it is none; a range is never guessed from the data.
    """
    kind = str(picture.dtype).removeprefix("torch.") if hasattr(picture, "dtype") else type(picture).__name__
    fits = kind in ("uint8", "uint16") if any_format else kind == "uint8" and picture.shape[-1:] == (3,)
    if not fits or picture.ndim != 3:
        wanted = "(H, W, channels) uint8 or uint16" if any_format else "(H, W, 3) uint8"
        raise TypeError(f"wanted {wanted}, found {tuple(np.shape(picture))} {kind}")
    if isinstance(picture, np.ndarray):
        return picture
    return picture.cpu().numpy() if picture.device.type in ("cpu", "mps") else picture


def as_pair(
    fake: Pixels, real: Pixels, *, any_format: bool = False
) -> tuple["NDArray[np.uint8] | Tensor", "NDArray[np.uint8] | Tensor"]:
    """Both pictures in one place: that of the first.

    Raises:
        Unmeasurable: the sizes differ.
        TypeError: not (H, W, 3) uint8; with `any_format`, not two (H, W, channels) uint8 or uint16 alike.
    """
    first, second = as_picture(fake, any_format=any_format), as_picture(real, any_format=any_format)
    if str(first.dtype).endswith("uint16") != str(second.dtype).endswith("uint16") or first.ndim != second.ndim:
        raise TypeError(f"wanted two pictures of one depth, found {first.dtype} and {second.dtype}")
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


NO_MEMORY = "too little memory for a picture of this size"


def memory_ran_out(error: Exception) -> bool:
    """Whether the error is that of a picture too large for the memory, whoever asked for it."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in ("out of memory", "can't allocate"))
    )


NO_INPUT = "no input_file: the label map that the picture was generated from; a stimulus set with input/ has it"
"""Why there is no input, where there is none."""
