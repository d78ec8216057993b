"""Masks by their kinds' shares, and silhouettes and masks from files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.settings.training import InpaintingSettings, MaskKind
from gan_eval.stimuli.holes import Hole
from trainer.masks import Masks, hash_holes, read_holes


def disc(height: int = 60, width: int = 40, radius: float = 15) -> Hole:
    rows, columns = np.ogrid[:height, :width]
    return np.asarray((rows - height // 2) ** 2 + (columns - width // 2) ** 2 < radius**2)


def settings(**changes: object) -> InpaintingSettings:
    return InpaintingSettings.model_validate({"masks": {"centre": 1}, **changes})


def grey(hole: Hole) -> Image.Image:
    return Image.fromarray(np.where(hole, np.uint8(255), np.uint8(0)))


def save(folder: Path, name: str, image: Image.Image) -> Path:
    folder.mkdir(exist_ok=True)
    image.save(folder / name)
    return folder / name


def test_kinds_come_as_often_as_their_shares_say() -> None:
    shares: dict[MaskKind, float] = {"strokes": 3, "folder": 1, "centre": 2, "blocks": 2.5, "region": 1.5}
    masks = Masks(settings(masks=shares, mask_folder="m"), shapes=[disc()], folder=[disc()])
    drawn = [masks(np.random.default_rng([5, seed]), (24, 24)) for seed in range(600)]
    found = Counter(mask.kind for mask in drawn)
    expected = {kind: 60 * share for kind, share in shares.items()}
    assert sum((found[kind] - count) ** 2 / count for kind, count in expected.items()) < 9.49  # chi-square, 4 df, 5 %
    assert all(0.01 <= mask.area <= 0.6 for mask in drawn)


def test_pictures_of_every_layout_give_the_same_hole(tmp_path: Path) -> None:
    hole = disc()
    image, palette = grey(hole), grey(hole).convert("1").convert("P")
    palette.putpalette([255, 255, 255] + [0] * 765)
    palette.putdata(np.where(hole, 0, 1).ravel().tolist())
    deep = Image.fromarray(np.where(hole, np.uint16(65535), np.uint16(0)))
    for name, one in {
        "1_grey.png": image, "2_bit.png": image.convert("1"), "3_rgb.png": image.convert("RGB"),
        "4_rgba.png": image.convert("RGBA"), "5_palette.png": palette, "6.bmp": image, "7_deep.png": deep,
        "10_photo.jpg": image,
    }.items():  # fmt: skip
        save(tmp_path, name, one)
    holes = read_holes(tmp_path)
    assert list(holes) == [
        "1_grey.png", "2_bit.png", "3_rgb.png", "4_rgba.png", "5_palette.png", "6.bmp", "7_deep.png", "10_photo.jpg"
    ]  # fmt: skip
    assert all(one.dtype == np.bool_ and np.array_equal(one, hole) for one in holes.values())


def test_areas_outside_of_the_band_are_refused_by_file(tmp_path: Path) -> None:
    save(tmp_path, "fits.png", grey(disc()))
    assert list(read_holes(tmp_path, least=0.2, most=0.4)) == ["fits.png"]
    wrong = save(tmp_path, "small.png", grey(disc(radius=4)))
    with pytest.raises(UserError, match=f"{wrong}: its white takes 0.01.* least_area 0.2 and most_area 0.4"):
        read_holes(tmp_path, least=0.2, most=0.4)


@pytest.mark.parametrize(
    ("pixels", "found"), [(0, "no white in it"), (1, "a single white"), (400, "all of it is white")]
)
def test_pictures_without_a_form_are_refused_by_file(tmp_path: Path, pixels: int, found: str) -> None:
    wrong = save(tmp_path, "shape.png", grey(np.arange(400).reshape(20, 20) < pixels))
    with pytest.raises(UserError, match=f"{wrong}: {found}"):
        read_holes(tmp_path)


def test_the_hash_changes_with_names_contents_sizes_and_order() -> None:
    one, other = disc(), disc(radius=9)
    variants = [
        {}, {"a": one}, {"b": one}, {"a": other}, {"a": one.T}, {"a": one, "b": other}, {"b": other, "a": one},
        {"a": one.reshape(40, 60)},
    ]  # fmt: skip
    assert len({hash_holes(holes) for holes in variants}) == len(variants)
    assert hash_holes({"a": one}) == hash_holes({"a": np.asfortranarray(one)})
