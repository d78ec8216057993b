"""The parts of the metrics page: standings, tables, footnotes, lists and what is said of them."""

import math

import numpy as np
import pytest
import scipy.stats
from synthetic_metrics import QUALITY, frames_of, sets, values

from gan_eval.report.metrics.answer import dataset_answer, leaders
from gan_eval.report.metrics.summaries import REAL, Measured, title_of
from gan_eval.report.metrics.values import metric_tables


@pytest.fixture(scope="module")
def measured() -> Measured:
    return Measured(frames_of(values(), sets()))


def cells(measured: Measured, metric: str, dataset: str = "houses"):
    """The column of a metric: cell by model, and the table that it is in."""
    for table in metric_tables(measured, dataset):
        for place, column in enumerate(table.head[1:], start=1):
            if column.name.split("\u00a0")[0] == title_of(metric):
                return {row[0]: row[place] for row in table.rows}, table
    raise AssertionError(metric)


@pytest.mark.parametrize(
    ("metric", "marks"),
    [
        ("psnr", {"clear": "best", "middling": "", "alike": ""}),
        ("niqe", {"clear": "", "middling": "tied", "alike": "tied", REAL: ""}),
        ("fid", {"clear": "", "middling": "", "alike": ""}),  # no differences, however far apart values are
    ],
)
def test_the_best_and_those_not_shown_to_be_worse_are_marked(measured, metric, marks):
    assert {model: cell.mark for model, cell in cells(measured, metric)[0].items()} == marks


def test_one_undecided_difference_is_enough_to_take_the_title_away():
    frames = frames_of(values())
    table = frames["metric_comparisons"]
    one = (table["metric"] == "psnr") & (table["a"] == "clear") & (table["b"] == "alike")
    assert one.sum() == 1
    table.loc[one, "better"] = None
    assert leaders(Measured(frames), "houses", "psnr") == ["clear", "alike"]


def test_a_mean_over_easier_items_does_not_lead():
    """`clear` has values of the first items alone, and loses to `middling` on them."""
    rows = values({"clear": 0.0, "middling": 0.0})
    own = [[row for row in rows if (row["metric"], row["model"]) == ("psnr", model)] for model in ("clear", "middling")]
    for place, (clear, middling) in enumerate(zip(*own, strict=True)):
        middling["value"] = clear["value"] + 1 + 0.1 * (place % 3) - 60 * (place % 2)
        if place % 2:
            clear |= {"value": None, "reason": "sizes differ"}
    measured = Measured(frames_of(rows))
    means = [measured.summary("houses", "psnr", model).value for model in ("clear", "middling")]
    assert means[0] > means[1]
    assert leaders(measured, "houses", "psnr") == ["middling"]


def test_differences_without_an_interval_tie_nobody():
    frames = frames_of(values())
    table = frames["metric_comparisons"]
    is_psnr = table["metric"] == "psnr"
    table.loc[is_psnr, ["ci_low", "ci_high"]] = np.nan
    table.loc[is_psnr, "better"] = None
    assert leaders(Measured(frames), "houses", "psnr") == []


def test_what_the_generator_itself_gave_is_nobody_s_rival():
    rows = values({"clear": 3.0, "middling": 0.0, "clear-raw": 3.0, "lone-raw": 1.0})
    measured = Measured(frames_of(rows))
    assert measured.models("houses") == ["clear", "middling", "lone-raw"]
    assert measured.models_and_raw("houses") == ["clear", "middling", "clear-raw", "lone-raw"]
    assert "clear-raw" not in {row[side] for row in measured.comparisons for side in ("a", "b")}
    assert leaders(measured, "houses", "psnr") == ["clear"]
    assert "clear-raw" not in " ".join(dataset_answer(measured, "houses"))


