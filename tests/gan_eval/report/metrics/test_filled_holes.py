"""A study of filled holes in the report: published PSNR, results by hole, pictures with their stages, training."""

import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import torchmetrics
from page_reader import Page
from synthetic_holes import PUBLISHED, SIDE, make_filled, sample_grid

from gan_eval.errors import UserError
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report import build
from gan_eval.report.metrics.data import Measured, Summary
from gan_eval.report.metrics.holes import hole_tables, holes_of_folder, holes_of_stimuli, raw_note
from gan_eval.report.metrics.values import infinite_remark
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people.pictures import samples
from gan_eval.report.people.published import pooled_psnr, published_section
from gan_eval.report.people.rates import rate_tables
from gan_eval.report.training.runs import training_runs
from gan_eval.report.training.section import sample_tables


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    return make_filled(tmp_path_factory.mktemp("filled"))


@pytest.fixture(scope="module")
def folder(filled):
    return read_folder(filled)


@pytest.fixture
def copy(filled, tmp_path):
    """Without the answers and the pictures."""
    return shutil.copytree(filled, tmp_path / "copy", ignore=shutil.ignore_patterns("*.png", "tables"))


def psnr_table(path):
    return next(view for view in published_section(read_folder(path)).blocks if view.caption.startswith("PSNR"))


@pytest.mark.slow
def test_every_published_row_stands_beside_the_models_of_its_data_size_and_ratio(folder, filled):
    view = psnr_table(filled)
    assert [row[3] for row in view.rows] == ["1", "100", "1000", "1000", "1000"]
    assert [row[4] for row in view.rows] == ["11.56", "14.34", "17.20", "15.39", "18.58"]
    assert [row[5].split()[0] for row in view.rows] == ["rec_1", "–", "rec_1000", "–", "–"]
    assert view.rows[1][5:] == ["–"] * 4
    images = folder.tables["image_metrics"]
    values = images[(images["model"] == "rec_1000") & (images["metric"] == "psnr_hole")]["value"].to_numpy(float)
    errors = 10 ** (-values / 10)
    for place, sample, to_db in (
        (6, errors, lambda error: -10 * math.log10(error)),
        (7, values, lambda value: value),
    ):
        half = 2.200985 * sample.std(ddof=1) / math.sqrt(12)  # Student's t of 11 degrees of freedom
        low, high = sorted(to_db(sample.mean() + sign * half) for sign in (-1, 1))
        assert view.rows[2][place] == f"{to_db(sample.mean()):.2f} ({low:.2f}–{high:.2f})"
    assert {row[8] for row in view.rows} == {"12", "–"}


def psnr_rows(values: np.ndarray) -> pd.DataFrame:
    items = [f"i{n}" for n in range(len(values))]
    return pd.DataFrame({"stimulus": items, "item": items, "value": values.astype(float)})


def test_psnr_of_all_pictures_together_is_that_of_their_mean_squared_error():
    rng = np.random.default_rng(0)
    holes, filled = (torch.from_numpy(rng.integers(0, 256, (9, 3, 8, 8))).double() for _ in range(2))
    errors = ((holes - filled) ** 2).mean(dim=(1, 2, 3)).numpy()
    pooled = torchmetrics.functional.image.peak_signal_noise_ratio(filled, holes, data_range=255.0)
    assert pooled_psnr(psnr_rows(10 * np.log10(255**2 / errors))).value == pytest.approx(float(pooled), abs=1e-5)
    errors = rng.uniform(100, 4000, 9)
    found = pooled_psnr(psnr_rows(10 * np.log10(255**2 / errors)))
    assert found.value == pytest.approx(10 * math.log10(255**2 / errors.mean()))
    assert found.low < found.value < found.high
    assert pooled_psnr(psnr_rows(np.array([20.0, np.inf]))).value == pytest.approx(20 + 10 * math.log10(2))
    assert math.isnan(pooled_psnr(psnr_rows(np.array([20.0]))).low)
    assert not pooled_psnr(psnr_rows(np.array([]))).is_known
    # three pictures of each item that differ little: as many independent ones as there are items
    several = pd.concat([psnr_rows(10 * np.log10(255**2 / (errors + more))) for more in (-9, 0, 9)])
    repeated = pooled_psnr(several)
    assert [repeated.value, repeated.low, repeated.high] == pytest.approx([found.value, found.low, found.high])


def test_the_notes_tell_what_the_numbers_are(filled):
    said = " ".join(psnr_table(filled).notes)
    assert "levels 0 to 255" in said
    assert "of the filled pixels alone" in said
    assert "λ rec + λ adv = 1 holds for rec_1000 and rec_1" in said
    assert "Without a published row" not in said


