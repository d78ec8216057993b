"""The frames of the trial window in every protocol; off screen."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from quiz_study import two_models
from trial_sitting import Sit, TrialSitting, phase, sitting_down

from gan_eval.quiz.app.loading import load
from gan_eval.quiz.app.painting import Frame
from gan_eval.quiz.trial import State
from gan_eval.stimuli.sets import StimulusSet


@pytest.fixture
def sit(qapp: QApplication, stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sit]:
    """`sit(protocol=..., ...)` sits the participant down with these settings."""
    with sitting_down(stimuli, tmp_path, monkeypatch) as sit:
        yield sit


def presses(sitting: TrialSitting, **keys: str) -> Callable[[Frame], None]:
    """A robot that presses the key of a phase: `pictures`, `question`, `confidence`."""

    def react(frame: Frame) -> None:
        word = phase(frame)
        for part, key in keys.items():
            if part in word.lower():
                sitting.key(key)

    return react


KEYS = "Keys? F: fake    J: real"


def pixels(image: QImage) -> np.ndarray:
    rgb = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.array(rgb.constBits()).reshape(rgb.height(), -1, 4)[:, : rgb.width(), :3]


def test_one_picture_until_the_answer(sit: Sit) -> None:
    sitting = sit()
    assert sitting.run(presses(sitting, pictures="f")) == "over"
    trial = ["1 pictures", "blank"]
    assert sitting.phases == ["1 of 2", *trial, "2 of 2", *trial, "blank"]


@pytest.mark.parametrize(("kind", "of_picture"), [("noise", False), ("scramble", True)])
def test_a_mask_takes_the_pictures_place(sit: Sit, kind: str, of_picture: bool) -> None:
    sitting = sit(exposure_ms=60, mask=kind, mask_ms=50, response_ms=150)
    assert sitting.run(lambda _: None) == "over"
    trial = ["1 pictures", "1 masks", KEYS]
    assert sitting.phases == ["1 of 2", *trial, "2 of 2", *trial, "blank"]
    (shown, onset), (masked, offset), (_, end) = sitting.window.presented[1:4]
    picture, mask = shown.pictures[0], masked.pictures[0]
    assert mask.size() == picture.size()
    assert (pixels(mask) != pixels(picture)).any()
    same = np.sort(pixels(mask), axis=None) == np.sort(pixels(picture), axis=None)
    assert same.all() == of_picture, "48 x 64 pixels are whole blocks: shuffling keeps every one of them"
    assert (offset - onset) / 1e6 == pytest.approx(sitting.trials[0]["exposure_ms"])
    assert (end - offset) / 1e6 > 25


def test_an_answer_during_flash_or_mask_ends_neither(sit: Sit) -> None:
    sitting = sit(exposure_ms=100, mask="noise", mask_ms=100)

    def react(frame: Frame) -> None:
        if phase(frame) == ("1 masks" if sitting.session.done else "1 pictures"):
            sitting.key("f")

    assert sitting.run(react) == "over"
    stamps = [stamp for frame, stamp in sitting.window.presented]
    places = [place for place, name in enumerate(sitting.phases) if name == "1 pictures"]
    assert [row["response"] for row in sitting.trials] == ["fake", "fake"]
    for place in places:
        assert all((after - before) / 1e6 > 60 for before, after in pairwise(stamps[place : place + 3]))


@pytest.mark.parametrize("protocol", ["paired", "model_vs_model"])
def test_pairs_side_by_side(sit: Sit, stimuli: StimulusSet, protocol: str) -> None:
    sitting = sit(protocol=protocol, pairs=2, exposure_ms=80, stimuli=two_models(stimuli))
    assert sitting.run(presses(sitting, which="f")) == "over"
    asked = f"Which {'one' if protocol == 'paired' else 'model'}? F: left    J: right"
    trial = ["2 pictures", asked]
    assert sitting.phases == ["1 of 2", *trial, "2 of 2", *trial, "blank"]
    for place, row in enumerate(sitting.trials):
        left, right = (pixels(picture) for picture in sitting.window.presented[1 + 3 * place][0].pictures)
        a, b = (pixels(load(path)) for path in sitting.files(place))
        assert (left == (a if row["position"] == "left" else b)).all()
        assert (right == (b if row["position"] == "left" else a)).all()
        assert row["choice"] == ("a" if row["position"] == "left" else "b")
        assert row["correct"] == ((row["choice"] == "a") if protocol == "paired" else None)


@pytest.mark.parametrize("mask_ms", [None, 60, 400])
def test_pairs_one_after_the_other_with_a_gap(sit: Sit, mask_ms: float | None) -> None:
    settings: dict[str, object] = {"layout": "one_after_other", "exposure_ms": 80, "gap_ms": 150}
    if mask_ms:
        settings |= {"mask": "noise", "mask_ms": mask_ms}
    sitting = sit(protocol="paired", pairs=1, **settings)
    assert sitting.run(presses(sitting, which="j")) == "over"
    between = {None: ["cross"], 60: ["1 masks", "cross"], 400: ["1 masks"]}[mask_ms]
    after = ["1 masks"] if mask_ms else []
    asked = "Which one? F: first    J: second"
    assert sitting.phases == ["1 of 1", "1 pictures", *between, "1 pictures", *after, asked, "blank"]
    (row,) = sitting.trials
    assert row["second_onset_ms"] - row["onset_ms"] - row["exposure_ms"] > 110
    assert row["second_exposure_ms"] > 40
    assert row["choice"] == ("a" if row["position"] == "second" else "b")
    assert row["reaction_time_ms"] > row["second_exposure_ms"]


def test_practice_tells_what_was_right_and_enters_no_progress(sit: Sit) -> None:
    sitting = sit(practice=2, feedback_ms=120, response_ms=300)
    answers = iter(["f", ""])

    def react(frame: Frame) -> None:
        if phase(frame) == "1 pictures" and (key := next(answers, "j")):
            sitting.key(key)

    assert sitting.run(react) == "break"
    first, second = sitting.session.plan[0]["kind"], sitting.session.plan[1]["kind"]
    reported = f"{'Right' if first == 'fake' else 'Wrong'}: {first} ({first})"
    none = f"None: {second} ({second})"
    trial = ["1 pictures", "blank"]
    before = ["Practice: 1 of 2", *trial, reported, "Practice: 2 of 2", *trial, none, "1 of 2"]
    assert sitting.phases == before
    frames = sitting.window.presented
    assert not frames[3][0].patch
    assert (frames[4][1] - frames[3][1]) / 1e6 > 110
    assert sitting.run(react) == "over"
    assert sitting.phases == [*before, "1 of 2", *trial, "2 of 2", *trial, "blank"]
    assert [row["phase"] for row in sitting.trials] == ["practice", "practice", "main", "main"]


def test_progress_is_never_shown_with_a_picture_and_blanks_are_empty(sit: Sit) -> None:
    sitting = sit(exposure_ms=60, response_ms=200, fixation_mark=False, response_cue=False)
    grey = []

    def look(frame: Frame) -> None:
        if phase(frame) == "blank":
            grey.append((pixels(sitting.window.grab()) == 128).all())
        elif frame.pictures:
            assert not frame.text
            assert not frame.headline

    assert sitting.run(look) == "over"
    assert len(grey) >= 2
    assert all(grey)


def test_a_cross_comes_before_the_picture_and_the_keys_after_it(sit: Sit) -> None:
    sitting = sit(exposure_ms=60)

    def answer(frame: Frame) -> None:
        if phase(frame) == KEYS:
            assert sitting.session.state is State.WAITING
            sitting.key("j")

    assert sitting.run(answer) == "over"
    frames = [frame for frame, _ in sitting.window.presented]
    assert sitting.phases == ["1 of 2", "1 pictures", KEYS, "2 of 2", "1 pictures", KEYS, "blank"]
    assert [frame.fixation for frame in frames] == [True, False, False, True, False, False, False]
    shown, cued = sitting.window.presented[1:3]
    assert cued[0].vanished == shown[0].pictures, "the keys stay out of its place"
    assert (cued[1] - shown[1]) / 1e6 == pytest.approx(sitting.trials[0]["exposure_ms"])
    assert sitting.trials[0]["exposure_ms"] < 75, "drawn ahead: the picture vanishes as the keys appear"
