"""The picture metrics' work in torch, for pictures on a device other than the CPU.

The functions are those of `gan_eval.metrics.kernels.backends.Backend`, on tensors. Sums of whole numbers are
exact; the rest is computed in float64.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gan_eval.metrics.kernels.pictures import Border, Pixels, as_pair, as_picture

_STRIP = 256
"""Rows of the SSIM map that are made at a time, so that memory does not grow with the picture's height."""
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


def as_tensor(picture: Pixels) -> Tensor:
    """The picture as a tensor, where it lies.

    Raises:
        TypeError: not (H, W, 3) uint8.
    """
    return torch.as_tensor(as_picture(picture))


def tensor_pair(fake: Pixels, real: Pixels) -> tuple[Tensor, Tensor]:
    """Both pictures as tensors of one size on one device: that of the first.

    Raises:
        Unmeasurable: the sizes differ.
        TypeError: not (H, W, 3) uint8.
    """
    first, second = as_pair(fake, real)
    return torch.as_tensor(first), torch.as_tensor(second)


def difference_sums(fake: Tensor, real: Tensor, where: Tensor | None = None) -> tuple[int, int]:
    """The exact sums of squared and of absolute differences of two (H, W, 3) uint8, all or `where`, (H, W) bool."""
    difference = fake.to(torch.int32).sub_(real)
    if where is not None:
        difference = difference[where]
    return int(difference.square().sum(dtype=torch.int64)), int(difference.abs_().sum(dtype=torch.int64))


def luma(picture: Tensor) -> Tensor:
    """(H, W) uint8: floor((299 R + 587 G + 114 B + 500) / 1000)."""
    red, green, blue = picture.to(torch.int32).unbind(-1)
    thousandths = (299 * red).add_(green, alpha=587).add_(blue, alpha=114).add_(500)
    return thousandths.div_(1000, rounding_mode="floor").to(torch.uint8)


def laplacian_sums(plane: Tensor) -> tuple[int, int]:
    """The exact sums of the 4-neighbour Laplacian and of its square over the interior of an (H, W) uint8."""
    y = plane.to(torch.int32)
    bend = y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:] - 4 * y[1:-1, 1:-1]
    return int(bend.sum(dtype=torch.int64)), int(bend.square().sum(dtype=torch.int64))


def similarity(x: Tensor, y: Tensor, *, luminance: bool, where: Tensor | None = None) -> NDArray[np.float64]:
    """(C,): each channel's mean of the SSIM map of two (H, W, C), or of its contrast-structure factor alone.

    With `where`, (H - 10, W - 10) bool, the mean over these places alone.
    """
    height, width, channels = x.shape
    total = torch.zeros(channels, dtype=torch.float64, device=x.device)
    for top in range(0, height - 10, _STRIP):
        rows = slice(top, min(top + _STRIP + 10, height))
        strip = _similarity_map(x[rows], y[rows], luminance)
        total += strip.sum(dim=(0, 1)) if where is None else strip[where[top : top + _STRIP]].sum(dim=0)
    count = (height - 10) * (width - 10) if where is None else int(where.sum())
    return (total / count).cpu().numpy()


def pool(x: Tensor) -> Tensor:
    """(ceil(H/2), ceil(W/2), C) float32: means of 2x2; with an odd side, first a copy of the first row and column."""
    odd = max(x.shape[0] % 2, x.shape[1] % 2)
    planes = x.to(torch.float32).permute(2, 0, 1)[None]
    return F.avg_pool2d(F.pad(planes, (odd, 0, odd, 0), mode="replicate"), 2)[0].permute(1, 2, 0)


