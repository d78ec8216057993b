"""The number of participants counts people whose answers are analysed; a sentence covers studies without answers."""

from pathlib import Path

import pandas as pd
import pytest

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer
from gan_eval.report.people.design import look_sentence
from gan_eval.report.people.participants import analysed_text, included_count, participation_sentences
from gan_eval.stats.analysis import ALL_TABLES
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.exclusions import Rules, leave_out
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import SESSIONS
from gan_eval.tables.frames import frame_of

STATUS = {"P0": "complete", "P1": "complete", "P2": "complete", "P3": "open", "P4": "complete", "P5": "open"}


def trials(*, quick: tuple[str, ...] = ("P0",), **cells: object) -> pd.DataFrame:
    """Four trials each of five people, of whom P4 answers none and some are too quick."""
    rows = [
        {"participant": person, "session": person, "stimulus": f"d/{kind}/{place}", "kind": kind, "dataset": "d"}
        | {"response": "none" if person == "P4" else kind if place else "fake"}
        | {"reaction_time_ms": 100.0 if person in quick else 500.0}
        | cells
        for person in STATUS
        if person != "P5"
        for kind in ("real", "fake")
        for place in range(2)
    ]
    return fill_trials(pd.DataFrame(rows))


def folder(all_trials: pd.DataFrame, rules: Rules = Rules(), *, looks: int = 0) -> StudyFolder:  # noqa: B008
    rows = [
        {"session": person, "participant": person, "protocol": "single", "status": status, "simulated": False}
        for person, status in STATUS.items()
    ]
    sessions = frame_of(rows, SESSIONS)
    included = leave_out(all_trials, sessions, rules, Rules(), planned=False)
    everything = rates(included.trials).assign(note=included.note or None)
    tables = {"rates": everything, "participation": included.participation, "trials": all_trials, "sessions": sessions}
    if looks:
        look = {"look": 1, "due_at": 20, "current": False, "n_people": looks, "n_wanted": 20, "note": "awaited"}
        tables["looks"] = frame_of([look], ALL_TABLES["looks"])
    return StudyFolder(Path(), None, {}, tables, {}, {}, {})


def test_people_without_an_answer_are_counted_nowhere_and_told() -> None:
    of = folder(trials())
    assert answer(of)[0].startswith("4 participants told real from generated pictures better than by chance")
    assert analysed_text(of) == "the answers of 4 participants (1 of them up to where they broke off)"
    assert participation_sentences(of)[:3] == [
        "6 participants started, 4 of them finished.",
        "2 participants broke off: the answers of 1 of them up to then are analysed, and they do not count towards the "
        "number wanted.",
        "2 participants gave no answer.",
    ]


def test_without_a_table_of_participation_the_rates_tell_who_answered() -> None:
    of = folder(trials())
    bare = StudyFolder(Path(), None, {}, {"rates": of.tables["rates"]}, {}, {}, {})
    assert included_count(bare) == 4
    assert participation_sentences(bare) == ["4 participants answered."]
    of_trials = StudyFolder(Path(), None, {}, {"trials": of.tables["trials"]}, {}, {}, {})
    assert included_count(of_trials) == 4


def test_people_of_whom_every_trial_is_left_out_are_not_counted() -> None:
    of = folder(trials(quick=("P0", "P3")), Rules(["reaction_time_ms<200"]))
    assert analysed_text(of) == "the answers of 2 participants"
    reported = participation_sentences(of)
    assert reported[1].startswith("2 participants broke off: none of their answers is analysed, and they do not count")
    assert reported[2:4] == ["2 participants gave no answer.", "Of 2 participants every trial was left out."]


def test_all_who_broke_off_are_told_beside_a_look() -> None:
    """P0 is left out, so as many people answered as have come."""
    of = folder(trials(), Rules(participants=["median_reaction_time_ms<200"]), looks=4)
    assert look_sentence(of) == "Awaited. 1 more participant broke off; their answers are analysed, too."
    left_out = folder(trials(quick=("P3",)), Rules(participants=["median_reaction_time_ms<200"]), looks=4)
    assert look_sentence(left_out) == "Awaited."


_ALL_QUICK = tuple(STATUS)
_NONE_LEFT = ["No answer is left after the exclusions: every trial with one was left out."]
_NONE_YET = ["There is no answer yet: no trial has been judged."]


@pytest.mark.parametrize("asked", [{}, {"protocol": "paired", "response": None, "kind": None, "choice": "a"}])
def test_where_exclusions_leave_no_answer_that_is_said(asked: dict[str, object]) -> None:
    whole = trials(quick=_ALL_QUICK, **asked)
    assert answer(folder(whole, Rules(["reaction_time_ms<200"]))) == _NONE_LEFT


@pytest.mark.parametrize(("note", "said"), [("8 of 8 trials excluded by rule", _NONE_LEFT),
                                            ("0 of 8 trials excluded by rule", _NONE_YET)])  # fmt: skip
def test_without_the_trials_the_note_tells_of_exclusions(note: str, said: list[str]) -> None:
    nothing = rates(trials().iloc[:0]).assign(note=note)
    assert answer(StudyFolder(Path(), None, {}, {"rates": nothing}, {}, {}, {})) == said


def test_before_the_first_answer_there_is_none_whatever_rules_there_are() -> None:
    whole = trials(response="none", quick=_ALL_QUICK)
    assert answer(folder(whole, Rules(["reaction_time_ms<200"]))) == _NONE_YET
