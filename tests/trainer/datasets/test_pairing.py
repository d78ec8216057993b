"""Pairs keep every pixel; what has no partner is named before anything is written."""

import math
from pathlib import Path

import numpy as np
import pytest
from made_photographs import noise, save
from PIL import Image
from refusals import refused

from gan_eval.base.errors import UserError
from trainer.datasets.make import pair_edges, pair_folders
from trainer.datasets.pairs import PairedSet, list_splits


def folder_of(folder: Path, **pictures: np.ndarray) -> Path:
    for stem, picture in pictures.items():
        save(folder / f"{stem}.png", picture)
    return folder


def test_folders_become_pairs_without_loss(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", x=noise(1), y=noise(2))
    b = folder_of(tmp_path / "b", y=noise(4), x=noise(3))
    assert pair_folders(a, b, tmp_path / "out") == {"train": 2}
    (left, right), _ = (PairedSet(tmp_path / "out").sides(path) for path in PairedSet(tmp_path / "out").paths("train"))
    np.testing.assert_array_equal(left, noise(1))
    np.testing.assert_array_equal(right, noise(3))


def test_splits_on_both_sides_are_kept(tmp_path: Path) -> None:
    for side in "ab":
        folder_of(tmp_path / side / "train", x=noise(1), y=noise(2))
        folder_of(tmp_path / side / "test", z=noise(3))
    assert pair_folders(tmp_path / "a", tmp_path / "b", tmp_path / "out") == {"train": 2, "test": 1}
    assert list_splits(tmp_path / "out") == ["train", "test"]
    folder_of(tmp_path / "b" / "val", z=noise(3))
    with pytest.raises(UserError, match=r"has train, test, .* has train, val, test"):
        pair_folders(tmp_path / "a", tmp_path / "b", tmp_path / "out2")


def test_names_may_differ_in_an_end_and_of_several_kinds_the_coloured_one_is_taken(tmp_path: Path) -> None:
    for split, city in (("train", "aachen"), ("train", "bremen"), ("val", "lindau")):
        for number in range(3):
            stem = f"{city}_{number:06}_000019"
            save(tmp_path / "gtFine" / split / city / f"{stem}_gtFine_color.png", noise(number))
            save(tmp_path / "gtFine" / split / city / f"{stem}_gtFine_labelIds.png", noise(50))
            save(tmp_path / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png", noise(number))
    made = pair_folders(tmp_path / "gtFine", tmp_path / "leftImg8bit", tmp_path / "out")
    assert made == {"train": 6, "val": 3}
    left, right = PairedSet(tmp_path / "out").sides(tmp_path / "out" / "train" / "aachen_000001_000019.png")
    np.testing.assert_array_equal(left, right)
    a = folder_of(tmp_path / "a", cat1_A=noise(1), cat2_A=noise(2))
    b = folder_of(tmp_path / "b", cat1_B=noise(1), cat2_B=noise(2))
    assert pair_folders(a, b, tmp_path / "cats") == {"train": 2}
    assert {path.name for path in (tmp_path / "cats" / "train").iterdir()} == {"cat1.png", "cat2.png"}


@pytest.mark.parametrize(("shift", "said"), [(0, False), (4, True)])
def test_pictures_of_other_scenes_are_told(tmp_path: Path, shift: int, said: bool) -> None:
    for number in range(10):
        maps = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        photo = np.uint8(np.clip(255 - maps[:, :, ::-1] * 0.6 + noise(number, 64, 64) / 8, 0, 255))
        save(tmp_path / "a" / f"{number}.png", maps)
        save(tmp_path / "b" / f"{(number + shift) % 10}.png", photo)
    lines: list[str] = []
    pair_folders(tmp_path / "a", tmp_path / "b", tmp_path / "out", on_message=lines.append)
    assert ["no more alike" in line for line in lines] == [True] * said


def test_names_without_a_partner_stand_in_one_line(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", both=noise(0), **{f"left{n:02}": noise(n) for n in range(23)})
    b = folder_of(tmp_path / "b", both=noise(0), right=noise(1))
    with pytest.raises(UserError) as caught:
        pair_folders(a, b, tmp_path / "out")
    names = ", ".join(f"left{n:02}.png" for n in range(20))
    assert f"23 only in {a}: {names}, …; 1 only in {b}: right.png; rename" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_different_sizes_are_refused(tmp_path: Path) -> None:
    a, b = folder_of(tmp_path / "a", x=noise(1)), folder_of(tmp_path / "b", x=noise(2, 42, 28))
    refused(r"a/x\.png: 21x14.*42x28.*b/x\.png", pair_folders, a, b, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_a_picture_is_broken(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", x=noise(1), y=noise(1))
    b = folder_of(tmp_path / "b", x=noise(2), y=noise(1))
    (b / "y.png").write_bytes((b / "y.png").read_bytes()[:60])
    refused(r"y\.png:", pair_folders, a, b, tmp_path / "out")
    refused(r"y\.png:", pair_edges, b, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_foreign_folders_and_other_pictures_are_refused(tmp_path: Path) -> None:
    a, b = folder_of(tmp_path / "a", x=noise(1)), folder_of(tmp_path / "b", x=noise(2))
    refused("not empty and not written by gan_eval", pair_folders, a, b, a)
    pair_folders(a, b, tmp_path / "out")
    pair_folders(a, b, tmp_path / "out")
    more = folder_of(tmp_path / "c", z=noise(1))
    refused(r"train/x\.png", pair_folders, more, more, tmp_path / "out")


def test_edges_are_next_to_untouched_photographs(tmp_path: Path) -> None:
    photos = folder_of(tmp_path / "photos", odd=noise(1, 33, 21), other=noise(2, 16, 40))
    assert pair_edges(photos, tmp_path / "out", sigma=1.0) == {"train": 2}
    for stem in ("odd", "other"):
        lines, photo = PairedSet(tmp_path / "out").sides(tmp_path / "out" / "train" / f"{stem}.png")
        np.testing.assert_array_equal(photo, np.asarray(Image.open(photos / f"{stem}.png")))
        assert set(np.unique(lines)) == {0, 255}
    for sigma in (0, math.nan, math.inf, 1e9):
        refused(r"--sigma.*above 0,.*1000", pair_edges, photos, tmp_path / "out2", sigma=sigma)
