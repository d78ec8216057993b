"""Sections of answers, from tables whose numbers and names are given."""

import base64
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from synthetic_tables import cited, folder_of, models, table_rows, told_apart

from gan_eval.report.people.agreement import difference_tables
from gan_eval.report.people.answer import answer_sentences, models_compared, row_sentences
from gan_eval.report.people.comparisons import comparisons_section
from gan_eval.report.people.participants import exposure_levels, timing_section
from gan_eval.stats.analysis import analyze
from gan_eval.stats.tables import ALL_TABLES
from gan_eval.stats.trials import fill_trials


def answer_of(*rows: dict[str, object], paper: Sequence[dict[str, object]] = ()) -> list[str]:
    """Return the answer from these rows of `comparisons` and of the table to cite."""
    folder = folder_of(rates=table_rows()["rates"], paper=paper, comparisons=rows)
    return [sentence.replace("\u202f", " ").replace("\u2212", "-") for sentence in answer_sentences(folder)]


PAIR = {"level": "stimulus", "dataset": "maps", "metric_a": "psnr", "metric_b": "ssim", "measure": "fooling_rate"}


def test_pairs_of_metrics_without_interval_and_test_are_left_out():
    few = PAIR | {"level": "model", "n": 3, "agreement_a": 0.6, "agreement_b": 0.2, "difference": 0.4}
    many = few | {"level": "stimulus", "n": 40, "ci_low": 0.1, "ci_high": 0.7, "p": 0.2, "p_holm": 0.4}
    (table,) = difference_tables(folder_of(correlation_differences=[few, many]))
    (row,) = table.rows
    assert (row[0], row[-1]) == ("pictures", "undecided")


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
    (table,) = difference_tables(folder_of(correlation_differences=rows, correlations=correlations))
    assert table.rows[0][-1] == said


def test_the_table_of_differences_has_no_more_columns_than_a_page_shows():
    tested = {"check_p": 0.02, "margin": 0.05, "ci90_low": -0.18, "ci90_high": -0.06}
    basis = {"basis": "crossed_model"}
    rows = [told_apart(), models("b", "a", **tested, **basis), models("c", "a", basis="two_way_cluster")]
    table = comparisons_section(folder_of(comparisons=rows)).blocks[-1].without_empty()
    assert table.head == [
        "difference", "points (95%, unadjusted)", "p", "p (Holm)", "90% interval", "verdict",
    ]  # fmt: skip
    reported = "models on maps: b − a, fooling rate"
    assert table.rows[0] == [
        reported, "−12.0 (−20.0 to −4.0)", "0.004", "0.008", "−18.0 to −6.0", "different"
    ]  # fmt: skip
    assert table.notes[0] == "Basis of the intervals: crossed model and clustered."


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-1.0, -1e-9, "−100.0 to below 0"), (1e-9, 1.0, "above 0 to 100.0"), (-0.1, 0.0, "−10.0 to 0.0")],
)
def test_a_simultaneous_interval_that_gives_the_sign_alone_is_printed_so(low, high, said):
    rows = [models("b", "a", simultaneous_low=low, simultaneous_high=high)]
    (table,) = comparisons_section(folder_of(comparisons=rows)).blocks[-1:]
    assert table.rows[0][table.head.index("simultaneous (95%)")] == said


