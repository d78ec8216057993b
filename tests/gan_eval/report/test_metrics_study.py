"""Metrics in the report of a study."""

from html import unescape

import pytest
from page_reader import Page
from synthetic_metrics import frames_of, sets, values

from gan_eval.report import build
from gan_eval.tables import IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tabular import write_table


@pytest.fixture
def folder(tmp_path):
    frames = frames_of(values(), sets())
    for table in (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, RUNS):
        write_table(frames[table.name], tmp_path / "metrics" / f"{table.name}.csv", table)
    return tmp_path


def remarks(page: Page) -> dict[tuple[str, str], str]:
    """The remark of the row of each model and metric."""
    text = page.source.partition('<section id="metrics">')[2].partition("</section>")[0]
    rows = [row.split("<td") for row in text.split("<tr>")[1:] if "<td" in row]
    plain = [[unescape(cell.partition(">")[2].partition("</td>")[0]) for cell in row[1:]] for row in rows]
    return {(cells[0], cells[1]): cells[-1] for cells in plain}


def test_the_best_is_marked_by_the_differences(folder):
    found = remarks(Page(build(folder, folder / "report.html")))
    assert found["clear", "psnr"] == "best"
    assert found["middling", "psnr"] == ""
    assert found["middling", "niqe"] == found["alike", "niqe"] == "tied with the best"
    assert found["clear", "niqe"] == ""


def test_without_the_table_of_differences_nothing_is_marked(folder):
    (folder / "metrics" / "metric_comparisons.csv").unlink()
    found = remarks(Page(build(folder, folder / "report.html")))
    assert not any("best" in remark for remark in found.values())


def test_fid_carries_its_warning_and_the_paragraph_for_a_paper_is_there(folder):
    page = Page(build(folder, folder / "report.html"))
    assert remarks(page)["clear", "fid"].replace("\u202f", " ") == "biased upwards: N < 2 000"
    assert "biased" not in remarks(page)["clear", "kid"]
    assert "24 generated pictures of each of 3 models (clear, middling and alike)" in page.words