def test_models_of_another_data_set_or_source_size_stand_beside_no_row_and_are_named(copy):
    table = pd.read_csv(copy / "metrics" / "image_metrics.csv")
    own = table[table["model"] == "rec_1000"]
    elsewhere = own.assign(dataset="tiny", stimulus="tiny/" + own["stimulus"], item="tiny/" + own["item"])
    pd.concat([table, elsewhere]).to_csv(copy / "metrics" / "image_metrics.csv", index=False)
    view = psnr_table(copy)
    assert [row[5].split(",")[0] for row in view.rows if row[3] == "1000"] == ["rec_1000 on photographs", "–", "–"]
    assert "rec_1000 (999) on tiny of 64\u202fpx" in " ".join(view.notes)
    config = copy / "models" / "rec_1000" / "config.json"
    found = json.loads(config.read_text())
    found["settings"] |= {"image_size": 128}
    config.write_text(json.dumps(found))
    assert [row[5].split(",")[0] for row in psnr_table(copy).rows[2:4]] == ["–", "rec_1000 on photographs"]
    found["settings"]["inpainting"]["source_size"] = 64
    config.write_text(json.dumps(found))
    assert [row[5].split(",")[0] for row in psnr_table(copy).rows[2:4]] == ["rec_1000 on photographs", "–"]


def test_imagenet_of_two_sizes_is_one_published_data_set(copy):
    published = copy / "published" / "psnr.csv"
    published.write_text(published.read_text().replace("photographs,64", "imagenet_1k,64"))
    table = pd.read_csv(copy / "metrics" / "image_metrics.csv")
    table.assign(dataset="imagenet_64").to_csv(copy / "metrics" / "image_metrics.csv", index=False)
    assert psnr_table(copy).rows[2][5].startswith("rec_1000 on imagenet_64,")


@pytest.mark.parametrize(("rec", "shown"), [(0.986, True), (0.984, False), (1.0149, True), (1.016, False)])
def test_a_ratio_matches_within_one_and_a_half_per_cent(copy, rec, shown):
    config = copy / "models" / "rec_1" / "config.json"
    found = json.loads(config.read_text())
    found["settings"] |= {"lambda_l1": 0.5, "lambda_l2": rec - 0.5, "adversarial_weight": 1.0}
    config.write_text(json.dumps(found))
    assert (psnr_table(copy).rows[0][5] != "–") == shown
    assert "λ adv = 1 holds for rec_1000, so" in " ".join(psnr_table(copy).notes)


def test_without_a_match_every_row_stays_and_it_is_said(copy):
    for name in ("rec_1", "rec_1000"):
        config = copy / "models" / name / "config.json"
        config.write_text(config.read_text().replace('"adversarial_weight": 0', '"adversarial_weight": 7'))
    view = psnr_table(copy)
    assert [row[5:] for row in view.rows] == [["–"] * 4] * 5
    assert "None of the 5 published rows has a model of its data, size and ratio." in view.notes


def test_models_that_translate_are_no_match(copy):
    for name in ("rec_1", "rec_1000"):
        config = copy / "models" / name / "config.json"
        found = json.loads(config.read_text())
        found["settings"]["inpainting"] = None
        config.write_text(json.dumps(found))
    view = psnr_table(copy)
    assert {row[5] for row in view.rows} == {"–"}
    assert "No model here fills holes and was measured by psnr_hole." in view.notes


def test_the_settings_of_the_study_stand_in_for_a_missing_config(copy, filled):
    for name in ("rec_1", "rec_1000"):
        (copy / "models" / name / "config.json").unlink()
    names = [row[5].split(" on ")[0] for row in psnr_table(copy).rows]
    assert names == [row[5].split(" on ")[0] for row in psnr_table(filled).rows]


@pytest.mark.parametrize(("found", "bad"), [(",100,", ",many,"), (",100,", ",0,"), ("14.34", "nan"), ("14.34", "")])
def test_a_cell_that_is_no_number_is_named(copy, found, bad):
    (copy / "published" / "psnr.csv").write_text(PUBLISHED.replace(found, bad))
    with pytest.raises(UserError, match=r"published/psnr.csv: row 2: (lambda_rec|test_psnr)"):
        psnr_table(copy)


