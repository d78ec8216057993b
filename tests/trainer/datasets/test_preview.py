"""The contact sheet marks the input; a doubtful direction is told there and when a training begins."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training_runs import train

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction, TrainingSettings
from trainer.datasets.dataset import LOOKED_AT
from trainer.datasets.pairs import PairedSet
from trainer.datasets.preview import INPUT, TARGET, preview

RED, GREEN = (220, 30, 30), (30, 220, 30)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve training pictures, a photograph left and a drawing right; three of val."""
    for split, count in (("train", 12), ("val", 3)):
        (tmp_path / "set" / split).mkdir(parents=True)
        for number in range(count):
            rng = np.random.default_rng(number)
            photograph = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            drawing = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            pair = np.concatenate([photograph, drawing], axis=1)
            Image.fromarray(pair).save(tmp_path / "set" / split / f"{number}.png")
    return tmp_path / "set"


def columns_of(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """The first and last column that hold a colour."""
    found = np.flatnonzero((sheet == colour).all(axis=2).any(axis=0))
    return int(found[0]), int(found[-1])


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_input_is_marked(tmp_path: Path, direction: Direction) -> None:
    (tmp_path / "set" / "train").mkdir(parents=True)
    picture = Image.new("RGB", (192, 96), RED)
    picture.paste(GREEN, (96, 0, 192, 96))
    picture.save(tmp_path / "set" / "train" / "0.png")
    sheet = np.asarray(Image.open(preview(tmp_path / "set", tmp_path / "sheet.png", direction=direction)))
    seen, made = (RED, GREEN) if direction == "AtoB" else (GREEN, RED)
    assert columns_of(sheet, seen) == columns_of(sheet, INPUT)
    assert columns_of(sheet, made) == columns_of(sheet, TARGET)
    assert columns_of(sheet, RED) < columns_of(sheet, GREEN)


def test_broken_pictures_are_named_and_the_rest_is_drawn(data: Path, tmp_path: Path) -> None:
    (data / "train" / "2.png").write_bytes(b"no picture")
    said: list[str] = []
    preview(data, tmp_path / "sheet.png", direction="BtoA", on_message=said.append)
    assert len(said) == 1
    assert "2.png: not a readable picture" in said[0]
    for path in (data / "val").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"0\.png: not a readable picture"):
        preview(data, tmp_path / "none.png", split="val")
    assert not (tmp_path / "none.png").exists()


def remarks_of(data: Path, direction: Direction) -> list[str]:
    return PairedSet(data, direction).remarks(PairedSet(data).paths("train"))


def test_a_new_run_tells_a_doubtful_direction_and_a_resumed_one_does_not(
    data: Path, tiny: Callable[..., TrainingSettings], tmp_path: Path
) -> None:
    assert remarks_of(data, "BtoA") == []
    (doubt,) = remarks_of(data, "AtoB")
    assert doubt.startswith("B looks drawn, and AtoB makes drawings from photographs; --direction BtoA turns it round")
    said: list[str] = []
    for _ in range(2):
        train(tiny(steps=1), data, tmp_path / "run", direction="AtoB", on_message=said.append)
    assert [line for line in said if "looks drawn" in line] == [doubt]


def test_pictures_that_are_no_pairs_are_doubted_whatever_their_direction(data: Path) -> None:
    for path in PairedSet(data).paths("train"):
        Image.open(path).resize((64, 64)).save(path)
    for direction in ("AtoB", "BtoA"):
        (line,) = remarks_of(data, direction)
        assert line.startswith(f"{LOOKED_AT} of {LOOKED_AT} pictures are no wider than high, such as train/0.png of")
        assert "32x64; are these single photographs? gan-eval data check --photographs" in line
