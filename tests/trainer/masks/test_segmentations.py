"""Silhouettes out of segmentations of classes and objects, and out of masks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.settings.training import InpaintingSettings
from trainer.masks import Masks, read_holes
from trainer.masks.segmentations import silhouettes_of, write_silhouettes

COLOURS = [0, 0, 0, 128, 0, 0, 0, 128, 0, *[7] * 759]
"""A palette: background, two objects; and what is void."""


def indices() -> np.ndarray:
    """Two objects with a void border between them, on 0."""
    levels = np.zeros((40, 60), np.uint8)
    levels[5:25, 5:30] = 1
    levels[10:35, 30:50] = 15
    levels[:, 29:31] = 255
    return levels


def indexed(path: Path, levels: np.ndarray, mode: str = "P") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(levels)
    if mode == "P":
        image.putpalette(COLOURS)
    image.save(path)
    return path


@pytest.mark.parametrize("mode", ["P", "L"])
def test_every_index_but_background_and_void_is_an_object(tmp_path: Path, mode: str) -> None:
    path = indexed(tmp_path / "1.png", indices(), mode)
    objects = silhouettes_of(path)
    assert list(objects) == ["-1", "-15"]
    for key, shape in objects.items():
        np.testing.assert_array_equal(shape, indices() == int(key[1:]))
    (whole,) = silhouettes_of(path, "picture").values()
    np.testing.assert_array_equal(whole, np.isin(indices(), (1, 15)))
    assert silhouettes_of(indexed(tmp_path / "0.png", indices() // 255 * 254 + 1, mode), "picture")


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_black_and_white_is_a_mask(tmp_path: Path, mode: str) -> None:
    white = indices() > 0
    Image.fromarray(np.where(white, 255, 0).astype(np.uint8)).convert(mode).save(tmp_path / "m.png")
    (shape,) = silhouettes_of(tmp_path / "m.png").values()
    np.testing.assert_array_equal(shape, white)


def test_a_folder_of_them_makes_holes(tmp_path: Path) -> None:
    """Through the command; the same call again writes the same."""
    indexed(tmp_path / "voc" / "2007" / "a.png", indices())
    indexed(tmp_path / "voc" / "b.png", np.where(indices() == 1, 1, 0).astype(np.uint8))
    speck = np.zeros((40, 60), np.uint8)
    speck[0, 0] = 3
    indexed(tmp_path / "voc" / "speck.png", speck)
    Image.fromarray(np.zeros((40, 60, 3), np.uint8) + 9).save(tmp_path / "voc" / "colours.png")
    out = tmp_path / "shapes"
    for _ in range(2):
        assert run(["data", "silhouettes", str(tmp_path / "voc"), "--out", str(out)]) == 0
        holes = read_holes(out)
        assert list(holes) == ["2007-a-1.png", "2007-a-15.png", "b-1.png"]
        np.testing.assert_array_equal(holes["2007-a-15.png"], indices() == 15)
    broken, too_small, counts = write_silhouettes([tmp_path / "voc"], out)
    assert "colours.png" in broken
    assert "no indices" in broken
    assert too_small.endswith(": 1")
    assert counts == "silhouettes: 3, pictures: 3"
    masks = Masks(InpaintingSettings(masks={"region": 1}), shapes=list(holes.values()))
    assert 0.01 <= masks(np.random.default_rng(0), (32, 32)).hole.mean() <= 0.6


def test_what_cannot_be_used_is_said_in_a_line(tmp_path: Path) -> None:
    source = indexed(tmp_path / "voc" / "a.png", indices()).parent
    with pytest.raises(UserError, match="--min-area 1: wanted a share"):
        write_silhouettes([source], tmp_path / "out", least=1)
    with pytest.raises(UserError, match="no silhouettes in 1 pictures: no object takes --min-area"):
        write_silhouettes([source], tmp_path / "none", least=0.9)
    with pytest.raises(UserError, match="no such folder of segmentations"):
        write_silhouettes([tmp_path / "nothing"], tmp_path / "out")
    with pytest.raises(UserError, match="lie in one another"):
        write_silhouettes([source], source / "out")
    Image.fromarray(np.where(indices() == 1, 255, 0).astype(np.uint8)).save(source / "a-1.png")
    with pytest.raises(UserError, match=r"two silhouettes would be called a-1\.png"):
        write_silhouettes([source], tmp_path / "out")
    ramp = np.tile(np.arange(256, dtype=np.uint8), (9, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    with pytest.raises(UserError, match="256 different levels are no indices"):
        silhouettes_of(tmp_path / "ramp.png")
