"""Copies of training pictures and duplicates inside a set are found by content, and named with their likeness."""

from pathlib import Path

import numpy as np
import pytest
from commands import Command
from PIL import Image

from gan_eval.pictures import decode as pictures
from gan_eval.pictures.copies import NO_STRUCTURE
from gan_eval.pictures.decode import Picture
from gan_eval.pictures.importing import import_folder
from gan_eval.pictures.likeness import MIN_COPY_LIKENESS
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import read_table


def scene(seed: int, side: int = 64) -> Picture:
    """A picture with large areas, as photographs have."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


@pytest.fixture
def stimuli(tmp_path: Path) -> Path:
    """Four fakes: a training picture mirrored and darker, another as JPEG, the same again, a flat one."""
    for n in range(5):
        pair = np.concatenate([scene(n), scene(100 + n)], axis=1)  # photograph left, label map right
        pictures.write_png(tmp_path / "train" / f"{n}.png", pair)
    folder = tmp_path / "results"
    for n in range(4):
        pictures.write_png(folder / "real" / f"{n}.png", scene(50 + n))
    pictures.write_png(folder / "fake" / "0.png", (scene(3)[:, ::-1] * 0.8).astype(np.uint8))
    Image.fromarray(scene(4)).save(tmp_path / "4.jpg", quality=60)
    for n in (1, 2):
        pictures.write_png(folder / "fake" / f"{n}.png", pictures.read_rgb(tmp_path / "4.jpg"))
    pictures.write_png(folder / "fake" / "3.png", np.full((64, 64, 3), 90, np.uint8))
    return import_folder(folder, tmp_path / "set", dataset="d", model="m").folder


def test_the_nearest_training_picture_and_duplicates(stimuli: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    words = ("stimuli", "copies", stimuli, "--training", tmp_path / "train")
    status, _, err = command(*words, "--direction", "BtoA", "--out", out)
    assert status == 0
    assert "d, m: 3 of 3 generated pictures are copies of training pictures" in err
    assert "d, m: 2 of 3 generated pictures are copies of other pictures of the same model" in err
    table = read_table(out / "image_metrics.csv", IMAGE_METRICS).set_index(["stimulus", "metric"])
    nearest = table["nearest"].fillna("")
    assert [nearest[f"d/m/{n}", "training_copy"] for n in range(4)] == ["3.png", "4.png", "4.png", ""]
    assert [nearest[f"d/m/{n}", "set_copy"] for n in (1, 2)] == ["d/m/2", "d/m/1"]
    assert table["value"]["d/m/1", "set_copy"] == pytest.approx(1)
    assert table["value"]["d/m/0", "set_copy"] < 0.9
    assert table["reason"]["d/m/3", "training_copy"] == NO_STRUCTURE
    reals = [table["value"][f"d/real/{n}", "training_copy"] for n in range(4)]
    assert max(reals) < MIN_COPY_LIKENESS
    page = (out / "copies.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 12  # three pairs with training pictures, three with each other
    assert "likeness 1.000" in page
    status, _, err = command(*words, "--out", tmp_path / "whole")
    assert (status, "d, m: 0 of 3 generated pictures are copies of training" in err) == (0, True)


def test_without_training_pictures_duplicates_alone(stimuli: Path, tmp_path: Path, command: Command) -> None:
    assert command("stimuli", "copies", stimuli, "--out", tmp_path / "out")[0] == 0
    table = read_table(tmp_path / "out" / "image_metrics.parquet", IMAGE_METRICS)
    assert {*table["metric"]} == {"set_copy"}
    for options, line in (
        ("--direction BtoA", "add --training DIR"),
        ("--training nowhere", "nowhere: no such folder"),
    ):
        status, _, err = command("stimuli", "copies", stimuli, "--out", tmp_path / "a", *options.split())
        assert (status, line in err) == (2, True)
