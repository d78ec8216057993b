"""Facts about pixels, on pictures with known values."""

import io

import numpy as np
import pytest
from PIL import Image

from gan_eval.giveaways.pixel_facts import (
    blockiness,
    border_step,
    laplacian,
    pixel_facts,
    saturation,
)


def noise(seed=0, size=(48, 64)):
    return np.random.default_rng(seed).integers(20, 230, (*size, 3)).astype(np.uint8)


def smooth(seed=0, size=(64, 96)):
    small = Image.fromarray(noise(seed, (size[0] // 8, size[1] // 8)))
    return np.asarray(small.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def test_brightness_contrast_and_saturation_of_plain_colours():
    half = np.zeros((10, 20, 3), np.uint8)
    half[:, 10:] = (200, 100, 100)
    facts = pixel_facts(half)
    luma = 0.299 * 200 + 0.701 * 100
    assert facts["brightness"] == pytest.approx(luma / 2)
    assert facts["contrast"] == pytest.approx(luma / 2)
    assert facts["saturation"] == pytest.approx(0.5 * 0.5)
    assert saturation(np.full((3, 3, 3), 77, np.uint8)) == 0


def test_the_laplacian_is_that_of_its_definition():
    luma = noise()[..., 0].astype(float)
    found = laplacian(luma)
    assert found.shape == (46, 62)
    assert found[4, 9] == luma[4, 10] + luma[6, 10] + luma[5, 9] + luma[5, 11] - 4 * luma[5, 10]


@pytest.mark.parametrize("side", range(4))
def test_a_black_row_at_any_side_is_a_step(side):
    luma = smooth()[..., 0].astype(float)
    framed = np.rot90(luma, side).copy()
    framed[0] = 0
    framed = np.rot90(framed, -side)
    assert border_step(framed) > 5 * border_step(luma)


def test_blocks_of_jpeg_show_and_only_on_their_grid():
    picture = smooth(size=(128, 160))
    coded = io.BytesIO()
    Image.fromarray(picture).save(coded, format="JPEG", quality=5)
    luma = np.asarray(Image.open(coded).convert("L")).astype(float)
    assert blockiness(luma) > 1.5
    assert blockiness(luma[3:, 3:]) < 1.1
    assert blockiness(noise(size=(128, 128))[..., 0].astype(float)) == pytest.approx(1, abs=0.1)


def test_flat_and_tiny_pictures_have_values_or_none():
    flat = pixel_facts(np.full((20, 20, 3), 9, np.uint8))
    assert (flat["border_step"], flat["blockiness"], flat["sharpness"]) == (1.0, 1.0, 0.0)
    tiny = pixel_facts(np.zeros((1, 2, 3), np.uint8))
    assert [tiny[name] for name in ("border_step", "sharpness", "blockiness")] == [None] * 3
    narrow = pixel_facts(np.zeros((2, 30, 3), np.uint8))
    assert narrow["blockiness"] == 1.0
