"""Exposures that follow the answers: the staircase, and QUEST+ against published sequences and by brute force."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_eval.base.adaptive import PsychometricGrid, most_informative
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.settings.protocols import ProtocolName
from gan_eval.settings.quiz import QuizSettings, StaircaseSettings
from gan_eval.stats.tables.staircases import Threshold, thresholds
from gan_eval.tables.frames import Row

USUAL = StaircaseSettings()


def trial(number: int, correct: bool | None, *, exposure: float | None = None, **columns: object) -> Row:
    shared = {"session": "S", "participant": "P", "protocol": "staircase", "block": 1, "phase": "main", "dataset": "d"}
    return {**shared, "trial": number, "correct": correct, "requested_exposure_ms": exposure, **columns}


def block(answers: Sequence[bool | None], protocol: ProtocolName = "staircase") -> list[Row]:
    """The trials that follow when these are right, wrong or missing."""
    way, rows = QuizProtocol(QuizSettings(protocol=protocol)), list[Row]()
    plan = [trial(number, None, protocol=protocol) for number in range(1, len(answers) + 1)]
    for correct in answers:
        planned = way.next_trial(plan, rows)
        assert planned is not None
        rows.append({**planned, "correct": correct, "exposure_ms": planned["requested_exposure_ms"]})
    return rows


@given(answers=st.lists(st.sampled_from([True, False, None]), max_size=200))
def test_it_stays_in_its_range_and_moves_by_its_steps(answers: list[bool | None]) -> None:
    exposures = [row["requested_exposure_ms"] for row in block([*answers, True])]
    assert all(USUAL.shortest_ms <= exposure <= USUAL.longest_ms for exposure in exposures)
    for (one, after), answer in zip(pairwise(exposures), answers, strict=True):
        ends = (USUAL.shortest_ms, USUAL.longest_ms)
        assert after - one == {True: -10, False: 30, None: 0}[answer] or after in ends


def test_next_trial_fills_in_the_exposure_of_its_own_block() -> None:
    protocol = QuizProtocol(QuizSettings(protocol="staircase"))
    phases = ("practice", "main", "main", "catch", "main", "main")
    plan = [
        {"trial": number, "block": 1 + (number == 6), "phase": phase, "requested_exposure_ms": None}
        for number, phase in enumerate(phases, start=1)
    ]
    done: list[Row] = []
    while (planned := protocol.next_trial(plan, done)) is not None:
        assert protocol.timing(planned).requested_exposure_ms == planned["requested_exposure_ms"]
        done.append({**planned, "correct": False})
    assert [row["requested_exposure_ms"] for row in done] == [500, 500, 530, 500, 560, 500]
    assert plan[1]["requested_exposure_ms"] is None


@pytest.mark.parametrize(
    ("answers", "bound"),
    [([True, False, False] * 50, "longest"), ([True] * 150, "shortest"), (([True] * 19 + [False]) * 8, "shortest")],
)
def test_who_sees_nothing_or_everything_ends_at_an_end(answers: list[bool], bound: str) -> None:
    """A third, all, or 95% of the answers are right at any exposure."""
    rows = block(answers)
    assert [each.bound for each in thresholds(rows, USUAL)] == [bound]
    assert [each.bound for each in thresholds(rows, None)] == [None], "the range is not known"


def test_the_threshold_of_a_staircase_by_hand() -> None:
    # turns at trials 2, 3, 4, 5 (left out) and 6, 7, 9, 10
    answers = [True, False, True, False, True, False, True, True, False, True]
    rows = block(answers)
    exposures = [row["requested_exposure_ms"] for row in rows]
    (found,) = thresholds(reversed(rows), USUAL)
    assert exposures == [500, 490, 520, 510, 540, 530, 560, 550, 540, 570]
    assert found == Threshold(
        "S", "P", 1, "d", "staircase", 10, 8, (530 + 560 + 540 + 570) / 4, None, None, 530, None, 0.75
    )


def test_too_few_turns_give_no_threshold() -> None:
    (found,) = thresholds(block([True, False] * 4), USUAL)
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


CONTRASTS = np.arange(-40, 1)
WATSON_CONTRASTS = [
    -18, -22, -12, -13, -15, -16, -17, -18, -19, -21, -24, -25, -26, -27, -21, -22, -23, -20, -20, -20, -21, -19, -19,
    -20, -20, -20, -19, -19, -19, -19, -19, -20, -20, -20, -20, -20, -21, -21, -20, -20, -20, -19, -18, -18, -19, -19,
    -19, -18, -18, -17, -18, -18, -18, -17, -17, -17, -17, -17, -17, -17, -18, -18, -18, -18,
]  # fmt: skip
"""Watson (2017), threshold and slope of contrast: the contrasts in dB that follow from the answers."""
WATSON_ANSWERS = "+-+++++++++++-++-+++-++++-+++++++++++-++--++++-+-+++-+++++++++++"


def test_it_chooses_what_watson_published() -> None:
    threshold, slope = (part.ravel() for part in np.meshgrid(CONTRASTS, [2, 3, 4, 5]))
    # Weibull over decibels, guess rate 1/2, lapse rate 0.02
    at = 10 ** (slope * (CONTRASTS[:, None] - threshold) / 20)
    right = (0.98 - 0.48 * np.exp(-at))[:, :, None]
    posterior = np.full((len(threshold), 1), 1 / len(threshold))
    chosen = []
    for answer in WATSON_ANSWERS:
        place = most_informative(posterior, right)
        chosen.append(int(CONTRASTS[place]))
        posterior = posterior * (right[place] if answer == "+" else 1 - right[place])
        posterior /= posterior.sum()
    best = int(np.argmax(posterior))
    assert chosen == WATSON_CONTRASTS
    assert (threshold[best], slope[best]) == (-20, 3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), interest=st.integers(2, 6), nuisance=st.integers(1, 4))
def test_the_least_expected_entropy_by_brute_force(seed: int, interest: int, nuisance: int) -> None:
    rng = np.random.default_rng(seed)
    posterior, right = rng.dirichlet(np.ones(interest * nuisance)), rng.random((5, interest * nuisance))
    expected = []
    for of_stimulus in right:
        entropy = 0.0
        for likelihood in (of_stimulus, 1 - of_stimulus):
            joint = posterior * likelihood
            of_interest = (joint / joint.sum()).reshape(interest, nuisance).sum(axis=1)
            entropy -= joint.sum() * float(of_interest @ np.log(of_interest))
        expected.append(entropy)
    shape = (interest, nuisance)
    assert most_informative(posterior.reshape(shape), right.reshape(5, *shape)) == int(np.argmin(expected))


quest_plus = partial(block, protocol="quest_plus")


def test_it_starts_where_the_settings_say_and_follows_the_answers() -> None:
    exposures = [[row["requested_exposure_ms"] for row in quest_plus([first, True])] for first in (True, False)]
    assert [each[0] for each in exposures] == [500, 500]
    assert exposures[0][1] < 500 < exposures[1][1]
    whole = [row["requested_exposure_ms"] for row in quest_plus([True, False] * 20)]
    assert all(USUAL.shortest_ms <= exposure <= USUAL.longest_ms for exposure in whole)
    assert all(float(exposure).is_integer() for exposure in whole)


def test_the_presented_exposure_counts() -> None:
    grid = PsychometricGrid(100, 1000)
    asked = quest_plus([True, False, True])
    late = [{**row, "exposure_ms": row["requested_exposure_ms"] + 100} for row in asked]
    assert grid.posterior([{**row, "exposure_ms": None} for row in asked]) == pytest.approx(grid.posterior(asked))
    assert grid.estimate(late)[0] > grid.estimate(asked)[0] + 20


def test_the_posterior_is_bayes_rule() -> None:
    grid = PsychometricGrid(100, 1000)
    rows = quest_plus([True, False, True, True, False])
    by_hand = np.ones_like(grid.posterior([]))
    for row in rows:
        (right,) = grid.proportions_right(np.array([row["exposure_ms"]]))
        by_hand *= right if row["correct"] else 1 - right
    assert grid.posterior(rows) == pytest.approx(by_hand / by_hand.sum())
    at_thresholds = grid.proportions_right(grid.thresholds)[np.arange(80), np.arange(80)]
    assert at_thresholds == pytest.approx(0.75)


@pytest.mark.parametrize(("share", "bound", "end"), [(0.5, "longest", 1000), (1.0, "shortest", 100)])
def test_quest_plus_ends_at_an_end_where_nothing_or_everything_is_seen(share: float, bound: str, end: float) -> None:
    answers = [True] * 60 if share == 1 else [True, False] * 30
    (found,) = thresholds(quest_plus(answers), StaircaseSettings())
    assert (found.bound, found.threshold_ms, found.reversals, found.mode_ms) == (bound, end, None, None)
    (widened,) = thresholds(quest_plus(answers), None)
    assert widened == found


def test_too_few_answers_of_quest_plus_give_no_threshold() -> None:
    (few,) = thresholds(quest_plus([True, False] * 9 + [True]), StaircaseSettings())
    (enough,) = thresholds(quest_plus([True, False] * 10), StaircaseSettings())
    assert (few.answers, few.threshold_ms, few.threshold_ms_low, few.bound) == (19, None, None, None)
    assert enough.threshold_ms is not None


@pytest.mark.parametrize(("up", "down", "share"), [(20, 10, 2 / 3), (30, 10, 0.75)])
def test_the_share_follows_from_the_steps_and_without_a_study_from_the_exposures(up, down, share) -> None:
    steps = StaircaseSettings(up_ms=up, down_ms=down)
    rows: list[Row] = []
    protocol = QuizProtocol(QuizSettings(protocol="staircase", staircase=steps))
    for number, correct in enumerate([True, False, True, True, False, False, True] * 4, 1):
        at = protocol.exposure_after(rows)
        rows.append(trial(number, correct, exposure=at))
    for known in (steps, None):
        (found,) = thresholds(rows, known)
        assert (found.share, found.threshold_ms is None) == (pytest.approx(share), False)
    without_one = [row for row in rows if row["trial"] != 9]  # a rule excluded this trial
    assert thresholds(without_one, None)[0].share == pytest.approx(share)


def test_a_staircase_of_another_rule_has_its_turns_and_no_threshold() -> None:
    """1-up/3-down, which first only rises and then turns at each step."""
    at, run, rows = 200.0, 0, []
    for number, correct in enumerate([True, True, False] * 3 + [True, True, True, False] * 3, 1):
        rows.append(trial(number, correct, exposure=at))
        run = run + 1 if correct else 0
        at += 20 if not correct else -20 if run == 3 else 0
        run %= 3
    for count, turns in ((9, 0), (len(rows), 5)):
        (found,) = thresholds(rows[:count], None)
        assert (found.reversals, found.threshold_ms, found.mode_ms, found.share) == (turns, None, None, None)


def test_equal_steps_settle_at_chance_and_give_no_threshold() -> None:
    rows = [trial(number, bool(number % 3), exposure=200.0) for number in range(1, 31)]
    for before, row in pairwise(rows):
        row["requested_exposure_ms"] = before["requested_exposure_ms"] + (-10 if before["correct"] else 10)
    (found,) = thresholds(rows, None)
    assert (found.threshold_ms, found.mode_ms, found.share) == (None, None, None)
