"""The staircase: what moves it, where it settles, and the threshold that is made of it."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.settings.adaptive import Threshold, staircase_exposure, thresholds
from gan_eval.settings.quiz import QuizSettings, StaircaseSettings
from gan_eval.tables.frames import Row

USUAL = StaircaseSettings()


def trial(number: int, correct: bool | None, *, exposure: float | None = None, **columns: object) -> Row:
    shared = {"session": "S", "participant": "P", "protocol": "staircase", "block": 1, "phase": "main", "dataset": "d"}
    return {**shared, "trial": number, "correct": correct, "requested_exposure_ms": exposure, **columns}


def climb(answers: Iterable[bool | None], settings: StaircaseSettings = USUAL) -> list[Row]:
    """The trials that follow when these are right, wrong or missing."""
    rows: list[Row] = []
    for number, correct in enumerate(answers, start=1):
        rows.append(trial(number, correct, exposure=staircase_exposure(rows, settings)))
    return rows


def test_right_answers_shorten_and_wrong_ones_lengthen() -> None:
    assert [row["requested_exposure_ms"] for row in climb([True, True, False, True, None, True])] == [
        500, 490, 480, 510, 500, 500,
    ]  # fmt: skip


@given(answers=st.lists(st.sampled_from([True, False, None]), max_size=200))
def test_it_stays_in_its_range_and_moves_by_its_steps(answers: list[bool | None]) -> None:
    exposures = [row["requested_exposure_ms"] for row in climb([*answers, True])]
    assert all(USUAL.shortest_ms <= exposure <= USUAL.longest_ms for exposure in exposures)
    for (one, after), answer in zip(pairwise(exposures), answers, strict=True):
        ends = (USUAL.shortest_ms, USUAL.longest_ms)
        assert after - one == {True: -10, False: 30, None: 0}[answer] or after in ends


def test_next_trial_fills_in_the_exposure_of_its_own_block() -> None:
    protocol = QuizProtocol(QuizSettings(protocol="staircase"))
    plan = [
        {"trial": 1, "block": 1, "phase": "practice", "requested_exposure_ms": None},
        {"trial": 2, "block": 1, "phase": "main", "requested_exposure_ms": None},
        {"trial": 3, "block": 1, "phase": "main", "requested_exposure_ms": None},
        {"trial": 4, "block": 1, "phase": "catch", "requested_exposure_ms": None},
        {"trial": 5, "block": 1, "phase": "main", "requested_exposure_ms": None},
        {"trial": 6, "block": 2, "phase": "main", "requested_exposure_ms": None},
    ]
    done: list[Row] = []
    while (planned := protocol.next_trial(plan, done)) is not None:
        assert protocol.timing(planned).flash_ms == planned["requested_exposure_ms"]
        done.append({**planned, "correct": False})
    assert [row["requested_exposure_ms"] for row in done] == [500, 500, 530, 500, 560, 500]
    assert plan[1]["requested_exposure_ms"] is None


def logistic(middle_ms: float, width_ms: float) -> Callable[[float], float]:
    """Share of right answers by exposure: from chance to 1, 75 % at `middle_ms`."""
    return lambda exposure: 0.5 + 0.5 / (1 + math.exp(-(exposure - middle_ms) / width_ms))


def simulated(settings: StaircaseSettings, right: Callable[[float], float], seeds: int) -> list[Threshold]:
    """Thresholds of participants whose share of right answers is known; 150 trials each."""
    found = []
    for seed in range(seeds):
        generator, rows = np.random.default_rng(seed), list[Row]()
        exposure = settings.start_ms
        for number in range(1, 151):
            rows.append(trial(number, bool(generator.random() < right(exposure)), exposure=exposure))
            exposure = staircase_exposure(rows[-1:], settings.model_copy(update={"start_ms": exposure}))
        found += thresholds(rows, settings)
    return found


@pytest.mark.parametrize("middle_ms", [250, 600])
def test_it_settles_where_three_quarters_are_right(middle_ms: float) -> None:
    found = [each.threshold_ms for each in simulated(USUAL, logistic(middle_ms, 50), seeds=60)]
    # one participant's threshold has a standard deviation of about 20 ms, the mean of 60 of 3
    assert np.mean([each for each in found if each is not None]) == pytest.approx(middle_ms, abs=12)
    assert len(found) == 60
    assert None not in found


@pytest.mark.parametrize(("share", "bound"), [(0.5, "longest"), (1.0, "shortest"), (0.95, "shortest")])
def test_who_sees_nothing_or_everything_ends_at_an_end(share: float, bound: str) -> None:
    assert {each.bound for each in simulated(USUAL, lambda exposure: share, seeds=10)} == {bound}


def test_the_threshold_of_a_staircase_by_hand() -> None:
    # turns at trials 2, 3, 4, 5 (left out) and 6, 7, 9, 10
    answers = [True, False, True, False, True, False, True, True, False, True]
    rows = climb(answers)
    exposures = [row["requested_exposure_ms"] for row in rows]
    (found,) = thresholds(reversed(rows), USUAL)
    assert exposures == [500, 490, 520, 510, 540, 530, 560, 550, 540, 570]
    assert found == Threshold("S", "P", 1, "d", "staircase", 10, 8, (530 + 560 + 540 + 570) / 4, None, None, 530, None)


def test_too_few_turns_give_no_threshold() -> None:
    (found,) = thresholds(climb([True, False] * 4), USUAL)
    assert (found.reversals, found.threshold_ms, found.mode_ms) == (7, None, None)


def test_each_session_and_block_has_its_own() -> None:
    rows = [
        trial(number, number % 2 == 0, exposure=exposure, session=session, block=block)
        for session, block, exposure in (("T", 1, 300.0), ("S", 2, 200.0), ("S", 1, 100.0))
        for number in range(1, 11)
    ]
    found = thresholds([*rows, trial(1, True, protocol="yes_no", session="Q")], USUAL)
    assert [(each.session, each.block, each.threshold_ms) for each in found] == [
        ("S", 1, 100), ("S", 2, 200), ("T", 1, 300),
    ]  # fmt: skip