TOLD = {"accuracy": 0.7, "accuracy_low": 0.65, "accuracy_high": 0.75, "p": 0.0001, "p_holm": 0.0002}
RATES = "; fooling rate = 50.0%, 95% CI [42.0, 58.0], real pictures called real = 52.0%, 95% CI [44.0, 60.0]."


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({}, "Judgements of pictures of gan and real ones by participants (N = 5) were equivalent to chance within "
             "the planned margin of 5 points, balanced accuracy = 51.0%, 95% CI [47.5, 54.5], 90% CI [48.0, 54.0], "
             "d′ = 0.05, 95% CI [-0.10, 0.20]" + RATES),
        ({"verdict": "undecided"}, "It is undecided whether participants (N = 5) could tell pictures of gan from real "
                                   "pictures, balanced accuracy = 51.0%, 95% CI [47.5, 54.5], p"),
        ({"verdict": "told apart"}, "Participants (N = 5) judged pictures of gan and real ones correctly above "
                                    "chance, though by less than the planned margin of 5 points, balanced accuracy = "
                                    "51.0%, 95% CI [47.5, 54.5], 90% CI [48.0, 54.0], p"),
        (TOLD | {"verdict": "told apart", "accuracy90_high": 0.74, "exploratory": True},
         "Participants (N = 5) judged pictures of gan and real ones correctly above chance (exploratory), "
         "balanced accuracy = 70.0%, 95% CI [65.0, 75.0], p < .001 (Holm"),
        ({"verdict": "below chance", "accuracy90_low": 0.2}, "Participants (N = 5) judged pictures of gan and real "
                                                             "ones below chance, "),
        ({"verdict": "undecided", "accuracy_low": None, "n_participants": 1}, "It is undecided whether one participant "
         "could tell pictures of gan from real pictures, balanced accuracy = 51.0% (too few participants or pictures "
         "for an interval); a study of this precision cannot detect even perfect accuracy."),
        ({"verdict": "no verdict", "note": "only generated pictures were judged", "accuracy": None},
         "There is no verdict on pictures of gan: only generated pictures were judged."),
        ({"model": "all"}, "Judgements of generated pictures (averaged over models) and real ones by "),
        ({"model": None}, "Judgements of generated pictures and real ones by participants (N = 5)"),
        ({"model": "generated"}, "Judgements of generated pictures and real ones by participants (N = 5)"),
    ],
)  # fmt: skip
def test_each_row_of_the_table_to_cite_has_its_sentence(cells: dict[str, object], said: str) -> None:
    assert answer_of(told_apart(exploratory=False), paper=[cited(**cells)])[0].startswith(said)


def test_an_undecided_study_says_what_it_could_have_shown() -> None:
    (sentence,) = answer_of(paper=[cited(verdict="undecided")])
    assert sentence.endswith("; a study of this precision detects an accuracy of 55.0% with 80% power.")


def test_the_models_together_come_first_and_many_rows_are_counted() -> None:
    rows = [cited(model=f"m{n}", dataset=f"d{n % 2}") for n in range(9)]
    sentences = answer_of(paper=[*rows, cited(model="all", dataset="all")])
    assert "generated pictures (averaged over models and data sets) and real ones" in sentences[0]
    assert sentences[1:] == ["Equivalent to chance (9 of 9): m0, m2, m4, m6 and m8 on d0; m1, m3, m5 and m7 on d1."]
    assert "pictures of m0 on d0 and real ones" in next(row_sentences(folder_of(paper=rows)))


def test_two_models_are_compared_by_their_rates_on_the_same_data_set() -> None:
    paper = [cited(model=m, dataset=d, fooling_rate=r) for d, r in (("maps", 0.4), ("d2", 0.0)) for m in ("a", "b")]
    said = list(models_compared(folder_of(paper=paper, comparisons=[models("a", "b")])))
    assert said[0].startswith("b fooled participants more often than a on maps, difference = 12.0 points")
    for dataset, rate, often in (("maps", 0.0, "no"), (None, 0.0, "no"), ("maps", 1.0, "every")):
        rows = [row | {"fooling_rate": rate, "dataset": dataset} for row in paper[:2]]
        where = f" on {dataset}" if dataset else ""
        (said,) = models_compared(folder_of(paper=rows, comparisons=[models("a", "b", dataset=dataset)]))
        assert said == f"Between a and b{where} there is nothing to compare: {often} picture of either was called real."


def test_holms_correction_is_named_in_each_sentence_of_its_family_and_counts_for_what_could_be_shown() -> None:
    rows = [cited(model=f"m{n}", verdict="undecided", p=0.02 * (n + 1), p_holm=0.08) for n in range(4)]
    rows[3] |= {"p": 0.08}
    together, *sentences = answer_of(paper=[*rows, cited(model="all", verdict="told apart", p=0.001, p_holm=0.001)])
    assert all("p = .080 (Holm; CI unadjusted)" in sentence for sentence in sentences)
    assert "p = .001, " in together
    assert all("detects an accuracy of 56.0% with" in sentence for sentence in sentences)


