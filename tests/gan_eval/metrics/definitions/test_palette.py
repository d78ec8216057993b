"""Label maps become classes by the nearest colour of the palette, exactly."""

import os
from pathlib import Path

import numpy as np
import pytest

from gan_eval.metrics.definitions.segmentation import CLASSES, COLOURS, VOID, VOID_COLOURS, class_map, label_classes
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli import pictures as images

ALL = np.array([*COLOURS.values(), *VOID_COLOURS.values()], dtype=np.int64)
CLASS_OF = np.array([*range(19), *[VOID] * len(VOID_COLOURS)])


def _searched(picture):
    """Search plainly: compare every pixel with every colour."""
    differences = picture.reshape(-1, 1, 3).astype(np.int64) - ALL
    return CLASS_OF[(differences**2).sum(axis=2).argmin(axis=1)].reshape(picture.shape[:2])


def test_the_palette_is_that_of_the_data_set():
    assert len(CLASSES) == 19
    assert len({tuple(colour) for colour in ALL}) == len(ALL)
    assert (COLOURS["road"], COLOURS["sky"], COLOURS["bicycle"]) == ((128, 64, 128), (70, 130, 180), (119, 11, 32))
    assert (CLASSES.index("road"), CLASSES.index("vegetation"), CLASSES.index("bicycle")) == (0, 8, 18)
    palette = ALL.astype(np.uint8)[None]
    assert np.array_equal(class_map(palette)[0], CLASS_OF)


def test_each_colour_goes_to_the_nearest():
    rng = np.random.default_rng(0)
    anywhere = rng.integers(0, 256, (300, 257, 3), dtype=np.uint8)
    near = np.clip(ALL[rng.integers(0, len(ALL), (99, 101))] + rng.integers(-9, 10, (99, 101, 3)), 0, 255)
    for picture in (anywhere, near.astype(np.uint8), anywhere[:0], anywhere[:, ::2]):
        assert np.array_equal(class_map(picture), _searched(picture))
        assert class_map(picture).dtype == np.uint8


def test_the_label_halves_of_cityscapes_have_its_palette():
    root = Path(os.environ.get("GAN_EVAL_DATA", Path(__file__).parents[5] / "shared" / "data"))
    files = sorted((root / "cityscapes" / "val").glob("*.jpg"))
    if not files:
        pytest.skip("no cityscapes below $GAN_EVAL_DATA or ../shared/data")
    pictures = [images.read_rgb(file) for file in files]
    for picture in pictures:
        assert np.array_equal(label_classes(picture[:, 256:]), class_map(picture[:, 256:]))
        with pytest.raises(Unmeasurable, match="not a label map in the colours of Cityscapes: half of its pixels"):
            label_classes(picture[:, :256])
    pixels = np.concatenate([picture[:, 256:].reshape(-1, 1, 3) for picture in pictures])
    classes = class_map(pixels)
    shares = np.bincount(classes.reshape(-1), minlength=256) / classes.size
    assert 0.25 < shares[CLASSES.index("road")] < 0.45
    assert 0.12 < shares[CLASSES.index("building")] < 0.3
    assert 0.05 < shares[VOID] < 0.2
    assert (shares[:19] > 0).sum() >= 17
    distance = np.linalg.norm(pixels[::97].astype(float) - ALL, axis=2).min(axis=1)
    assert np.median(distance) < 4  # with another palette it would be tens of levels
