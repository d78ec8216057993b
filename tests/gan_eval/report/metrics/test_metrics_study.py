"""Metrics in the report of a study: the same tables as on the page of metrics."""

import re

import pytest
from page_reader import Page
from synthetic_metrics import frames_of, sets, values

from gan_eval.report import build, build_metrics_report
from gan_eval.tables import IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.frames import write_table

TABLE = re.compile(r'<table class="rows metrics">.*?</table>', re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    frames = frames_of(values(), sets())
    for table in (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, RUNS):
        write_table(frames[table.name], tmp_path / "metrics" / f"{table.name}.csv", table)
    return tmp_path


def section(page: Page) -> str:
    return page.source.partition('<section id="metrics">')[2].partition("</section>")[0]


def test_the_tables_are_those_of_the_metrics_page(folder, tmp_path):
    study = TABLE.findall(section(Page(build(folder, folder / "report.html"))))
    alone = TABLE.findall(Page(build_metrics_report(frames_of(values(), sets()), [], tmp_path / "alone.html")).source)
    assert len(study) == 3
    assert study == alone


def test_the_best_is_marked_by_the_differences(folder):
    found = section(Page(build(folder, folder / "report.html")))
    assert found.count('class="mark best"') == 1
    assert found.count('class="mark tied"') == 2


def test_without_the_table_of_differences_nothing_is_marked(folder):
    (folder / "metrics" / "metric_comparisons.csv").unlink()
    assert 'class="mark' not in section(Page(build(folder, folder / "report.html")))


def test_real_pictures_are_called_real(folder):
    found = section(Page(build(folder, folder / "report.html")))
    assert '<th scope="row" class="words">real</th>' in found
    assert "ground truth" not in found


def test_fid_carries_its_warning_and_the_paragraph_for_a_paper_is_there(folder):
    page = Page(build(folder, folder / "report.html"))
    assert section(page).count("biased: N\u00a0&lt;\u00a02000") == 3
    paragraph = page.words.partition("To copy into a paper")[2]
    assert "24 generated pictures of each of 3 models (clear, middling and alike)" in paragraph
