"""How pictures are brought to the 299x299 of the Inception network. The resizer is part of FID's and KID's name.

Only the resizing is named: the network always takes (x - 128)/128, the scaling of its own graph. (pytorch-fid takes
x/127.5 - 1 instead, so its values differ a little from `bilinear` here.)

All take (H, W, 3) uint8 and give (3, S, S) float32 in 0..255, not rounded, in whatever layout costs least.
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from gan_eval.errors import UserError
from gan_eval.metrics.facts import DEFAULT_RESIZER
from gan_eval.stimuli.pictures import Picture

SIZE = 299

Resizer = Callable[[Picture, int], Tensor]


def resize(picture: Picture, name: str = DEFAULT_RESIZER, *, size: int = SIZE) -> Tensor:
    """Resize with the named rule.

    Args:
        picture: (H, W, 3) uint8.
        name: `tf1` (TensorFlow 1 bilinear, corners not aligned, no antialias; as torch-fidelity), `bilinear`
            (half-pixel bilinear, no antialias; as pytorch-fid), `bilinear-aa` (with antialias; as torchmetrics 1.9) or
            `clean` (Pillow's bicubic on each channel in float32, cut off at 0 and 255; as clean-fid).
        size: S.

    Returns:
        (3, S, S) float32, 0..255.

    Raises:
        UserError: an unknown name.

    >>> resize(np.full((64, 48, 3), 7, np.uint8), "clean").unique()
    tensor([7.])
    """
    check_resizer(name)
    return RESIZERS[name](picture, size)


def check_resizer(name: str) -> None:
    """See that there is such a resizer.

    Raises:
        UserError: there is none.
    """
    if name not in RESIZERS:
        raise UserError(f"resizer {name!r}: unknown; choose one of {', '.join(RESIZERS)}")


def _tf1(picture: Picture, size: int) -> Tensor:
    """TensorFlow 1's `resize_bilinear`: the source place is i · in/out, without a half-pixel shift."""
    x = torch.as_tensor(picture).to(torch.float32).contiguous()  # the channels side by side: rows copy in one piece
    x = _between(x, 1, *_tf1_places(x.shape[1], size))
    x = _between(x, 0, *_tf1_places(x.shape[0], size))
    return x.permute(2, 0, 1)


def _between(x: Tensor, dim: int, before: Tensor, after: Tensor, way: Tensor) -> Tensor:
    """(H, W, 3) at places between two of its rows or columns; added up in the order of TensorFlow, to the last bit."""
    near = x.index_select(dim, before)
    way = way[:, None] if dim == 1 else way[:, None, None]
    return x.index_select(dim, after).sub_(near).mul_(way).add_(near)


def _tf1_places(length: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each of `size` places: the pixel before, the pixel after, and the way between them (0..1)."""
    place = torch.arange(size, dtype=torch.float32) * torch.tensor(length / size, dtype=torch.float32)
    before = place.floor().long()
    return before, (before + 1).clamp_(max=length - 1), place - before


def _bilinear(picture: Picture, size: int) -> Tensor:
    return F.interpolate(_planes(picture)[None], (size, size), mode="bilinear", align_corners=False)[0]


def _bilinear_aa(picture: Picture, size: int) -> Tensor:
    x = _planes(picture)[None]
    return F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)[0]


def _clean(picture: Picture, size: int) -> Tensor:
    channels = [
        np.array(
            Image.fromarray(picture[..., c].astype(np.float32)).resize((size, size), resample=Image.Resampling.BICUBIC)
        )
        for c in range(3)
    ]
    return torch.from_numpy(np.stack(channels)).clamp_(0, 255)


def _planes(picture: Picture) -> Tensor:
    """(3, H, W) float32, contiguous."""
    return torch.as_tensor(picture).permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)


RESIZERS: dict[str, Resizer] = {"tf1": _tf1, "bilinear": _bilinear, "bilinear-aa": _bilinear_aa, "clean": _clean}
