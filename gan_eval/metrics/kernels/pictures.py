"""The pictures and holes that metrics accept, and the exception for a missing value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


class Unmeasurable(Exception):  # noqa: N818 - not an error of the program: the row says why its value is missing
    """A metric is not defined for these pictures (too small, sizes differ, too few).

    The message is the `reason` of the table's row.
    """


Pixels: TypeAlias = "Tensor | NDArray[Any]"
"""(H, W, 3) uint8, 0..255, RGB; an array, or a tensor, which is copied to an array."""

HolePixels: TypeAlias = "Tensor | NDArray[np.bool_]"
"""(H, W) bool, True in the hole; an array or a tensor."""


def as_picture(picture: Pixels, *, any_format: bool = False) -> NDArray[Any]:
    """Return the picture as an array.

    Raises:
        TypeError: another shape or type; the range of values is never guessed from the data.
    """
    kind = str(picture.dtype).removeprefix("torch.") if hasattr(picture, "dtype") else type(picture).__name__
    fits = kind in ("uint8", "uint16") if any_format else kind == "uint8" and picture.shape[-1:] == (3,)
    if not fits or picture.ndim != 3:
        expected = "(H, W, channels) uint8 or uint16" if any_format else "(H, W, 3) uint8"
        raise TypeError(f"expected {expected}, found {tuple(np.shape(picture))} {kind}")
    return _array(picture)


def as_pair(fake: Pixels, real: Pixels, *, any_format: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both pictures as arrays of one shape and type.

    Raises:
        Unmeasurable: the sizes differ.
        TypeError: not (H, W, 3) uint8; with `any_format`, not (H, W, channels) of one type, uint8 or uint16.
    """
    if (
        (isinstance(fake, np.ndarray) and isinstance(real, np.ndarray))
        and (fake.ndim == 3 and fake.shape == real.shape and fake.dtype == real.dtype == np.uint8)
        and (any_format or fake.shape[2] == 3)
    ):
        return fake, real  # as decoded
    first, second = as_picture(fake, any_format=any_format), as_picture(real, any_format=any_format)
    if first.dtype != second.dtype:
        raise TypeError(f"expected two pictures of one depth, found {first.dtype} and {second.dtype}")
    if first.shape != second.shape:
        from gan_eval.pictures.agreement import size_advice

        sizes = " and ".join(f"{picture.shape[1]}x{picture.shape[0]}" for picture in (first, second))
        raise Unmeasurable(
            f"the sizes of the generated and the real picture differ ({sizes}); --resize makes them equal"
            f"{size_advice(second, first)}"
        )
    return first, second


def require_side(picture: Pixels, side: int, metric: str) -> None:
    """Raise Unmeasurable if a side of the picture is below `side` pixels."""
    height, width = picture.shape[:2]
    if min(height, width) < side:
        raise Unmeasurable(f"{width}x{height} pixels; {metric} needs at least {side}x{side}")


def as_hole(hole: HolePixels, picture: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the hole as an array, checked against its picture.

    Raises:
        Unmeasurable: its size is not the picture's, or it is empty.
        TypeError: not (H, W) bool.
    """
    kind = str(hole.dtype).removeprefix("torch.") if hasattr(hole, "dtype") else type(hole).__name__
    if kind != "bool" or hole.ndim != 2:
        raise TypeError(f"expected (H, W) bool, found {tuple(np.shape(hole))} {kind}")
    height, width = hole.shape
    if (height, width) != picture.shape[:2]:
        real = f"{picture.shape[1]}x{picture.shape[0]}"
        raise Unmeasurable(f"the mask is {width}x{height} pixels, the real picture {real}; bring both to one size")
    if not bool(hole.any()):
        raise Unmeasurable("the mask has no hole: none of its pixels is white")
    return _array(hole)


def _array(pixels: "Tensor | NDArray[Any]") -> NDArray[Any]:
    return pixels if isinstance(pixels, np.ndarray) else pixels.cpu().numpy()


@dataclass(frozen=True)
class Missing:
    """Stands in place of a value, of features, or of a picture that a metric needs."""

    reason: str
    is_lasting: bool = True
    """False if another run may have a value: the file was restored, or there is more memory."""


NO_MEMORY = Missing("too little memory for a picture of this size", is_lasting=False)
NO_INPUT = Missing("no input_file: the label map that the picture was made from; a stimulus set with input/ has it")
"""A value without an input picture."""
