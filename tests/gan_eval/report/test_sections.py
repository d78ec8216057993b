import base64
import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_reader import Page
from synthetic_tables import NASTY, SCRIPT, models, table_rows, told_apart, write_tables

from gan_eval.report import build
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import row_notes
from gan_eval.report.people.agreement import agreement_section
from gan_eval.report.people.answer import answer
from gan_eval.report.people.comparisons import comparisons_section
from gan_eval.report.people.design import _trial_facts
from gan_eval.report.people.rates import group_name
from gan_eval.report.people.timing import exposure_levels
from gan_eval.stats.analysis import ALL_TABLES
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.metrics_and_people.correlations import CORRELATION_DIFFERENCES, CORRELATIONS
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import CHECKS, TRIALS
from gan_eval.tables.frames import frame_of, write_rows, write_table


@pytest.fixture
def folder(tables) -> Path:
    return tables


@pytest.fixture
def page(tables_page) -> Page:
    return tables_page


def answer_of(folder: Path, *rows: dict[str, object]) -> str:
    """The page's words with these comparisons alone, besides the rates."""
    write_rows(table_rows()["rates"], folder / "rates.csv", RATES)
    write_rows(rows, folder / "comparisons.csv", COMPARISONS)
    return Page(build(folder, folder / "report.html")).words


def test_every_table_of_answers_has_its_section(page):
    assert page.sections() == [
        "answer", "notes", "rates", "detection", "choices", "grades", "comparisons", "extremes", "agreement", "models",
        "design", "participants", "checklist", "methods", "files", "versions",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "difference", "words"),
    [
        ("different", 0.3, "told apart"),
        ("different", -0.3, "taken for each other"),
        ("equivalent", 0.0, "as by guessing"),
        ("interim", 0.3, "interim"),
    ],
)
def test_told_apart_has_the_words_of_the_table_to_cite(verdict, difference, words):
    note = "held against twice the margin, 0.1 in the probability of being called fake; few people"
    rows = [told_apart(verdict=verdict, difference=difference, note=note)]
    folder = StudyFolder(Path(), None, {}, {"comparisons": frame_of(rows, COMPARISONS)}, {}, {}, {})
    (table,) = comparisons_section(folder).blocks[-1:]
    assert table.rows[0][-1] == words
    assert table.notes[-1] == "told apart: few people"


def test_pairs_of_metrics_without_interval_and_test_are_counted():
    def pair(level: str, n: int, **cells: object) -> dict[str, object]:
        shared = {"dataset": "maps", "metric_a": "psnr", "metric_b": "ssim", "measure": "fooling_rate"}
        return shared | {"level": level, "n": n, "agreement_a": 0.6, "agreement_b": 0.2, "difference": 0.4} | cells

    few, many = pair("model", 3), pair("stimulus", 40, ci_low=0.1, ci_high=0.7, p=0.2, p_holm=0.4)
    for rows, shown in (([few, many], 1), ([few], 1), ([many], 1)):
        frame = frame_of(rows, CORRELATION_DIFFERENCES)
        section = agreement_section(StudyFolder(Path(), None, {}, {"correlation_differences": frame}, {}, {}, {}))
        (table,) = [block for block in section.blocks if getattr(block, "caption", "").startswith("Which metric")]
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
    tables = {
        "correlations": frame_of([row | {"metric": metric, "spearman": 0.1, "within": within}], CORRELATIONS),
        "correlation_differences": frame_of(
            [row | {"metric_a": metric, "metric_b": "ssim", "ci_low": 0.1, "follows_better": metric}],
            CORRELATION_DIFFERENCES,
        ),
    }
    section = agreement_section(StudyFolder(Path(), None, {}, tables, {}, {}, {}))
    (table,) = [block for block in section.blocks if getattr(block, "caption", "").startswith("Which metric")]
    assert table.rows[0][-1] == said


def test_the_table_of_differences_has_no_more_columns_than_a_page_shows(tmp_path):
    tested = {"check_p": 0.02, "noninferior": True, "margin": 0.05, "ci90_low": -0.18, "ci90_high": -0.06}
    basis = {"basis": "crossed_model"}
    rows = [told_apart(), models("b", "a", **tested, **basis), models("c", "a", basis="two_way_cluster")]
    (table,) = comparisons_section(
        StudyFolder(Path(), None, {}, {"comparisons": frame_of(rows, COMPARISONS)}, {}, {}, {})
    ).blocks[-1:]
    assert table.head == [
        "difference", "points (95\u202f%, unadjusted)", "p", "p (Holm)", "90\u202f% interval", "p (equivalence)",
        "not inferior", "verdict",
    ]  # fmt: skip
    reported = "models on maps: b − a, fooling rate"
    assert table.rows[1] == [
        reported, "−12.0 (−20.0 to −4.0)", "0.004", "0.008", "−18.0 to −6.0", "–", "yes", "different"
    ]  # fmt: skip
    assert table.notes[0] == "Basis: crossed model; clustered: models on maps: c − a, fooling rate."


