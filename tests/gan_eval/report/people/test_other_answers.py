"""Pairs, grades and staircases in the report: an answer, its tables, and who gave it."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from synthetic_tables import cited, folder_of

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import caveats
from gan_eval.report.people.methods import design_text
from gan_eval.report.people.pairs_and_grades import choices_tables, grade_sentences, preference_sentences
from gan_eval.report.people.thresholds import threshold_sentences, thresholds_table
from gan_eval.report.sections import study_report
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study, StudySettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.compare.questions import CHOSEN
from gan_eval.stats.trials import fill_trials


def folder(rows: list[dict[str, object]], *, analysed: slice = slice(None)) -> StudyFolder:
    """The tables of an analysis of these trials, or of a part of them."""
    trials = fill_trials(pd.DataFrame(rows))
    return folder_of(**analyze(trials[analysed]), trials=trials)


def said(of: StudyFolder) -> str:
    return " ".join(answer_sentences(of)).replace("\u202f", " ")


def pairs(protocol: str, model: str, answers: Sequence[str], **cells: object) -> list[dict[str, object]]:
    shared = {"kind": None, "response": None, "dataset": "d", "protocol": protocol, "model": model, "simulated": False}
    return [
        {**shared, "participant": f"P{number % 2}", "stimulus": f"d/{model}/{number}", "choice": answer} | cells
        for number, answer in enumerate(answers)
    ]


def grades() -> list[dict[str, object]]:
    shared = {"response": None, "dataset": "d", "protocol": "rating", "simulated": True}
    return [
        {**shared, "participant": person, "kind": kind, "stimulus": f"d/{kind}/{number}", "rating": grade}
        | {"model": "gan" if kind == "fake" else None}
        for person, extra in (("P1", 0), ("P2", 1))
        for kind, given in (("real", [3, 4]), ("fake", [1, 2]))
        for number, grade in enumerate(grade + extra for grade in given)
    ]


def stairs() -> list[dict[str, object]]:
    shared = {"dataset": "d", "protocol": "staircase", "block": 1, "simulated": False}
    return [
        {**shared, "participant": person, "stimulus": f"d/{kind}/{number}", "kind": kind}
        | {"model": "gan" if kind == "fake" else None}
        | {"response": kind if number % 4 else ("real" if kind == "fake" else "fake")}
        | {"requested_exposure_ms": 500.0 + extra + (0, 30, 20, 10)[number % 4]}
        for person, extra in (("P1", 0), ("P2", 20))
        for number in range(24)
        for kind in ["real" if number % 4 < 2 else "fake"]
    ]


def test_the_grades_of_simulated_participants_have_a_sentence_and_a_table() -> None:
    report = study_report(folder(grades()))
    words = " ".join(report.sections[0].blocks[0].sentences).replace("\u202f", " ")
    assert "Mean grades on d, between participants: M = 4.00" in words
    assert "No person answered" in words
    assert report.simulated
    assert "answers" in [section.id for section in report.sections]


def test_a_staircase_has_a_sentence_and_a_table() -> None:
    of = folder(stairs())
    assert "The staircase on d settled at 520 ms, the mean of the most frequent exposures" in said(of)
    assert thresholds_table(of).rows


def test_choices_have_a_sentence_and_a_table_and_the_chance_over_the_average_model_is_no_share_of_choices() -> None:
    of = folder(pairs("model_vs_model", "one|two", "a" * 3 + "b" * 17))
    words = said(of)
    assert "Of one and two on d, one was chosen in 15.0% of their pairs, 95% CI [" in words
    assert "No person answered" not in words
    assert choices_tables(of)
    assert (
        "Table 1 and Figure 1 show another number, each model's chance to be chosen over the average model "
        "(Bradley–Terry)."
    ) in words


def test_thresholds_of_quest_plus_name_it() -> None:
    blocks = [
        {"session": person, "participant": person, "block": 1, "dataset": "d", "protocol": "quest_plus", "answers": 50}
        | {"threshold_ms": threshold}
        for person, threshold in (("P1", 180.0), ("P2", 220.0), ("P3", None))
    ]
    (sentence,) = threshold_sentences(folder_of(thresholds=blocks))
    assert sentence.replace("\u202f", " ").startswith(
        "By QUEST+ the exposure with 75% correct answers on d is 200 ms on"
    )
    assert sentence.endswith("1 block had too few answers for a threshold.")


def test_the_answer_says_how_sure_differences_of_grades_and_choices_are():
    shared = {
        "comparison": "x",
        "question": "grades",
        "dataset": "d",
        "measure": "mean_grade",
        "ci_low": -2.0,
        "ci_high": -1.2,
        "p_holm": 0.002,
    }
    rows = [
        {**shared, "a": "fake", "b": "real", "difference": -1.6, "verdict": "different"},
        {**shared, "a": "m", "b": "n", "difference": 0.1, "ci_low": -0.4, "ci_high": 0.6, "verdict": "undecided"},
        {**shared, "a": "fake", "b": "real", "difference": -0.6, "verdict": "different", "measure": "higher_grade"},
        {**shared, "a": "m", "b": "o", "difference": 1.6, "ci_low": 1.2, "ci_high": 2.0, "basis": "crossed_model"}
        | {"verdict": "different"},
        *(
            {**shared, "a": "m", "b": b, "difference": -1.6, "verdict": verdict, "exploratory": True}
            for b, verdict in (("p", "different"), ("q", "equivalent"), ("r", "undecided"))
        ),
    ]
    folder = folder_of(comparisons=rows)
    ends, apart = "95% CI [1.20, 2.00], p = .002", "on d did not differ significantly, difference ="
    assert [sentence.replace("\u2212", "-") for sentence in grade_sentences(folder)] == [
        f"Generated pictures were graded lower than real ones on d, difference = 1.60, {ends}.",
        f"The mean grades of m and n {apart} 0.10, 95% CI [-0.40, 0.60], p = .002.",
        f"m's pictures were graded higher than o's on d, difference = 1.60, {ends}.",
        f"m's pictures were graded lower than p's on d, difference = 1.60, {ends} (exploratory).",
        f"The mean grades of m and q were equivalent on d, within the margin, difference = 1.60, {ends} (exploratory).",
        f"The mean grades of m and r {apart} 1.60, {ends} (exploratory).",
    ]
    chosen = {
        "comparison": "x",
        "question": "preference",
        "dataset": "d",
        "measure": CHOSEN,
        "a": "m",
        "difference": 0.2,
    }
    verdicts = {"n": "different", "o": "undecided"}
    folder = folder_of(comparisons=[chosen | {"b": b, "verdict": verdict} for b, verdict in verdicts.items()])
    assert [sentence.partition(": ")[2] for sentence in preference_sentences(folder)] == [
        "m looked more real.",
        "no difference is shown.",
    ]
    quiz = QuizSettings(protocol="model_vs_model", question="fits", show_caption=True)
    asked = replace(folder, study=Study(study=StudySettings(name="s"), quiz=quiz))
    assert preference_sentences(asked)[0].endswith("m fits the text better.")
    assert "the one that fits the text better; each person" in design_text(asked, quiz)
    assert "both versions" not in design_text(asked, quiz), "a pair shows both"


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
    judged = "Participants (N = 12) judged pictures of gan paired with real ones correctly above chance"
    assert said(of).startswith(judged)
    undecided = said(folder_of(paper=[cited(protocol="paired", verdict="undecided")]))
    assert undecided.startswith("It is undecided whether participants (N = 5) could tell pictures of gan")


def test_unanswered_pairs_are_no_answer() -> None:
    trials = fill_trials(pd.DataFrame(pairs("paired", "gan", ["none"] * 4)))
    assert "There is no answer yet" in said(folder_of(rates=rates(trials), trials=trials))


def test_rehearsals_are_left_out_once_people_have_answered() -> None:
    people, simulated = pairs("paired", "gan", "ab" * 5), pairs("paired", "gan", "a" * 6, simulated=True)
    rows = [*people, *(row | {"participant": f"simulated {row['participant']}"} for row in simulated)]
    of = folder(rows, analysed=slice(0, 10))
    assert not of.simulated
    assert "6 trials of simulated participants excluded because people have answered." in caveats(of)
    mixed = folder(rows)
    assert "Simulated participants gave some of the answers" in said(mixed)
    assert "No person answered" not in said(mixed)
