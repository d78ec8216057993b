"""Loss terms. Adversarial ones share one signature, reconstruction ones another.

A new reconstruction loss is a function here with its name in `PIXEL_LOSSES` or `PICTURE_LOSSES`, and a setting
`lambda_NAME` in `gan_eval.settings.training`.
"""

import math
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_eval.settings.training import AdversarialKind


class AdversarialLoss(Protocol):
    """Scalar loss of logits (any shape) that should be real (or not), for the discriminator or generator: the mean,
    weighted if weights (of their shape) are given."""

    def __call__(self, logits: Tensor, *, real: bool, weight: Tensor | None = None) -> Tensor: ...


ReconstructionLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""Scalar distance of a generated picture from its ground truth, both (N, C, H, W) in [-1, 1]; pixels may have weights
(N or 1, 1, H, W)."""


def mean_of(values: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean, weighted if weights (of the same shape, 0 or more) are given."""
    return values.mean() if weight is None else (values * weight).sum() / weight.sum()


def bce(logits: Tensor, *, real: bool, weight: Tensor | None = None) -> Tensor:
    """Mean of -log sigmoid(logits), or of -log(1 - sigmoid(logits)) where not real (Goodfellow et al. 2014, eq. 1).

    The generator minimises the first of its fakes (section 3 there: "non-saturating").

    >>> round(float(bce(torch.zeros(1), real=True)), 4)
    0.6931
    """
    wanted = torch.full_like(logits, float(real))
    if weight is None:
        return F.binary_cross_entropy_with_logits(logits, wanted)
    return mean_of(F.binary_cross_entropy_with_logits(logits, wanted, reduction="none"), weight)


def least_squares(logits: Tensor, *, real: bool, weight: Tensor | None = None) -> Tensor:
    """Mean squared distance from 1, or from 0 where not real (Mao et al. 2017, arXiv 1611.04076, eq. 9).

    >>> float(least_squares(torch.tensor([3.0]), real=True))
    4.0
    """
    wanted = torch.full_like(logits, float(real))
    return F.mse_loss(logits, wanted) if weight is None else mean_of((logits - wanted) ** 2, weight)


ADVERSARIAL: dict[AdversarialKind, AdversarialLoss] = {"bce": bce, "least_squares": least_squares}
DECISION: dict[AdversarialKind, float] = {"bce": 0.0, "least_squares": 0.5}
"""Logit above which a discriminator trained with the loss classifies a picture as real."""


