"""The end page for every protocol: score, thresholds and review, in words."""

from pathlib import Path

import pytest
from quiz_study import stimulus_rows

from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.library import Library
from gan_eval.quiz.review import Panel, ScoreLine, review, score_lines
from gan_eval.quiz.wording import Texts
from gan_eval.tables.frames import Row

WORDS = Texts()


def trial(number: int, **columns: object) -> Row:
    empty = ("stimulus_b", "position", "kind", "model", "response", "choice", "rating", "correct", "confidence")
    shared = {"trial": number, "phase": "main", "dataset": "d", "protocol": "quick_response", "reaction_time_ms": 700.0}
    return dict.fromkeys(empty) | shared | columns


def single(number: int, kind: str, response: str, **columns: object) -> Row:
    correct = None if response == "none" else response == kind
    role = "real" if kind == "real" else "m1"
    return trial(number, kind=kind, stimulus=f"d/{role}/{number}", response=response, correct=correct, **columns)


def pair(number: int, position: str, choice: str, **columns: object) -> Row:
    correct = None if choice == "none" else choice == "a"
    names = {"stimulus": f"d/real/{number}", "stimulus_b": f"d/m1/{number}", "model": "m1"}
    return trial(number, **names, position=position, choice=choice, correct=correct, protocol="paired") | columns


def contest(number: int, choice: str, models: str = "m1|m2") -> Row:
    a, b = models.split("|")
    names = {"stimulus": f"d/{a}/{number}", "stimulus_b": f"d/{b}/{number}", "model": models}
    return trial(number, **names, position="left", choice=choice, protocol="model_vs_model")


def grade(number: int, kind: str, rating: float | None) -> Row:
    role = "real" if kind == "real" else "m1"
    return trial(number, kind=kind, stimulus=f"d/{role}/{number}", rating=rating, protocol="rating")


@pytest.fixture
def library() -> Library:
    made = [
        {**row, "file": f"{row['stimulus']}.png", "input_file": "label.png"}
        for row in stimulus_rows(9, ("m1", "m2"), "d")
    ]
    return Library([StimulusSet(Path("set"), tuple(row | {"reference_file": None} for row in made))])


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (
            [single(1, "real", "fake"), single(2, "fake", "fake"), single(3, "fake", "none")],
            [("Real photographs", "0 of 1 correct", ""), ("Fake pictures", "1 of 2 correct", "1 without an answer")],
        ),
        (
            [single(1, "real", "real", phase="practice"), single(2, "fake", "real", phase="catch")],
            [("Fake pictures, to check attention", "0 of 1 correct", "")],
        ),
        (
            [pair(1, "left", "a"), pair(2, "right", "b"), pair(3, "left", "none")],
            [("Pairs", "1 of 3 correct", "1 without an answer")],
        ),
        (
            [contest(1, "a"), contest(2, "b"), contest(3, "b"), contest(4, "none"), contest(5, "a", "m1|m3")],
            [
                ("m1 rather than m2", "chosen in 1 of 4", "1 without an answer"),
                ("m2 rather than m1", "chosen in 2 of 4", "1 without an answer"),
                ("m1 rather than m3", "chosen in 1 of 1", ""),
                ("m3 rather than m1", "chosen in 0 of 1", ""),
            ],
        ),
        (
            [grade(1, "real", 5.0), grade(2, "real", 4.0), grade(3, "fake", None)],
            [("Real photographs", "mean grade 4.5", ""), ("Fake pictures", "–", "1 without an answer")],
        ),
        (
            [single(1, "real", "real"), single(2, "real", "fake", dataset="e")],
            [("Real photographs (d)", "1 of 1 correct", ""), ("Real photographs (e)", "0 of 1 correct", "")],
        ),
    ],
)
def test_the_score_has_a_line_for_each_group(rows: list[Row], lines: list[tuple[str, str, str]]) -> None:
    assert score_lines(rows, WORDS) == [ScoreLine(*line) for line in lines]


def test_every_trial_is_reviewed_in_order_in_words(library: Library) -> None:
    rows = [single(2, "real", "fake", confidence=3.0), single(1, "fake", "fake"), single(3, "fake", "none")]
    rows[2]["reaction_time_ms"] = None
    one, two, three = review(rows, library, WORDS)
    assert one.lines == ("No. 1", "truth: fake", "your answer: fake", "✓ correct", "after 0.70 s")
    assert two.lines[2:] == ("your answer: fake", "✗ wrong", "after 0.70 s", "your confidence: 3")
    assert three.sentence == "No. 3, truth: fake, no answer"
    (german, _, _) = review(rows, library, Texts("de"))
    assert "nach 0,70 s" in german.sentence


@pytest.mark.parametrize(
    ("row", "panels", "said"),
    [
        (single(1, "fake", "real"), ["input", "real", "▲ fake (shown)"], "truth: fake, your answer: real, wrong"),
        (single(1, "real", "real"), ["input", "▲ real (shown)", "fake"], "truth: real, your answer: real, correct"),
        (pair(1, "left", "a"), ["input", "▲ real (chosen)", "m1"], "truth: left, your answer: left"),
        (pair(1, "right", "a"), ["input", "m1", "▲ real (chosen)"], "truth: right, your answer: right"),
        (pair(1, "second", "b"), ["input", "▲ m1 (chosen)", "real"], "truth: second, your answer: first"),
        (pair(1, "first", "none"), ["input", "real", "m1"], "truth: first, no answer"),
        (contest(1, "b"), ["input", "m1", "▲ m2 (chosen)"], "No. 1, your answer: right"),
        (grade(1, "real", 4.0), ["input", "▲ real (shown)", "fake"], "No. 1, your grade: 4"),
        (single(1, "real", "real", phase="catch"), ["input", "▲ real (shown)", "fake"], "No. 1 (to check attention)"),
    ],
)
def test_pictures_stand_as_they_were_shown_with_what_was_shown_or_chosen_marked(
    library: Library, row: Row, panels: list[str], said: str
) -> None:
    (found,) = review([row], library, WORDS)
    assert [panel.caption for panel in found.panels] == panels
    assert [panel.marked for panel in found.panels] == ["▲" in caption for caption in panels]
    assert said in found.sentence
    if row["kind"] == "fake":
        assert found.panels[2] == Panel("▲ fake (shown)", Path("set/d/m1/1.png"), marked=True)


def test_practice_is_numbered_apart(library: Library) -> None:
    practised = [single(number, "fake", "none", phase="practice") for number in (1, 2)]
    trials = review([*practised, single(3, "real", "fake"), single(4, "fake", "real", phase="catch")], library, WORDS)
    numbers = ["Practice, no. 1", "Practice, no. 2", "No. 1", "No. 2 (to check attention)"]
    assert [each.lines[0] for each in trials] == numbers