def test_equivalence_is_told_from_its_own_verdict_only(tmp_path):
    proved = answer_of(tmp_path, told_apart())
    assert "cannot be told apart by more than 5 points" in proved
    assert "51.0 % were judged correctly" in proved
    assert "90 % interval 48.0 to 54.0 %, held against 45.0 to 55.0 %" in proved
    open_ = answer_of(tmp_path, told_apart(p_equivalent=0.2, verdict="undecided"))
    assert "cannot be told apart by" not in open_
    assert "do not show that real and generated pictures can be told apart, nor that they cannot by more than" in open_
    unplanned = answer_of(tmp_path, told_apart(margin=None, p_equivalent=None, verdict="undecided", p=0.9))
    assert "cannot" not in unplanned.split("The answer")[-1].split("Participants")[0]
    both = answer_of(tmp_path, told_apart(difference=0.06, ci_low=0.02, p=0.001, p_holm=0.001, exploratory=False))
    assert "better than by chance, though by less than the planned margin of 5 points" in both
    beyond = {"difference": 0.4, "ci_low": 0.3, "ci_high": 0.5, "p": 0.001, "p_holm": 0.001, "p_equivalent": 0.99}
    certain = answer_of(tmp_path, told_apart(**beyond, verdict="different"))
    assert "better than by chance: " in certain
    assert "held against 45.0 to 55.0 %" not in certain  # it decides nothing


@pytest.mark.parametrize(
    ("cells", "claim"),
    [
        ({"difference": 0.3, "ci_low": 0.2, "ci_high": 0.4, "p": 0.001, "p_equivalent": 0.9, "verdict": "different"},
         "told real from generated pictures better than by chance"),
        ({}, "told apart by more than 5\u202fpoints, as the answers of 5 participants show"),
        ({"p_equivalent": 0.2, "margin": None, "verdict": "undecided"},
         "do not show that real and generated pictures can be told apart"),
    ],
)  # fmt: skip
def test_the_verdict_says_that_it_is_exploratory(cells, claim):
    for is_exploratory, mark in ((True, " (exploratory)"), (False, "")):
        row = told_apart(exploratory=is_exploratory, **cells)
        tables = {"rates": frame_of(table_rows()["rates"], RATES), "comparisons": frame_of([row], COMPARISONS)}
        assert f"{claim}{mark}: " in answer(StudyFolder(Path(), None, {}, tables, {}, {}, {}))[0]


def test_each_pair_of_models_has_a_sentence(tmp_path):
    words = answer_of(
        tmp_path,
        told_apart(),
        models("a", "b"),
        models("a", "c", difference=0.01, ci_low=-0.02, ci_high=0.04, p_holm=0.4, verdict="equivalent", margin=0.05,
               note="the margin is exploratory, not in the plan"),
        models("b", "c", difference=0.02, ci_low=-0.1, ci_high=0.14, p_holm=0.7, verdict="undecided", noninferior=False,
               margin=0.05),
    )  # fmt: skip
    by = "12.0 points (95 % interval 4.0 to 20.0, unadjusted; p = 0.008"
    assert f"b fools people more often than a on maps, by {by}" in words
    assert "a and c fool people equally often on maps, to within the exploratory margin of 5 points" in words
    assert "Between b and c no difference is shown on maps: 2.0 points" in words
    assert "that b is not inferior to c by the margin of 5 points is not shown" in words


def test_the_best_metric_claims_no_more_than_the_table(page):
    assert "highest is SSIM: Spearman 0.60, 95 % interval" in page.words
    assert "n = 30; its lead over PSNR is significant" in page.words


def test_participants_left_out_are_named_with_the_rule(page):
    assert "3 participants started, 2 of them finished" in page.words
    assert f"1 participant left out by preset rules: {NASTY[0]} (catch_accuracy<0.8)" in page.words
    assert (
        "21 of 60 main trials (35.0 %) left out: 1 by exploratory rules, not in the plan and 20 by preset rules"
        in page.words
    )


def test_checks_that_disagree_are_told(page):
    assert "the likelihood-ratio test disagrees with the Wald test (p 0.110 and 0.030)" in page.words
    assert "χ²(1) = 2.50, p = 0.110" in page.words
    assert "Singular" in page.words
    assert "models on maps (exploratory)" in page.words


