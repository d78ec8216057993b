"""The report's training section, from folders as training leaves them."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic_training import SEVERAL, SIDE, make_training

from gan_eval.report import build
from gan_eval.report.parts.blocks import Charts, Lines, PictureTable, Table
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.training.runs import labels, loss_ratio, training_runs
from gan_eval.report.training.section import (
    loss_panels,
    plateau_tables,
    sample_tables,
    study_plateaus,
    training_charts,
    training_section,
    validation_panels,
)
from gan_eval.tables import PLATEAUS, VALIDATION
from gan_eval.tables.frames import read_table, write_table


@pytest.fixture(scope="module")
def page(several) -> str:
    return build(several, several / "report.html", title="Training").read_text(encoding="utf-8")


def copy_of(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def plateaus_of(folder: Path) -> pd.DataFrame:
    return study_plateaus({run.model: run.validation for run in training_runs(read_folder(folder))}, None)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", page).replace("\u202f", " ")


@pytest.mark.parametrize(
    ("settings", "ratio"),
    [
        ({"adversarial_weight": 10.0, "lambda_l1": 1.0}, "GAN:L1 10:1"),
        ({"adversarial_weight": 1.0, "lambda_l1": 0.0, "lambda_l2": 100.0}, "GAN:L2 1:100"),
        ({"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0}, "GAN:L1:SSIM 1:16:84"),
        ({"adversarial_weight": 0.0, "lambda_l1": 2.5}, "L1 alone"),
        ({}, ""),
    ],
)
def test_the_ratio_in_words(settings, ratio) -> None:
    assert loss_ratio(settings) == ratio


def test_models_have_their_ratio_where_all_ratios_differ(several, one, page) -> None:
    assert labels(training_runs(read_folder(several))) == [
        "gan10_l1_1 (GAN:L1 10:1)", "gan1_l1_100 (GAN:L1 1:100)", "gan1_l1_16_ssim_84 (GAN:L1:SSIM 1:16:84)",
        "gan_alone (GAN alone)",
    ]  # fmt: skip
    assert labels(training_runs(read_folder(one))) == ["pix2pix_cityscapes"]
    assert ">gan1_l1_100 (GAN:L1 1:100)</text>" in page
    assert ">gan1_l1_100 (GAN:L1 1:100)</th>" in page


def test_one_figure_has_a_panel_for_every_term_and_metric_with_a_line_for_each_model(several) -> None:
    runs = training_runs(read_folder(several))
    panels = loss_panels(runs)
    assert [panel.title for panel in panels][:2] == ["generator: adversarial loss", "generator: L1 loss"]
    assert len(panels) == 6
    assert all([curve.run for curve in panel.curves] == [0, 1, 2, 3] for panel in panels)
    assert [panel.title for panel in panels if panel.logarithmic] == ["generator: gradient norm"]
    validated = validation_panels(runs)
    assert [panel.title for panel in validated] == ["validation: psnr", "validation: niqe", "validation: diversity"]
    assert [curve.dashed for curve in validated[0].curves] == [False, True] * 4
    (chart,) = training_charts(runs)
    assert len(chart.figures) == 9
    assert training_charts([]) == []


def test_plateaus_are_in_the_table(several, page, tmp_path) -> None:
    plateaus = plateaus_of(several)
    row = plateaus[(plateaus["metric"] == "psnr") & (plateaus["mode"] == "eval")].iloc[0]
    assert abs(row["plateau_step"] - 1600) < 400
    span = " to ".join(f"{row[name]:,}".replace(",", " ") for name in ("ci_low", "ci_high"))
    assert f"({span})" in words(page)
    assert "still improves at the end; not before" in words(page)
    study = copy_of(several, tmp_path)
    plateaus.loc[plateaus["verdict"] == "plateau", "plateau_step"] = 1234
    write_table(plateaus, study / "tables" / "plateaus.csv", PLATEAUS)
    tables = [block for block in training_section(read_folder(study)).blocks if isinstance(block, Table)]
    cells = [str(cell).replace("\u202f", " ") for row in tables[0].rows for cell in row]
    assert any(cell.startswith("1 234 (") for cell in cells), "the study's own table is shown"


def test_notes_of_plateaus_name_their_rows() -> None:
    rows = [
        {"model": model, "metric": "psnr", "mode": mode, "n": 7, "verdict": "too_few", "note": "7 measurements"}
        for model in "ab"
        for mode in ("train", "eval")
    ]
    (table,) = plateau_tables(pd.DataFrame(rows))
    assert list(table.notes[1:]) == ["all: 7 measurements."]
    rows[3]["note"] = "another"
    (table,) = plateau_tables(pd.DataFrame(rows))
    assert table.notes[2] == "b (psnr in eval mode): another."


@pytest.mark.parametrize(
    ("seen", "known"), [(True, "some or all trained on, too"), (False, "no copy among the training pictures")]
)
def test_what_is_trained_on_is_not_called_held_out(one, tmp_path, seen: bool, known: str) -> None:
    folder = copy_of(one, tmp_path)
    for file in folder.rglob("validation.csv"):
        write_table(read_table(file, VALIDATION).assign(seen=seen), file, VALIDATION)
    (chart,) = training_charts(training_runs(read_folder(folder)))
    assert chart.caption.endswith(f"Validated on 12 pictures of the split test, {known}.")


def test_captions_warnings_and_words(page, one) -> None:
    assert "Validated on 12 pictures of the split test." in words(page)
    assert "a line for each model" in words(page)
    assert "a line for each model" not in training_charts(training_runs(read_folder(one)))[0].caption
    assert "diversity: 1 is as diverse as the ground truths" in words(page)
    assert "One fixed picture after some steps" in page
    assert "est picture" not in page
    assert "gan10_l1_1, step 2 000: the discriminator overpowers the generator: for 5 rows" in words(page)
    assert "gan1_l1_100, step 3 000: the generated pictures lose diversity" in words(page)
    assert words(page).count("overpowers the generator") == 2


def test_the_grid_shows_each_models_picture_of_one_pair(several) -> None:
    runs = training_runs(read_folder(several))
    last = np.asarray(Image.open(several / "models" / "gan_alone" / "samples" / "step_0004000.png"))
    sample = next(run for run in runs if run.model == "gan_alone").sample(4000)
    for found, start in zip(sample, (0, SIDE, 2 * SIDE), strict=True):
        np.testing.assert_array_equal(found, last[:SIDE, start : start + SIDE])
    (table,) = sample_tables(runs)
    assert [name for name, _ in table.rows] == labels(runs)
    assert (table.head[1], table.head[2], table.head[-2], table.head[-1]) == (
        "input", "untrained", "epoch 20", "ground truth",
    )  # fmt: skip


def test_models_with_another_fixed_picture_have_their_own_grid(several, tmp_path) -> None:
    study = make_training(copy_of(several, tmp_path), models={"other": {"lambda_l1": 1.0}}, seed=5)
    assert [len(table.rows) for table in sample_tables(training_runs(read_folder(study)))] == [4, 1]


def test_snapshots_are_the_columns_where_there_are_some(several, tmp_path) -> None:
    study = copy_of(several, tmp_path)
    for model in SEVERAL:
        (study / "models" / model / "snapshots").mkdir()
        for step in (0, 400, 2000):
            (study / "models" / model / "snapshots" / f"step_{step:07d}.safetensors").touch()
    blocks = training_section(read_folder(study)).blocks
    (grid,) = [block for block in blocks if isinstance(block, PictureTable)]
    assert grid.head[2:-1] == ["untrained", "epoch 2", "epoch 10"]
    assert "step 400" in [block for block in blocks if isinstance(block, Table)][-1].head


@pytest.mark.nightly
def test_a_study_of_nine_models_can_be_mailed(tmp_path) -> None:
    nine = {f"m{number}": {"lambda_l1": float(number)} for number in range(1, 10)}
    study = make_training(tmp_path, models=nine, side=128)
    assert build(study, tmp_path / "report.html").stat().st_size < 3_000_000


def test_missing_parts_and_a_broken_grid_are_left_out(several, tmp_path) -> None:
    study = copy_of(several, tmp_path)
    for model in SEVERAL:
        folder = study / "models" / model
        for name in ("validation.csv", "training_warnings.csv", "config.json"):
            (folder / name).unlink(missing_ok=True)
        for grid in (folder / "samples").iterdir():
            grid.write_bytes(b"not a picture")
    (block,) = training_section(read_folder(study)).blocks
    assert isinstance(block, Charts)
    assert not isinstance(block, Lines)


def test_equal_input_gives_an_equal_page_that_loads_nothing(several, page, tmp_path) -> None:
    again = build(copy_of(several, tmp_path), tmp_path / "again.html", title="Training").read_text(encoding="utf-8")
    assert again == page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
