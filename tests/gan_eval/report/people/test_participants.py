"""The number of participants counts people whose answers are analysed; a sentence covers studies without answers."""

import pandas as pd
import pytest
from synthetic_tables import folder_of

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer
from gan_eval.report.people.participants import analysed_text, included_count, left_out_text, participation_sentences
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


def folder(all_trials: pd.DataFrame, rules: Rules = Rules()) -> StudyFolder:  # noqa: B008
    rows = [
        {"session": person, "participant": person, "protocol": "single", "status": status, "simulated": False}
        for person, status in STATUS.items()
    ]
    sessions = frame_of(rows, SESSIONS)
    included = leave_out(all_trials, sessions, rules, Rules(), planned=False)
    everything = rates(included.trials).assign(note=included.note or None)
    tables = {"rates": everything, "participation": included.participation, "trials": all_trials, "sessions": sessions}
    return folder_of(**tables)


def test_people_without_an_answer_are_counted_nowhere_and_told() -> None:
    of = folder(trials())
    assert analysed_text(of) == "the answers of 3 participants"
    assert participation_sentences(of)[:3] == [
        "6 participants started, 4 of them finished.",
        "2 participants broke off: their answers are in no result, and they do not count towards the number wanted.",
        "1 participant gave no answer, in 4 trials.",
    ]


def test_without_a_table_of_participation_rates_tell_how_many_answered() -> None:
    assert included_count(folder_of(rates=folder(trials()).tables["rates"])) == 3


@pytest.mark.parametrize(
    ("planned", "beyond", "said"),
    [
        (True, (), "0 participants and 4 trials were left out (by preset rules: reaction_time_ms<200)"),
        (True, ("participant=P3",), "1 participant and 8 trials were left out (by preset rules: reaction_time_ms<200; "
         "by exploratory rules, not in the plan: participant=P3)"),
        (False, (), "0 participants and 4 trials were left out (by rule, no plan given: reaction_time_ms<200)"),
    ],
)  # fmt: skip
def test_exclusions_are_called_what_they_are(planned, beyond, said) -> None:
    """A plan's rule is preset, an option beyond it exploratory, and without a plan neither."""
    rules = Rules(["reaction_time_ms<200"])
    included = leave_out(trials(), None, rules, Rules(participants=beyond), planned=planned)
    assert left_out_text(folder_of(participation=included.participation)) == said


def test_people_of_whom_every_trial_is_left_out_are_not_counted() -> None:
    of = folder(trials(quick=("P0", "P3")), Rules(["reaction_time_ms<200"]))
    assert analysed_text(of) == "the answers of 2 participants"
    reported = participation_sentences(of)
    assert reported[1].startswith("2 participants broke off: their answers are in no result, and they do not count")
    assert reported[2:4] == [
        "1 participant gave no answer, in 4 trials.",
        "Of 1 participant every trial was left out.",
    ]


_ALL_QUICK = tuple(STATUS)
_NONE_LEFT = ["No answer is left after the exclusions: every trial with one was left out."]
_NONE_YET = ["There is no answer yet: no trial has been judged."]


@pytest.mark.parametrize("asked", [{}, {"protocol": "paired", "response": None, "kind": None, "choice": "a"}])
def test_where_exclusions_leave_no_answer_that_is_said(asked: dict[str, object]) -> None:
    whole = trials(quick=_ALL_QUICK, **asked)
    assert answer(folder(whole, Rules(["reaction_time_ms<200"]))) == _NONE_LEFT


def test_before_the_first_answer_there_is_none_whatever_rules_there_are() -> None:
    whole = trials(response="none", quick=_ALL_QUICK)
    assert answer(folder(whole, Rules(["reaction_time_ms<200"]))) == _NONE_YET
