"""Remarks on a data set when a training begins."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training_runs import estimate, train

from gan_eval.settings.training import Direction, TrainingSettings
from trainer.datasets.dataset import LOOKED_AT
from trainer.datasets.pairs import PairedSet


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve training pictures, a photograph left and a drawing right; three of val."""
    for split, count in (("train", 12), ("val", 3)):
        (tmp_path / split).mkdir()
        for number in range(count):
            rng = np.random.default_rng(number)
            photograph = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            drawing = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            Image.fromarray(np.concatenate([photograph, drawing], axis=1)).save(tmp_path / split / f"{number}.png")
    return tmp_path


def remarks_of(data: Path, direction: Direction = "BtoA") -> list[str]:
    return PairedSet(data, direction).remarks(PairedSet(data).paths("train"), train_split="train")


def test_nothing_is_said_of_a_right_direction(data: Path) -> None:
    assert remarks_of(data) == []


def test_a_direction_that_makes_drawings_is_doubted(data: Path) -> None:
    (line,) = remarks_of(data, "AtoB")
    assert line.startswith("B looks drawn, and AtoB makes drawings from photographs; --direction BtoA turns it round")
    assert "gan-eval data preview" in line


def test_pictures_that_are_no_pairs_are_doubted_whatever_their_direction(data: Path) -> None:
    for path in PairedSet(data).paths("train"):
        Image.open(path).resize((64, 64)).save(path)
    for direction in ("AtoB", "BtoA"):
        (line,) = remarks_of(data, direction)
        assert line.startswith(f"{LOOKED_AT} of {LOOKED_AT} pictures are no wider than high, such as train/0.png of")
        assert "32x64; are these single photographs? gan-eval data check --photographs" in line


def test_new_runs_and_estimates_tell_it_and_resumed_runs_do_not(
    data: Path, tiny: Callable[..., TrainingSettings], tmp_path: Path
) -> None:
    said: list[str] = []
    for _ in range(2):
        train(tiny(steps=1), data, tmp_path / "run", direction="AtoB", on_message=said.append)
    assert [line for line in said if "looks drawn" in line] == remarks_of(data, "AtoB")
    said.clear()
    estimate(tiny(steps=1), data, direction="AtoB", on_message=said.append)
    assert [line for line in said if "looks drawn" in line] == remarks_of(data, "AtoB")
