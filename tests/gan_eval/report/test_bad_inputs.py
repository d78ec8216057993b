"""The report on answers with little information."""

import pandas as pd
import pytest
from page_reader import Page
from synthetic_tables import table_rows, write_tables

from gan_eval.report import build
from gan_eval.stats.analysis import analyze, write_analysis


def answers(called, people: int = 6, each: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"participant": f"p{person}", "stimulus": f"{kind}{place}", "kind": kind, "response": called(kind),
             "model": "AB"[place % 2] if kind == "fake" else None}
            for person in range(people) for kind in ("real", "fake") for place in range(each)
        ]
    )  # fmt: skip


def words_of(rows: pd.DataFrame, folder) -> str:
    write_analysis(analyze(rows), folder)
    words = Page(build(folder, folder / "report.html")).words
    return words[words.index("The answer") :]


def test_everybody_giving_one_answer_is_no_verdict(tmp_path):
    words = words_of(answers(lambda _: "fake"), tmp_path)
    assert "cannot be said: all 72 answers of 6 participants were “fake”" in words
    assert "do not show that real" not in words
    assert "taken as independent" not in words.split("What was done")[0]


@pytest.mark.slow
@pytest.mark.parametrize(("right", "often"), [(True, "no picture"), (False, "every picture")])
def test_models_that_always_or_never_fooled_are_not_compared(tmp_path, right, often):
    other = {"real": "fake", "fake": "real"}
    lead = words_of(answers(lambda kind: kind if right else other[kind]), tmp_path).split("What was done")[0]
    assert f"Between A and B there is nothing to compare: {often} of either was called real" in lead
    assert "taken as independent" not in lead
    assert "0.0 points" not in lead


def test_no_interval_is_no_verdict(tmp_path):
    rows = answers(lambda kind: kind, people=8, each=1)
    rows.loc[rows["participant"] == "p0", "response"] = "fake"
    words = words_of(rows, tmp_path)
    assert "cannot be said: too few participants or pictures for an interval" in words
    assert "do not show" not in words


@pytest.mark.slow
def test_imported_answers_claim_no_sessions_flags_or_rules(tmp_path):
    words = words_of(answers(lambda kind: kind), tmp_path)
    assert "6 participants are in this table" in words
    for untrue in ("started", "with a flag", "carry a", "preset", "left out."):
        assert untrue not in words


@pytest.mark.slow
def test_several_studies_are_told_once(tmp_path):
    rows = answers(lambda kind: kind)
    rows["study"] = ["one" if name in ("p0", "p1") else "two" for name in rows["participant"]]
    words = words_of(rows, tmp_path)
    assert words.count("Trials of several studies are pooled") == 1
    assert words.count("trials of several studies") <= 1


def test_a_correlations_note_and_the_confidence_area_are_shown(tmp_path):
    rows = table_rows()
    correlation = rows["correlations"][0] | {"note": "above the ceiling"}
    area = rows["detection"][0] | {"auc_confidence": 0.71, "auc_confidence_low": 0.62, "auc_confidence_high": 0.79}
    folder = write_tables(tmp_path, correlations=[correlation], detection=[area])
    words = Page(build(folder, tmp_path / "report.html")).words
    assert "SSIM: above the ceiling" in words
    assert "AUC from confidence" in words
    assert "0.71 (0.62 to 0.79)" in words


@pytest.mark.slow
@pytest.mark.parametrize("time", [float("inf"), 1e308, -1e308])
def test_times_that_nobody_has_are_left_out(tmp_path, time):
    rows = answers(lambda kind: kind).assign(reaction_time_ms=time)
    assert "72 impossible times" in analyze(rows)["reaction_times"].loc[0, "note"]
    assert words_of(rows, tmp_path)
    rows.loc[::2, "reaction_time_ms"] = 500.0
    assert set(analyze(rows)["participation"]["median_reaction_time_ms"]) == {500.0}
