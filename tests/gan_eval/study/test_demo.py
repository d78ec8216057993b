"""The demo's pictures: made of photographs of packages, none of which is trained on and shown."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.pictures.decode import read_rgb
from gan_eval.settings.study import load_study
from gan_eval.study import demo


def test_dots_are_eight_colours_and_as_bright_as_the_photograph() -> None:
    photograph = demo.read_photograph("coffee")[:192, :192]
    dots = demo.dithered(photograph)
    assert dots.shape == photograph.shape
    assert set(np.unique(dots)) == {0, 255}
    assert dots.mean(axis=(0, 1)) == pytest.approx(photograph.mean(axis=(0, 1)), abs=2)
    assert (demo.dithered(photograph[..., ::-1]) == dots[..., ::-1]).all()  # each channel separately


def test_crops_are_pairs_and_are_made_once(tmp_path: Path) -> None:
    demo.write_crops(tmp_path, {"chelsea": 200}, [(2, 1, 0)])
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == ["chelsea-000-000.png", "chelsea-000-200.png"]
    pair = read_rgb(paths[1])
    photograph = demo.read_photograph("chelsea")[:192, 200:392, ::-1]
    assert (pair[:, 192:] == photograph).all()
    assert (pair[:, :192] == demo.dithered(photograph)).all()
    paths[0].write_bytes(b"mine")
    demo.write_crops(tmp_path, {"chelsea": 200})
    assert paths[0].read_bytes() == b"mine"
    assert (read_rgb(paths[1]) == pair).all()


def test_the_online_demo_shows_crops_and_changed_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PHOTOGRAPHS", ("retina",))
    items = demo._write_pictures(tmp_path)
    assert [*items] == [f"retina-0000-{left:04d}" for left in (0, 256, 512, 768)]
    assert {read_rgb(path).shape for files in items.values() for path in files.values()} == {(256, 256, 3)}
    stripes = np.tile(np.array([0, 255], np.uint8), (256, 128))
    for picture in (stripes, stripes.T):  # half the resolution does not have them
        assert np.ptp(np.asarray(demo.coarse(Image.fromarray(picture)))) == 0


def test_the_study_wants_no_more_items_than_there_are() -> None:
    assert not demo.TRAIN_PHOTOGRAPHS.keys() & demo.TEST_PHOTOGRAPHS.keys()
    study = load_study(demo.STUDY)
    items = sum(len(list(demo.crops(name, demo.CROP, stride))) for name, stride in demo.TEST_PHOTOGRAPHS.items())
    assert study.quiz.real + study.quiz.fake == items
    assert study.quiz.fake % len(study.models) == 0
    assert study.training.image_size == demo.CROP
