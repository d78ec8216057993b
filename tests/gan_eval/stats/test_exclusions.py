import re

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated

from gan_eval.base.errors import UserError
from gan_eval.judgements.rules import parse_rule, rows_fulfilling
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.analysis import analyze
from gan_eval.stats.exclusions import Rules, apply_rules, participant_groups
from gan_eval.stats.tables.comparisons import comparisons
from gan_eval.tables import SESSIONS
from gan_eval.tables.frames import frame_of


def participation(trials: pd.DataFrame, *rules: str, sessions: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table, with these rules on participants."""
    return apply_rules(trials, sessions, Rules(participants=rules), Rules(), planned=False).participation


def answers(participant: str, **columns: object) -> pd.DataFrame:
    """Four trials of one person: the last two are catch trials, one of them wrong."""
    frame = pd.DataFrame(
        {
            "participant": participant,
            "stimulus": list("abcd"),
            "kind": ["real", "fake", "real", "fake"],
            "response": ["real", "none", "fake", "fake"],
            "phase": ["main", "main", "catch", "catch"],
            "reaction_time_ms": [500.0, None, 300.0, 400.0],
            "flags": ["late", None, None, None],
        }
    )
    return frame.assign(**columns)


def test_each_number_by_hand():
    row = participation(fill_trials(answers("P1"))).iloc[0]
    counts = row[["sessions", "n_trials", "n_answered", "n_catch", "n_excluded"]]
    assert counts.tolist() == [1, 2, 1, 2, 0]
    assert (row["catch_accuracy"], row["accuracy"], row["same_answer_share"]) == (0.5, 1.0, 1.0)
    assert (row["median_reaction_time_ms"], row["flagged_share"]) == (500.0, 0.5)
    assert not row["excluded"]
    assert pd.isna(row["rule"])


def test_rules_name_those_left_out_and_an_empty_cell_fulfils_none():
    good = answers("P2").assign(response=["real", "fake", "real", "fake"])
    no_catch = answers("P3").assign(phase="main")
    trials = fill_trials(pd.concat([answers("P1"), good, no_catch], ignore_index=True))
    rules = Rules(["reaction_time_ms>=500"], ["catch_accuracy<0.8"])
    table = apply_rules(trials, None, rules, Rules(), planned=False).participation
    assert table["excluded"].tolist() == [True, False, False]
    assert table["n_excluded"].tolist() == [2, 1, 1]
    assert table["rule"].tolist() == ["catch_accuracy<0.8; reaction_time_ms>=500", *["reaction_time_ms>=500"] * 2]


def test_sessions_tell_of_people_without_a_trial_and_of_the_last_status():
    begun = [("s1", "P1", "aborted", "2026-01-01T00:00:00Z"), ("s2", "P1", "complete", "2026-01-02T00:00:00Z")]
    begun.append(("s3", "P9", "open", "2026-01-01T00:00:00Z"))
    names = ("session", "participant", "status", "started_at")
    rows = [dict(zip(names, row, strict=True)) | {"protocol": "single", "simulated": False} for row in begun]
    table = participation(fill_trials(answers("P1", session="s2")), sessions=frame_of(rows, SESSIONS))
    assert table[["participant", "sessions", "status", "n_trials"]].to_numpy().tolist() == [
        ["P1", 2, "complete", 2],
        ["P9", 1, "open", 0],
    ]
    assert np.isnan(table["accuracy"][1])


def with_losses() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six people: P003 broke off, P004 was interrupted, P005 answered nothing; and the table `sessions`."""
    trials = simulated(participants=6, stimuli=30, each=30)
    trials.loc[trials["participant"] == "P005", "response"] = "none"
    names = trials["participant"].unique()
    statuses = ["complete"] * 3 + ["aborted", "open", "complete"]
    rows = [
        {"session": name, "participant": name, "protocol": "single", "status": status, "simulated": False}
        for name, status in zip(names, statuses, strict=True)
    ]
    return fill_trials(trials.drop(columns="correct")), frame_of(rows, SESSIONS)


def test_unfinished_sessions_are_in_no_result_but_a_sensitivity_row():
    trials, sessions = with_losses()
    found = analyze(trials, sessions=sessions)
    finished = trials[trials["participant"].isin(["P000", "P001", "P002", "P005"])].reset_index(drop=True)
    *others, repeated = found["comparisons"].to_dict("records")
    assert [row["p"] for row in others] == comparisons(finished)["p"].tolist()
    assert found["mixed_models"]["n_trials"].tolist() == [90] * len(found["mixed_models"])
    assert repeated["comparison"] == "told apart, sensitivity: with unfinished sessions"
    assert repeated["difference"] == pytest.approx(comparisons(trials)["difference"][0])
    assert pd.isna(repeated["verdict"])
    assert pd.isna(repeated["p_holm"])
    assert "60 trials of 2 unfinished sessions" in repeated["note"]
    assert "60 trials of 2 unfinished sessions" in found["rates"]["note"][0]


def test_who_broke_off_and_who_never_answered_is_counted_and_named():
    trials, sessions = with_losses()
    table = apply_rules(trials, sessions, Rules(participants=["participant=P001"]), Rules()).participation
    part = participant_groups(table)
    assert part == (("P000", "P002"), ("P003", "P004"), ("P005",), ("P001",), 30)
    assert re.findall(r"\d+", part.text()) == ["1", "6", "30", "2", "6"]
    assert "30 answers" in table["note"][3]
    assert participant_groups(participation(trials)).unfinished == (), "a table of another program has no sessions"


def test_somebody_who_came_again_counts_with_the_session_that_was_finished():
    trials, sessions = with_losses()
    trials["participant"] = trials["participant"].replace("P004", "P000")
    sessions["participant"] = sessions["participant"].replace("P004", "P000")
    included = apply_rules(trials, sessions, Rules(), Rules())
    assert participant_groups(included.participation).analysed == ("P000", "P001", "P002")
    assert included.trials["session"].unique().tolist() == ["P000", "P001", "P002", "P005"]


def test_pairs_and_grades_are_answers_too():
    pairs = from_counts(2, 2, 2, 2).assign(response=None, choice="a", protocol="paired", correct=True)
    row = participation(fill_trials(pairs)).iloc[0]
    assert (row["n_answered"], row["same_answer_share"], row["accuracy"]) == (8, 1.0, 1.0)


def test_who_is_left_out_by_a_rule_beyond_the_plan_is_exploratory():
    trials = simulated(participants=6, each=12)
    trials.loc[trials["participant"] == "P001", "response"] = "fake"
    trials.loc[trials["participant"] == "P002", "response"] = "real"
    trials.loc[[0, 40], "reaction_time_ms"] = 100.0  # of P000 and P003
    trials.loc[[0, 50], "flags"] = "late"  # of P000 and P004
    preset = Rules(["reaction_time_ms<200"], ["same_answer_share=1"])
    late, few = Rules(["flags~late"]), Rules((), ["n_answered<99"])

    def standing(beyond: Rules, *, planned: bool = True) -> list[str]:
        included = apply_rules(trials, None, preset if planned else Rules(), beyond, planned=planned)
        return included.participation.get("standing", pd.Series([None] * 6)).fillna("").tolist()

    assert standing(Rules()) == ["preset"] * 4 + [""] * 2
    assert standing(late) == ["preset"] * 4 + ["exploratory", ""]
    assert standing(few) == ["exploratory", "preset", "preset", *["exploratory"] * 3]
    assert standing(late, planned=False) == [""] * 6


FRAME = pd.DataFrame(
    {
        "reaction_time_ms": [150.0, 250.0, np.nan, 900.0],
        "flags": ["late focus_lost", None, "later", "late"],
        "passed": ["True", "False", "true", None],
        "person": ["007", "7", "7.0", "07"],
        "block": pd.array([1, 2, 1, None], dtype="Int64"),
        "group": ["a b", "1", "1.0", "x=y"],
        "done": pd.array([True, False, None, True], dtype="boolean"),
    }
)


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("reaction_time_ms<200", [0]),
        ("reaction_time_ms>=250", [1, 3]),
        ("reaction_time_ms=250", [1]),
        ("reaction_time_ms!=250", [0, 3]),
        ("flags~late", [0, 3]),
        ("passed=True", [0, 2]),
        ("passed!=True", [1]),
        ("group=1", [1]),
        ("person=007", [0]),
        ("person=7", [1]),
        ("block=1.0", [0, 2]),
        ("group=a b", [0]),
        ("done=true", [0, 3]),
    ],
)
def test_rules(rule, rows):
    assert list(np.flatnonzero(parse_rule(rule).holds(FRAME, where="t"))) == rows
    assert list(FRAME["group"][rows_fulfilling(FRAME, [rule], where="t")]) == list(FRAME["group"].iloc[rows])


