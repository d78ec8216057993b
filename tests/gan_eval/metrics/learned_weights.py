"""Seeded weights for the networks of the learned metrics, in the layouts of the real files."""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from gan_eval.metrics.definitions.perceptual import DISTS_CHANNELS, Trunk, trunk_shapes


@cache
def seeded_trunk(trunk: Trunk) -> dict[str, Tensor]:
    """Convolutions of a sane size, as torchvision names them."""
    generator = torch.Generator().manual_seed(3)
    return {
        name: torch.randn(shape, generator=generator) * (2 / (torch.Size(shape).numel() / shape[0])) ** 0.5
        if len(shape) == 4
        else 0.1 * torch.randn(shape, generator=generator)
        for name, shape in trunk_shapes(trunk).items()
    }


def seeded_dists() -> dict[str, Tensor]:
    """Weights of structure and texture that add up to 1."""
    generator = torch.Generator().manual_seed(4)
    drawn = torch.rand(2, 1, sum(DISTS_CHANNELS), 1, 1, generator=generator)
    alpha, beta = drawn / drawn.sum()
    return {"alpha": alpha.clone(), "beta": beta.clone()}


def write_learned(folder: Path) -> dict[str, Path]:
    """The files by the weights' name."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    paths = {"alexnet": folder / "a.pth", "vgg16": folder / "v.safetensors", "dists": folder / "d.pt"}
    torch.save(seeded_trunk("alexnet") | {"classifier.6.bias": torch.zeros(1000)}, paths["alexnet"])
    save_file(seeded_trunk("vgg16"), paths["vgg16"])
    torch.save(seeded_dists(), paths["dists"])
    return paths
