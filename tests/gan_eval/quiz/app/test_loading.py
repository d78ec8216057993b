"""Pictures as a trial needs them: decoded, unchanged, with their masks, and small enough."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from refusals import refused

pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from app_sitting import pixels
from PIL import Image
from PySide6.QtCore import QSize

from gan_eval.pictures.decode import read_rgb
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.app.loading import check_pictures, load_trial
from gan_eval.quiz.app.painting import GAP, Canvas
from gan_eval.quiz.library import Library
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.settings.quiz import MaskKind, QuizSettings
from gan_eval.tables.frames import Row

PAIRED = QuizProtocol(QuizSettings(protocol="paired"))


@pytest.fixture
def library(stimuli: StimulusSet) -> Library:
    return Library([stimuli])


@pytest.fixture
def planned(library: Library) -> Row:
    """A pair of the set: 48 x 64 pixels each."""
    real, fake = (next(row for row in library.rows if row["kind"] == kind) for kind in ("real", "fake"))
    hashes = {"sha256": real["sha256"], "sha256_b": fake["sha256"]}
    return {"trial": 7, "stimulus": real["stimulus"], "stimulus_b": fake["stimulus"], "position": "right", **hashes}


@pytest.mark.parametrize("kind", get_args(MaskKind))
def test_a_trial_is_decoded_as_shown_with_all_masks(library: Library, planned: Row, kind: MaskKind) -> None:
    ready = load_trial(planned, PAIRED.showings(planned), library, kind, session="s")
    ((left, right),) = ready.showings
    assert (pixels(left) == read_rgb(library.path(planned["stimulus_b"]))).all()
    assert (pixels(right) == read_rgb(library.path(planned["stimulus"]))).all()
    ((*masks,),) = ready.masks
    assert [mask.size() for mask in masks] == ([] if kind == "none" else [left.size(), right.size()])
    again = load_trial(planned, PAIRED.showings(planned), library, kind, session="s")
    assert list(again.masks[0]) == masks
    other = load_trial({**planned, "trial": 8}, PAIRED.showings(planned), library, kind, session="s")
    assert kind == "none" or list(other.masks[0]) != masks


@pytest.mark.parametrize(("missing", "fits"), [(0, True), (1, False)])
def test_a_pair_must_fit_side_by_side(library: Library, planned: Row, missing: int, fits: bool) -> None:
    window = QSize(64 + GAP + 64 - missing, 48)
    if fits:
        assert check_pictures([planned], PAIRED, library, Canvas(window)) == {64}
        return
    refused(rf"secret\d.png.*secret\d.png: {128 + GAP}x48", check_pictures, [planned], PAIRED, library, Canvas(window))
    one_after_other = {**planned, "position": "first"}
    assert check_pictures([one_after_other], PAIRED, library, Canvas(window)) == {64}


def test_a_broken_picture_is_found_before_the_session(library: Library, planned: Row) -> None:
    path: Path = library.path(planned["stimulus_b"])
    path.write_bytes(path.read_bytes()[:60])
    refused(f"{path.name}: not a readable picture", check_pictures, [planned], PAIRED, library, Canvas(QSize(800, 600)))


@pytest.mark.parametrize(("width", "height"), [(512, 384), (63, 47), (100, 75), (64, 48)])
def test_every_picture_is_as_wide_as_the_session_says_by_one_filter(
    library: Library, planned: Row, width: int, height: int
) -> None:
    library.show_at(width)
    assert check_pictures([planned], PAIRED, library, Canvas(QSize(2000, 1000))) == {width}
    ready = load_trial(planned, PAIRED.showings(planned), library, "scramble", session="s")
    ((left, right),), (masks,) = ready.showings, ready.masks
    for shown, stimulus in ((left, "stimulus_b"), (right, "stimulus")):
        with Image.open(library.path(planned[stimulus])) as image:
            by_pillow = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
        assert (pixels(shown) == by_pillow).all()
    assert [mask.size() for mask in masks] == [left.size(), right.size()]
    library.show_at(None)
    ((left, _),) = load_trial(planned, PAIRED.showings(planned), library, "none", session="s").showings
    assert (pixels(left) == read_rgb(library.path(planned["stimulus_b"]))).all(), "nothing is left of the other size"


@pytest.mark.parametrize(("window", "largest"), [(QSize(1000, 300), 400), (QSize(400, 900), (400 - GAP) // 2)])
def test_the_largest_size_that_fits_is_named(library: Library, planned: Row, window: QSize, largest: int) -> None:
    library.show_at(2 * window.width())
    refused(rf"picture_size = {largest}", check_pictures, [planned], PAIRED, library, Canvas(window))
    library.show_at(largest)
    assert check_pictures([planned], PAIRED, library, Canvas(window)) == {largest}


@pytest.mark.usefixtures("qapp")
def test_a_caption_must_fit_next_to_its_picture(library: Library, planned: Row) -> None:
    shown = QuizProtocol(QuizSettings(protocol="paired", show_caption=True))
    pair = 64 + GAP + 64
    assert check_pictures([planned], shown, library, Canvas(QSize(800, 200))) == {64}
    refused(r"'text.*192x48", check_pictures, [planned], shown, library, Canvas(QSize(pair, 48)))
