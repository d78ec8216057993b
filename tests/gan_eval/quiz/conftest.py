"""Stimuli, sessions and clocks for the quiz tests."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gan_eval.images import write_png
from gan_eval.quiz.clock import VirtualClock
from gan_eval.stimuli import StimulusSet, read_set, stimulus_row, write_set
from gan_eval.tabular import Row

Rows = Callable[..., list[Row]]


@pytest.fixture
def rows() -> Rows:
    """Stimulus rows without files: `rows(items, models, dataset)`."""

    def make(items: int, models: tuple[str, ...] = ("pix2pix",), dataset: str = "facades") -> list[Row]:
        return [
            {
                "stimulus": f"{dataset}/{model or 'real'}/{number}",
                "item": f"{dataset}/{number}",
                "kind": "fake" if model else "real",
                "model": model,
                "dataset": dataset,
                "sha256": f"{model}-{number}",
                "fraction": None,
            }
            for number in range(items)
            for model in (None, *models)
        ]

    return make


@pytest.fixture
def stimuli(tmp_path: Path) -> StimulusSet:
    """A stimulus set of ten items with small pictures: reals reddish, fakes bluish, labels green."""
    folder = tmp_path / "set"
    generator = np.random.default_rng(1)
    made: list[Row] = []
    for number in range(10):
        pictures = {role: generator.integers(0, 60, (48, 64, 3)).astype(np.uint8) for role in ("input", "real", "fake")}
        for channel, picture in zip((1, 0, 2), pictures.values(), strict=True):
            picture[..., channel] += 160
        for role, picture in pictures.items():
            write_png(folder / role / f"secret{number}.png", picture)
        shared = {"dataset": "tiles", "stem": f"secret{number}", "size": (48, 64)}
        shared["input_file"] = f"input/secret{number}.png"
        made.append(stimulus_row(folder, folder / "real" / f"secret{number}.png", kind="real", **shared))
        shared["reference_file"] = f"real/secret{number}.png"
        fake = folder / "fake" / f"secret{number}.png"
        made.append(stimulus_row(folder, fake, kind="fake", model="hiddenmodel", **shared))
    write_set(folder, made)
    return read_set(folder)


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that starts at noon."""
    return VirtualClock(datetime(2026, 1, 31, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Qt draws off screen in these tests."""
    return ["pytest", "-platform", "offscreen"]
