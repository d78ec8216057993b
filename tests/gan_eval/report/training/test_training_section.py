"""The report's training section and its charts as files, from folders as training leaves them."""

import base64
import io
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic_training import SEVERAL, SIDE, make_training

from gan_eval.report import build, build_figures
from gan_eval.report.parts.blocks import Charts, Films, Lines, Table, TrainingGrid
from gan_eval.report.parts.chart import svg_text
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.parts.palette import PAPER, series_look
from gan_eval.report.training.curves import Curve, Panel, panels_figure, panels_on_page
from gan_eval.report.training.runs import labels, loss_ratio, training_runs
from gan_eval.report.training.samples import films, sample_grids
from gan_eval.report.training.section import (
    loss_panels,
    plateau_tables,
    study_plateaus,
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


def as_file(panels, names, looks) -> str:
    """The panels as one drawing on paper."""
    return svg_text(panels_figure(panels, names, looks), PAPER)


def charts_of(folder: Path) -> dict[str, str]:
    """The section's charts as drawings on paper, by title."""
    (block,) = [block for block in training_section(read_folder(folder)).blocks if isinstance(block, Charts)]
    return {chart.title: svg_text(chart.figure(), PAPER) for chart in block.charts}


def plateaus_of(folder: Path) -> pd.DataFrame:
    return study_plateaus({run.model: run.validation for run in training_runs(read_folder(folder))}, None)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", page).replace("\u202f", " ")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"adversarial_weight": 10.0, "lambda_l1": 1.0}, "GAN:L1 10:1"),
        ({"adversarial_weight": 1.0, "lambda_l1": 0.0, "lambda_l2": 100.0}, "GAN:L2 1:100"),
        ({"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0}, "GAN:L1:SSIM 1:16:84"),
        ({"adversarial_weight": 0.0, "lambda_l1": 2.5}, "L1 alone"),
        ({}, ""),
    ],
)
def test_the_ratio_in_words(settings, said) -> None:
    assert loss_ratio(settings) == said


def test_models_have_their_ratio_beside_their_name_where_that_tells_them_apart(several, one) -> None:
    assert labels(training_runs(read_folder(several))) == [
        "gan10_l1_1 (GAN:L1 10:1)", "gan1_l1_100 (GAN:L1 1:100)", "gan1_l1_16_ssim_84 (GAN:L1:SSIM 1:16:84)",
        "gan_alone (GAN alone)",
    ]  # fmt: skip
    assert labels(training_runs(read_folder(one))) == ["pix2pix_cityscapes"]


@pytest.mark.slow
def test_legend_and_grid_show_both_names(page, several) -> None:
    assert "gan1_l1_100 (GAN:L1 1:100)</li>" in page
    assert "gan1_l1_100<br>(GAN:L1 1:100)</th>" in page
    assert "gan1_l1_100 (GAN:L1 1:100)" in charts_of(several)["Training of 4 models"]


def test_every_term_has_a_panel_with_a_line_for_each_model(several) -> None:
    panels = loss_panels(training_runs(read_folder(several)))
    assert [panel.title for panel in panels][:2] == ["generator: adversarial loss", "generator: L1 loss"]
    assert len(panels) == 6
    assert all([curve.series for curve in panel.curves] == [0, 1, 2, 3] for panel in panels)
    assert [panel.title for panel in panels if panel.logarithmic] == ["generator: gradient norm"]


def test_a_plateau_is_marked_in_its_panel_and_told_in_the_table(several, page) -> None:
    runs = training_runs(read_folder(several))
    plateaus = plateaus_of(several)
    for panel in validation_panels(runs, "psnr", plateaus):
        assert [mark.series for mark in panel.marks] == [0, 1]
        assert all(mark.low <= mark.step <= mark.high for mark in panel.marks)
        assert all(abs(mark.step - 1600) < 400 for mark in panel.marks)
    row = plateaus[(plateaus["metric"] == "psnr") & (plateaus["mode"] == "eval")].iloc[0]
    span = " to ".join(f"{row[name]:,}".replace(",", " ") for name in ("ci_low", "ci_high"))
    assert f"({span})" in words(page)
    assert "still improves at the end; not before" in words(page)


@pytest.mark.slow
def test_the_studys_own_plateaus_are_shown_where_there_are_some(several, tmp_path) -> None:
    study = copy_of(several, tmp_path)
    table = plateaus_of(study)
    table.loc[table["verdict"] == "plateau", "plateau_step"] = 1234
    write_table(table, study / "tables" / "plateaus.csv", PLATEAUS)
    assert "1 234 (" in words(build(study, study / "report.html").read_text(encoding="utf-8"))


def test_the_legend_of_a_file_names_the_lines_that_are_drawn():
    names, looks = ["train mode", "eval mode"], [series_look(0), series_look(1)]
    lines = [Curve(series, np.arange(3.0), np.arange(3.0)) for series in range(2)]
    both = as_file([Panel("a", lines[:1]), Panel("b", lines)], names, looks)
    assert [name in both for name in names] == [True, True]
    for series, name in enumerate(names):
        alone = as_file([Panel("a", lines[series : series + 1])], names, looks)
        assert not any(other in alone for other in names), f"one line needs no legend: {name}"


def test_a_small_axis_keeps_its_numbers() -> None:
    panel = Panel("small", [Curve(0, np.arange(5.0), np.linspace(0, 0.02, 5))], limits=(0, 0.02))
    for drawn in (panels_on_page([panel], [series_look(0)], name="p"), as_file([panel], [""], [series_look(0)])):
        ticks = [float(number) for number in re.findall(r">(0\.\d+)</text>", drawn)]
        assert len(ticks) > 3
        np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0], atol=1e-9)
        assert ticks[-1] == 0.02


