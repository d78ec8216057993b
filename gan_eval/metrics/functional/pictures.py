"""Metrics of single pictures and of pairs, as functions of batches.

Metrics of the hole of inpainted pictures, as functions of batches.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import no_reference as _no_reference
from gan_eval.metrics.definitions import no_reference as _sharpness
from gan_eval.metrics.definitions import similarity
from gan_eval.metrics.definitions import similarity as _similarity
from gan_eval.metrics.definitions import similarity as pixel
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.learned import learned_metrics

Network = Callable[..., float]
"""What `load` gives."""


def psnr(fake: Tensor, real: Tensor) -> Tensor:
    """Peak signal-to-noise ratio: 10 log10(255² / MSE) over all pixels and channels.

    Args:
        fake, real: (N, 3, H, W) uint8, 0..255: the generated pictures and their references.

    Returns:
        (N,) float64, dB, 0 to `inf`; higher is better. Equal pictures: `inf`.

    Raises:
        Unmeasurable: the sizes differ.

    >>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    >>> psnr(black + torch.tensor([0, 1], dtype=torch.uint8).view(2, 1, 1, 1), black)
    tensor([    inf, 48.1308], dtype=torch.float64)
    """
    return of_pairs(pixel.psnr, fake, real)


def l1(fake: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference over all pixels and channels; arguments and errors as `psnr`.

    Returns:
        (N,) float64, 0 to 255 grey levels; lower is better.

    >>> black = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    >>> l1(black + 3, black)
    tensor([3.], dtype=torch.float64)
    """
    return of_pairs(pixel.l1, fake, real)


