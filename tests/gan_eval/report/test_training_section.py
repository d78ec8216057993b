"""The report's training section, from folders as training leaves them."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic_training import SEVERAL, SIDE

from gan_eval.base.errors import UserError
from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.page import render
from gan_eval.report.parts.blocks import Charts, PictureTable, Report, ShownTable
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.training import (
    curves,
    plateau_tables,
    sample_table,
    training_charts,
    training_runs,
    training_section,
)
from gan_eval.stats.tables.plateau import all_plateaus
from gan_eval.tables import PLATEAUS
from gan_eval.tables.frames import write_table


@pytest.fixture(scope="module")
def folder(training):
    """Use the study's own table of plateaus, so that it is computed once."""
    runs = training_runs(read_folder(training))
    better = {name: metric.higher_is_better for name, metric in METRICS.items()}
    validations = {run.model: run.validation for run in runs}
    plateaus = all_plateaus(validations, datasets={}, higher_is_better=better)
    write_table(plateaus, training / "tables" / "plateaus.csv", PLATEAUS)
    return read_folder(training)


@pytest.fixture(scope="module")
def runs(folder):
    return training_runs(folder)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("\u202f", " ")


@pytest.mark.filterwarnings("error::UserWarning")
def test_one_figure_has_a_panel_for_every_term_and_metric_with_a_line_for_each_model(runs) -> None:
    panels = dict(curves(runs))
    terms = ["g_adversarial", "g_l1", "d_real", "d_fake", "d_accuracy", "g_gradient_norm"]
    assert list(panels) == [*terms, "validation: psnr", "validation: niqe"]
    assert all([curve.run for curve in panels[term]] == [0, 1] for term in terms)
    assert [curve.in_evaluation for curve in panels["validation: psnr"]] == [False, True] * 2
    (chart,) = training_charts(runs)
    assert next(figure.axes[0].get_title(loc="left") for figure in chart.figures) == "generator: adversarial loss"
    assert [figure.axes[0].get_yscale() for figure in chart.figures].count("log") == 1
    assert "a line for each model" in chart.caption
    assert training_charts([]) == []
    validation = runs[0].validation.assign(step=0)  # stopped in the first steps, before a row of the log
    assert len(training_charts([replace(runs[0], log=runs[0].log[:0], validation=validation)])) == 1


def test_plateaus_and_pictures_are_in_the_section(folder) -> None:
    section = training_section(folder)
    page = render(Report("Training", [], [section]))
    assert ">gan1_l1_100</text>" in page
    assert ">gan1_l1_100</th>" in page
    assert [type(block) for block in section.blocks] == [PictureTable, Charts, ShownTable]
    row = folder.tables["plateaus"].query("metric == 'psnr' and mode == 'eval'").iloc[0]
    assert abs(row["plateau_step"] - 1600) < 400
    step, low, high = (f"{row[name]:,}".replace(",", " ") for name in ("plateau_step", "ci_low", "ci_high"))
    assert f"{step} [{low}, {high}]" in words(page)
    assert "still improves" in words(page)


def test_notes_of_plateaus_name_their_rows() -> None:
    row = {"model": "b", "metric": "psnr", "n": 7, "verdict": "too_few", "note": "7 measurements"}
    (table,) = plateau_tables(pd.DataFrame([row | {"mode": "train"}, row | {"mode": "eval", "note": None}]))
    assert table.notes[1:] == ["b (psnr in train mode): 7 measurements"]


@pytest.mark.parametrize(
    ("seen", "known"), [(True, "some or all also training pictures"), (False, "no copy among the training pictures")]
)
def test_what_is_trained_on_is_not_called_held_out(runs, seen: bool, known: str) -> None:
    run = replace(runs[0], validation=runs[0].validation.assign(seen=seen))
    (chart,) = training_charts([run])
    assert chart.caption.endswith(f"Validated on 12 pictures of the split test, {known}.")


def test_the_grid_shows_each_models_picture_of_one_pair(training, runs) -> None:
    last = np.asarray(Image.open(training / "models" / "gan_alone" / "samples" / "step_0004000.png"))
    for found, start in zip(runs[1].sample(4000), (0, SIDE, 2 * SIDE), strict=True):
        np.testing.assert_array_equal(found, last[:SIDE, start : start + SIDE])
    table = sample_table(runs)
    assert [name for name, _ in table.rows] == [run.model for run in runs]
    assert (table.head[1], table.head[2], words(table.head[-2]), table.head[-1]) == (
        "input", "untrained", "step 4 000", "ground truth",
    )  # fmt: skip
    assert all(picture for _, pictures in table.rows for picture in pictures)


def test_sample_grids_of_filled_holes_are_cut_into_original_masked_generated_and_composite(tmp_path) -> None:
    samples = tmp_path / "models" / "m" / "samples"
    samples.mkdir(parents=True)
    tones = [np.full((SIDE, SIDE, 3), tone, np.uint8) for tone in (10, 60, 110, 160)]
    Image.fromarray(np.concatenate(tones, axis=1)).save(samples / "step_0000400.png")
    (samples.parent / "config.json").write_text(json.dumps({"settings": {"inpainting": {}}}))
    (samples.parent / "training_log.csv").write_text("step,epoch,images,term,value,seconds\n1,1,1,g_l2,0.5,0.1\n")
    (run,) = training_runs(read_folder(tmp_path))
    for found, wanted in zip(run.sample(400), (60, 160, 10), strict=True):
        assert set(found.ravel()) == {wanted}


def test_a_run_of_another_format_is_refused_in_one_line(training, tmp_path) -> None:
    study = shutil.copytree(training, tmp_path / "copy")
    config = study / "models" / min(SEVERAL) / "config.json"
    config.write_text(json.dumps({"format": 2, "settings": {}}))
    with pytest.raises(UserError, match=r"config\.json: format is 2, and this program knows 1; use .*version"):
        training_section(read_folder(study))


def test_missing_parts_and_a_broken_grid_are_left_out(training, tmp_path) -> None:
    study = shutil.copytree(training, tmp_path / "copy", ignore=shutil.ignore_patterns("tables"))
    for model in SEVERAL:
        folder = study / "models" / model
        for name in ("validation.csv", "config.json"):
            (folder / name).unlink(missing_ok=True)
        for grid in (folder / "samples").iterdir():
            grid.write_bytes(b"not a picture")
    (block,) = training_section(read_folder(study)).blocks
    assert isinstance(block, Charts)


@pytest.mark.filterwarnings("error:constrained_layout")
def test_the_legend_of_many_models_is_below_the_panel_and_each_line_differs(runs) -> None:
    log = runs[0].log.query("term == 'g_l1'")
    runs = [replace(runs[0], model=f"model_{number}", log=log) for number in range(12)]
    (chart,) = training_charts(runs)
    _ = chart.svg  # which draws every figure
    for figure in chart.figures:
        (legend,), (axes,) = figure.legends, figure.axes
        assert legend.get_window_extent().y1 < axes.get_window_extent().y0
        lines = [line for line in axes.lines if not line.get_label().startswith("_")]
        looks = {(line.get_color(), str(line._unscaled_dash_pattern), line.get_markerfacecolor()) for line in lines}
        assert len(looks) == len(lines)