def test_equal_notes_of_plateaus_are_one_line_and_none_is_cut() -> None:
    rows = [
        {"model": f"m{number}", "metric": metric, "mode": mode, "n": 7, "verdict": "too_few", "note": "7 measurements"}
        for number in range(6)
        for metric in ("psnr", "ssim")
        for mode in ("train", "eval")
    ]
    (view,) = plateau_tables(pd.DataFrame(rows))
    assert list(view.notes[1:]) == ["all: 7 measurements."]
    for number, row in enumerate(rows[2:]):
        row["note"] = f"note {number % 12}"
    (view,) = plateau_tables(pd.DataFrame(rows))
    assert view.notes[1] == "m0 (psnr in both modes): 7 measurements."
    assert view.notes[2] == "m0 (ssim in train mode); m3 (ssim in train mode): note 0."
    assert [note.split(": ")[1] for note in view.notes[2:]] == [f"note {number}." for number in range(12)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seen", "said"), [(True, "some or all trained on, too"), (False, "no copy among the training pictures")]
)
def test_what_is_trained_on_is_not_called_held_out(one, tmp_path, seen: bool, said: str) -> None:
    folder = copy_of(one, tmp_path)
    for file in folder.rglob("validation.csv"):
        write_table(read_table(file, VALIDATION).assign(seen=seen), file, VALIDATION)
    page = words(build(folder, tmp_path / "r.html").read_text(encoding="utf-8"))
    assert f"of the split test, {said}, with" in page
    assert ("no copy among the training pictures" in page) is not seen


