"""Sections of answers, from tables whose numbers and names are given."""

import base64

import numpy as np
import pandas as pd
import pytest
from synthetic_tables import folder_of, table_rows

from gan_eval.judgements.trials import fill_trials
from gan_eval.report.people.agreement import difference_tables
from gan_eval.report.people.participants import exposure_levels, timing_section
from gan_eval.report.sections import study_report
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.stats.analysis import analyze
from gan_eval.stats.exclusions import Rules, apply_rules

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
    row = frames["paper"].iloc[0]
    assert (row["verdict"], row["accuracy"]) == ("undecided", pytest.approx(0.5))


def test_every_table_can_be_saved_with_its_bytes(tables_page, tables):
    links = [found for tag, found in tables_page.tags if tag == "a" and found.get("download")]
    saved = {found["download"]: found["href"] for found in links}
    assert set(saved) == {f"{name}.csv" for name in table_rows() if "session" not in ALL_TABLES[name].by_name}
    for name, uri in saved.items():
        data = (tables / name).read_bytes()
        assert uri.startswith("data:text/csv;base64,")
        assert base64.b64decode(uri.partition(",")[2]) == data


@pytest.mark.parametrize(
    ("cells", "title"),
    [
        ({"protocol": "single", "kind": "fake", "response": "real"}, "Real or fake?"),
        ({"protocol": "rating", "kind": "fake", "rating": 4.0}, "Graded pictures:"),
        ({"protocol": "rating", "rating": 4.0}, "Graded pictures:"),
        ({"protocol": "paired", "model": "a", "choice": "a"}, "Real or fake?"),
        ({"protocol": "model_vs_model", "model": "a|b", "choice": "a"}, "Which model is preferred?"),
    ],
)
def test_the_title_asks_what_the_study_asked(cells, title):
    rows = [{"participant": "p", "trial": number, "stimulus": str(number)} | cells for number in (1, 2)]
    trials = fill_trials(pd.DataFrame(rows))
    assert _title_of(trials) == f"{title} 1 participant"
    if cells["protocol"] == "rating":
        assert _title_of(trials.assign(kind=["real", "fake"])) == "Real or fake? 1 participant"


def _title_of(trials: pd.DataFrame) -> str:
    return study_report(
        folder_of(trials=trials, participation=apply_rules(trials, None, Rules(), Rules()).participation)
    ).title


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
    words = " ".join(sentences.lines)
    assert all(part in words for part in ("25.0%", "vsync", "flag"))
    assert "focus_lost" in [row[0] for row in flags.rows]
    assert "5.90\u202fms" in exposures.rows[0]
    imported = timing_section(folder_of(trials=timed().assign(flags=None))).blocks[0]
    assert not [line for line in imported.lines if "flag" in line], "nobody looked for flags"
