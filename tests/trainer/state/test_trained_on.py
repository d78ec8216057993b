"""Pictures that were trained on are recognised by their content, and nothing is claimed without a record."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_photographs import make_photographs
from PIL import Image, ImageEnhance, ImageOps

from trainer.datasets.dataset import DataSet
from trainer.datasets.pairs import PairedSet
from trainer.datasets.photographs import PhotographSet
from trainer.state.trained_on import TrainedOn, pictures_of_run

Change = Callable[[Image.Image], Image.Image]
SIZE = (192, 96)
"""Width and height of a picture of two halves."""


def known(data_set: DataSet, out: Path, *, start: Path | None = None) -> TrainedOn:
    paths = data_set.training_paths("train")
    return pictures_of_run(out, data_set, paths, data_sha256="d", start=start)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_photographs(tmp_path / "data", size=SIZE, train=5, other=3)


CHANGES: dict[str, tuple[Change, str, bool]] = {
    "copy": (lambda picture: picture, ".png", True),
    "JPEG": (lambda picture: picture, ".jpg", True),
    "half the size": (lambda picture: picture.resize((SIZE[0] // 2, SIZE[1] // 2)), ".png", True),
    "twice the size": (lambda picture: picture.resize((SIZE[0] * 2, SIZE[1] * 2)), ".png", True),
    "mirrored": (ImageOps.mirror, ".png", True),
    "darker": (lambda picture: ImageEnhance.Brightness(picture).enhance(0.8), ".png", True),
    "upside down": (ImageOps.flip, ".png", False),
    "a corner": (lambda picture: picture.crop((0, 0, SIZE[0] // 2, SIZE[1] // 2)), ".png", False),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("kind", [PairedSet, PhotographSet])
def test_copies_are_recognised_under_any_name(
    data: Path, tmp_path: Path, kind: Callable[[Path], DataSet], name: str
) -> None:
    change, suffix, same = CHANGES[name]
    (tmp_path / "copies" / "test").mkdir(parents=True)
    copy = tmp_path / "copies" / "test" / f"!first{suffix}"
    change(Image.open(data / "train" / "3.png")).save(copy)
    record = known(kind(data), tmp_path / "run")
    assert record.seen(kind(tmp_path / "copies"), [copy]) == {copy: same}
    others = kind(data).paths("other")
    assert record.seen(kind(data), others) == dict.fromkeys(others, False)


@pytest.mark.parametrize("half", [0, 1])
def test_one_half_of_a_pair_is_enough(data: Path, tmp_path: Path, half: int) -> None:
    trained, other = (np.asarray(Image.open(data / split / "1.png")).copy() for split in ("train", "other"))
    middle = SIZE[0] // 2
    half_of_pair = slice(half * middle, (half + 1) * middle)
    other[:, half_of_pair] = trained[:, half_of_pair]
    mixed = data / "other" / "9.png"
    Image.fromarray(other).save(mixed)
    assert known(PairedSet(data), tmp_path / "run").seen(PairedSet(data), [mixed]) == {mixed: True}


def test_nothing_is_claimed_of_what_is_not_known(data: Path, tmp_path: Path) -> None:
    data_set, run = PhotographSet(data), tmp_path / "run"
    paths = [*data_set.paths("train"), *data_set.paths("other")]
    record = known(data_set, run, start=tmp_path / "latest_net_G.pth")  # a generator that does not say
    assert list(record.seen(data_set, paths).values()) == [True] * 5 + [None] * 3
    (data / "other" / "0.png").write_text("broken")
    assert list(known(data_set, run).seen(data_set, paths).values()) == [True] * 5 + [None] + [False] * 2