def ssim(fake: Tensor, real: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004), mean of R, G, B; arguments as `psnr`.

    Returns:
        (N,) float64, -1 to 1; higher is better.

    Raises:
        Unmeasurable: the sizes differ, or a side is below 11 pixels.

    >>> black = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    >>> ssim(black, black)
    tensor([1.], dtype=torch.float64)
    """
    return of_pairs(similarity.ssim, fake, real)


def ssim_luma(fake: Tensor, real: Tensor) -> Tensor:
    """Structural similarity of the integer BT.601 lumas; all else as `ssim`.

    >>> red = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    >>> red[:, 0] = 255
    >>> round(ssim_luma(red, 0 * red).item(), 6)
    0.001125
    """
    return of_pairs(similarity.ssim_luma, fake, real)


def ms_ssim(fake: Tensor, real: Tensor) -> Tensor:
    """Structural similarity at five scales (Wang et al. 2003), mean of R, G, B; arguments as `psnr`.

    Returns:
        (N,) float64, 0 to 1; higher is better.

    Raises:
        Unmeasurable: the sizes differ, or a side is not above 160 pixels.

    >>> black = torch.zeros(1, 3, 161, 200, dtype=torch.uint8)
    >>> ms_ssim(black, black)
    tensor([1.], dtype=torch.float64)
    """
    return of_pairs(similarity.ms_ssim, fake, real)


def lpips_alex(fake: Tensor, real: Tensor, *, network: Network | None = None) -> Tensor:
    """LPIPS 0.1 with AlexNet (Zhang et al. 2018); `fake` and `real` as `psnr`.

    Args:
        network: from `load("lpips_alex")`; default: loaded for this call.

    Returns:
        (N,) float64, 0 and above; lower is better.

    Raises:
        Unmeasurable: the sizes differ, or a side is below 31 pixels.
        UserError: no weights.

    >>> black = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    >>> lpips_alex(black, black, network=lambda fake, real: 0.25)  # any function of two (H, W, 3) pictures
    tensor([0.2500], dtype=torch.float64)
    """
    return of_pairs(network or load("lpips_alex"), fake, real)


def lpips_vgg(fake: Tensor, real: Tensor, *, network: Network | None = None) -> Tensor:
    """LPIPS 0.1 with VGG16: as `lpips_alex`, with `load("lpips_vgg")`; sides of at least 16 pixels.

    >>> black = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    >>> lpips_vgg(black, black, network=lambda fake, real: 0.25)
    tensor([0.2500], dtype=torch.float64)
    """
    return of_pairs(network or load("lpips_vgg"), fake, real)


def dists(fake: Tensor, real: Tensor, *, network: Network | None = None) -> Tensor:
    """DISTS (Ding et al. 2020): as `lpips_alex`, with `load("dists")`; 0 to 1, sides of at least 16 pixels.

    >>> black = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    >>> dists(black, black, network=lambda fake, real: 0.25)
    tensor([0.2500], dtype=torch.float64)
    """
    return of_pairs(network or load("dists"), fake, real)


def niqe(pictures: Tensor) -> Tensor:
    """Natural image quality evaluator (Mittal et al. 2013).

    Args:
        pictures: (N, 3, H, W) uint8, 0..255.

    Returns:
        (N,) float64, 0 and above; lower is better.

    Raises:
        Unmeasurable: fewer than two blocks of 96x96 pixels with any texture.

    >>> noise = torch.randint(0, 256, (1, 3, 96, 192), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    >>> niqe(noise).item() > 10
    True
    """
    return _of_singles(_no_reference.niqe, pictures)


def brisque(pictures: Tensor, *, network: Network | None = None) -> Tensor:
    """BRISQUE (Mittal et al. 2012).

    Args:
        pictures: (N, 3, H, W) uint8, 0..255.
        network: the regression, from `load("brisque")`; default: loaded for this call.

    Returns:
        (N,) float64, about 0 to 100; lower is better.

    Raises:
        Unmeasurable: a side is below 13 pixels, or the picture is flat or strictly regular.
        UserError: no weights.

    >>> brisque(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), network=lambda picture: 12.5)
    tensor([12.5000], dtype=torch.float64)
    """
    return _of_singles(network or load("brisque"), pictures)


def sharpness(pictures: Tensor) -> Tensor:
    """Variance of the Laplacian of the integer luma (Pech-Pacheco et al. 2000).

    Args:
        pictures: (N, 3, H, W) uint8, 0..255.

    Returns:
        (N,) float64, squared grey levels, 0 and above; higher is sharper, noise included.

    Raises:
        Unmeasurable: a side is below 3 pixels.

    >>> point = torch.zeros(1, 3, 5, 5, dtype=torch.uint8)
    >>> point[:, :, 2, 2] = 90
    >>> sharpness(point)
    tensor([18000.], dtype=torch.float64)
    """
    return _of_singles(_sharpness.sharpness, pictures)


def load(name: str, *, paths: Mapping[str, Path] | None = None, device: str = "cpu") -> Network:
    """The network or regression of a metric with pretrained weights, loaded once for many calls.

    Args:
        name: lpips_alex, lpips_vgg, dists or brisque.
        paths: files by the weights' name (alexnet, vgg16, dists, brisque); default: the cache.
        device: where it runs.

    Returns:
        A function of (H, W, 3) uint8 pictures.

    Raises:
        UserError: a file will not do, or is not in the cache.

    >>> load("psnr")
    Traceback (most recent call last):
    gan_eval.errors.UserError: metric 'psnr': it has no pretrained weights; choose from lpips_alex, lpips_vgg, dists, \