@pytest.mark.parametrize("rule", ["", "flags", "flags~", "<200", "  =  "])
def test_not_a_rule(rule):
    with pytest.raises(UserError, match="not understood"):
        parse_rule(rule)


def test_unknown_column_names_the_nearest():
    with pytest.raises(UserError, match="reaction_time_ms"):
        parse_rule("reaction_time<200").holds(FRAME, where="trials")
    with pytest.raises(UserError, match=r"^my\.toml:.*'rt<200':.*column 'rt';.*_ms"):
        rows_fulfilling(FRAME.assign(rating=1), ["rt<200"], where="my.toml")


@pytest.mark.parametrize("rule", ["flags<3", "reaction_time_ms<soon"])
def test_order_wants_numbers(rule):
    with pytest.raises(UserError, match="compares numbers"):
        parse_rule(rule).holds(FRAME, where="trials")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (Rules(["reaction_time_ms<5"]), "reaction_time_ms<5 excludes none of 4 trials: reaction_time_ms is 300 to 500"),
        (Rules(["reaction_time_ms>100000"]), "excludes none of 4 trials: reaction_time_ms is 300 to 500"),
        (Rules(["stimulus=A"]), "stimulus=A excludes none of 4 trials: stimulus is 'a', 'b', 'c', 'd'"),
        (Rules(["model=pix"]), "model=pix excludes nothing: model is empty in all trials"),
        (Rules(participants=["n_trials<1000"]), "n_trials<1000 excludes all 1 participants: n_trials is 2"),
        (Rules(participants=["participant=p1"]), "excludes none of 1 participants: participant is 'P1'"),
        (Rules(["reaction_time_ms<200", "flags~slow", "response=none", "stimulus=a"]), ""),
        (Rules(["phase=practice"], ["same_answer_share>1"]), ""),
    ],
)
def test_a_rule_of_another_unit_or_spelling_is_one_line(rules: Rules, said: str) -> None:
    lines = apply_rules(fill_trials(answers("P1")), None, rules, Rules(), planned=False).doubts
    assert len(lines) == bool(said)
    assert said in " ".join(lines)


def test_rules_that_leave_no_trial_are_named() -> None:
    said: list[str] = []
    analyze(
        answers("P1"),
        exclude=["reaction_time_ms<400", "reaction_time_ms>=400", "reaction_time_ms="],
        on_message=said.append,
    )
    assert any("reaction_time_ms<400: 1" in line for line in said)
