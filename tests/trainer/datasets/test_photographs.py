"""Photographs in any tree: which belong to a split, what they are called, and which square of them is read."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from made_photographs import noise, save
from PIL import Image

from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import read_rgb
from trainer.datasets.photographs import PhotographSet, split_of


def touch(root: Path, *names: str) -> Path:
    """Empty files: listing looks at names alone."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def square_of(path: Path, side: int, source_size: int | None) -> np.ndarray:
    (square,) = PhotographSet(path.parent, source_size).read(path, side)
    return square


def relative(paths: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_a_split_holds_the_pictures_of_its_sub_folders_in_natural_order(tmp_path: Path) -> None:
    names = ["train/n2/images/2.JPEG", "train/n2/images/10.JPEG", "train/n10/images/1.JPEG", "train/z.png"]
    touch(tmp_path, *reversed(names), "train/.hidden/1.png", "train/n2/boxes.txt", "train/.1.png", "extra/1.png")
    assert relative(PhotographSet(tmp_path).paths("train"), tmp_path) == names
    assert relative(PhotographSet(tmp_path).paths("train", limit=2), tmp_path) == names[:2]
    assert relative(PhotographSet(tmp_path).paths("extra"), tmp_path) == ["extra/1.png"]
    assert PhotographSet(tmp_path).has_split("train")
    assert not PhotographSet(tmp_path).has_split("val")
    with pytest.raises(UserError, match="'val'"):
        PhotographSet(tmp_path).paths("val")


def test_without_usual_splits_a_hash_of_the_path_decides(tmp_path: Path) -> None:
    names = [f"class{n % 3}/{n}.jpg" for n in range(200)] + ["top.png"]
    touch(tmp_path, *names)
    splits = PhotographSet(tmp_path).by_split()
    assert sorted(name for paths in splits.values() for name in relative(paths, tmp_path)) == sorted(names)
    for name in names:
        percentile = int.from_bytes(hashlib.sha256(name.encode()).digest()) % 100
        wanted = "train" if percentile < 80 else "val" if percentile < 90 else "test"
        assert tmp_path / name in splits[wanted]
    before = {path: split for split, paths in splits.items() for path in paths}
    touch(tmp_path, *(f"more/{n}.jpg" for n in range(50)))
    after = {path: split for split, paths in PhotographSet(tmp_path).by_split().items() for path in paths}
    assert before.items() <= after.items()


def test_one_name_in_two_forms_of_unicode_is_in_one_split() -> None:
    for number in range(20):
        assert split_of(Path(f"caf\u00e9{number}.jpg")) == split_of(Path(f"cafe\u0301{number}.jpg"))


def test_links_are_followed_but_not_in_a_ring(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "1.png")
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "train" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "data" / "train")
    assert relative(PhotographSet(tmp_path / "data").paths("train"), tmp_path) == ["data/train/linked/1.png"]


def test_names_tell_the_path_and_clashes_name_both_files(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/c/1.v2.png")
    paths = PhotographSet(tmp_path).paths("train")
    assert PhotographSet(tmp_path).names(paths, "train") == {"a-1": paths[0], "b-c-1.v2": paths[1]}
    touch(tmp_path, "train/b-c/1.v2.jpg")
    with pytest.raises(UserError, match=r"b-c/1\.v2\.jpg:.*b-c-1\.v2,.*b/c/1\.v2\.png"):
        PhotographSet(tmp_path).names(PhotographSet(tmp_path).paths("train"), "train")


def test_a_photograph_of_the_size_keeps_every_pixel_and_others_are_brought_to_it(tmp_path: Path) -> None:
    path = save(tmp_path / "1.png", noise(0, 32, 32))
    np.testing.assert_array_equal(square_of(path, 32, None), read_rgb(path))
    np.testing.assert_array_equal(square_of(path, 32, 32), read_rgb(path))
    wide = save(tmp_path / "wide.png", noise(0, 50, 20))
    image = Image.open(wide).crop((15, 0, 35, 20))
    enlarged = image.resize((40, 40), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(square_of(wide, 40, None), np.asarray(enlarged))
    coarse = image.resize((10, 10), Image.Resampling.BICUBIC).resize((40, 40), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(square_of(wide, 40, 10), np.asarray(coarse))


def test_joined_splits_are_trained_on_together(tmp_path: Path) -> None:
    names = ["test/3.png", "train/1.png", "val/2.png"]
    photographs = PhotographSet(touch(tmp_path, *names))
    assert relative(photographs.training_paths("train+val+test"), tmp_path) == [*names[1:], names[0]]
    assert relative(photographs.training_paths("val+val+train", limit=1), tmp_path) == ["val/2.png"]
    assert relative(photographs.training_paths("test"), tmp_path) == ["test/3.png"]
    with pytest.raises(UserError, match="'more'"):
        photographs.training_paths("train+more")
