"""Sample grids: a few fixed pairs, drawn now and then while a run goes on."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from gan_eval.errors import UserError
from gan_eval.images import Picture, resize, write_png
from gan_eval.training_settings import Direction
from trainer.data import list_pairs, read_pair
from trainer.inference import inference, translate
from trainer.randomness import Purpose

SPLITS = ("test", "val")
"""Where the pairs come from, best first."""
COUNT = 4
"""Pairs in a grid."""


def grid_path(folder: Path, step: int) -> Path:
    """The file of the grid after `step` steps."""
    return folder / f"step_{step:07d}.png"


def grid_step(path: Path) -> int:
    """The step of a grid's file."""
    return int(path.stem.removeprefix("step_"))


def list_grids(folder: Path) -> list[Path]:
    """The grids in `folder`, earliest first."""
    found = [path for path in folder.glob("step_*.png") if re.fullmatch(r"step_\d{7,}", path.stem)]
    return sorted(found, key=grid_step)


def sample_pairs(
    data: Path, train: list[Path], direction: Direction, *, size: int, train_split: str, say: Callable[[str], None]
) -> list[tuple[Picture, Picture]]:
    """Up to COUNT pairs of size x size pixels, of pictures not trained on where there are any.

    Args:
        train: the pictures that are trained on, of `train_split`.
        say: told of a split that is there but not fit to be shown.
    """
    for split in SPLITS:
        if split == train_split or not (data / split).is_dir():
            continue
        try:
            return [_sized(path, direction, size) for path in list_pairs(data, split, limit=COUNT)]
        except UserError as error:
            say(f"{error} (no sample grids of {split})")
    return [_sized(path, direction, size) for path in train[:COUNT]]


def draw_samples(net: nn.Module, pairs: list[tuple[Picture, Picture]], path: Path, *, seed: int) -> None:
    """Write a grid, one row for each pair: input, generated (in the training mode), ground truth."""
    with inference(net, "train"):
        fakes = [
            translate(net, condition, purpose=Purpose.SAMPLES, seed=seed, number=number)
            for number, (condition, _) in enumerate(pairs)
        ]
    rows = [
        np.concatenate([condition, fake, target], axis=1)
        for (condition, target), fake in zip(pairs, fakes, strict=True)
    ]
    write_png(path, np.concatenate(rows, axis=0))


def _sized(path: Path, direction: Direction, size: int) -> tuple[Picture, Picture]:
    condition, target = read_pair(path, direction)
    return resize(condition, (size, size)), resize(target, (size, size))
