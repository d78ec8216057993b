"""The program's words: names, the study's own wording, translations, instructions and trial texts."""

import re
from itertools import product
from typing import Any, get_args

import pytest

from gan_eval.quiz.wording import Texts, TrialTexts, instructions, keys_in_order, languages, texts_of, welcome_title
from gan_eval.settings.protocols import Layout, ProtocolName
from gan_eval.settings.quiz import ConsentSettings, QuizSettings
from gan_eval.tables.frames import Row

TEXTS = texts_of("en")


def test_the_program_can_say_its_own_consent_in_every_language() -> None:
    assert TEXTS["consent_text"] == ConsentSettings().text


@pytest.mark.parametrize("language", languages())
def test_a_translation_has_the_same_texts_and_fills_in_the_same_values(language: str) -> None:
    texts = texts_of(language)
    assert list(texts) == list(TEXTS)
    for name, english in TEXTS.items():
        assert texts[name].strip(), name
        braces = [set(re.findall("{.*?}", text)) for text in (texts[name], english)]
        assert braces[0] == braces[1], name


WORDS = Texts()
UNLIMITED: dict[str, Any] = {"response_ms": "unlimited"}
IN_TURN: dict[str, Any] = {"protocol": "paired", "layout": "one_after_other", "exposure_ms": 1000}


BY_TOUCH: dict[str, dict[str, Any]] = {
    "For each pair, tap a button to say which one is real": {"protocol": "paired"},
    "For each one, tap a number to say how real it looks": {"protocol": "rating"},
    "a number from 1 (a guess) to 3 (certain)": {"confidence": 3},
}
"""Words for a touch screen, and the settings that ask for them."""


@pytest.mark.parametrize("said", BY_TOUCH)
def test_by_touch_buttons_are_tapped(said: str) -> None:
    words = " ".join(instructions(QuizSettings(**BY_TOUCH[said]), 50, WORDS, pause="web_pauses_touch", touch=True))
    assert said in words
    assert not re.search("key|press|Esc", words)


def reported(**settings: Any) -> str:
    return " ".join(instructions(QuizSettings(**settings), 50, WORDS))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"response_ms": 2500}, "50 pictures, one after the other. Some are real photographs"),
        ({"exposure_ms": 250, "response_ms": 3000}, "visible for 0.25 seconds. You can answer up to 3 seconds after"),
        ({"exposure_ms": 250} | UNLIMITED, "visible for 0.25 seconds. Take the time you need"),
        (UNLIMITED, "stay until you answer. Take the time you need. Judge as well as you can"),
        ({"protocol": "yes_no", "exposures_ms": (100, 500)}, "Some pictures are visible for a short time only"),
        ({"protocol": "staircase"}, "visible for a short time, which changes from picture to picture"),
        ({"protocol": "paired"}, "Each pair stays until you answer, at most 4 seconds"),
        (IN_TURN, "up to 4 seconds after the second one appears"),
        ({"protocol": "model_vs_model"}, "press a key to say which one looks more real"),
        ({"protocol": "rating", "grades": 7}, "from 1 (not at all) to 7 (entirely)"),
        ({"confidence": 3}, "a number key from 1 (a guess) to 3 (certain)"),
        ({}, "Esc pauses the session"),
    ],
)
def test_the_words_follow_the_settings(settings: dict[str, Any], said: str) -> None:
    words = reported(**settings)
    assert said in words
    assert ("how sure" in words) == ("confidence" in settings)
    assert ("quickly" in words) == (settings.get("response_ms") != "unlimited")


@pytest.mark.parametrize("language", languages())
def test_there_are_words_for_every_way_to_show(language: str) -> None:
    ways = product(get_args(ProtocolName), get_args(Layout), (500, "until-answer"), (3000, "unlimited"))
    fits = {"question": "fits", "show_caption": True}
    for (protocol, layout, exposure, response), asked in product(ways, ({}, fits)):
        if (layout == "one_after_other" and exposure == "until-answer") or (asked and protocol != "model_vs_model"):
            continue
        times = {"exposure_ms": exposure, "response_ms": response}
        settings = QuizSettings(protocol=protocol, layout=layout, **times, **asked)
        assert len(instructions(settings, 50, Texts(language))) == 4
        assert welcome_title(settings, Texts(language))


def test_the_study_may_say_it_itself() -> None:
    settings = QuizSettings(instructions="Look.\n\nDecide.", quiz_title="Photo or picture?")
    assert instructions(settings, 50, WORDS) == ["Look.", "Decide."]
    assert welcome_title(settings, WORDS) == "Photo or picture?"
    assert welcome_title(QuizSettings(), WORDS) == "Real or fake?"


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


def words(**settings: object) -> TrialTexts:
    chosen = QuizSettings(**settings)  # type: ignore[arg-type]
    return TrialTexts(WORDS, chosen, chosen.keys_of_list(1))


def test_practice_and_what_counts_are_numbered_apart() -> None:
    plan: list[Row] = [{"phase": phase} for phase in ("practice", "practice", "main", "catch", "main")]
    said = [words().progress(plan, place) for place in range(6)]
    assert said == ["Practice: 1 of 2", "Practice: 2 of 2", "1 of 3", "2 of 3", "3 of 3", ""]


def test_a_pairs_keys_are_named_as_they_lie_on_the_keyboard() -> None:
    swapped = {"first": "l", "second": "a"}
    pair = words(protocol="paired", layout="one_after_other", exposure_ms=500, keys=swapped)
    assert pair.response_cue == "Which one is real?    A:\u00a0second    L:\u00a0first"
    assert (
        words(protocol="model_vs_model").response_cue == "Which one looks more real?    F:\u00a0left    J:\u00a0right"
    )
    fits = words(protocol="model_vs_model", question="fits", show_caption=True).response_cue
    assert fits == "Which one fits the text better?    F:\u00a0left    J:\u00a0right"
    graded = words(protocol="rating", grades=3).response_cue
    assert graded == "How real does it look?    1:\u00a0not\u00a0at\u00a0all    2    3:\u00a0entirely"
    assert words(response_cue=False).response_cue == ""


def test_each_picture_of_a_trial_has_its_truth() -> None:
    pair = {"kind": None, "stimulus": "d/real/1", "stimulus_b": "d/m/1"}
    assert [words().truth_of(pair, name) for name in ("d/m/1", "d/real/1")] == ["fake", "real"]
    assert words().truth_of({"kind": "fake", "stimulus": "d/m/1", "stimulus_b": None}, "d/m/1") == "fake"