def test_leaning_to_the_commoner_kind_is_not_called_skill():
    """Call nine in ten of 40 reals and of 10 fakes real: 74% are correct without any sensitivity."""
    rows = [
        {"participant": f"P{person}", "stimulus": f"{kind}{(number + 3 * person) % 50}", "kind": kind}
        | {"response": "fake" if number % 10 == 9 else "real"}
        for person in range(8)
        for kind, count in (("real", 40), ("fake", 10))
        for number in range(count)
    ]
    frames = analyze(pd.DataFrame(rows))
    assert frames["rates"].iloc[0]["accuracy"] == pytest.approx(0.74)
    sentence = next(answer_sentences(folder_of(**frames))).replace("\u202f", " ")
    assert sentence.startswith(
        "It is undecided whether participants (N = 8) could tell generated pictures from real pictures"
    )
    assert "balanced accuracy = 50.0%, 95% CI [" in sentence


def test_each_pair_of_models_has_a_sentence():
    words = " ".join(
        answer_of(
            told_apart(),
            models("a", "b"),
            models("a", "c", difference=0.01, ci_low=-0.02, ci_high=0.04, p_holm=0.4, verdict="equivalent", margin=0.05,
                   margin_exploratory=True),
            models("b", "c", difference=0.02, ci_low=-0.1, ci_high=0.14, p_holm=0.7, verdict="undecided", margin=0.05,
                   simultaneous_low=-0.2, simultaneous_high=0.24),
        )
    )  # fmt: skip
    numbers = "difference = 12.0 points, 95% CI [4.0, 20.0], p = .008 (Holm; CI unadjusted)"
    assert f"b fooled participants more often than a on maps, {numbers}" in words
    assert "a and c fooled participants equally often on maps, within the exploratory margin of 5 points, diff" in words
    numbers = "difference = 2.0 points, simultaneous 95% CI [-20.0, 24.0], p = .700 (Holm)."
    assert f"The fooling rates of b and c on maps did not differ significantly, {numbers}" in words


def test_every_table_can_be_saved_with_its_bytes(tables_page, tables):
    links = [found for tag, found in tables_page.tags if tag == "a" and found.get("download")]
    saved = {found["download"]: found["href"] for found in links}
    assert set(saved) == {f"{name}.csv" for name in table_rows() if "session" not in ALL_TABLES[name].by_name}
    for name, uri in saved.items():
        data = (tables / name).read_bytes()
        assert uri.startswith("data:text/csv;base64,")
        assert base64.b64decode(uri.partition(",")[2]) == data


def test_the_paper_has_its_numbers(tables_page):
    (quote,) = re.findall(r"<blockquote>(.*?)</blockquote>", tables_page.source, flags=re.DOTALL)
    assert "3 participants started, 2 of them finished. The answers of 1 participant are analysed" in quote
    assert "1 participant and 21 trials were excluded" in quote
    assert "Equivalence within 5\u202fpoints (set for the analysis, without a plan)" in quote
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


def test_timing_has_flags_checks_and_what_was_not_measured():
    check = {"session": "s", "check": "vsync", "value": 16.7, "unit": "ms", "verdict": "warning"}
    sentences, exposures, flags = timing_section(folder_of(trials=timed(), checks=[check])).blocks
    words = " ".join(sentences.lines).replace("\u202f", " ")
    assert "25.0% of 4 main trials have a flag" in words
    assert "The absolute lag of display and keyboard was not measured" in words
    assert "warned or failed in 1 of 1 session: vsync" in words
    assert "focus_lost" in [row[0] for row in flags.rows]
    assert "5.90\u202fms" in exposures.rows[0]
    imported = timing_section(folder_of(trials=timed().assign(flags=None))).blocks[0]
    assert not [line for line in imported.lines if "have a flag" in line], "nobody looked for flags"
