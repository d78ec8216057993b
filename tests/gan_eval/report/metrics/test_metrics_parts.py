import doctest
import importlib
import math

import numpy as np
import pytest
import scipy.stats
from synthetic_metrics import QUALITY, frames_of, sets, values

from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.metrics.agreement import model_agreement, picture_agreement
from gan_eval.report.metrics.answer import Standing, dataset_answer, standing
from gan_eval.report.metrics.data import REAL, Measured, title_of
from gan_eval.report.metrics.differences import difference_tables, wins_matrix
from gan_eval.report.metrics.distributions import distribution_blocks
from gan_eval.report.metrics.extremes import metric_extremes
from gan_eval.report.metrics.method import missing_values_tables
from gan_eval.report.metrics.values import metric_tables
from gan_eval.report.parts.blocks import Gallery, Table
from gan_eval.report.parts.references import references
from gan_eval.tables import METRIC_COMPARISONS
from gan_eval.tables.frames import frame_of

PARTS = (
    "agreement", "answer", "data", "differences", "distributions", "extremes", "holes", "method", "values",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_examples_in_docstrings_hold(part):
    assert doctest.testmod(importlib.import_module(f"gan_eval.report.metrics.{part}")).failed == 0


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


def test_the_best_is_marked_only_where_it_is_better_than_every_other(measured):
    marks = {model: cell.mark for model, cell in cells(measured, "psnr")[0].items()}
    assert marks == {"clear": "best", "middling": "", "alike": ""}


def test_models_that_cannot_be_told_from_the_best_are_marked_as_tied(measured):
    marks = {model: cell.mark for model, cell in cells(measured, "niqe")[0].items()}
    assert marks == {"clear": "", "middling": "tied", "alike": "tied", REAL: ""}


def test_without_differences_nothing_is_marked_however_far_apart_values_are(measured):
    assert {cell.mark for cell in cells(measured, "fid")[0].values()} == {""}
    assert standing(measured, "houses", "fid").why == "no differences were computed"


def test_one_undecided_difference_is_enough_to_take_the_title_away():
    frames = frames_of(values())
    table = frames["metric_comparisons"]
    one = (table["metric"] == "psnr") & (table["a"] == "clear") & (table["b"] == "alike")
    assert one.sum() == 1
    table.loc[one, "better"] = None
    found = standing(Measured(frames), "houses", "psnr")
    assert found == Standing("clear", ("clear", "alike"))
    assert found.best is None


RIVALS = ("clear", "middling")


def test_a_mean_over_easier_items_is_no_lead():
    """`clear` has values of the first items alone, and loses to `middling` on them."""
    rows = [row for row in values() if row["model"] in (None, *RIVALS)]
    own = {model: [row for row in rows if (row["metric"], row["model"]) == ("psnr", model)] for model in RIVALS}
    for place, (clear, middling) in enumerate(zip(*own.values(), strict=True)):
        assert clear["item"] == middling["item"]
        middling["value"] = clear["value"] + 1 + 0.1 * (place % 3) - 60 * (place % 2)
        if place % 2:
            clear |= {"value": None, "reason": "sizes differ"}
    measured = Measured(frames_of(rows))
    means = {model: measured.summary("houses", "psnr", model).value for model in RIVALS}
    assert means["clear"] > means["middling"]
    table = measured.comparisons
    pair = table[(table["metric"] == "psnr") & table["a"].isin(RIVALS) & table["b"].isin(RIVALS)]
    assert list(pair["better"]) == ["middling"]
    assert standing(measured, "houses", "psnr").leader == "middling"


def test_differences_without_an_interval_tie_nobody():
    frames = frames_of(values())
    table = frames["metric_comparisons"]
    is_psnr = table["metric"] == "psnr"
    table.loc[is_psnr, ["ci_low", "ci_high"]] = np.nan
    table.loc[is_psnr, "better"] = None
    table["note"] = table["note"].astype("object").mask(is_psnr, "too few items for an interval")
    measured = Measured(frames)
    assert standing(measured, "houses", "psnr") == Standing(why="too few items for an interval")
    assert "Nothing is said by PSNR: too few items for an interval." in said(measured)


def test_a_model_without_a_difference_is_neither_worse_nor_the_leader():
    frames = frames_of(values())
    table = frames["metric_comparisons"]
    of_middling = (table["metric"] == "psnr") & table[["a", "b"]].eq("middling").any(axis=1)
    table.loc[of_middling, ["difference", "ci_low", "ci_high"]] = np.nan
    table.loc[of_middling, "better"] = None
    why = "clear has 24 pictures, middling 60: the metric depends on their number; measure the same items"
    table["reason"] = table["reason"].astype("object").mask(of_middling, why)
    images = frames["image_metrics"]
    images.loc[(images["metric"] == "psnr") & (images["model"] == "middling"), "value"] += 50  # the best value
    found = standing(Measured(frames), "houses", "psnr")
    assert found == Standing("clear", ("clear", "middling"), why)
    assert f"By PSNR, not all are compared: {why}." in said(Measured(frames))


def test_what_the_generator_itself_gave_is_nobody_s_rival():
    rows = values({"clear": 3.0, "middling": 0.0, "clear-raw": 3.0, "lone-raw": 1.0})
    measured = Measured(frames_of(rows))
    assert measured.models("houses") == ["clear", "middling", "lone-raw"]
    assert measured.models_and_raw("houses") == ["clear", "middling", "clear-raw", "lone-raw"]
    assert not measured.comparisons[["a", "b"]].isin(["clear-raw"]).any(axis=None)
    assert len(measured.ranks("houses")) == 3 * 24
    assert standing(measured, "houses", "psnr").best == "clear"
    assert "of 3 models none is best by every metric" in said(measured)
    assert "clear-raw" not in said(measured)
    alone = Measured(frames_of(values({"clear": 3.0, "clear-raw": 2.0})))
    assert "one model, clear, so there is nothing to compare" in said(alone)


def test_means_and_intervals_are_those_of_student(measured):
    found = measured.summary("houses", "psnr", "clear")
    numbers = [row["value"] for row in values() if row["metric"] == "psnr" and row["model"] == "clear"]
    half = 2.0686576 * np.std(numbers, ddof=1) / math.sqrt(24)  # t of 23 degrees of freedom, from a printed table
    assert found.value == pytest.approx(np.mean(numbers))
    assert (found.low, found.high) == pytest.approx((np.mean(numbers) - half, np.mean(numbers) + half))
    assert found.n == 24


def test_several_pictures_of_an_item_count_as_one():
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
    said = [footnotes[sign] for sign in column["middling"].signs.split()]
    assert said == [
        "2 of 23 pictures are equal to their reference: PSNR infinite; mean of the others",
        "1 of 24 without a value: broken file",
    ]
    assert column["clear"].signs == ""


def test_a_model_with_infinite_values_alone_has_no_mean_and_is_not_the_best():
    rows = values()
    for row in rows:
        if row["metric"] == "psnr" and row["model"] == "alike":
            row["value"] = math.inf
    measured = Measured(frames_of(rows))
    assert not measured.summary("houses", "psnr", "alike").is_known
    column, table = cells(measured, "psnr")
    assert column["alike"].value == "–"
    assert [dict(table.footnotes)[sign] for sign in column["alike"].signs.split()] == [
        "24 of 24 pictures are equal to their reference: PSNR infinite; no mean"
    ]
    assert standing(measured, "houses", "psnr").best == "clear"
    assert "better than every other model with values (alike lacks them), beyond" in said(measured)
    alone = Measured(frames_of([row for row in rows if row["model"] != "middling"]))
    assert standing(alone, "houses", "psnr").why == "one model has a value (every value is infinite)"


def test_an_item_with_several_real_pictures_is_shown_beside_its_own(tmp_path):
    def picture(name, kind, file, reference=None):
        model = "m" if kind == "fake" else None
        return Stimulus(name, "d/1", kind, model, "d", tmp_path / file, reference, None)

    fakes = [picture(f"d/m/{n}", "fake", f"f{n}", tmp_path / f"r{n}") for n in (1, 2)]
    reals = [picture(f"d/real/{n}", "real", f"r{n}") for n in (1, 2)]
    several = Measured({}, [*fakes, *reals])
    assert [several.files(fake.stimulus)[1] for fake in fakes] == [tmp_path / "r1", tmp_path / "r2"]
    copies = Measured({}, [*fakes, reals[0], picture("d/real/1", "real", "copy")])
    assert len({copies.files(fake.stimulus)[1] for fake in fakes}) == 1


def test_many_reasons_are_one_footnote():
    rows = values()
    for k, row in enumerate([row for row in rows if row["metric"] == "psnr" and row["model"] == "clear"][:5]):
        row |= {"value": None, "reason": f"picture {k} is broken"}
    column, table = cells(Measured(frames_of(rows)), "psnr")
    said = [dict(table.footnotes)[sign] for sign in column["clear"].signs.split()]
    assert said == ["5 of 24 without a value, for 5 different reasons; see Without a value"]


def test_a_set_without_a_value_has_a_dash_and_its_reason():
    rows = sets()
    rows[0] |= {"value": None, "ci_low": None, "ci_high": None, "reason": "weights are missing"}
    column, table = cells(Measured(frames_of([], rows)), "fid")
    assert column["clear"].value == "–"
    assert dict(table.footnotes)[column["clear"].signs] == "no value: weights are missing"


@pytest.mark.parametrize(("n", "warning"), [(1999, "biased: N\u00a0<\u00a02000"), (2000, "")])
def test_fid_from_few_pictures_carries_its_warning(n, warning):
    column, _ = cells(Measured(frames_of([], sets(n=n))), "fid")
    assert {cell.warning for cell in column.values()} == {warning}
    _, table = cells(Measured(frames_of([], [row for row in sets(n=n) if row["metric"] == "fid"])), "fid")
    assert any("Measure kid next to fid" in note for note in table.notes) == bool(warning)
    assert cells(Measured(frames_of([], sets(n=n))), "kid")[0]["clear"].warning == ""


def noted(notes):
    """The column of an fid whose sets have these notes, and the lines below its table."""
    rows = [{**row, "note": notes[row["model"]]} for row in sets() if row["metric"] == "fid"]
    column, table = cells(Measured(frames_of([], rows)), "fid")
    footnotes = dict(table.footnotes)
    return {model: [footnotes[sign] for sign in cell.signs.split()] for model, cell in column.items()}, table.notes


def test_a_note_of_every_set_is_one_line():
    signs, lines = noted(dict.fromkeys(QUALITY, "interval: jackknife"))
    assert signs == {"clear": [], "middling": [], "alike": []}
    assert lines[0] == "FID: interval: jackknife."


def test_a_note_of_one_set_is_its_footnote():
    signs, lines = noted({"clear": None, "middling": "no interval: too few items", "alike": None})
    assert signs == {"clear": [], "middling": ["no interval: too few items"], "alike": []}
    assert not any("no interval" in line for line in lines)


def test_a_model_without_a_value_does_not_make_a_note_special():
    rows = [{**row, "note": "shared"} for row in sets()]
    rows[0] |= {"value": None, "reason": "weights are missing", "note": None}
    column, table = cells(Measured(frames_of([], rows)), "fid")
    assert column["middling"].signs == ""
    assert "FID and KID: shared." in table.notes


@pytest.mark.parametrize(("value", "warned"), [(-0.002, True), (0.002, False)])
def test_a_kid_below_0_is_explained_in_its_cell(value, warned):
    rows = [{**row, "value": value} if row["metric"] == "kid" and row["model"] == "clear" else row for row in sets()]
    column, table = cells(Measured(frames_of([], rows)), "kid")
    assert ("read\u00a0as\u00a00" in column["clear"].warning) == warned
    assert any("no distance is shown" in text for _, text in table.footnotes) == warned
    assert not column["alike"].warning


def test_real_pictures_have_a_row_where_the_metric_needs_no_reference(measured):
    reals = [row["value"] for row in values() if row["kind"] == "real"]
    assert float(cells(measured, "niqe")[0][REAL].value) == pytest.approx(np.mean(reals), abs=0.01)
    assert REAL not in cells(measured, "psnr")[0]


def renamed(rows, **names):
    """The same rows under other metrics' names."""
    return [{**row, "metric": names[row["metric"]]} for row in rows if row["metric"] in names]


def said(measured: Measured) -> str:
    return " ".join(dataset_answer(measured, "houses"))


def test_sharpness_makes_nobody_the_best():
    one = renamed(values(), psnr="psnr")
    sharp = [{**row, "value": -row["value"]} for row in renamed(values(), psnr="sharpness")]
    words = said(Measured(frames_of([*one, *sharp])))
    assert "clear is the best by every metric that could be compared" in words
    assert "is best by sharpness" not in words
    assert "sharpness is highest for middling and alike, not told apart; it does not count here" in words


def test_sharpness_alone_says_nothing_of_who_is_best():
    words = said(Measured(frames_of(renamed(values(), psnr="sharpness"))))
    assert words.startswith("houses: of 3 models none can be called best: sharpness alone cannot say so.")


def test_sharpness_is_in_no_count_of_wins():
    rows = [*renamed(values(), psnr="psnr"), *renamed(values(), psnr="sharpness")]
    (wins,) = wins_matrix(Measured(frames_of(rows)), "houses")
    assert "of 1 metrics" in wins.caption
    assert wins.rows[0][2].value == "1"
    assert any("sharpness is not counted" in note for note in wins.notes)


def of_sets(n: int, *metrics: str) -> Measured:
    """Sets of which clear is better than the others by each of the metrics."""
    table = [
        {"dataset": "houses", "metric": metric, "a": "clear", "b": other, "n": n, "difference": -1.0, "ci_low": -1.5,
         "ci_high": -0.5, "better": "clear", "run": "r"}
        for metric in metrics
        for other in ("middling", "alike")
    ]  # fmt: skip
    frames = frames_of([], [row for row in sets(n=n) if row["metric"] in metrics])
    return Measured({**frames, "metric_comparisons": frame_of(table, METRIC_COMPARISONS)})


def test_kid_leads_where_pictures_are_few_for_fid():
    words = said(of_sets(1999, "fid", "kid"))
    assert "clear is best by KID:" in words
    assert "FID is lowest for clear; it does not count here: KID counts in its place." in words


def test_wins_are_counted_without_what_makes_nobody_the_best():
    (wins,) = wins_matrix(of_sets(999, "fid", "kid"), "houses")
    assert "of 1 metrics" in wins.caption
    assert sum("is not counted" in note for note in wins.notes) == 1


@pytest.mark.parametrize(("n", "metrics", "by"), [(2000, ("fid", "kid"), "FID and KID"), (22, ("fid",), "FID")])
def test_fid_counts_where_pictures_are_many_or_nothing_else_was_measured(n, metrics, by):
    assert f"clear is best by {by}:" in said(of_sets(n, *metrics))


def extremes(measured: Measured) -> dict[str, dict[str, list]]:
    """Return model and item of each picture by its list's heading, by metric."""
    found = {}
    for folded in metric_extremes(measured, "houses", most=10):
        galleries = [block for block in folded.blocks if isinstance(block, Gallery)]
        found[folded.summary] = {
            block.title: [tuple(entry.lines[-2:]) for entry in block.entries] for block in galleries
        }
    return found


def square(table: Table) -> dict[tuple[str, str], str]:
    """The cells of a square table by the names of row and column."""
    names = [column.title for column in table.head[1:]]
    assert [row[0].split("\u2002")[1] for row in table.rows] == names
    return {
        (a, b): cell.value
        for a, row in zip(names, table.rows, strict=True)
        for b, cell in zip(names, row[1:], strict=True)
    }


def test_best_and_worst_lists_follow_the_metrics_direction(measured):
    found = extremes(measured)
    rows = {
        metric: [row for row in values() if row["metric"] == metric and row["model"]] for metric in ("psnr", "niqe")
    }
    for title, metric, best_first in (("PSNR ↑", "psnr", True), ("NIQE ↓", "niqe", False)):
        ordered = sorted(rows[metric], key=lambda row: row["value"], reverse=best_first)
        best, worst = found[title]["The best 10"], found[title]["The worst 10"]
        assert best == [(row["model"], row["item"]) for row in ordered[:10]]
        assert worst == [(row["model"], row["item"]) for row in ordered[:-11:-1]]


def test_few_pictures_are_not_both_best_and_worst():
    best, worst = extremes(Measured(frames_of(values({"a": 0.0}, n=5))))["PSNR ↑"].values()
    assert len(best) == len(worst) == 2
    assert not set(best) & set(worst)


def test_agreement_turns_metrics_round_where_lower_is_better():
    rows = [row for row in values() if row["metric"] == "psnr"]
    rows += [{**row, "metric": "l1", "value": 100 - row["value"]} for row in rows]
    measured = Measured(frames_of(rows))
    models, pictures = model_agreement(measured, "houses"), picture_agreement(measured, "houses")
    assert models.n == len(QUALITY)
    assert models.of("psnr", "l1") == pytest.approx(1.0)
    assert pictures.n == 3 * 24
    assert pictures.of("l1", "psnr") == pytest.approx(1.0)


def test_two_models_have_no_order_to_compare():
    assert model_agreement(Measured(frames_of(values({"a": 0.0, "b": 9.0}))), "houses") is None


def test_matrices_count_and_sign_decided_differences(measured):
    (wins,) = wins_matrix(measured, "houses")
    cells = square(wins)
    assert cells["clear", "alike"] == "1"  # psnr
    assert cells["alike", "clear"] == "1"  # niqe
    (table,) = difference_tables(measured, "houses")
    assert {tuple(row[:3]) for row in table.rows} >= {
        ("PSNR ↑", "clear − alike", "clear"), ("NIQE ↓", "middling − alike", "not told apart"),
    }  # fmt: skip


def test_medians_and_quartiles_are_those_of_numpy(measured):
    charts, table = distribution_blocks(measured, "houses")
    assert len(charts.charts[0].figures) == 2
    row = next(row for row in table.rows if row[:2] == ["PSNR ↑", "clear"])
    numbers = [row["value"] for row in values() if row["metric"] == "psnr" and row["model"] == "clear"]
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75])
    assert row[2:] == ["24", f"{middle:.1f}", f"{low:.1f} to {high:.1f}", "0"]


def test_reasons_are_told_once_with_their_count():
    rows = [row if row["metric"] == "psnr" else {**row, "value": None, "reason": "too small"} for row in values()]
    (view,) = missing_values_tables(Measured(frames_of(rows)))
    assert [list(row) for row in view.rows] == [["96", "niqe", "houses/real/0, houses/real/1 and 94 more", "too small"]]


def test_references_are_the_papers_that_the_sources_cite():
    found = references(
        ["Wang et al. 2004; window 11", "Chong and Forsyth 2020; Inception 2015-12-05", "k = 3, the 4096"]
    )
    assert [line.partition(" (")[0] for line in found] == [
        "M. J. Chong and D. Forsyth",
        "Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli",
    ]
