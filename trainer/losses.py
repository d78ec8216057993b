"""Loss terms. Adversarial ones share one signature, reconstruction ones another."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class AdversarialLoss(Protocol):
    """Scalar loss of logits (any shape) that ought to say real (or not)."""

    def __call__(self, logits: Tensor, *, real: bool) -> Tensor: ...


class ReconstructionLoss(Protocol):
    """Scalar distance of a generated picture from its ground truth, both (N, C, H, W) in [-1, 1]."""

    def __call__(self, fake: Tensor, target: Tensor) -> Tensor: ...


def bce(logits: Tensor, *, real: bool) -> Tensor:
    """Mean of -log sigmoid(logits), or of -log(1 - sigmoid(logits)) where not real (Goodfellow et al. 2014, eq. 1).

    >>> round(float(bce(torch.zeros(1), real=True)), 4)
    0.6931
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def l1(fake: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference (arXiv 1611.07004, eq. 3)."""
    return F.l1_loss(fake, target)
