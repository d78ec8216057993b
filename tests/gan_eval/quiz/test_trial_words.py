"""Texts of the trial window."""

import pytest

from gan_eval.quiz.trial import Feedback
from gan_eval.quiz.wording import Texts, TrialTexts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row


def words(own: dict[str, str] | None = None, **settings: object) -> TrialTexts:
    chosen = QuizSettings(**settings)  # type: ignore[arg-type]
    return TrialTexts(Texts(own=own or {}), chosen, chosen.keys_of_list(1))


def test_practice_and_what_counts_are_numbered_apart() -> None:
    plan: list[Row] = [{"phase": phase} for phase in ("practice", "practice", "main", "catch", "main")]
    said = [words().progress(plan, place) for place in range(6)]
    assert said == ["Practice: 1 of 2", "Practice: 2 of 2", "1 of 3", "2 of 3", "3 of 3", ""]


def test_a_pairs_keys_are_named_as_they_lie_on_the_keyboard() -> None:
    own = {"question_pair": "Which? {keys}", "question_models": "Better? {keys}", "question_rating": "1 to {grades}?"}
    swapped = {"first": "l", "second": "a"}
    pair = words(own, protocol="paired", layout="one_after_other", exposure_ms=500, keys=swapped)
    assert pair.response_cue == "Which? A: second    L: first"
    assert words(own, protocol="model_vs_model").response_cue == "Better? F: left    J: right"
    assert words(own, protocol="rating", grades=7).response_cue == "1 to 7?"


def test_the_question_how_sure_names_its_keys_and_what_the_ends_mean() -> None:
    assert words(confidence=4).confidence == "How sure are you?    1: a guess    2    3    4: certain"
    assert words({"confidence_question": "Up to {levels}?"}, confidence=4).confidence == "Up to 4?"


def test_each_picture_of_a_trial_has_its_truth() -> None:
    pair = {"kind": None, "stimulus": "d/real/1", "stimulus_b": "d/m/1"}
    assert [words().truth_of(pair, name) for name in ("d/m/1", "d/real/1")] == ["fake", "real"]
    assert words().truth_of({"kind": "fake", "stimulus": "d/m/1", "stimulus_b": None}, "d/m/1") == "fake"


@pytest.mark.parametrize(
    ("feedback", "said"),
    [
        (Feedback(True, "fake"), "+ fake"),
        (Feedback(False, "left"), "- left"),
        (Feedback(None, "real"), "0 real"),
        (Feedback(None, None), "0 "),
    ],
)
def test_feedback(feedback: Feedback, said: str) -> None:
    own = {
        "feedback_right": "+ {truth}",
        "feedback_wrong": "- {truth}",
        "feedback_none": "0 {truth}",
    }
    assert words(own).feedback(feedback) == said
