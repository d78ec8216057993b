"""Texts of the end page."""

from dataclasses import replace
from pathlib import Path

import pytest

from gan_eval.quiz.library import Companions
from gan_eval.quiz.review import (
    GroupScore,
    Panel,
    ReviewedPicture,
    ReviewedTrial,
    ScoreLine,
    panels,
    score_lines,
    sentence,
    threshold_lines,
    trial_lines,
)
from gan_eval.quiz.wording import Texts
from gan_eval.settings.adaptive import Threshold

WORDS = Texts()
FILES = Companions(label=Path("label.png"), truth=Path("real.png"), generated=Path("fake.png"))
FAKE = ReviewedPicture(kind="fake", model="pix2pix", chosen=False, companions=FILES)
REAL = ReviewedPicture(kind="real", model=None, chosen=False, companions=FILES)
TRIAL = ReviewedTrial(
    number=7,
    phase="main",
    truth="fake",
    answer="real",
    correct=False,
    reaction_time_ms=512.4,
    confidence=None,
    dataset="facades",
    pictures=(FAKE,),
)


def texts_of(trial: ReviewedTrial) -> list[str]:
    return trial_lines(trial, WORDS)


def test_a_trial_tells_truth_answer_verdict_and_time() -> None:
    assert texts_of(TRIAL) == ["No. 7", "truth: fake", "your answer: real", "✗ wrong", "after 0.51 s"]
    assert sentence(TRIAL, WORDS) == "No. 7, truth: fake, your answer: real, wrong, after 0.51 s"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"correct": True, "answer": "fake"}, "✓ correct"),
        ({"answer": None, "correct": None, "reaction_time_ms": None}, "– no answer"),
        ({"phase": "practice"}, "Practice, no. 7"),
        ({"phase": "catch"}, "No. 7 (to check attention)"),
        ({"confidence": 3}, "how sure: 3"),
        ({"truth": None, "answer": "4", "correct": None}, "your grade: 4"),
        ({"truth": "left", "answer": "right"}, "truth: left"),
    ],
)
def test_what_else_a_trial_may_tell(change: dict[str, object], said: str) -> None:
    assert said in texts_of(replace(TRIAL, **change))


def test_without_truth_or_answer_nothing_is_made_up() -> None:
    unanswered = texts_of(replace(TRIAL, truth=None, answer=None, correct=None, reaction_time_ms=None))
    assert unanswered == ["No. 7", "– no answer"]


def test_the_pictures_of_a_single_trial_with_the_one_that_was_shown_marked() -> None:
    assert panels(TRIAL, WORDS) == [
        Panel("input", Path("label.png"), marked=False),
        Panel("real", Path("real.png"), marked=False),
        Panel("▲ fake (shown)", Path("fake.png"), marked=True),
    ]
    real = panels(replace(TRIAL, pictures=(REAL,)), WORDS)
    assert [panel.marked for panel in real] == [False, True, False]
    without = replace(FAKE, companions=replace(FILES, label=None))
    assert panels(replace(TRIAL, pictures=(without,)), WORDS) == panels(TRIAL, WORDS)[1:]


def test_the_pictures_of_a_pair_stand_as_they_were_shown() -> None:
    pair = replace(TRIAL, pictures=(replace(FAKE, chosen=True), REAL), truth="right", answer="left")
    assert panels(pair, WORDS) == [
        Panel("input", Path("label.png"), marked=False),
        Panel("▲ pix2pix (chosen)", Path("fake.png"), marked=True),
        Panel("real", Path("real.png"), marked=False),
    ]


@pytest.mark.parametrize(
    ("score", "line"),
    [
        (GroupScore("a", "real", 25, 20, 0), ScoreLine("Real photographs", "20 of 25 correct", "")),
        (
            GroupScore("a", "fake", 25, 0, 2),
            ScoreLine("Fake pictures", "0 of 25 correct", "2 without an answer"),
        ),
        (GroupScore("a", None, 10, 5, 0), ScoreLine("Pairs", "5 of 10 correct", "")),
        (
            GroupScore("a", "real", 2, 2, 0, phase="catch"),
            ScoreLine("Real photographs, to check attention", "2 of 2 correct", ""),
        ),
        (
            GroupScore("a", None, 9, None, 1, model="one", against="two", chosen=4),
            ScoreLine("one rather than two", "chosen in 4 of 9", "1 without an answer"),
        ),
        (
            GroupScore("a", "fake", 9, None, 0, mean_rating=3.25),
            ScoreLine("Fake pictures", "mean grade 3.2", ""),
        ),
        (GroupScore("a", "fake", 9, None, 9), ScoreLine("Fake pictures", "–", "9 without an answer")),
    ],
)
def test_the_score_of_a_group(score: GroupScore, line: ScoreLine) -> None:
    assert score_lines([score], WORDS) == [line]


def test_data_sets_are_named_where_there_are_several() -> None:
    scores = [GroupScore(dataset, "real", 2, 1, 0) for dataset in ("facades", "maps")]
    assert [line.group for line in score_lines(scores, WORDS)] == [
        "Real photographs (facades)",
        "Real photographs (maps)",
    ]


def test_thresholds() -> None:
    known = Threshold("s", "P01", 1, "facades", "staircase", 50, 12, 243.6, None, None, 240.0, None)
    unknown = replace(known, dataset="maps", threshold_ms=None, mode_ms=None)
    at_limit = replace(known, threshold_ms=100.0, bound="shortest")
    title = "Exposure at which about 75 % of your answers are right"
    assert threshold_lines([known], WORDS, right=0.75) == [ScoreLine(title, "244 ms", "")]
    assert threshold_lines([unknown, at_limit], WORDS, right=0.75) == [
        ScoreLine(f"{title} (maps)", "not determined", ""),
        ScoreLine(f"{title} (facades)", "100 ms", "at a limit of what was shown"),
    ]
