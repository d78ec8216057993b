"""A study of filled holes in the report: published PSNR, results by hole, pictures with their stages."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torchmetrics
from synthetic_study import PUBLISHED

from gan_eval.base.errors import UserError
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.metrics.holes import hole_tables, holes_of_folder
from gan_eval.report.metrics.summaries import Measured
from gan_eval.report.metrics.values import value_blocks
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people.pictures import samples
from gan_eval.report.people.published import pooled_psnr, published_section
from gan_eval.tables import HOLE_METRICS
from gan_eval.tables.frames import frame_of


@pytest.fixture(scope="module")
def folder(filled):
    return read_folder(filled)


@pytest.fixture
def copy(filled, tmp_path):
    """Without the answers and the pictures."""
    return shutil.copytree(filled, tmp_path / "copy", ignore=shutil.ignore_patterns("stimuli", "tables"))


def psnr_table(path):
    return next(view for view in published_section(read_folder(path)).blocks if view.caption.startswith("PSNR"))


def test_every_published_row_is_next_to_the_models_of_its_data_size_and_ratio(folder, filled):
    view = psnr_table(filled)
    assert [row[3] for row in view.rows] == ["1", "100", "1000", "1000", "1000"]
    assert [row[4] for row in view.rows] == ["11.56", "14.34", "17.20", "15.39", "18.58"]
    assert [row[5].split()[0] for row in view.rows] == ["rec_1", "–", "rec_1000", "–", "–"]
    assert view.rows[1][5:] == ["–"] * 4
    images = folder.tables["image_metrics"]
    values = images[(images["model"] == "rec_1000") & (images["metric"] == "psnr_hole")]["value"].to_numpy(float)
    errors = 10 ** (-values / 10)
    for place, sample, to_db in ((6, errors, lambda error: -10 * math.log10(error)), (7, values, lambda value: value)):
        half = 2.200985 * sample.std(ddof=1) / math.sqrt(12)  # Student's t of 11 degrees of freedom
        low, high = sorted(to_db(sample.mean() + sign * half) for sign in (-1, 1))
        assert view.rows[2][place] == f"{to_db(sample.mean()):.2f} [{low:.2f}, {high:.2f}]"
    assert {row[8] for row in view.rows} == {"12", "–"}


def psnr_rows(values: np.ndarray) -> pd.DataFrame:
    items = [f"i{n}" for n in range(len(values))]
    return pd.DataFrame({"stimulus": items, "item": items, "value": values.astype(float)})


def test_psnr_of_all_pictures_together_is_that_of_their_mean_squared_error():
    rng = np.random.default_rng(0)
    holes, filled = (torch.from_numpy(rng.integers(0, 256, (9, 3, 8, 8))).double() for _ in range(2))
    errors = ((holes - filled) ** 2).mean(dim=(1, 2, 3)).numpy()
    pooled = torchmetrics.functional.image.peak_signal_noise_ratio(filled, holes, data_range=255.0)
    found = pooled_psnr(psnr_rows(10 * np.log10(255**2 / errors)))
    assert found.value == pytest.approx(float(pooled), abs=1e-5)
    assert found.low < found.value < found.high
    assert pooled_psnr(psnr_rows(np.array([20.0, np.inf]))).value == pytest.approx(20 + 10 * math.log10(2))
    assert math.isnan(pooled_psnr(psnr_rows(np.array([20.0]))).low)
    assert not pooled_psnr(psnr_rows(np.array([]))).is_known
    # three pictures of each item that differ little: as many independent ones as there are items
    several = pd.concat([psnr_rows(10 * np.log10(255**2 / (errors + more))) for more in (-9, 0, 9)])
    repeated = pooled_psnr(several)
    assert [repeated.value, repeated.low, repeated.high] == pytest.approx([found.value, found.low, found.high])


def change_settings(copy, model, settings):
    config = copy / "models" / model / "config.json"
    config.write_text(json.dumps({"settings": json.loads(config.read_text())["settings"] | settings}))


def test_models_of_another_data_set_or_source_size_match_no_row(copy):
    table = pd.read_csv(copy / "metrics" / "image_metrics.csv")
    own = table[table["model"] == "rec_1000"]
    elsewhere = own.assign(dataset="tiny", stimulus="tiny/" + own["stimulus"], item="tiny/" + own["item"])
    pd.concat([table, elsewhere]).to_csv(copy / "metrics" / "image_metrics.csv", index=False)
    named = [row[5].split(",")[0] for row in psnr_table(copy).rows if row[3] == "1000"]
    assert named == ["rec_1000 on photographs", "–", "–"]
    change_settings(copy, "rec_1000", {"image_size": 128})
    assert [row[5].split(",")[0] for row in psnr_table(copy).rows[2:4]] == ["–", "rec_1000 on photographs"]
    change_settings(copy, "rec_1000", {"inpainting": {"source_size": 64}})
    assert [row[5].split(",")[0] for row in psnr_table(copy).rows[2:4]] == ["rec_1000 on photographs", "–"]


def test_imagenet_of_two_sizes_is_one_published_data_set(copy):
    published = copy / "published" / "psnr.csv"
    published.write_text(published.read_text().replace("photographs,64", "imagenet_1k,64"))
    table = pd.read_csv(copy / "metrics" / "image_metrics.csv")
    table.assign(dataset="imagenet_64").to_csv(copy / "metrics" / "image_metrics.csv", index=False)
    assert psnr_table(copy).rows[2][5].startswith("rec_1000 on imagenet_64,")


@pytest.mark.parametrize(("rec", "shown"), [(0.986, True), (0.984, False), (1.0149, True), (1.016, False)])
def test_a_ratio_matches_within_one_and_a_half_per_cent(copy, rec, shown):
    change_settings(copy, "rec_1", {"lambda_l1": 0.5, "lambda_l2": rec - 0.5, "adversarial_weight": 1.0})
    assert (psnr_table(copy).rows[0][5] != "–") == shown


def test_the_settings_of_the_study_stand_in_for_a_missing_config(copy, filled):
    for name in ("rec_1", "rec_1000"):
        (copy / "models" / name / "config.json").unlink()
    assert [row[5] for row in psnr_table(copy).rows] == [row[5] for row in psnr_table(filled).rows]


@pytest.mark.parametrize(("found", "bad"), [(",100,", ",many,"), (",100,", ",0,"), ("14.34", "nan"), ("14.34", "")])
def test_a_cell_without_a_number_is_named(copy, found, bad):
    (copy / "published" / "psnr.csv").write_text(PUBLISHED["psnr.csv"].replace(found, bad))
    with pytest.raises(UserError, match=r"published/psnr.csv: row 2: (lambda_rec|test_psnr)"):
        psnr_table(copy)


def test_metrics_by_kind_and_by_area_are_means_of_those_pictures(folder):
    measured, holes = Measured(folder.tables), holes_of_folder(folder)
    kinds, areas = hole_tables(measured, "photographs", holes)
    assert [row[:3] for row in kinds.rows] == [
        [model, kind, "4"] for model in ("rec_1000", "rec_1") for kind in ("blocks", "centre", "region")
    ]
    assert [row[1].replace("\u202f", " ") for row in areas.rows[:3]] == ["1–10%", "10–20%", "20–30%"]
    images = folder.tables["image_metrics"]
    centres = holes.index[holes["mask_kind"] == "centre"]
    wanted = images[
        (images["model"] == "rec_1") & images["stimulus"].isin(centres) & (images["metric"] == "psnr_hole")
    ]["value"].mean()
    assert float(kinds.rows[4][3].split()[0]) == pytest.approx(wanted, abs=0.06)
    assert hole_tables(measured, "photographs", holes.assign(mask_kind="centre", mask_area=0.25)) == []
    assert hole_tables(measured, "photographs", holes.iloc[:0]) == []


def test_a_model_that_was_not_shown_has_the_holes_of_its_items(folder):
    images = folder.tables["image_metrics"]
    fills = images[images["model"] == "rec_1"].assign(
        model="harmonic", stimulus=lambda rows: rows["stimulus"].str.replace("/rec_1/", "/harmonic/")
    )
    measured = Measured(dict(folder.tables) | {"image_metrics": pd.concat([images, fills])})
    kinds, areas = hole_tables(measured, "photographs", holes_of_folder(folder))
    for table in (kinds, areas):
        by_model = {model: [row[1:] for row in table.rows if row[0] == model] for model in ("rec_1", "harmonic")}
        assert by_model["harmonic"] == by_model["rec_1"] != []


def test_set_metrics_by_hole_stand_in_the_same_table(folder):
    rows = [
        {"model": model, "dataset": "photographs", "metric": metric, "by": by, "hole": hole, "value": value}
        | {"n_real": 4, "n_fake": 4, "note": "0 says nothing" if value == 0 else None}
        for by, holes in (("kind", ("blocks", "centre", "region")), ("area", ("1-10", "10-20")))
        for place, hole in enumerate(holes)
        for model in ("rec_1", "rec_1000")
        for metric, value in (("p_ids@dino", 0.0), ("fid@dino", 20.5 + place))
    ]
    tables = dict(folder.tables) | {"hole_metrics": frame_of(rows, HOLE_METRICS)}
    plain, _ = hole_tables(Measured(folder.tables), "photographs", holes_of_folder(folder))
    kinds, areas = hole_tables(Measured(tables), "photographs", holes_of_folder(folder))
    assert [cell.replace("\u00a0", " ") for cell in kinds.head[-2:]] == ["FID (dino) ↓", "P-IDS (dino) ↑"]
    assert [row[:-2] for row in kinds.rows] == [list(row) for row in plain.rows]
    assert [float(row[-2]) for row in kinds.rows[:3]] == [20.5, 21.5, 22.5]
    assert {float(row[-1]) for row in kinds.rows} == {0}
    assert areas.rows[2][-1] == "–"  # no value for 20 to 30%
    assert len(kinds.notes) == len(plain.notes) + 2


def test_the_report_of_metrics_alone_has_the_same_tables(folder):
    holes = holes_of_folder(folder)
    stimuli = [
        Stimulus(name, name, "fake", "m", "photographs", Path(name), None, None, mask_kind=kind, mask_area=area)
        for name, kind, area in holes.itertuples()
    ]
    measured = Measured(folder.tables, stimuli)
    blocks = value_blocks(measured, measured.holes)
    shown = [block for block in blocks if isinstance(block, ShownTable) and "hole" in block.caption]
    assert [table.rows for table in shown] == [table.rows for table in hole_tables(measured, "photographs", holes)]
    assert len(shown) == 2
    measured = Measured(folder.tables)
    assert "hole" not in " ".join(getattr(block, "caption", "") for block in value_blocks(measured, measured.holes))


def test_pictures_show_every_stage(folder):
    found = {table.caption: table for table in samples(folder)}
    assert set(found) == {"rec_1 on photographs", "rec_1000 on photographs"}
    shown = found["rec_1 on photographs"]
    assert shown.head == ["item", "input", "generated", "ground truth", "whole output"]
    assert all(picture for _, pictures in shown.rows for picture in pictures)
    assert "hole: centre, 25.0%" in shown.rows[0][0].replace("\u202f", " ")
