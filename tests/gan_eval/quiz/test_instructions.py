"""The words of the welcome page."""

from typing import Any, get_args

import pytest

from gan_eval.quiz.wording import Texts, instructions, keys_in_order, welcome_title
from gan_eval.settings.protocols import Layout, ProtocolName
from gan_eval.settings.quiz import QuizSettings

WORDS = Texts()
UNLIMITED: dict[str, Any] = {"response_ms": "unlimited"}


def reported(**settings: Any) -> str:
    return " ".join(instructions(QuizSettings(**settings), 50, WORDS))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"response_ms": 2500}, "50 pictures, one after the other. Some are real photographs"),
        ({"response_ms": 2500}, "until you answer, at most 2.5 seconds"),
        ({"exposure_ms": 250, "response_ms": 3000}, "visible for 0.25 seconds. You can answer within 3 seconds"),
        ({"exposure_ms": 250} | UNLIMITED, "visible for 0.25 seconds. Take the time you need"),
        (UNLIMITED, "stay until you answer. Take the time you need. Judge as well as you can"),
        ({"protocol": "yes_no", "exposures_ms": (100, 500)}, "Some pictures are visible for a short time only"),
        ({"protocol": "yes_no", "exposures_ms": (100,)}, "Each picture is visible for 0.1 seconds"),
        ({"protocol": "staircase"}, "visible for a short time, which changes from picture to picture"),
        ({"protocol": "paired"}, "50 pairs of pictures, side by side. One picture of each pair is a real photograph"),
        ({"protocol": "paired"}, "Each pair stays until you answer, at most 4 seconds"),
        ({"protocol": "paired", "exposure_ms": 1000}, "Each pair is visible for 1 second"),
        (
            {"protocol": "paired", "layout": "one_after_other", "exposure_ms": 1000},
            "one picture after the other. One of each pair is a real photograph",
        ),
        (
            {"protocol": "paired", "layout": "one_after_other", "exposure_ms": 1000},
            "within 4 seconds of the second one's appearing",
        ),
        ({"protocol": "model_vs_model"}, "press a key to say which one looks more real"),
        ({"protocol": "rating", "grades": 7}, "from 1 (not at all) to 7 (entirely)"),
        ({"confidence": 3}, "a number key from 1 (a guess) to 3 (certain)"),
        ({}, "Esc pauses the session"),
    ],
)
def test_the_words_follow_the_settings(settings: dict[str, Any], said: str) -> None:
    assert said in reported(**settings)


def test_nothing_is_said_of_a_window_that_never_closes_nor_of_a_question_that_is_not_asked() -> None:
    assert "at most" not in reported(**UNLIMITED)
    assert "quickly" not in reported(**UNLIMITED)
    assert "how sure" not in reported()


@pytest.mark.parametrize("protocol", get_args(ProtocolName))
@pytest.mark.parametrize("layout", get_args(Layout))
@pytest.mark.parametrize("exposure", [500, "until-answer"])
@pytest.mark.parametrize("response", [3000, "unlimited"])
def test_there_are_words_for_every_way_to_show(protocol: str, layout: str, exposure: Any, response: Any) -> None:
    if layout == "one_after_other" and exposure == "until-answer":
        exposure = 700
    settings = QuizSettings(protocol=protocol, layout=layout, exposure_ms=exposure, response_ms=response)
    assert len(instructions(settings, 50, WORDS)) == 4
    assert welcome_title(settings, WORDS)


def test_the_study_may_say_it_itself() -> None:
    assert instructions(QuizSettings(instructions="Look.\n\nDecide."), 50, WORDS) == ["Look.", "Decide."]


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ({"real": "j", "fake": "f"}, [("F", "fake"), ("J", "real")]),
        ({"real": "a", "fake": "ö"}, [("A", "real"), ("Ö", "fake")]),
        ({"real": "1", "fake": "0"}, [("1", "real"), ("0", "fake")]),
        ({"2": "2", "1": "1", "3": "3"}, [("1", "1"), ("2", "2"), ("3", "3")]),
    ],
)
def test_keys_are_named_from_left_to_right(keys: dict[str, str], order: list[tuple[str, str]]) -> None:
    assert keys_in_order(keys) == order
