"""Segmenters small enough for tests: they name the class of the nearest palette colour."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_eval.metrics.definitions.segmentation import COLOURS

PALETTE = np.array(list(COLOURS.values()), dtype=np.uint8)


class NearestColour(nn.Module):
    """Scores each class by how near its colour is, on pictures of 0..1; at every `step`-th pixel only."""

    def __init__(self, order: Sequence[int] = range(19), step: int = 1) -> None:
        super().__init__()
        colours = torch.from_numpy(PALETTE[list(order)]).double() / 255
        self.register_buffer("weight", (2 * colours).float().view(-1, 3, 1, 1))
        self.register_buffer("bias", -(colours**2).sum(dim=1).float())
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, stride=self.step)


class Fails(nn.Module):
    """Takes pictures of one size only."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1].reshape(1, 19, 256, -1).expand(1, 19, 256, 256)[:, :, :, :256]


def save(network: nn.Module, file: Path) -> Path:
    """Save a network as TorchScript from its code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(file)
    return file


def labels(seed: int, height: int = 64, width: int = 96) -> np.ndarray:
    """(H, W) classes in patches of 8 x 8, every class among them."""
    rng = np.random.default_rng(seed)
    patches = np.concatenate([np.arange(19), rng.integers(0, 19, height * width // 64 - 19)])
    return rng.permutation(patches).reshape(height // 8, width // 8).repeat(8, axis=0).repeat(8, axis=1)
