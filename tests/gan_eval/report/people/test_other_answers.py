"""Pairs, grades and staircases in the report: an answer, its tables, and who gave it."""

from itertools import combinations

import numpy as np
import pandas as pd
from answers_of_people import grades, pairs, stairs
from synthetic_tables import folder_of

from gan_eval.judgements.trials import fill_trials
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import caveats
from gan_eval.report.people.comparisons import choices_tables
from gan_eval.report.people.curves import thresholds_table
from gan_eval.report.sections import study_report
from gan_eval.stats.analysis import analyze
from gan_eval.stats.tables.rates import rates


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


def opinions(**more: object) -> list[dict[str, object]]:
    """Grades of pictures whose truth is not known: no column `kind`."""
    return [
        {"participant": f"P{person}", "stimulus": f"s{item}", "rating": 1.0 + (item * 7 + person % 2) % 5} | more
        for person in range(6)
        for item in range(8)
    ]


def test_opinion_scores_without_a_truth_have_a_sentence_and_a_table() -> None:
    """All 6 people counted, but the page said that no answer does."""
    of = folder(opinions())
    lines = [*answer_sentences(of)]
    mean = of.tables["paper"]["grade"].iloc[0]
    assert f"M = {mean:.2f}, 95% CI" in lines[0]
    assert "for all pictures" in lines[0]
    assert f"α = {of.tables['agreement']['alpha'].iloc[0]:.2f}, 95% CI" in lines[1]
    page = study_report(of)
    (table,) = [block for block in page.sections[0].blocks if getattr(block, "source", "") == "paper"]
    assert table.rows[0][2:5] == ["6", "8", "48"]
    named = folder([row | {"model": "ab"[int(str(row["stimulus"])[1:]) % 2]} for row in opinions()])
    assert "for a's (24 grades); M = " in said(named)
    assert {"a", "b"} == {*named.tables["comparisons"]["a"], *named.tables["comparisons"]["b"]}


def test_answers_that_count_but_allow_no_comparison_are_not_called_excluded() -> None:
    of = folder(opinions())
    bare = folder_of(**{name: frame for name, frame in of.tables.items() if name not in ("paper", "comparisons")})
    assert said(bare) == "The answers allow no comparison; the tables below describe them."


def votes(items: int, *, people: int = 30, models: str = "xy") -> list[dict[str, object]]:
    """Votes between two models: each item has its own winner, on which nearly everybody agrees."""
    pairs_of_models = [(a, b) for place, a in enumerate(models) for b in models[place + 1 :]]
    return [
        {"participant": f"P{person}", "item": str(item), "stimulus": f"{a}/{item}", "stimulus_b": f"{b}/{item}"}
        | {"model": f"{a}|{b}", "choice": "ab"[(item + place + (person % 7 == item)) % 2]}
        for person in range(people)
        for item in range(items)
        for place, (a, b) in enumerate(pairs_of_models)
    ]


def test_votes_whose_question_is_not_known_are_not_called_realism() -> None:
    rows = [row | {"choice": "ab"[person % 5 > 0]} for person, row in enumerate(votes(20))]
    of = folder(rows)
    assert "y was chosen more often" in said(of)
    assert "more real" not in said(of)
    assert "Table 1 also shows another number" in said(of)
    assert "chosen (%)" in str(study_report(of).sections[0].blocks)


def test_few_pictures_are_named_as_the_cause_if_no_pair_is_decided() -> None:
    of = folder(votes(5, models="xyz"))
    assert set(of.tables["comparisons"]["verdict"]) == {"undecided"}
    first = next(answer_sentences(of))
    share = of.tables["comparisons"]["picture_variance"].median()
    assert (
        "None of the 3 pairs of models is decided, because there are only 5 pictures of each: the differences " in first
    )
    assert f"{100 * share:.0f}% of the variance" in first
    assert "Student's t with 4 degrees of freedom makes an interval 2.8 standard errors wide to each side" in first


def test_five_pictures_are_named_as_the_cause_where_most_of_the_variance_is_of_people() -> None:
    """Before: 21 undecided pairs of five scenes had no reason, since pictures had less than half of the variance."""
    rows = [row | {"choice": "ab"[int(str(row["participant"])[1:]) % 2]} for row in votes(5, models="xyz")]
    of = folder(rows)
    assert of.tables["comparisons"]["picture_variance"].median() < 0.5
    first = next(answer_sentences(of))
    assert "because there are only 5 pictures of each: Student's t with 4 degrees of freedom" in first


def test_people_are_named_as_no_cause_of_the_pictures() -> None:
    rows = [row | {"choice": "ab"[int(str(row["participant"])[1:]) % 2]} for row in votes(40, people=8)]
    of = folder(rows)
    assert set(of.tables["comparisons"]["verdict"]) == {"undecided"}
    assert "because there are only" not in said(of)


def test_many_pairs_of_models_are_counted_first() -> None:
    """Before: the sentence of the pair that comes first by its names, which the terminal printed alone."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "participant": f"P{person}",
            "stimulus": f"m{a}/{item}",
            "stimulus_b": f"m{b}/{item}",
            "item": str(item),
            "model": f"m{a}|m{b}",
            "protocol": "model_vs_model",
            "choice": "b" if rng.random() < 1 / (1 + np.exp(-1.5 * (b - a))) else "a",
        }
        for person in range(12)
        for item in range(15)
        for a, b in combinations(range(5), 2)
    ]
    first, *others = answer_sentences(folder(rows))
    assert first.startswith("Of 10 pairs of models by share of choices: ")
    assert "preferred most is m4, with a chance of " in first
    assert others[0].startswith("Of m0 and ")