def sample_moments(plane: Tensor, *, block: tuple[int, int], border: Border) -> NDArray[np.float64]:
    """(5, 5, blocks): moments of the normalised luma and of its products with neighbours, by whole block."""
    rows, columns = plane.shape[0] // block[0], plane.shape[1] // block[1]
    y, weights = plane.to(torch.float64), _gaussian(3, 7 / 6)
    padded = F.pad(y[None], (3, 3, 3, 3), mode="constant" if border == "zero" else "replicate")[0]
    mean = _correlate(padded, weights)
    deviation = _correlate(padded.square(), weights).addcmul_(mean, mean, value=-1).abs_().sqrt_()
    difference = y - mean
    difference.masked_fill_(difference.abs() < 1e-6, 0)  # see `gan_eval.metrics.definitions.no_reference`
    normalised = difference.div_(deviation.add_(1)).reshape(rows, block[0], columns, block[1])
    m = normalised.transpose(1, 2).reshape(-1, *block)
    moments = [_moments(m), *(_moments(m * m.roll(shift, dims=(1, 2))) for shift in _SHIFTS)]
    return torch.stack(moments, dim=1).cpu().numpy()


def halve(plane: Tensor) -> Tensor:
    """(ceil(H/2), ceil(W/2)) float64: bicubic (a = -0.5) widened to 8 taps, symmetric border, no rounding."""
    taps = [_cubic((k - 3.5) / 2) for k in range(8)]
    total = sum(taps)
    y = plane.to(torch.float64)
    height, width = y.shape
    padded = torch.cat([y[:3].flip(0), y, y[-3 - height % 2 :].flip(0)], dim=0)
    padded = torch.cat([padded[:, :3].flip(1), padded, padded[:, -3 - width % 2 :].flip(1)], dim=1)
    return _correlate(padded, [t / total for t in taps], stride=2)


def _similarity_map(x: Tensor, y: Tensor, luminance: bool) -> Tensor:
    """(H - 10, W - 10, C) float64 of two (H, W, C), from four filtered maps instead of five.

    With s = x + y and d = x - y: 2 μx μy = (μs² - μd²)/2, μx² + μy² = (μs² + μd²)/2, 2 σxy = (vs - vd)/2 and
    σx² + σy² = (vs + vd)/2. The factors 1/2 are moved into C1 and C2.
    """
    c1, c2 = 2 * (0.01 * 255) ** 2, 2 * (0.03 * 255) ** 2
    weights = _gaussian(5, 1.5)
    x, y = x.to(torch.float64), y.to(torch.float64)
    s, d = x + y, x - y
    mean_s, mean_d = _correlate(s, weights), _correlate(d, weights)
    variance_s = _correlate(s.square(), weights).addcmul_(mean_s, mean_s, value=-1)
    variance_d = _correlate(d.square(), weights).addcmul_(mean_d, mean_d, value=-1)
    result = (variance_s - variance_d).add_(c2).div_(variance_s.add_(variance_d).add_(c2))
    if luminance:
        mean_s.square_()
        mean_d.square_()
        result.mul_((mean_s - mean_d).add_(c1).div_(mean_s.add_(mean_d).add_(c1)))
    return result


def _moments(samples: Tensor) -> Tensor:
    """(5, B): the fields of `no_reference.Moments` for each of B sets of samples, (B, ...)."""
    v = samples.flatten(1)
    right = v.clamp(min=0)
    left = v - right
    squares = [torch.linalg.vecdot(side, side) for side in (left, right)]
    counts = [side.sign().sum(dim=1).abs() for side in (left, right)]
    return torch.stack([v.abs().sum(dim=1), *squares, *counts])


def _gaussian(reach: int, sigma: float) -> list[float]:
    weights = [math.exp(-(k**2) / (2 * sigma**2)) for k in range(-reach, reach + 1)]
    total = sum(weights)
    return [weight / total for weight in weights]


def _cubic(x: float) -> float:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def _correlate(x: Tensor, weights: Sequence[float], *, stride: int = 1) -> Tensor:
    """Separable correlation along the first two axes, every `stride`-th place, windows wholly inside."""
    for dim in (0, 1):
        # a view of x for each tap: shifted multiply-adds are faster than a float64 convolution
        stop = stride * ((x.shape[dim] - len(weights)) // stride) + 1
        places = [slice(tap, tap + stop, stride) for tap in range(len(weights))]
        windows = [x[place] if dim == 0 else x[:, place] for place in places]
        result = windows[0] * weights[0]
        for window, weight in zip(windows[1:], weights[1:], strict=True):
            result.add_(window, alpha=weight)
        x = result
    return x
