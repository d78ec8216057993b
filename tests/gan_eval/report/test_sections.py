"""Sections of answers, from tables whose numbers and names are given."""

import base64
import hashlib
import re

import numpy as np
import pandas as pd
import pytest
from synthetic_tables import folder_of, models, table_rows, told_apart

from gan_eval.report.parts.words import row_notes
from gan_eval.report.people.agreement import agreement_section
from gan_eval.report.people.answer import answer
from gan_eval.report.people.comparisons import comparisons_section, model_sentences, model_tables
from gan_eval.report.people.participants import exposure_levels, timing_section
from gan_eval.report.people.rates import group_name
from gan_eval.stats.analysis import ALL_TABLES, analyze
from gan_eval.stats.trials import fill_trials


def answer_of(*rows: dict[str, object], **cells: object) -> list[str]:
    """Return the answer from these comparisons, and the row of rates of everything with these cells."""
    tables = table_rows()
    everything, *others = tables["rates"]
    folder = folder_of(rates=[everything | cells, *others], detection=tables["detection"], comparisons=rows)
    return [sentence.replace("\u202f", " ").replace("\u2212", "-") for sentence in answer(folder)]


def test_every_table_of_answers_has_its_section(tables_page):
    assert tables_page.sections() == [
        "answer", "notes", "detection", "choices", "comparisons", "agreement", "models",
        "participants", "checklist", "methods", "files",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "difference", "words"),
    [
        ("different", 0.3, "told apart"),
        ("different", -0.3, "below chance"),
        ("equivalent", 0.0, "equivalent to chance"),
        ("interim", 0.3, "interim"),
    ],
)
def test_told_apart_has_the_words_of_the_table_to_cite(verdict, difference, words):
    note = "held against twice the margin, 0.1 in the probability of being called fake; few people"
    rows = [told_apart(verdict=verdict, difference=difference, note=note)]
    (table,) = comparisons_section(folder_of(comparisons=rows)).blocks[-1:]
    assert table.rows[0][-1] == words
    assert table.notes[-1] == "told apart: few people"


def metric_differences(rows: list[dict[str, object]], **tables: object):
    section = agreement_section(folder_of(correlation_differences=rows, **tables))
    (table,) = [block for block in section.blocks if getattr(block, "caption", "").startswith("Which metric")]
    return table


PAIR = {"level": "stimulus", "dataset": "maps", "metric_a": "psnr", "metric_b": "ssim", "measure": "fooling_rate"}


def test_pairs_of_metrics_without_interval_and_test_are_counted():
    few = PAIR | {"level": "model", "n": 3, "agreement_a": 0.6, "agreement_b": 0.2, "difference": 0.4}
    many = few | {"level": "stimulus", "n": 40, "ci_low": 0.1, "ci_high": 0.7, "p": 0.2, "p_holm": 0.4}
    for rows, shown in (([few, many], 1), ([few], 1), ([many], 1)):
        table = metric_differences(rows)
        assert len(table.rows) == shown
        assert any("1 pair of metrics over too few points" in note for note in table.notes) == (len(rows) == 2)
        assert table.rows[0][-1] == "undecided"


@pytest.mark.parametrize(
    ("metric", "within", "said"),
    [
        ("psnr", 0.86, "PSNR"),
        ("psnr", -0.86, "PSNR, against its direction"),
        ("niqe", -0.86, "NIQE"),
        ("of_a_lab", -0.86, "of_a_lab"),
    ],
)
def test_a_metric_that_runs_against_people_is_not_said_to_follow_them(metric, within, said):
    row = {"level": "stimulus", "dataset": "maps", "measure": "fooling_rate", "n": 40}
    correlations = [row | {"metric": metric, "spearman": 0.1, "within": within}]
    rows = [PAIR | {"n": 40, "metric_a": metric, "ci_low": 0.1, "follows_better": metric}]
    assert metric_differences(rows, correlations=correlations).rows[0][-1] == said


def test_the_table_of_differences_has_no_more_columns_than_a_page_shows():
    tested = {"check_p": 0.02, "noninferior": True, "margin": 0.05, "ci90_low": -0.18, "ci90_high": -0.06}
    basis = {"basis": "crossed_model"}
    rows = [told_apart(), models("b", "a", **tested, **basis), models("c", "a", basis="two_way_cluster")]
    (table,) = comparisons_section(folder_of(comparisons=rows)).blocks[-1:]
    assert table.head == [
        "difference", "points (95\u202f%, unadjusted)", "p", "p (Holm)", "90\u202f% interval", "p (equivalence)",
        "not inferior", "verdict",
    ]  # fmt: skip
    reported = "models on maps: b − a, fooling rate"
    assert table.rows[1] == [
        reported, "−12.0 (−20.0 to −4.0)", "0.004", "0.008", "−18.0 to −6.0", "–", "yes", "different"
    ]  # fmt: skip
    assert table.notes[0] == "Basis: crossed model; clustered: models on maps: c − a, fooling rate."


