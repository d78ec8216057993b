"""Metrics of the hole of inpainted pictures, as functions of batches."""

import torch
from torch import Tensor

from gan_eval.metrics.definitions import hole as _hole
from gan_eval.metrics.functional.pictures import of_pairs


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
    return of_pairs(_hole.psnr_hole, fake, real, _checked(hole, fake))


def l1_hole(fake: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """Mean absolute difference over the hole's pixels and their channels; arguments and errors as `psnr_hole`.

    Returns:
        (N,) float64, 0 to 255 grey levels; lower is better.

    >>> black, hole = torch.zeros(1, 3, 16, 16, dtype=torch.uint8), torch.eye(16, dtype=torch.bool)[None]
    >>> l1_hole(black + 3, black, hole)
    tensor([3.], dtype=torch.float64)
    """
    return of_pairs(_hole.l1_hole, fake, real, _checked(hole, fake))


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
    return of_pairs(_hole.ssim_hole, fake, real, _checked(hole, fake))


def _checked(hole: Tensor, fake: Tensor) -> Tensor:
    if hole.dtype != torch.bool or hole.ndim != 3:
        raise TypeError(f"wanted holes as (N, H, W) bool, found {tuple(hole.shape)} {hole.dtype}")
    if len(hole) != len(fake):
        raise ValueError(f"{len(fake)} generated pictures and {len(hole)} holes")
    return hole
