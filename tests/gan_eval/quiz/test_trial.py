"""One trial: which key press is the answer, and which flags it gets."""

import pytest

from gan_eval.quiz.protocol import Timing
from gan_eval.quiz.trial import MILLISECOND, Feedback, Flag, Seen, Trial

START = 7_000 * MILLISECOND


def at(milliseconds: float) -> int:
    """A moment after onset."""
    return START + round(milliseconds * MILLISECOND)


def shown(flash_ms: float | None = None, response_ms: float = 1000) -> Trial:
    return Trial({}, Timing(flash_ms, response_ms), seen=[Seen(START)])


def test_a_press_after_onset_is_the_answer_and_its_moment_the_reaction_time() -> None:
    trial = shown()
    assert trial.press("fake", at(432.5))
    trial.seen[-1].offset = at(433)
    row = trial.measured()
    assert (trial.answer, row["reaction_time_ms"], row["exposure_ms"]) == ("fake", 432.5, 433.0)
    assert (row["flags"], row["onset_ms"], row["requested_exposure_ms"]) == (None, 7000.0, None)


def test_a_press_before_onset_that_is_heard_of_later_does_not_count() -> None:
    trial = shown()
    assert not trial.press("fake", at(-1))
    assert trial.flags == {Flag.BLANK_KEY}
    assert trial.waits_for_answer


@pytest.mark.parametrize(("delay", "flags"), [(99.9, {Flag.EARLY_KEY}), (100.0, set())])
def test_an_answer_below_100_ms_is_flagged(delay: float, flags: set[str]) -> None:
    trial = shown()
    assert trial.press("real", at(delay))
    assert trial.flags == flags


def test_repeats_of_a_held_key_never_count() -> None:
    trial = shown()
    assert not trial.press("real", at(300), repeated=True)
    assert trial.flags == {Flag.HELD_KEY}
    assert trial.press("fake", at(500))


@pytest.mark.parametrize(("delay", "taken"), [(1000.0, True), (1000.1, False)])
def test_the_moment_of_the_press_decides_whether_it_is_in_time(delay: float, taken: bool) -> None:
    trial = shown()
    trial.seen[-1].offset = at(1000)
    assert trial.press("real", at(delay)) is taken


def test_a_flash_vanishes_as_asked_and_takes_answers_until_the_window_closes() -> None:
    trial = shown(flash_ms=200, response_ms=900)
    assert trial.vanish_due == at(200)
    assert trial.close_due == at(900)
    assert trial.press("fake", at(150))  # during the flash: it counts, and the flash continues
    assert trial.vanish_due == at(200)


@pytest.mark.parametrize(("vanished", "flags"), [(204.9, None), (205.1, "late"), (194.0, "late")])
def test_a_wrong_exposure_is_flagged(vanished: float, flags: str | None) -> None:
    trial = shown(flash_ms=200)
    trial.seen[-1].offset = at(vanished)
    assert trial.measured()["flags"] == flags


@pytest.mark.parametrize(("pressed", "vanished", "flags"), [(300, 304, None), (300, 306, "late"), (None, 1006, "late")])
def test_until_answer_is_late_when_the_picture_outlives_the_answer(
    pressed: float | None, vanished: float, flags: str | None
) -> None:
    trial = shown()
    if pressed:
        trial.press("real", at(pressed))
    trial.seen[-1].offset = at(vanished)
    assert trial.measured()["flags"] == flags


def test_a_trial_that_is_broken_off_takes_no_answer() -> None:
    trial = shown()
    trial.break_off(at(300), Flag.PAUSED)
    trial.seen[-1].offset = at(301)
    assert not trial.press("real", at(310))
    assert trial.measured()["flags"] == "paused"


def test_a_trial_that_is_cut_short_after_its_answer_is_not_late_and_keeps_the_answer() -> None:
    trial = shown(flash_ms=500)
    assert trial.press("fake", at(200))
    trial.seen[-1].offset = at(300)
    trial.break_off(at(300), Flag.PAUSED)
    assert (trial.answer, trial.ended) == ("fake", at(200))
    assert trial.measured()["flags"] == "paused"


def pair(gap_ms: float, *, flash_ms: float = 100) -> Trial:
    """Two pictures one after the other, both presented for exactly as long as asked for."""
    second = round((flash_ms + gap_ms) * MILLISECOND)
    seen = [Seen(START, at(flash_ms)), Seen(START + second, START + second + round(flash_ms * MILLISECOND))]
    return Trial({}, Timing(100, 1000, 300), showings=2, seen=seen)


@pytest.mark.parametrize(("gap", "flags"), [(304.9, None), (305.1, "late"), (294.0, "late")])
def test_a_wrong_gap_is_flagged(gap: float, flags: str | None) -> None:
    row = pair(gap).measured()
    assert row["flags"] == flags
    assert row["second_onset_ms"] - row["onset_ms"] == pytest.approx(100 + gap)


def test_of_two_pictures_each_exposure_is_checked_and_the_reaction_time_counts_from_the_second() -> None:
    trial = pair(300)
    trial.seen[0].offset = at(100)
    assert trial.press("first", at(400 + 250))
    assert trial.measured()["reaction_time_ms"] == 250
    late = pair(300, flash_ms=110)
    assert late.measured()["flags"] == "late"


def test_without_a_window_nothing_is_due_and_any_press_is_in_time() -> None:
    trial = Trial({}, Timing(None, None), seen=[Seen(START)])
    assert (trial.vanish_due, trial.close_due) == (None, None)
    assert trial.press("fake", at(3_600_000))
    trial.seen[-1].offset = at(3_600_001)
    assert trial.measured()["flags"] is None


@pytest.mark.parametrize(
    ("phase", "truth", "answer", "reported"),
    [
        ("practice", "fake", "fake", Feedback(True, "fake")),
        ("practice", "fake", None, Feedback(None, "fake")),
        ("practice", None, None, Feedback(None, None)),
        ("practice", None, "3", None),
        ("main", "fake", "fake", None),
    ],
)
def test_only_practice_tells(phase: str, truth: str | None, answer: str | None, reported: Feedback | None) -> None:
    trial = Trial({"phase": phase}, Timing(None, 1000), seen=[Seen(START)], answer=answer)
    assert trial.feedback(correct=None if None in (truth, answer) else truth == answer, truth=truth) == reported