EQUIVALENT = "cannot be told apart by more than 5 points"


@pytest.mark.parametrize(
    ("cells", "claims", "not_said"),
    [
        ({}, [EQUIVALENT, "51.0 % were judged correctly",
              "90 % interval 48.0 to 54.0 %, held against 45.0 to 55.0 %"], []),
        ({"p_equivalent": 0.2, "verdict": "undecided"},
         ["do not show that real and generated pictures can be told apart, nor that they cannot by more than"],
         ["cannot be told apart by"]),
        ({"margin": None, "p_equivalent": None, "verdict": "undecided", "p": 0.9},
         ["do not show", "such a study shows an accuracy of", "or more in 80 % of cases"], ["cannot"]),
        ({"difference": 0.06, "ci_low": 0.02, "p": 0.001, "exploratory": False},
         ["better than by chance, though by less than the planned margin of 5 points"], []),
        ({"difference": 0.4, "ci_low": 0.3, "ci_high": 0.5, "p": 0.001, "p_equivalent": 0.99, "verdict": "different"},
         ["told real from generated pictures better than by chance", "70.0 % were judged"], ["held against"]),
        ({"difference": -0.4, "ci_low": -0.5, "ci_high": -0.3, "p": 0.001, "p_equivalent": 0.99},
         ["judged real and generated pictures below chance"], []),
        ({"ci_low": None, "ci_high": None}, ["cannot be said: too few participants or pictures for an interval"],
         ["do not show"]),
        ({"difference": None, "verdict": None}, ["cannot be said: on no data set both kinds were judged"],
         ["by chance"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("exploratory", [True, False])
def test_the_verdict_claims_what_the_comparison_shows(cells, claims, not_said, exploratory):
    sentence = answer_of(told_apart(**({"exploratory": exploratory} | cells)))[0]
    for claim in claims:
        assert claim in sentence
    for claim in not_said:
        assert claim not in sentence
    if "exploratory" not in cells and "cannot be said" not in sentence:
        assert (" (exploratory): " in sentence) == exploratory


def test_one_kind_and_one_answer_give_no_verdict():
    one_kind = answer_of(told_apart(), n_real=0, false_alarms=0, correct_rejections=0)[0]
    assert "cannot be said: only generated ones were judged" in one_kind
    one_answer = answer_of(told_apart(), hits=40, misses=0, false_alarms=40, correct_rejections=0)[0]
    assert "cannot be said: all 80 answers of 5 participants were “fake”, which response bias alone" in one_answer


def test_leaning_to_the_commoner_kind_is_not_called_skill():
    """Call nine in ten of 40 reals and of 10 fakes real: 74 % are correct without any sensitivity."""
    rows = [
        {"participant": f"P{person}", "stimulus": f"{kind}{(number + 3 * person) % 50}", "kind": kind}
        | {"response": "fake" if number % 10 == 9 else "real"}
        for person in range(8)
        for kind, count in (("real", 40), ("fake", 10))
        for number in range(count)
    ]
    frames = analyze(pd.DataFrame(rows))
    assert frames["rates"].iloc[0]["accuracy"] == pytest.approx(0.74)
    sentence = answer(folder_of(**frames))[0].replace("\u202f", " ")
    assert "The answers of 8 participants do not show" in sentence
    assert "50.0 % were judged correctly (95 % interval" in sentence


def test_each_pair_of_models_has_a_sentence():
    words = " ".join(
        answer_of(
            told_apart(),
            models("a", "b"),
            models("a", "c", difference=0.01, ci_low=-0.02, ci_high=0.04, p_holm=0.4, verdict="equivalent", margin=0.05,
                   note="the margin is exploratory, not in the plan"),
            models("b", "c", difference=0.02, ci_low=-0.1, ci_high=0.14, p_holm=0.7, verdict="undecided",
                   noninferior=False, margin=0.05),
        )
    )  # fmt: skip
    by = "12.0 points (95 % interval 4.0 to 20.0, unadjusted; p = 0.008"
    assert f"b fools people more often than a on maps, by {by}" in words
    assert "a and c fool people equally often on maps, to within the exploratory margin of 5 points" in words
    assert "Between b and c no difference is shown on maps: 2.0 points" in words
    assert "that b is not inferior to c by the margin of 5 points is not shown" in words


@pytest.mark.parametrize(("rate", "often"), [(0.0, "no picture"), (1.0, "every picture")])
def test_models_that_always_or_never_fooled_are_not_compared(rate, often):
    shares = [table_rows()["detection"][0] | {"scope": "model", "id": name, "fooling_rate": rate} for name in "ab"]
    tables = {"rates": table_rows()["rates"], "detection": [*table_rows()["detection"], *shares]}
    sentences = answer(folder_of(comparisons=[told_apart(), models("a", "b", difference=0.0)], **tables))
    assert sentences[1] == (f"Between a and b on maps there is nothing to compare: {often} of either was called real.")


def test_participants_left_out_are_told_with_the_rule(tables_page):
    assert "3 participants started, 2 of them finished" in tables_page.words
    assert (
        "1 participant and 21 trials were left out (by preset rules: catch_accuracy<0.8; by exploratory "
        "rules, not in the plan: flags~late)"
    ) in tables_page.words


def test_models_with_slopes_come_first_and_those_without_carry_their_warning():
    (row,) = table_rows()["mixed_models"]
    slope = row | {"formula": "correct ~ kind + (1 + kind|participant) + (1|stimulus)", "sd_slope": 0.4}
    folder = folder_of(mixed_models=[row, slope])
    assert (
        "15 to 37 % false alarms in simulation, against 6 % with (1 + kind|participant)" in model_sentences(folder)[0]
    )
    (table,) = model_tables(folder)
    assert [cells[0] for cells in table.rows] == [slope["formula"], row["formula"]]


@pytest.mark.parametrize(
    ("links", "scale"),
    [(["cumulative_logit"], "log-odds"), (["logit", "probit"], "log-odds"), (["probit"], "probit")],
)
def test_the_scale_of_estimates_is_that_of_the_links(links: list[str], scale: str) -> None:
    rows = [{"formula": link, "term": "intercept", "link": link, "estimate": 0.1, "n_trials": 9} for link in links]
    table, *_ = model_tables(folder_of(mixed_models=rows))
    assert table.notes[0].startswith(f"Estimates on the {scale} scale;")


def test_every_table_can_be_saved_with_its_bytes(tables_page, tables):
    links = [found for tag, found in tables_page.tags if tag == "a" and found.get("download")]
    saved = {found["download"]: found["href"] for found in links}
    assert set(saved) == {f"{name}.csv" for name in table_rows() if "session" not in ALL_TABLES[name].by_name}
    for name, uri in saved.items():
        data = (tables / name).read_bytes()
        assert uri.startswith("data:text/csv;base64,")
        assert base64.b64decode(uri.partition(",")[2]) == data
        assert hashlib.sha256(data).hexdigest() in tables_page.words


def test_the_paper_has_its_numbers(tables_page):
    (quote,) = re.findall(r"<blockquote>(.*?)</blockquote>", tables_page.source, flags=re.DOTALL)
    assert (
        "3 started, 2 finished; the answers of 2 participants (1 of them up to where they broke off) are analysed"
        in quote
    )
    assert "1 participant and 21 trials were left out" in quote
    assert "Equivalence within 5\u202fpoints (given to the analysis, no plan)" in quote
    assert "Exploratory, not in the plan: 1 comparison" in quote


def timed() -> pd.DataFrame:
    exposures = [(100.0, 100.2), (100.0, 99.0), (100.0, 105.5), (None, 800.0)]
    return fill_trials(
        pd.DataFrame(
            [
                {"participant": "P1", "stimulus": f"s{place}", "kind": "fake" if place % 2 else "real",
                 "trial": place + 1, "response": "fake", "requested_exposure_ms": asked,
                 "planned_exposure_ms": asked and 99.6, "exposure_ms": got,
                 "flags": "late focus_lost" if got == 105.5 else None}
                for place, (asked, got) in enumerate(exposures)
            ]
        )
    )  # fmt: skip


def test_exposures_by_level_against_numpy():
    levels = exposure_levels(timed())
    error = np.array([100.2, 99.0, 105.5]) - 99.6
    assert levels["n"].tolist() == [3, 1]
    row = levels.iloc[0]
    assert row["error_ms"] == pytest.approx(error.mean())
    assert row["sd_ms"] == pytest.approx(error.std(ddof=1))
    assert row["worst_ms"] == pytest.approx(5.9)
    assert np.isnan(levels.iloc[1]["error_ms"])


def test_notes_name_an_exposure_with_its_unit_and_leave_out_exclusions():
    frame = pd.DataFrame({"scope": ["exposure", "model"], "id": ["100", "m"]})
    frame["note"] = "8 of 9 trials excluded by rule; rough"
    assert row_notes(frame, group_name) == ["exposure 100\u202fms, model m: rough"]


def test_timing_is_told_with_flags_checks_and_what_was_not_measured():
    check = {"session": "s", "check": "vsync", "value": 16.7, "unit": "ms", "verdict": "warning"}
    sentences, exposures, flags = timing_section(folder_of(trials=timed(), checks=[check])).blocks
    words = " ".join(sentences.lines).replace("\u202f", " ")
    assert "25.0 % of 4 main trials carry a flag" in words
    assert "The absolute lag of display and keyboard was not measured" in words
    assert "warned or failed in 1 of 1 session: vsync" in words
    assert "focus_lost" in [row[0] for row in flags.rows]
    assert "5.90\u202fms" in exposures.rows[0]
