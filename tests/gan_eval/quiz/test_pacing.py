"""When a break is due."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_eval.quiz.session import break_due
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row


def plan(*blocks: int, practice: int = 0, catch: Sequence[int] = ()) -> list[Row]:
    rows: list[Row] = [{"block": 1, "phase": "practice"}] * practice
    rows += [{"block": number, "phase": "main"} for number, trials in enumerate(blocks, 1) for _ in range(trials)]
    return [{**row, "phase": "catch"} if place in catch else row for place, row in enumerate(rows)]


def breaks(trials: list[Row], every: int | None) -> list[int]:
    """After how many trials there is one."""
    settings = QuizSettings(break_every=every)
    comings = [*trials, None]
    return [done for done, coming in enumerate(comings) if break_due(trials[:done], coming, settings)]


@pytest.mark.parametrize(
    ("trials", "every", "expected"),
    [
        (plan(7), 3, [3, 6]),
        (plan(6), 3, [3]),
        (plan(4, 4), 3, [3, 4, 7]),
        (plan(4, 4), 100, [4]),
        (plan(3, 3), None, []),
        (plan(4, practice=2), None, [2]),
        (plan(4, practice=2), 2, [2, 4]),
        (plan(5, catch=[1]), 2, [2, 4]),
        (plan(0, practice=2), 1, []),
    ],
)
def test_when(trials: list[Row], every: int | None, expected: list[int]) -> None:
    assert breaks(trials, every) == expected


@given(blocks=st.lists(st.integers(1, 20), min_size=1, max_size=4), every=st.integers(1, 25))
def test_never_more_trials_between_breaks_than_asked_for_and_none_at_the_ends(blocks: list[int], every: int) -> None:
    trials = plan(*blocks)
    stops = [0, *breaks(trials, every), len(trials)]
    assert all(0 < after - before <= every for before, after in pairwise(stops))
