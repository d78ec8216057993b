"""Real beside fake, and one after the other."""

import pytest

from gan_eval.quiz.protocols import Timing
from gan_eval.quiz.protocols.paired import Paired
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row


def pair(position: str) -> Row:
    return {"stimulus": "REAL", "stimulus_b": "FAKE", "position": position, "requested_exposure_ms": 1000.0}


@pytest.mark.parametrize(
    ("position", "showings"),
    [
        ("left", (("REAL", "FAKE"),)),
        ("right", (("FAKE", "REAL"),)),
        ("first", (("REAL",), ("FAKE",))),
        ("second", (("FAKE",), ("REAL",))),
    ],
)
def test_what_is_shown_where(position: str, showings: tuple[tuple[str, ...], ...]) -> None:
    assert Paired(QuizSettings(protocol="paired")).showings(pair(position)) == showings


@pytest.mark.parametrize(
    ("position", "answer", "choice", "correct"),
    [
        ("left", "left", "a", True),
        ("left", "right", "b", False),
        ("right", "left", "b", False),
        ("right", "right", "a", True),
        ("first", "second", "b", False),
        ("second", "second", "a", True),
        ("second", None, "none", None),
    ],
)
def test_judgement(position: str, answer: str | None, choice: str, correct: bool | None) -> None:
    judged = Paired(QuizSettings(protocol="paired")).judge(pair(position), answer)
    assert judged == {"response": None, "choice": choice, "rating": None, "correct": correct}


def test_the_truth_is_where_the_real_picture_is() -> None:
    assert Paired(QuizSettings(protocol="paired")).truth(pair("second")) == "second"


def test_keys_name_places_or_turns() -> None:
    assert Paired(QuizSettings(protocol="paired")).answers == {"f": "left", "j": "right"}
    turns = QuizSettings(protocol="paired", layout="one_after_other", exposure_ms=1000)
    assert Paired(turns).answers == {"f": "first", "j": "second"}


def test_times() -> None:
    quiz = QuizSettings(protocol="paired", layout="one_after_other", exposure_ms=1000, gap_ms=600)
    assert Paired(quiz).timing(pair("first")) == Timing(1000.0, 4000, 600)