def test_metrics_by_kind_and_by_area_are_means_of_those_pictures(folder):
    measured, holes = Measured(folder.tables), holes_of_folder(folder)
    kinds, areas = hole_tables(measured, "photographs", holes)
    assert [row[:3] for row in kinds.rows] == [
        [model, kind, "4"] for model in ("rec_1000", "rec_1") for kind in ("blocks", "centre", "region")
    ]
    assert [row[1].replace("\u202f", " ") for row in areas.rows[:3]] == ["1–10 %", "10–20 %", "20–30 %"]
    images = folder.tables["image_metrics"]
    centres = [stimulus for stimulus, hole in holes.items() if hole.kind == "centre"]
    wanted = images[
        (images["model"] == "rec_1") & images["stimulus"].isin(centres) & (images["metric"] == "psnr_hole")
    ]["value"].mean()
    assert float(kinds.rows[4][3].split()[0]) == pytest.approx(wanted, abs=0.06)


def test_holes_of_one_sort_have_no_table(folder):
    holes = {name: hole._replace(kind="centre", area=0.25) for name, hole in holes_of_folder(folder).items()}
    assert hole_tables(Measured(folder.tables), "photographs", holes) == []
    assert hole_tables(Measured(folder.tables), "photographs", {}) == []


def test_the_page_of_metrics_reads_holes_from_its_stimuli(folder, tmp_path):
    stimuli = [
        Stimulus(name, name, "fake", "rec_1", "photographs", tmp_path, None, None, mask_kind=hole.kind, mask_area=0.2)
        for name, hole in holes_of_folder(folder).items()
    ]
    assert {name: hole.kind for name, hole in holes_of_stimuli(stimuli).items()} == {
        name: hole.kind for name, hole in holes_of_folder(folder).items()
    }
    real = Stimulus("r", "r", "real", None, "photographs", tmp_path, None, None, mask_kind="centre", mask_area=0.2)
    assert holes_of_stimuli([real]) == {}


def test_answers_by_hole_stand_in_a_table_of_their_own(folder):
    view = next(view for view in rate_tables(folder) if "hole" in view.caption)
    assert [row[0].replace("\u202f", " ") for row in view.rows] == [
        "hole blocks", "hole centre", "hole region", "hole of 1–10 %", "hole of 10–20 %", "hole of 20–30 %",
    ]  # fmt: skip
    assert {row[2] for row in view.rows} == {"24"}
    assert view.notes[0].startswith("Real pictures have no hole")


def test_pictures_show_every_stage(folder, filled, tmp_path):
    found = {table.caption: table for table in samples(folder)}
    assert set(found) == {"rec_1 on photographs", "rec_1000 on photographs"}
    shown = found["rec_1 on photographs"]
    assert shown.head == ["item", "original", "masked", "generated", "composite"]
    assert all(picture for _, pictures in shown.rows for picture in pictures)
    assert "hole: centre, 25.0 % of the picture" in shown.rows[0][0].replace("\u202f", " ")
    shutil.copytree(filled / "stimuli", tmp_path / "stimuli", ignore=shutil.ignore_patterns("raw"))
    (alone,) = [table for table in samples(read_folder(tmp_path)) if table.caption == "rec_1 on photographs"]
    assert alone.head == ["item", "original", "masked", "composite"]
    assert "Generated" not in alone.note


def test_sample_grids_of_four_columns_are_cut_where_they_should(folder):
    runs = training_runs(folder)
    sample = runs[0].sample(400)
    original, masked, _, composite = np.split(sample_grid(1.0), 4, axis=1)
    for found, wanted in zip(sample, (masked, composite, original), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert original.shape == (SIDE, SIDE, 3)
    (table,) = sample_tables(runs)
    assert (table.head[1], table.head[-1], len(table.rows)) == ("masked", "original", 2)


@pytest.mark.slow
def test_the_page_says_and_shows_it(filled, tmp_path):
    page = Page(build(filled, tmp_path / "report.html"))
    assert "PSNR of the filled hole, published and here" in page.words
    assert "blocks (8), centre (8), region (8); 6.2 % to 25.0 % of the picture" in page.words
    assert "One fixed picture after some steps: composites" in page.words
    assert "Left the picture with its hole, right the filled one that was shown." in page.words
    assert "photographs (AtoB)" not in page.words
    alternatives = [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
    assert "Composite of photographs/000" in alternatives
    assert any(text.endswith("with its hole") for text in alternatives)
    models = page.source.partition('<section id="rates">')[2].partition("</section>")[0]
    assert "-raw" not in models


def test_equal_holes_are_told_as_equal_pictures_are():
    assert infinite_remark("psnr_hole", Summary(20.0, n=9, infinite=1)) == (
        "is equal to its reference in the hole: PSNR infinite; mean of the others"
    )
    assert infinite_remark("psnr", Summary(20.0, n=9, infinite=2)).startswith("are equal to their reference: PSNR")


def test_raw_models_are_explained_where_there_are_any():
    assert raw_note(["a", "a-raw"])[0].startswith("A model NAME-raw")
    assert raw_note(["a", "b-raw"]) == []
