"""Tiny made data sets and settings for the trainer's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_eval.settings.training import TrainingSettings

SIDE = 64


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Bitwise equality holds for a fixed number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_pairs(tmp_path: Path) -> Callable[..., Path]:
    """Writes `DATA/split/N.png`: A (left) is dark noise, B (right) is bright noise."""

    def make(*, name: str = "data", side: int = SIDE, height: int | None = None, **splits: int) -> Path:
        rng = np.random.default_rng(3)
        for split, count in splits.items():
            (tmp_path / name / split).mkdir(parents=True)
            for number in range(count):
                dark = rng.integers(0, 100, (height or side, side, 3), dtype=np.uint8)
                bright = rng.integers(150, 256, (height or side, side, 3), dtype=np.uint8)
                pair = np.concatenate([dark, bright], axis=1)
                Image.fromarray(pair).save(tmp_path / name / split / f"{number}.png")
        return tmp_path / name

    return make


@pytest.fixture
def tiny() -> Callable[..., TrainingSettings]:
    """Settings of a run of seconds: 64 pixels, depth 6 (so that one decoder level has dropout), 2 channels."""

    def settings(**changes: object) -> TrainingSettings:
        small = {"steps": 8, "image_size": SIDE, "generator_channels": 2, "discriminator_channels": 2, "seed": 5}
        if "epochs" in changes:
            del small["steps"]
        return TrainingSettings(**(small | changes))

    return settings
