"""Pictures of any channels and depth: bit-exactly from a data set's files to the stimulus set and the screen."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from training_runs import train_measured

from gan_eval.quiz.library import Library
from gan_eval.settings.training import TrainingSettings
from gan_eval.stimuli.pictures import read_stored
from gan_eval.stimuli.pixel_formats import Display, PixelFormat, shown
from gan_eval.stimuli.sets import read_set
from trainer.batches import as_tensor
from trainer.datasets.check import check
from trainer.datasets.make import pair_folders
from trainer.generate import generate
from trainer.inference import as_pictures

SIDE = 32
SETTINGS = TrainingSettings(
    steps=2, image_size=SIDE, generator_channels=2, discriminator_channels=2, receptive_field=16, jitter=False
)


def samples(seed: int, shape: tuple[int, ...], most: int) -> np.ndarray:
    """Any numbers of 8 or 16 bits, the least and the largest among them."""
    drawn = np.random.default_rng(seed).integers(0, most + 1, shape, dtype=np.uint16)
    drawn.flat[:2] = 0, most
    return drawn.astype(np.uint8 if most < 256 else np.uint16)


def grey_8(path: Path, seed: int) -> None:
    Image.fromarray(samples(seed, (SIDE, SIDE), 255)).save(path.with_suffix(".png"))


def grey_16_tiff(path: Path, seed: int) -> None:
    tifffile.imwrite(path.with_suffix(".tif"), samples(seed, (SIDE, SIDE), 4095))


def colour_8(path: Path, seed: int) -> None:
    Image.fromarray(samples(seed, (SIDE, SIDE, 3), 255)).save(path.with_suffix(".png"))


def five_16(path: Path, seed: int) -> None:
    stored, planes = samples(seed, (SIDE, SIDE, 5), 60000), "contig" if seed % 2 else "separate"
    stored = stored if seed % 2 else np.moveaxis(stored, 2, 0)
    tifffile.imwrite(path.with_suffix(".tif"), stored, photometric="minisblack", planarconfig=planes)


Save = Callable[[Path, int], None]


def two_folders(root: Path, of_a: Save, of_b: Save) -> tuple[Path, Path]:
    """A foreign set: two folders with train and test, paired by stem."""
    for side, save in (("raw", of_a), ("clean", of_b)):
        for split, count in (("train", 3), ("test", 2)):
            (root / side / split).mkdir(parents=True)
            for number in range(count):
                save(root / side / split / f"{split}{number}", 10 * len(side) + number)
    return root / "raw", root / "clean"


def only(folder: Path, stem: str) -> Path:
    """The one file of a stem."""
    (path,) = folder.glob(f"{stem}.*")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of_a", "of_b", "formats", "suffix"),
    [
        (colour_8, grey_16_tiff, ("8-bit RGB", "16-bit grey"), ".png"),
        (grey_8, five_16, ("8-bit grey", "16 bits, 5 channels"), ".tif"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_from_two_folders_to_the_screen(
    of_a: Save, of_b: Save, formats: tuple[str, str], suffix: str, tmp_path: Path
) -> None:
    raw, clean = two_folders(tmp_path, of_a, of_b)
    pair_folders(raw, clean, tmp_path / "data")
    report = check(tmp_path / "data")
    assert not report.unusable
    assert report.formats is not None
    assert tuple(map(str, report.formats)) == formats

    watched = SETTINGS.model_copy(update={"validate_every": 1, "validation_metrics": ("psnr",)})
    run = train_measured(watched, tmp_path / "data", tmp_path / "run")
    assert (pd.read_csv(run / "validation.csv")["value"] > 0).all()
    recorded = json.loads((run / "config.json").read_text())["pictures"]
    assert (recorded["input"]["channels"], recorded["target"]["channels"]) == tuple(
        side.channels for side in report.formats
    )
    with Image.open(max((run / "samples").glob("*.png"))) as grid:
        assert (grid.mode, grid.size) == ("RGB", (3 * SIDE, 2 * SIDE))

    out = generate(run, tmp_path / "data", split="test", out=tmp_path / "set")
    target = report.formats[1]
    rows = read_set(out).rows
    for stem in ("test0", "test1"):
        for folder, given in (("real", clean), ("input", raw)):
            before, after = read_stored(only(given / "test", stem)), read_stored(only(out / folder, stem))
            assert after.samples.dtype == before.samples.dtype
            np.testing.assert_array_equal(after.samples, before.samples)
        fake = read_stored(only(out / "fake", stem)).samples
        assert only(out / "fake", stem).suffix == suffix
        assert (fake.shape, fake.dtype) == ((SIDE, SIDE, target.channels), target.dtype)

    library = Library([read_set(out)])
    display = recorded["target"]["display"]
    for row in rows:
        held = read_stored(out / row["file"]).samples
        np.testing.assert_array_equal(library.decoded(row["stimulus"]), shown(held, display and Display.parse(display)))


def test_limits_of_the_training_pictures_are_the_ends_of_the_networks_range() -> None:
    pixel_format = PixelFormat(1, 16, (200, 4096))
    levels = np.array([[[200], [2148], [4096]]], np.uint16).transpose(2, 0, 1)[None]
    scaled = as_tensor(levels, pixel_format)
    assert scaled.flatten().tolist() == [-1, 0, 1]
    np.testing.assert_array_equal(as_pictures(scaled, pixel_format)[0][0, :, 0], [200, 2148, 4096])
    assert as_pictures(scaled * 0.0001, pixel_format)[0].dtype == np.uint16


def test_every_level_of_16_bits_survives_the_way_through_the_network() -> None:
    whole = PixelFormat(1, 16)
    levels = np.arange(65536, dtype=np.uint16).reshape(1, 1, 256, 256)
    np.testing.assert_array_equal(as_pictures(as_tensor(levels, whole), whole)[0][..., 0], levels[0, 0])