def test_captions_say_of_how_many_pictures_and_what_diversity_is(page, one) -> None:
    assert "Mean over 12 pictures of the split test, with BatchNorm" in words(page), (
        "whether they were seen is not known"
    )
    assert "no copy among the training pictures" not in words(page)
    assert "diversity (1: as diverse as the ground truths, 0: one picture for every input)" in words(page)
    assert "How much the pictures generated for 12 inputs of the split test" in words(page)
    assert "a line for each model" in words(page)
    assert "a line for each model" not in words(build(one, one / "r.html").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_file_of_validation_says_what_it_shows(several) -> None:
    drawn = charts_of(several)["Validation: psnr (dB, higher is better)"]
    assert all(f">{name}</text>" in drawn for name in (*SEVERAL, "train mode", "eval mode"))


def test_the_fixed_picture_is_not_said_to_be_a_test_picture(page) -> None:
    assert "One fixed picture on the way" in page
    assert "est picture" not in page


def test_warnings_are_told_in_words(page) -> None:
    assert "gan10_l1_1, step 2 000: the discriminator overpowers the generator: for 5 rows" in words(page)
    assert "gan1_l1_100, step 3 000: the generated pictures lose diversity" in words(page)
    assert words(page).count("overpowers the generator") == 2


def test_the_grid_shows_each_models_picture_of_one_pair(several) -> None:
    runs = training_runs(read_folder(several))
    (grid,) = sample_grids(runs)
    assert list(grid.rows) == [run.model for run in runs]
    assert list(grid.ratios) == [run.ratio for run in runs]
    assert grid.columns[0] == "untrained"
    assert grid.columns[-1] == "epoch 20"
    last = np.asarray(Image.open(several / "models" / "gan_alone" / "samples" / "step_0004000.png"))
    np.testing.assert_array_equal(grid.condition, last[:SIDE, :SIDE])
    np.testing.assert_array_equal(grid.cells[3][-1], last[:SIDE, SIDE : 2 * SIDE])
    np.testing.assert_array_equal(grid.real, last[:SIDE, 2 * SIDE :])


def test_models_with_other_test_pictures_have_their_own_grid(several, tmp_path) -> None:
    study = make_training(copy_of(several, tmp_path), models={"other": {"lambda_l1": 1.0}}, seed=5)
    grids = sample_grids(training_runs(read_folder(study)))
    assert [len(grid.rows) for grid in grids] == [4, 1]


@pytest.mark.slow
def test_snapshots_are_the_columns_where_there_are_some(several, tmp_path) -> None:
    study = copy_of(several, tmp_path)
    for model in SEVERAL:
        (study / "models" / model / "snapshots").mkdir()
        for step in (0, 400, 2000):
            (study / "models" / model / "snapshots" / f"step_{step:07d}.safetensors").touch()
    (grid,) = sample_grids(training_runs(read_folder(study)))
    assert list(grid.columns) == ["untrained", "epoch 2", "epoch 10"]
    assert '<th scope="col">step 400</th>' in words(build(study, study / "r.html").read_text(encoding="utf-8"))


def test_one_model_brings_its_animation_and_a_still(one) -> None:
    page = build(one, one / "report.html").read_text(encoding="utf-8")
    (encoded,) = re.findall(r'class="moving" src="data:image/webp;base64,([^"]+)"', page)
    assert base64.b64decode(encoded) == (one / "models" / "pix2pix_cityscapes" / "evolution.webp").read_bytes()
    (still,) = re.findall(r'class="still" src="data:image/jpeg;base64,([^"]+)"', page)
    assert Image.open(io.BytesIO(base64.b64decode(still))).size == (3 * SIDE, 2 * SIDE)


def test_large_or_many_animations_stay_outside(one, several, tmp_path) -> None:
    study = copy_of(one, tmp_path)
    with (study / "models" / "pix2pix_cityscapes" / "evolution.webp").open("ab") as file:
        file.truncate(1_500_001)
    assert films(training_runs(read_folder(study))) == []
    assert films(training_runs(read_folder(several))) == []


@pytest.mark.slow
def test_a_study_of_nine_models_can_be_mailed(tmp_path) -> None:
    nine = {f"m{number}": {"lambda_l1": float(number)} for number in range(1, 10)}
    study = make_training(tmp_path, models=nine, side=128)
    assert build(study, tmp_path / "report.html").stat().st_size < 3_000_000


@pytest.mark.slow
def test_missing_parts_and_a_broken_grid_are_left_out(several, tmp_path) -> None:
    study = copy_of(several, tmp_path)
    for model in SEVERAL:
        folder = study / "models" / model
        for name in ("validation.csv", "training_warnings.csv", "config.json", "evolution.webp"):
            (folder / name).unlink(missing_ok=True)
        for grid in (folder / "samples").iterdir():
            grid.write_bytes(b"not a picture")
    blocks = training_section(read_folder(study)).blocks
    assert list(charts_of(study)) == ["Training of 4 models"]
    assert not [block for block in blocks if isinstance(block, Table | Lines | TrainingGrid | Films)]


@pytest.mark.slow
def test_files_are_whole_drawings_and_equal_for_equal_input(one, tmp_path) -> None:
    paths = build_figures(one, tmp_path / "a")
    assert sorted(path.name for path in paths if path.suffix == ".svg") == [
        "losses.svg", "validation-diversity.svg", "validation-niqe.svg", "validation-psnr.svg",
    ]  # fmt: skip
    for path in paths:
        if path.suffix == ".svg":
            root = ET.fromstring(path.read_text(encoding="utf-8"))
            assert root.tag.endswith("svg")
            text = path.read_text(encoding="utf-8")
            assert "var(" not in text
            assert not re.findall(r"#0[0-9a-f]0[0-9a-f]{3}\b", text), "a colour that only stands for another"
    for path in build_figures(copy_of(one, tmp_path), tmp_path / "b"):
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


@pytest.mark.slow
def test_the_page_is_equal_for_equal_input_and_loads_nothing(several, page, tmp_path) -> None:
    again = build(copy_of(several, tmp_path), tmp_path / "again.html", title="Training").read_text(encoding="utf-8")
    assert again == page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