def test_models_with_slopes_come_first_and_those_without_carry_their_warning(tmp_path):
    (row,) = table_rows()["mixed_models"]
    slope = row | {"formula": "correct ~ kind + (1 + kind|participant) + (1|stimulus)", "sd_slope": 0.4}
    page = Page(build(write_tables(tmp_path, mixed_models=[row, slope]), tmp_path / "report.html"))
    assert "15 to 37 % false alarms in simulation, against 6 % with (1 + kind|participant)" in page.words
    shown = page.source[page.source.index("Crossed mixed models of single answers") :]
    assert shown.index("(1 + kind|participant)") < shown.index("kind + (1|participant)")


def test_pictures_are_ranked_by_what_is_sure(page):
    ranked = page.source[page.source.index("by how often they fooled") :]
    order = [ranked.index(f">{share}\u202f%") for share in ("90.0", "80.0", "70.0", "60.0", "10.0")]
    assert order == sorted(order)


def test_names_are_escaped_and_turn_nothing_round(page):
    assert "<script" not in page.source
    assert "\u202e" not in page.source
    assert not [tag for tag, _ in page.tags if tag in ("script", "i")]
    assert SCRIPT in page.words
    assert NASTY[0] in page.words
    assert "😀" in page.words


def test_every_table_can_be_saved_with_its_bytes(page, folder):
    saved = {found["download"]: found["href"] for tag, found in page.tags if tag == "a" and found.get("download")}
    assert saved
    assert set(saved) == {f"{name}.csv" for name in table_rows() if "session" not in ALL_TABLES[name].by_name}
    for name, uri in saved.items():
        data = (folder / name).read_bytes()
        assert uri.startswith("data:text/csv;base64,")
        assert base64.b64decode(uri.partition(",")[2]) == data
        assert hashlib.sha256(data).hexdigest() in page.words


def test_long_lists_are_cut_and_say_so(page):
    assert "The 20 highest and lowest of 60 pictures; the file holds all." in page.words


def test_the_paper_has_its_numbers(page):
    (quote,) = re.findall(r"<blockquote>(.*?)</blockquote>", page.source, flags=re.DOTALL)
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
                 "trial": place + 1,
                 "response": "fake",
                 "requested_exposure_ms": asked, "planned_exposure_ms": asked and 99.6,
                 "exposure_ms": got, "flags": "late focus_lost" if got == 105.5 else None}
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


def test_achieved_exposure_is_told_by_level_and_of_many_by_its_ends(tmp_path):
    folder = StudyFolder(tmp_path, None, {}, {}, stimuli={}, training={}, published={})
    trials = timed().assign(answered=True)
    facts = dict(_trial_facts(folder, trials))
    assert facts["Achieved exposure"].replace("\u202f", " ") == "mean 102 ms and 800 ms"
    many = pd.concat([trials.assign(requested_exposure_ms=asked, exposure_ms=asked) for asked in range(100, 900, 100)])
    assert dict(_trial_facts(folder, many.reset_index()))["Achieved exposure"].replace("\u202f", " ") == (
        "mean 100 ms to 800 ms"
    )


def test_notes_name_an_exposure_with_its_unit():
    frame = pd.DataFrame({"scope": ["exposure", "model"], "id": ["100", "m"], "note": "rough"})
    assert row_notes(frame, group_name) == ["exposure 100\u202fms, model m: rough"]


def test_timing_is_told_with_flags_checks_and_what_was_not_measured(tmp_path):
    write_tables(tmp_path)
    write_table(timed(), tmp_path / "trials.csv", TRIALS)
    write_rows([{"session": "s", "check": "vsync", "value": 16.7, "unit": "ms", "verdict": "warning"}],
               tmp_path / "checks.csv", CHECKS)  # fmt: skip
    words = Page(build(tmp_path, tmp_path / "report.html")).words
    assert "25.0 % of 4 main trials carry a flag" in words
    assert "The absolute lag of display and keyboard was not measured" in words
    assert "warned or failed in 1 of 1 session: vsync" in words
    assert "focus_lost" in words
    assert "5.90 ms" in words


def test_a_metric_has_its_plot(study_page):
    drawn = [found["aria-label"] or "" for _, found in study_page.tags if found.get("role") == "img"]
    (label,) = [label for label in drawn if label.startswith("Metrics and answers.")]
    assert label.count("n = 16") == 3  # ssim lacks a picture on one of two data sets
    assert "SSIM on facades, pictures: n = 15" in label