brisque
    """
    able = [metric.name for metric in METRICS.values() if metric.kind != "set" and metric.weights]
    if name not in able:
        raise UserError(f"metric {name!r}: it has no pretrained weights; choose from {', '.join(able)}")
    found = learned_metrics([METRICS[name]], paths=paths, device=device)
    if not found.sha256:  # the function tells why
        try:
            found.functions[name](None, None)
        except Unmeasurable as reason:
            raise UserError(f"metric {name!r}: {reason}") from reason
    return found.functions[name]


def of_pairs(measure: Network, fake: Tensor, real: Tensor, *more: Tensor) -> Tensor:
    """(N,) values of (N, 3, H, W) pairs; `more` is what the measure is given of each beside its pictures."""
    if len(fake) != len(real):
        raise ValueError(f"{len(fake)} generated pictures and {len(real)} references")
    return _values(measure, fake, _by_row(fake), _by_row(real), *more)


def _of_singles(measure: Network, pictures: Tensor) -> Tensor:
    return _values(measure, pictures, _by_row(pictures))


def _values(measure: Network, like: Tensor, *batches: Tensor) -> Tensor:
    """(N,) values on the device of `like`; on the CPU where that has no float64."""
    values = []
    for index, pictures in enumerate(zip(*batches, strict=True)):
        try:
            values.append(measure(*pictures))
        except Unmeasurable as reason:
            raise Unmeasurable(f"picture {index}: {reason}") from reason
    return torch.tensor(values, dtype=torch.float64, device="cpu" if like.device.type == "mps" else like.device)


def _by_row(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) uint8 to (N, H, W, 3), each picture's pixels side by side.

    Raises:
        TypeError: another shape or dtype.
    """
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or pictures.shape[1] != 3:
        raise TypeError(f"wanted (N, 3, H, W) uint8, found {tuple(pictures.shape)} {pictures.dtype}")
    return pictures.permute(0, 2, 3, 1).contiguous()


def psnr_hole(fake: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in the hole: 10 log10(255² / MSE) over its pixels and their channels.

    Args:
        fake, real: (N, 3, H, W) uint8, 0..255: the generated pictures and their references.
        hole: (N, H, W) bool, True in the hole.

    Returns:
        (N,) float64, dB, 0 to `inf`; higher is better. Equal in the hole: `inf`.

    Raises:
        Unmeasurable: the sizes differ, or a picture has no hole.

    >>> black, hole = torch.zeros(1, 3, 16, 16, dtype=torch.uint8), torch.eye(16, dtype=torch.bool)[None]
    >>> psnr_hole(black + 1, black, hole)
    tensor([48.1308], dtype=torch.float64)
    """
    return of_pairs(_similarity.psnr_hole, fake, real, _checked(hole, fake))


def l1_hole(fake: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """Mean absolute difference over the hole's pixels and their channels; arguments and errors as `psnr_hole`.

    Returns:
        (N,) float64, 0 to 255 grey levels; lower is better.

    >>> black, hole = torch.zeros(1, 3, 16, 16, dtype=torch.uint8), torch.eye(16, dtype=torch.bool)[None]
    >>> l1_hole(black + 3, black, hole)
    tensor([3.], dtype=torch.float64)
    """
    return of_pairs(_similarity.l1_hole, fake, real, _checked(hole, fake))


def ssim_hole(fake: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """Mean of the SSIM map over the hole (Wang et al. 2004), mean of R, G, B; arguments as `psnr_hole`.

    Returns:
        (N,) float64, -1 to 1; higher is better.

    Raises:
        Unmeasurable: as `psnr_hole`; a side is below 11 pixels, or the hole lies within 5 pixels of the border.

    >>> black, hole = torch.zeros(1, 3, 16, 16, dtype=torch.uint8), torch.eye(16, dtype=torch.bool)[None]
    >>> ssim_hole(black, black, hole)
    tensor([1.], dtype=torch.float64)
    """
    return of_pairs(_similarity.ssim_hole, fake, real, _checked(hole, fake))


def _checked(hole: Tensor, fake: Tensor) -> Tensor:
    if hole.dtype != torch.bool or hole.ndim != 3:
        raise TypeError(f"wanted holes as (N, H, W) bool, found {tuple(hole.shape)} {hole.dtype}")
    if len(hole) != len(fake):
        raise ValueError(f"{len(fake)} generated pictures and {len(hole)} holes")
    return hole
