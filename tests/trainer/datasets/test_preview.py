"""The contact sheet shows the pictures of the split and marks the input."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.errors import UserError
from trainer.datasets.preview import _INPUT, _TARGET, preview

RED, GREEN = (220, 30, 30), (30, 220, 30)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Red left, green right, 96 pixels a side."""
    for split, count in (("val", 2), ("train", 5)):
        (tmp_path / "set" / split).mkdir(parents=True)
        for number in range(count):
            picture = Image.new("RGB", (192, 96), RED)
            picture.paste(GREEN, (96, 0, 192, 96))
            picture.save(tmp_path / "set" / split / f"{number}.png")
    return tmp_path / "set"


def columns_of(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """The first and last column that hold a colour."""
    found = np.flatnonzero((sheet == colour).all(axis=2).any(axis=0))
    return int(found[0]), int(found[-1])


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_input_is_marked(data: Path, tmp_path: Path, direction: str) -> None:
    sheet = np.asarray(Image.open(preview(data, tmp_path / "sheet.png", direction=direction, count=1)))
    seen, made = (RED, GREEN) if direction == "AtoB" else (GREEN, RED)
    assert columns_of(sheet, seen) == columns_of(sheet, _INPUT)
    assert columns_of(sheet, made) == columns_of(sheet, _TARGET)
    assert columns_of(sheet, RED) < columns_of(sheet, GREEN)


def test_broken_pictures_are_named_and_the_rest_is_drawn(data: Path, tmp_path: Path) -> None:
    (data / "train" / "2.png").write_bytes(b"no picture")
    said: list[str] = []
    whole = np.asarray(Image.open(preview(data, tmp_path / "sheet.png", direction="AtoB", on_message=said.append)))
    assert len(said) == 1
    assert "2.png: not a readable picture" in said[0]
    one = np.asarray(Image.open(preview(data, tmp_path / "one.png", direction="AtoB", count=1)))
    assert (whole == RED).all(axis=2).sum() == 4 * (one == RED).all(axis=2).sum()
    for path in (data / "val").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"0\.png: not a readable picture"):
        preview(data, tmp_path / "none.png", split="val")
    assert not (tmp_path / "none.png").exists()
