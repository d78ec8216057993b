"""PSNR and SSIM of two 8-bit RGB pictures."""

import math

import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_eval.metrics.unmeasurable import Unmeasurable

Pixels = Tensor | NDArray
"""(H, W, 3) uint8, 0..255, RGB; an array or a tensor on any device."""

WINDOW = 11
"""Taps of SSIM's Gaussian window; the least side of a picture."""
SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


def psnr(fake: Pixels, real: Pixels) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels: 10 log10(255² / MSE).

    The sum of squared differences is a whole number and exact, so the value does not depend on order or device.

    Args:
        fake, real: (H, W, 3) uint8, 0..255.

    Returns:
        dB; `inf` for equal pictures.

    Raises:
        Unmeasurable: the sizes differ.

    >>> import numpy as np
    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> round(psnr(black + np.uint8(1), black), 4), psnr(black, black)
    (48.1308, inf)
    """
    fake, real = as_pair(fake, real)
    difference = fake.to(torch.float64).sub_(real).flatten()
    squares = int(torch.dot(difference, difference))  # exact: below 2**53 a float64 holds every whole number
    return math.inf if squares == 0 else 10 * math.log10(255**2 * fake.numel() / squares)


def ssim(fake: Pixels, real: Pixels) -> float:
    """Structural similarity (Wang et al. 2004): mean over the map and over R, G, B.

    Gaussian window of 11 taps, sigma 1.5; population covariance; only windows wholly inside the picture; as
    scikit-image with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1`.

    Args:
        fake, real: (H, W, 3) uint8, 0..255.

    Returns:
        -1..1; 1 for equal pictures.

    Raises:
        Unmeasurable: the sizes differ, or a side is below 11 pixels.

    >>> import numpy as np
    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> ssim(black, black)
    1.0
    """
    fake, real = as_pair(fake, real)
    return _ssim(fake, real)


def ssim_luma(fake: Pixels, real: Pixels) -> float:
    """SSIM of the integer lumas (see `luma`); arguments, range and errors as `ssim`."""
    fake, real = as_pair(fake, real)
    return _ssim(luma(fake)[..., None], luma(real)[..., None])


def luma(picture: Tensor) -> Tensor:
    """ITU-R BT.601 luma rounded to a whole number: floor((299 R + 587 G + 114 B + 500) / 1000).

    Args:
        picture: (H, W, 3) uint8.

    Returns:
        (H, W) float32, whole numbers 0..255. A grey picture is its own luma.
    """
    red, green, blue = picture.unbind(-1)
    thousandths = red.to(torch.float32).mul_(299).add_(green, alpha=587).add_(blue, alpha=114)
    return thousandths.add_(500).div_(1000).floor_()  # below 2**24 a float32 holds every whole number exactly


def as_pair(fake: Pixels, real: Pixels) -> tuple[Tensor, Tensor]:
    """Both pictures as tensors of one size.

    Raises:
        Unmeasurable: the sizes differ.
        TypeError: not (H, W, 3) uint8.
    """
    first, second = as_picture(fake), as_picture(real)
    if first.shape != second.shape:
        sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (first, second))
        raise Unmeasurable(f"the sizes of the generated and the real picture differ ({sizes})")
    return first, second


def as_picture(picture: Pixels) -> Tensor:
    """The picture as a tensor.

    Raises:
        TypeError: not (H, W, 3) uint8; a range is never guessed from the data.
    """
    tensor = torch.as_tensor(picture)
    if tensor.dtype != torch.uint8 or tensor.ndim != 3 or tensor.shape[-1] != 3:
        raise TypeError(f"wanted (H, W, 3) uint8, found {tuple(tensor.shape)} {tensor.dtype}")
    return tensor


def _ssim(fake: Tensor, real: Tensor) -> float:
    """SSIM of (H, W, C), in float32, from four filtered maps instead of five.

    With s = x + y - 255 and d = x - y, the maps of s, d, s² and d² give every moment: 2 μx μy = (μs'² - μd²)/2 and
    μx² + μy² = (μs'² + μd²)/2 with μs' = μs + 255; 2 σxy = (vs - vd)/2 and σx² + σy² = (vs + vd)/2. Taking 255 off
    keeps the squares small, so that float32 is exact to 5e-7. The factors 1/2 are moved into C1 and C2.
    """
    height, width, channels = fake.shape
    if min(height, width) < WINDOW:
        raise Unmeasurable(f"{width}x{height} pixels; SSIM needs at least {WINDOW}x{WINDOW}")
    x = fake.reshape(height, width * channels).to(torch.float32)
    y = real.reshape(height, width * channels).to(torch.float32)
    s = (x + y).sub_(255)
    d = x.sub_(y)
    variance_s = _window_mean(s.square(), channels)
    variance_d = _window_mean(d.square(), channels)
    mean_s = _window_mean(s, channels)
    mean_d = _window_mean(d, channels)
    variance_s.addcmul_(mean_s, mean_s, value=-1)
    variance_d.addcmul_(mean_d, mean_d, value=-1)
    mean_s.add_(255).square_()
    mean_d.square_()
    numerator = (mean_s - mean_d).add_(2 * _C1).mul_((variance_s - variance_d).add_(2 * _C2))
    denominator = mean_s.add_(mean_d).add_(2 * _C1).mul_(variance_s.add_(variance_d).add_(2 * _C2))
    return float(numerator.div_(denominator).mean(dtype=torch.float64))


def _window_mean(rows: Tensor, channels: int) -> Tensor:
    """Gaussian mean over every 11x11 window wholly inside; (H, W·C) with interleaved channels."""
    weights = [math.exp(-((k - WINDOW // 2) ** 2) / (2 * SIGMA**2)) for k in range(WINDOW)]
    total = sum(weights)
    down = _shifted_sum(rows, [w / total for w in weights], dim=0, step=1)
    return _shifted_sum(down, [w / total for w in weights], dim=1, step=channels)


def _shifted_sum(x: Tensor, weights: list[float], *, dim: int, step: int) -> Tensor:
    """Correlation along `dim` as shifted multiply-adds in place: several times faster than a convolution on a CPU."""
    length = x.shape[dim] - step * (len(weights) - 1)
    result = x.narrow(dim, 0, length) * weights[0]
    for k, weight in enumerate(weights[1:], start=1):
        result.add_(x.narrow(dim, k * step, length), alpha=weight)
    return result