def l1(fake: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference (arXiv 1611.07004, eq. 3), weighted by pixel.

    >>> float(l1(torch.ones(1, 1, 1, 2), torch.zeros(1, 1, 1, 2), torch.tensor([[[[10.0, 0.0]]]])))
    5.0
    """
    return F.l1_loss(fake, target) if weight is None else (weight * (fake - target).abs()).mean()


def l2(fake: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared difference, weighted by pixel (Pathak et al. 2016, arXiv 1604.07379, section 3.2)."""
    return F.mse_loss(fake, target) if weight is None else (weight * (fake - target) ** 2).mean()


def pixel_weights(
    hole: Tensor, *, hole_weight: float, context_weight: float, overlap: int, overlap_weight: float
) -> Tensor:
    """Return the weight of each pixel (Pathak et al. 2016, arXiv 1604.07379; the border is "overlap" there).

    Args:
        hole: (N, 1, H, W) floating point, 1 in the hole and 0 on known pixels.
        hole_weight: of the pixels of the hole.
        context_weight: of the known pixels.
        overlap: the hole's border: its pixels with a known one at most this number of rows and columns away. What lies
            outside the picture counts as known.
        overlap_weight: of that border, in place of `hole_weight`.

    Returns:
        Like `hole`.

    >>> weights = {"hole_weight": 1.0, "context_weight": 0.0, "overlap_weight": 10.0}
    >>> pixel_weights(torch.tensor([[[[0.0, 1, 1, 1, 1]] * 3]]), overlap=1, **weights)[0, 0, 1].tolist()
    [0.0, 10.0, 1.0, 1.0, 10.0]
    """
    near_known = F.pad(1 - hole, [overlap] * 4, value=1.0)
    if overlap:
        near_known = F.max_pool2d(near_known, 2 * overlap + 1, stride=1)
    border, inside, context = (torch.full_like(hole, each) for each in (overlap_weight, hole_weight, context_weight))
    return torch.where(hole > 0, torch.where(near_known > 0, border, inside), context)


def at_holes(logits: Tensor, hole: Tensor) -> Tensor:
    """Return the weights of logits: 1 for a PatchGAN's logit whose cell has a hole and for a global logit, else 0.

    A place is a cell of the hole's picture, divided into as many rows and columns as there are of logits; a logit sees
    beyond it. Where patches see no hole, real and filled pictures are the same: at holes of a few hundredths of the
    picture a discriminator that is judged everywhere may learn nothing. The adversarial loss of Suvorov
    et al. (2022, arXiv 2109.07161) calls such places of a filled picture real.

    Args:
        logits: (N, 1, h, w), or (N, 1 + h * h) with the global ones first.
        hole: (N, 1, H, W), 1 in the hole and 0 elsewhere, not empty.

    Returns:
        Like `logits`. Selecting them instead would make a step wait for a GPU to count them.
    """
    if logits.ndim != 2:
        return (F.adaptive_max_pool2d(hole, (logits.shape[2], logits.shape[3])) > 0).to(logits.dtype)
    side = math.isqrt(logits.shape[1] - 1)
    patches = (F.adaptive_max_pool2d(hole, (side, side)) > 0).flatten(1).to(logits.dtype)
    return torch.cat([torch.ones_like(logits[:, :1]), patches], dim=1)


def total_variation(picture: Tensor, _target: Tensor | None = None) -> Tensor:
    """Mean absolute difference of neighbours in a row plus that of neighbours in a column: the anisotropic form of
    Rudin, Osher and Fatemi (1992), as a term of a generator's objective in Johnson et al. (2016, arXiv 1603.08155).

    Args:
        picture: (N, C, H, W), sides of at least 2 pixels.
    """
    picture = picture.to(torch.promote_types(picture.dtype, torch.float32))
    return picture.diff(dim=-1).abs().mean() + picture.diff(dim=-2).abs().mean()


SSIM_WINDOW = 11
"""Side of the Gaussian window in pixels (Wang et al. 2004)."""
SSIM_SIGMA = 1.5
"""Its standard deviation in pixels."""


def ssim(fake: Tensor, target: Tensor) -> Tensor:
    """1 - mean SSIM over channels and places: 0 for equal pictures, at most 2 (Wang et al. 2004, eq. 13).

    Gaussian window of 11 pixels and sigma 1.5, K = (0.01, 0.03), no padding; each channel separately. Sides below 11
    pixels take the largest odd window that fits.
    """
    x, y = (fake + 1) / 2, (target + 1) / 2
    side = min(SSIM_WINDOW, *x.shape[-2:])
    side -= (side + 1) % 2
    offsets = torch.arange(side, dtype=x.dtype, device=x.device) - (side - 1) / 2
    window = torch.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    window = window / window.sum()
    mean_x, mean_y = _blur(x, window), _blur(y, window)
    var_x, var_y = _blur(x * x, window) - mean_x**2, _blur(y * y, window) - mean_y**2
    covariance = _blur(x * y, window) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return 1 - (luminance * structure).mean()


def _blur(x: Tensor, window: Tensor) -> Tensor:
    """Filter each channel of (N, C, H, W) with the window along both axes, without padding."""
    channels, side = x.shape[1], len(window)
    rows = F.conv2d(x, window.view(1, 1, side, 1).expand(channels, 1, side, 1).contiguous(), groups=channels)
    return F.conv2d(rows, window.expand(channels, 1, 1, side).contiguous(), groups=channels)


PIXEL_LOSSES: dict[str, ReconstructionLoss] = {"l1": l1, "l2": l2}
"""Reconstruction losses of the generator's output, weighted by pixel."""
PICTURE_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"ssim": ssim, "tv": total_variation}
"""Losses of whole pictures: where holes are filled, of the composite. Total variation ignores the target. The style
loss, which has a network, is added in `trainer.tasks.task.Task.objective`.

By name in both tables: NAME is the term `g_NAME` of the log, and its weight is the setting `lambda_NAME`.
"""
