"""Networks that halve a picture until it is 4 pixels a side, and so take one size alone."""

from torch import Tensor

from gan_eval.errors import UserError

INNERMOST = 4
"""Side at which the halving ends (Pathak et al. 2016; Radford et al. 2016, arXiv 1511.06434)."""


def halvings(side: int, setting: str = "image_size", *, otherwise: str = "") -> int:
    """How often `side` halves until it is 4: at least once.

    Args:
        side: in pixels.
        setting: what decides the side, to name it.
        otherwise: another way out, which ends the message.

    Raises:
        UserError: it does not come to 4.

    >>> halvings(128), halvings(8)
    (5, 1)
    """
    least = 2 * INNERMOST
    if side >= least and side.bit_count() == 1:
        return (side // INNERMOST).bit_length() - 1
    below = 2 ** (side.bit_length() - 1)
    choice = f"{below} or {2 * below}" if below >= least else f"{least}"
    raise UserError(
        f"{setting}: {side} pixels a side do not halve to {INNERMOST}; choose what gives {choice}{otherwise}"
    )


def require_side(x: Tensor, side: int) -> None:
    """Refuse pictures of another size than the network's.

    Raises:
        UserError: (N, C, H, W) is not `side` x `side`.
    """
    height, width = x.shape[-2:]
    if (height, width) != (side, side):
        raise UserError(f"image_size: pictures of {width}x{height}; this network takes {side}x{side} alone")
