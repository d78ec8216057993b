import math
import re
from pathlib import Path

import pytest
from page_reader import Page
from synthetic_metrics import frames_of, sets, values
from synthetic_tables import folder_of

from gan_eval.report import build_metrics_report
from gan_eval.report.metrics.summaries import Measured
from gan_eval.report.metrics.values import table_notes
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.sections import metrics_report, study_report


def built(frames, tmp_path: Path) -> Page:
    return Page(build_metrics_report(frames, [], tmp_path / "report.html"))


def test_raw_sets_have_values_and_are_compared_with_nobody():
    models = {"clear": 3.0, "mid": 0.0, "clear-raw": 3.0, "mid-raw": 4.0}
    measured = Measured(frames_of(values(models), sets(tuple(models))))
    report = metrics_report(measured)
    assert "2 models" in report.title
    assert {section.id for section in report.sections if "-raw" in str(section.blocks)} == {"values"}
    assert any("-raw" in note for note in table_notes(measured))


CASES = {
    "nothing": lambda: {},
    "one model": lambda: frames_of(values({"only": 0.0}), sets(["only"])),
    "two models": lambda: frames_of(values({"a": 0.0, "b": 5.0}), sets(["a", "b"])),
    "only sets": lambda: frames_of([], sets()),
    "one picture": lambda: frames_of(values({"a": 0.0, "b": 1.0}, n=1)),
    "nothing readable": lambda: frames_of([{**row, "value": None, "reason": "broken"} for row in values()]),
    "all equal": lambda: frames_of([{**row, "value": math.inf} for row in values() if row["metric"] == "psnr"]),
    "constant": lambda: frames_of([{**row, "value": 1.0} for row in values()]),
    "no runs": lambda: {"image_metrics": frames_of(values())["image_metrics"]},
    "unheard of": lambda: frames_of([{**row, "metric": "my_own_" * 6 + row["metric"]} for row in values()]),
}


@pytest.mark.nightly
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES)
def test_any_tables_give_a_page(case, tmp_path):
    page = built(CASES[case](), tmp_path)
    assert page.sections()[0] == "answer"
    assert not re.search(r"\bnan\b|\bNone\b|<NA>", page.words)


def test_a_metric_without_known_direction_has_values_but_no_mark(tmp_path):
    assert "mark best" not in built(CASES["unheard of"](), tmp_path).attributes("class")


def test_a_study_has_the_tables_of_the_metrics_page():
    frames = frames_of(values(), sets())
    reports = (study_report(folder_of(**frames)), metrics_report(Measured(frames)))
    sections = [section for report in reports for section in report.sections if section.id in ("metrics", "values")]
    tables, same = ([block for block in section.blocks if isinstance(block, ShownTable)] for section in sections)
    assert tables == same
    assert len(tables) == 3
    marks = [cell.mark for table in tables for row in table.rows for cell in row[1:]]
    assert (marks.count("best"), marks.count("tied")) == (1, 2)
