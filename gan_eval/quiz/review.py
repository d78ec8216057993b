"""What the end page shows: the number correct for each group, and every trial in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gan_eval.quiz.library import Companions, Library
from gan_eval.tabular import Row


@dataclass(frozen=True)
class GroupScore:
    """How many pictures of one group were judged right."""

    dataset: str
    kind: Literal["real", "fake"]
    shown: int
    correct: int
    unanswered: int


@dataclass(frozen=True)
class ReviewedTrial:
    """One trial as the review shows it."""

    number: int
    shown: Literal["real", "fake"]
    answer: Literal["real", "fake", "none"]
    correct: bool | None
    """None: no answer in time."""
    reaction_time_ms: float | None
    dataset: str
    pictures: Companions


def score(trials: Iterable[Row]) -> list[GroupScore]:
    """The number correct for each data set and class; real before fake, data sets by name."""
    rows = [row for row in trials if row["phase"] == "main"]
    groups = sorted({(row["dataset"], row["kind"]) for row in rows}, key=lambda group: (group[0], group[1] == "fake"))
    return [_group_score(dataset, kind, rows) for dataset, kind in groups]


def review(trials: Iterable[Row], library: Library) -> list[ReviewedTrial]:
    """Every trial in the order in which it was shown."""
    return [
        ReviewedTrial(
            number=row["trial"],
            shown=row["kind"],
            answer=row["response"],
            correct=row["correct"],
            reaction_time_ms=row["reaction_time_ms"],
            dataset=row["dataset"],
            pictures=library.companions(row["stimulus"]),
        )
        for row in sorted(trials, key=lambda row: row["trial"])
    ]


def _group_score(dataset: str, kind: Literal["real", "fake"], rows: Iterable[Row]) -> GroupScore:
    group = [row for row in rows if (row["dataset"], row["kind"]) == (dataset, kind)]
    return GroupScore(
        dataset=dataset,
        kind=kind,
        shown=len(group),
        correct=sum(row["correct"] is True for row in group),
        unanswered=sum(row["response"] == "none" for row in group),
    )