def test_means_and_intervals_are_those_of_student_and_several_pictures_of_an_item_count_as_one():
    """Five pictures of each of 8 items hardly differ: an interval over the 40 would be less than half as wide."""
    rng = np.random.default_rng(4)
    hard = rng.normal(20, 5, 8)
    table = frames_of(values(n=40))
    images = table["image_metrics"]
    mine = (images["metric"] == "psnr") & (images["model"] == "clear")
    images.loc[mine, "item"] = [f"houses/{n // 5}" for n in range(40)]
    images.loc[mine, "value"] = np.repeat(hard, 5) + 0.01 * rng.normal(size=40)
    images.loc[mine & (images.index == images.index[mine][0]), "value"] = math.inf
    means = images[mine & np.isfinite(images["value"])].groupby("item")["value"].mean()
    wanted = scipy.stats.t.interval(0.95, 7, means.mean(), scipy.stats.sem(means))
    measured = Measured(table)
    found = measured.summary("houses", "psnr", "clear")
    assert (found.value, found.low, found.high) == pytest.approx((means.mean(), *wanted))
    assert (found.n, found.n_items, found.infinite) == (40, 8, 1)
    assert measured.summary("houses", "psnr", "alike").n_items is None
    assert cells(measured, "psnr")[0]["clear"].counts == "N\xa0=\xa040 of 8 items"


def test_infinite_and_missing_values_are_counted_and_said():
    rows = values()
    mine = [row for row in rows if row["metric"] == "psnr" and row["model"] == "middling"]
    finite = [row["value"] for row in mine[3:]]
    mine[0]["value"] = mine[1]["value"] = math.inf
    mine[2] |= {"value": None, "reason": "broken file"}
    column, table = cells(Measured(frames_of(rows)), "psnr")
    assert column["middling"].value == f"{np.mean(finite):.2f}"
    assert column["middling"].counts == "N\u00a0=\u00a023"
    footnotes = dict(table.footnotes)
    infinite, missing = (footnotes[sign] for sign in column["middling"].signs.split())
    assert infinite.startswith("2 of 23 ")
    assert missing.startswith("1 of 24 ")
    assert missing.endswith("broken file")
    assert column["clear"].signs == ""


def test_a_model_with_infinite_values_alone_has_no_mean_and_is_not_the_best():
    rows = values()
    for row in rows:
        if row["metric"] == "psnr" and row["model"] == "alike":
            row["value"] = math.inf
    measured = Measured(frames_of(rows))
    assert not measured.summary("houses", "psnr", "alike").is_known
    assert cells(measured, "psnr")[0]["alike"].value == "–"
    assert leaders(measured, "houses", "psnr") == ["clear"]
    alone = Measured(frames_of([row for row in rows if row["model"] != "middling"]))
    assert leaders(alone, "houses", "psnr") == []


@pytest.mark.parametrize(("n", "warning"), [(1999, "biased: N\u00a0<\u00a02000"), (2000, "")])
def test_fid_from_few_pictures_carries_its_warning(n, warning):
    column, _ = cells(Measured(frames_of([], sets(n=n))), "fid")
    assert {cell.warning for cell in column.values()} == {warning}
    assert cells(Measured(frames_of([], sets(n=n))), "kid")[0]["clear"].warning == ""


def test_notes_of_sets_and_reasons_are_footnotes_which_equal_cells_share():
    rows = [row | {"note": "jackknife"} for row in sets() if row["metric"] == "fid"]
    rows[0] |= {"value": None, "reason": "no weights", "note": None}
    column, table = cells(Measured(frames_of([], rows)), "fid")
    footnotes = dict(table.footnotes)
    assert column["clear"].value == "–"
    reason, *notes = (footnotes[column[model].signs] for model in QUALITY)
    assert "no weights" in reason
    assert notes == ["jackknife", "jackknife"]


@pytest.mark.parametrize(("value", "warned"), [(-0.002, True), (0.002, False)])
def test_a_kid_below_0_is_explained_in_its_cell(value, warned):
    rows = [{**row, "value": value} if row["metric"] == "kid" and row["model"] == "clear" else row for row in sets()]
    column, table = cells(Measured(frames_of([], rows)), "kid")
    assert bool(column["clear"].warning) == warned
    assert len(table.footnotes) == warned
    assert not column["alike"].warning


def test_real_pictures_have_a_row_where_the_metric_needs_no_reference(measured):
    reals = [row["value"] for row in values() if row["kind"] == "real"]
    assert float(cells(measured, "niqe")[0][REAL].value) == pytest.approx(np.mean(reals), abs=0.01)
    assert REAL not in cells(measured, "psnr")[0]
