"""The number of participants counts people whose answers are analysed; a sentence covers studies without answers."""

import pandas as pd
import pytest
from synthetic_tables import folder_of

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import caveats
from gan_eval.report.people.participants import (
    analysed_text,
    demographics,
    included_count,
    left_out_text,
    participation_sentences,
    timing_sentences,
)
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.exclusions import Rules, apply_rules
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import CHECKS, SESSIONS
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
    included = apply_rules(all_trials, sessions, rules, Rules(), planned=False)
    everything = rates(included.trials).assign(note=included.note or None)
    tables = {"rates": everything, "participation": included.participation, "trials": all_trials, "sessions": sessions}
    return folder_of(**tables)


def test_people_without_an_answer_are_reported_but_not_counted() -> None:
    of = folder(trials())
    assert analysed_text(of) == "the answers of 3 participants"
    assert participation_sentences(of)[:3] == [
        "6 participants started, 4 of them finished.",
        "2 participants did not finish: their answers are not analysed, and they do not count towards the planned "
        "number.",
        "1 participant gave no answer, in 4 trials.",
    ]


def test_without_a_table_of_participation_rates_tell_how_many_answered() -> None:
    assert included_count(folder_of(rates=folder(trials()).tables["rates"])) == 3


@pytest.mark.parametrize(
    ("planned", "beyond", "said"),
    [
        (True, (), "0 participants and 4 trials were excluded (by preset rules: reaction_time_ms<200)"),
        (True, ("participant=P3",), "1 participant and 8 trials were excluded (by preset rules: reaction_time_ms<200; "
         "by exploratory rules, not in the plan: participant=P3)"),
        (False, (), "0 participants and 4 trials were excluded (by rule, no plan given: reaction_time_ms<200)"),
    ],
)  # fmt: skip
def test_exclusions_are_called_what_they_are(planned, beyond, said) -> None:
    rules = Rules(["reaction_time_ms<200"])
    included = apply_rules(trials(), None, rules, Rules(participants=beyond), planned=planned)
    assert left_out_text(folder_of(participation=included.participation)) == said


def test_people_of_whom_every_trial_is_left_out_are_not_counted() -> None:
    of = folder(trials(quick=("P0", "P3")), Rules(["reaction_time_ms<200"]))
    assert analysed_text(of) == "the answers of 2 participants"
    reported = participation_sentences(of)
    assert reported[1].startswith("2 participants did not finish: their answers are not analysed, and they")
    assert reported[2:4] == ["1 participant gave no answer, in 4 trials.", "Every trial of 1 participant was excluded."]


@pytest.mark.parametrize("asked", [{}, {"protocol": "paired", "response": None, "kind": None, "choice": "a"}])
def test_where_exclusions_leave_no_answer_that_is_said(asked: dict[str, object]) -> None:
    of = folder(trials(quick=tuple(STATUS), **asked), Rules(["reaction_time_ms<200"]))
    assert list(answer_sentences(of)) == ["No answer counts: each was excluded, or its session is not complete."]


def test_before_the_first_answer_there_is_none_whatever_rules_there_are() -> None:
    of = folder(trials(response="none", quick=tuple(STATUS)), Rules(["reaction_time_ms<200"]))
    assert list(answer_sentences(of)) == ["There is no answer yet: no trial has been judged."]


def test_answers_to_the_study_s_questions_are_of_the_participants_analysed() -> None:
    names = [f"P{n}" for n in range(20)]
    part = [
        {"participant": name, "excluded": False, "counted": "yes" if name != "P0" else "excluded"} for name in names
    ]
    part = [row | dict.fromkeys(("sessions", "n_trials", "n_answered", "n_catch", "n_excluded"), 1) for row in part]
    answers = [
        {"session": name, "participant": name, "question": question, "answer": str(answer)}
        for n, name in enumerate(names)
        for question, answer in (("age", 20 + n), ("expert", ("no", "yes")[n % 4 == 1]), ("why", f"because {n}"))
    ]
    table = demographics(folder_of(participation=part, participants=answers))
    assert [[cell.replace("\u202f", " ") for cell in row] for row in table.rows] == [
        ["age", "M = 30.0, SD = 5.6, 21 to 39", "19", "–"],
        ["expert", "no", "14", "73.7%"],
        ["expert", "yes", "5", "26.3%"],
        ["why", "19 different answers", "19", "–"],
    ]


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Safari/604.1"


def browser_folder(*presenters: str) -> StudyFolder:
    """A session of four trials for each presenter, on Chrome and a telephone in turn; one trial has missed frames."""
    made = folder(trials())
    rows = [
        {"session": f"P{place}", "participant": f"P{place}", "protocol": "single", "status": "complete"}
        | {"simulated": False, "presenter": presenter, "refresh_hz": (60.0, 120.0)[place % 2]}
        | {"platform": (CHROME, IPHONE)[place % 2] if presenter == "browser" else "Linux-6.1"}
        for place, presenter in enumerate(presenters)
    ]
    shown = made.tables["trials"]
    shown = shown[shown["session"].isin([row["session"] for row in rows])].assign(missed_frames=0, flags=None)
    shown["missed_frames"] = shown["missed_frames"].where(shown.index != shown.index[0], 2)
    checks = [{"session": "P0", "check": "comprehension", "value": 2.0, "verdict": "failed", "simulated": False}]
    return folder_of(sessions=frame_of(rows, SESSIONS), trials=shown, checks=frame_of(checks, CHECKS))


def test_the_methods_say_how_many_sessions_ran_in_a_browser_and_what_its_times_are_worth() -> None:
    sentences = " ".join(timing_sentences(browser_folder("browser", "browser", "browser")))
    assert "60.0 to 120.0\u202fHz." in sentences.replace("\xa0", "\u202f")
    assert "All 3 sessions ran in a browser, with refresh rates measured" in sentences
    assert "frames were missed in 8.3" in sentences.replace("\u202f", " ")
    assert "15 to 48 ms in published measurements (Bridges et al. 2020)" in sentences
    assert "comprehension" not in sentences
    assert "Mozilla" not in sentences


def test_browser_sessions_are_a_caveat_and_those_of_the_desktop_are_not() -> None:
    (caveat,) = [line for line in caveats(browser_folder("browser", "raster")) if "browser" in line]
    assert caveat.startswith("1 session ran in a browser; those of the desktop are pooled with them: reaction times")
    (caveat,) = [line for line in caveats(browser_folder("browser", "browser")) if "browser" in line]
    assert caveat.startswith("2 sessions ran in a browser: reaction times")
    desktop = browser_folder("raster", "raster")
    assert not [line for line in [*caveats(desktop), *timing_sentences(desktop)] if "browser" in line]


def test_times_are_missing_only_where_all_answers_are_simulated() -> None:
    made = browser_folder("raster", "raster")
    shown = made.tables["trials"]
    for simulated in (shown["session"] == "P0", True):
        made.tables["trials"] = shown.assign(simulated=simulated)
        assert made.simulated
        assert ("no time was measured" in " ".join(timing_sentences(made))) == (simulated is True)
