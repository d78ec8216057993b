"""The words of the start page."""

import doctest

import pytest

from gan_eval.quiz import instructions as module
from gan_eval.quiz import matching, schedule, simulate
from gan_eval.quiz.instructions import instructions, keys_in_order
from gan_eval.study import QuizSettings


def test_the_words_follow_the_settings() -> None:
    until_answer = " ".join(instructions(QuizSettings(response_ms=2500), 50))
    assert "50 pictures" in until_answer
    assert "until you answer, at most 2.5 seconds" in until_answer
    flash = " ".join(instructions(QuizSettings(exposure_ms=250, response_ms=3000), 50))
    assert "visible for 0.25 seconds" in flash
    assert "within 3 seconds" in flash


def test_the_study_may_say_it_itself() -> None:
    assert instructions(QuizSettings(instructions="Look.\n\nDecide."), 50) == ["Look.", "Decide."]


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ({"real": "j", "fake": "f"}, [("F", "fake"), ("J", "real")]),
        ({"real": "a", "fake": "ö"}, [("A", "real"), ("Ö", "fake")]),
        ({"real": "1", "fake": "0"}, [("1", "real"), ("0", "fake")]),
    ],
)
def test_keys_are_named_from_left_to_right(keys: dict[str, str], order: list[tuple[str, str]]) -> None:
    assert keys_in_order(QuizSettings(keys=keys)) == order


@pytest.mark.parametrize("tried", [module, matching, schedule, simulate], ids=lambda tried: tried.__name__)
def test_the_examples_in_the_docstrings(tried: object) -> None:
    result = doctest.testmod(tried)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0
