"""The end page for every protocol."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gan_eval.quiz.library import Library
from gan_eval.quiz.review import FILTERS, GroupScore, ReviewedTrial, review, score, useful_filters
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.tables.frames import Row


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
def library(rows: Callable[..., list[Row]]) -> Library:
    made = [{**row, "file": f"{row['stimulus']}.png", "input_file": None} for row in rows(9, ("m1", "m2"), "d")]
    return Library([StimulusSet(Path("set"), tuple(row | {"reference_file": None} for row in made))])


def test_single_pictures_are_scored_by_class() -> None:
    rows = [single(1, "real", "fake"), single(2, "fake", "fake"), single(3, "fake", "none"), single(4, "real", "real")]
    assert score(rows) == [
        GroupScore("d", "real", n_trials=2, correct=1, unanswered=0),
        GroupScore("d", "fake", n_trials=2, correct=1, unanswered=1),
    ]


def test_practice_is_left_out_and_catch_trials_stand_apart() -> None:
    rows = [
        single(1, "real", "real", phase="practice"),
        single(2, "fake", "fake", phase="catch", dataset="c"),
        single(3, "real", "real"),
    ]
    assert [(each.phase, each.dataset, each.n_trials) for each in score(rows)] == [("main", "d", 1), ("catch", "c", 1)]


def test_pairs_are_scored_as_pairs() -> None:
    rows = [pair(1, "left", "a"), pair(2, "right", "b"), pair(3, "left", "none")]
    assert score(rows) == [GroupScore("d", None, n_trials=3, correct=1, unanswered=1)]


def test_models_share_what_was_chosen() -> None:
    rows = [contest(1, "a"), contest(2, "b"), contest(3, "b"), contest(4, "none"), contest(5, "a", "m1|m3")]
    found = [
        (each.model, each.against, each.chosen, each.n_trials, each.unanswered, each.correct) for each in score(rows)
    ]
    assert found == [
        ("m1", "m2", 1, 4, 1, None),
        ("m2", "m1", 2, 4, 1, None),
        ("m1", "m3", 1, 1, 0, None),
        ("m3", "m1", 0, 1, 0, None),
    ]


def test_grades_are_averaged_by_class() -> None:
    rows = [grade(1, "real", 5.0), grade(2, "real", 4.0), grade(3, "real", None), grade(4, "fake", None)]
    found = [(each.kind, each.mean_rating, each.n_trials, each.unanswered, each.correct) for each in score(rows)]
    assert found == [("real", 4.5, 3, 1, None), ("fake", None, 1, 1, None)]


def test_every_trial_is_reviewed_in_order(library: Library) -> None:
    rows = [single(2, "real", "fake", confidence=3.0), single(1, "fake", "fake"), single(3, "fake", "none")]
    one, two, three = review(rows, library)
    assert (one.truth, one.answer, one.correct, one.confidence, two.confidence) == ("fake", "fake", True, None, 3)
    assert (two.truth, two.answer, two.correct, three.answer, three.correct) == ("real", "fake", False, None, None)
    (picture,) = one.pictures
    assert (picture.kind, picture.model, picture.companions) == ("fake", "m1", library.companions("d/m1/1"))


@pytest.mark.parametrize(
    ("row", "shown", "truth", "answer"),
    [
        (pair(1, "left", "a"), [("real", True), ("fake", False)], "left", "left"),
        (pair(1, "right", "a"), [("fake", False), ("real", True)], "right", "right"),
        (pair(1, "second", "b"), [("fake", True), ("real", False)], "second", "first"),
        (pair(1, "first", "none"), [("real", False), ("fake", False)], "first", None),
        (contest(1, "b"), [("fake", False), ("fake", True)], None, "right"),
        (grade(1, "real", 4.0), [("real", False)], None, "4"),
    ],
)
def test_other_protocols_in_the_review(
    library: Library, row: Row, shown: list[tuple[str, bool]], truth: str | None, answer: str | None
) -> None:
    (found,) = review([row], library)
    assert [(picture.kind, picture.chosen) for picture in found.pictures] == shown
    assert (found.truth, found.answer) == (truth, answer)


def kept(name: str, trials: list[ReviewedTrial]) -> list[int]:
    return [each.number for each in trials if FILTERS[name](each)]


def test_filters(library: Library) -> None:
    rows = [single(1, "real", "fake"), single(2, "fake", "fake"), single(3, "fake", "none"), single(4, "fake", "real")]
    trials = review(rows, library)
    assert {name: kept(name, trials) for name in FILTERS} == {
        "all": [1, 2, 3, 4],
        "wrong": [1, 4],
        "fakes": [2, 3, 4],
        "reals": [1],
        "unanswered": [3],
        "practice": [],
    }
    assert useful_filters(trials) == ["all", "wrong", "fakes", "reals", "unanswered"]
    assert useful_filters(trials[1:2]) == ["all"]
    assert useful_filters(review([pair(1, "left", "a"), pair(2, "left", "b")], library)) == ["all", "wrong"]


def test_practice_is_counted_apart_and_in_no_other_filter(library: Library) -> None:
    practised = [single(number, "fake", "none", phase="practice") for number in (1, 2)]
    trials = review([*practised, single(3, "real", "fake"), single(4, "fake", "fake", phase="catch")], library)
    assert [(each.phase, each.number) for each in trials] == [
        ("practice", 1),
        ("practice", 2),
        ("main", 1),
        ("catch", 2),
    ]
    assert useful_filters(trials) == ["all", "wrong", "fakes", "reals", "practice"]
    counts = {name: len(kept(name, trials)) for name in FILTERS}
    assert counts == {"all": 2, "wrong": 1, "fakes": 1, "reals": 1, "unanswered": 0, "practice": 2}
