"""Pairs, grades and staircases in the report: an answer, its tables, and who gave it."""

import pandas as pd
from answers_of_people import grades, pairs, stairs
from synthetic_tables import folder_of

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import caveats
from gan_eval.report.people.pairs_and_grades import choices_tables
from gan_eval.report.people.thresholds import thresholds_table
from gan_eval.report.sections import study_report
from gan_eval.stats.analysis import analyze
from gan_eval.stats.tables.rates import rates
from gan_eval.stats.trials import fill_trials


def folder(rows: list[dict[str, object]], *, analysed: slice = slice(None)) -> StudyFolder:
    """The tables of an analysis of these trials, or of a part of them."""
    trials = fill_trials(pd.DataFrame(rows))
    return folder_of(**analyze(trials[analysed]), trials=trials)


def said(of: StudyFolder) -> str:
    return " ".join(answer_sentences(of)).replace("\u202f", " ")


def test_the_grades_of_simulated_participants_have_a_sentence_and_a_table() -> None:
    report = study_report(folder(grades()))
    assert report.simulated
    assert "answers" in [section.id for section in report.sections]


def test_thresholds_and_choices_have_their_tables() -> None:
    assert thresholds_table(folder(stairs())).rows
    assert choices_tables(folder(pairs("model_vs_model", "one|two", "a" * 3 + "b" * 17)))


def test_the_verdict_on_pairs_is_that_of_the_table_to_cite() -> None:
    rows = [
        row | {"participant": f"P{person}", "item": row["stimulus"]}
        for person in range(12)
        for row in pairs("paired", "gan", ["ab"[(k + person) % 10 >= 8] for k in range(10)])
    ]
    of = folder(rows)
    row = of.tables["paper"].iloc[0]
    assert row["verdict"] == "told apart"
    ends = ", ".join(f"{100 * row[name]:.1f}" for name in ("accuracy_low", "accuracy_high"))
    assert f", accuracy = 80.0%, 95% CI [{ends}]" in said(of)


def test_unanswered_pairs_are_no_answer() -> None:
    trials = fill_trials(pd.DataFrame(pairs("paired", "gan", ["none"] * 4)))
    (line,) = answer_sentences(folder_of(rates=rates(trials), trials=trials))
    assert "accuracy" not in line


def test_rehearsals_are_left_out_once_people_have_answered() -> None:
    people, simulated = pairs("paired", "gan", "ab" * 5), pairs("paired", "gan", "a" * 6, simulated=True)
    rows = [*people, *(row | {"participant": f"simulated {row['participant']}"} for row in simulated)]
    of = folder(rows, analysed=slice(0, 10))
    assert not of.simulated
    assert [line for line in caveats(of) if "6 trials of simulated participants" in line]
    assert folder(rows).simulated
