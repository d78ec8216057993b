"""The quiz's settings: what fits together, and what is said where it does not."""

from pathlib import Path
from typing import Any

import pytest

from gan_eval.errors import UserError
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import load_study

STUDY = '[study]\nname = "s"\n[stimuli]\nsets = ["set"]\n[quiz]\n'


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({}, {"real": "j", "fake": "f"}),
        ({"protocol": "yes_no"}, {"real": "j", "fake": "f"}),
        ({"protocol": "paired"}, {"left": "f", "right": "j"}),
        (
            {"protocol": "model_vs_model", "layout": "one_after_other", "exposure_ms": 1000},
            {"first": "f", "second": "j"},
        ),
        ({"protocol": "rating", "grades": 3}, {"1": "1", "2": "2", "3": "3"}),
        ({"keys": {"fake": "Q", "real": "p"}}, {"fake": "Q", "real": "p"}),
    ],
)
def test_each_protocol_has_its_keys(values: dict[str, Any], keys: dict[str, str]) -> None:
    assert QuizSettings(**values).keys == keys


def test_keys_change_places_on_every_second_list() -> None:
    fixed, swapped = QuizSettings(), QuizSettings(counterbalance_keys=True)
    assert fixed.keys_of_list(2) == fixed.keys_of_list(1) == {"real": "j", "fake": "f"}
    assert swapped.keys_of_list(1) == {"real": "j", "fake": "f"}
    assert swapped.keys_of_list(2) == {"real": "f", "fake": "j"}
    grades = QuizSettings(protocol="rating", counterbalance_keys=True)
    assert grades.keys_of_list(2) == grades.keys


def test_exposures_and_windows() -> None:
    assert QuizSettings().levels_ms == (None,)
    assert QuizSettings(exposure_ms=250).levels_ms == (250.0,)
    levels = QuizSettings(protocol="yes_no", exposures_ms=(100, "until-answer"), response_ms="unlimited")
    assert (levels.levels_ms, levels.window_ms) == ((100.0, None), None)


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ("keys = []", ["quiz.keys: ", "table"]),
        ("keys = false", ["quiz.keys: ", "table"]),
        ("keys = { left = 'f', right = 'j' }", ["quiz.keys: ", "real and one for fake", "real = 'j'"]),
        ("protocol = 'paired'\nkeys = { real = 'f', fake = 'j' }", ["quiz.keys: ", "left and one for right"]),
        ("keys = { real = 'j', fake = 'J' }", ["quiz.keys: ", "different keys"]),
        ("keys = { real = 'jj', fake = 'f' }", ["quiz.keys: ", "one character"]),
        ("protocol = 'quick_respons'", ["quiz.protocol", "quick_response"]),
        ("exposures_ms = [100]", ["quiz.exposures_ms: ", "yes_no"]),
        ("protocol = 'paired'\nlayout = 'one_after_other'", ["quiz.exposure_ms: ", "such as 1000"]),
        ("exposure_ms = 5000", ["response_ms 4000 is shorter than exposure_ms 5000"]),
        ("protocol = 'yes_no'\nexposures_ms = [100, 6000]", ["exposure_ms 6000"]),
        ("protocol = 'staircase'\nresponse_ms = 900", ["exposure_ms 1000"]),
        ("protocol = 'quest_plus'\nresponse_ms = 900", ["exposure_ms 1000"]),
        ("[quiz.staircase]\nstart_ms = 50", ["quiz.staircase", "start_ms 50"]),
        ("[[quiz.questions]]\nid='a'\ntext='?'\n[[quiz.questions]]\nid='a'\ntext='!'", ["quiz.questions: ", "same id"]),
        ("[[quiz.questions]]\nid='a b'\ntext='?'", ["quiz.questions.0.id"]),
        ("response_ms = 'never'", ["quiz.response_ms", "unlimited"]),
        ("confidence = 3\nkeys = { real = '3', fake = 'f' }", ["quiz.keys: ", "3 is a level of confidence"]),
        ("picture_size = '512'", ["quiz.picture_size: ", "such as 512", '"8 deg"']),
        ("picture_size = 0", ["quiz.picture_size: found 0", "1 to 16384 pixels"]),
        ("picture_size = 8.5", ["quiz.picture_size: found 8.5"]),
        ("picture_size = '180 deg'", ["quiz.picture_size: ", '"8 deg"']),
        ("viewing_distance_cm = 5.5", ["quiz.viewing_distance_cm: ", "20"]),
        ("screen_width_cm = 5000", ["quiz.screen_width_cm: ", "500"]),
        ("confidense = 4", ["quiz.confidense", "did you mean confidence?"]),
    ],
)
def test_a_mistake_is_named_with_its_mend(tmp_path: Path, lines: str, parts: list[str]) -> None:
    file = tmp_path / "study.toml"
    file.write_text(STUDY + lines)
    with pytest.raises(UserError) as caught:
        load_study(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_one_size_on_the_screen_has_one_spelling() -> None:
    spelled = ["8 deg", "8deg", " 8.0 deg", "8°", "8.000 °"]
    assert {QuizSettings(picture_size=text).picture_size for text in spelled} == {"8 deg"}
    assert QuizSettings(picture_size="7.25°").picture_degrees == 7.25
    assert [QuizSettings(picture_size=size).picture_degrees for size in ("native", 512)] == [None, None]
    assert QuizSettings().picture_size == "native"


@pytest.mark.parametrize("name", ["exposure_ms", "response_ms", "blank_ms", "gap_ms", "mask_ms", "feedback_ms"])
def test_no_time_is_longer_than_an_hour(name: str) -> None:
    assert getattr(QuizSettings(**{"response_ms": "unlimited", name: 3_600_000}), name) == 3_600_000
    with pytest.raises(ValueError, match="3600000"):
        QuizSettings(**{"response_ms": "unlimited", name: 3_600_001})
