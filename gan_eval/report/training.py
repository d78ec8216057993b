"""Training: the models' folders of a study, and the section on sample pictures, curves and plateaus."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.record import read_record
from gan_eval.metrics.catalogue import METRICS
from gan_eval.pictures.decode import read_rgb
from gan_eval.report.parts.blocks import Charts, PictureTable, ReportSection, ShownTable
from gan_eval.report.parts.chart import Chart, line_style, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.table import cell, table_of
from gan_eval.report.parts.thumbnails import Picture, evenly_spaced, small_picture
from gan_eval.report.parts.words import Record, from_to, missing, number, plural, text, whole
from gan_eval.settings.training import CONFIG_FORMAT
from gan_eval.tables import PLATEAUS, VALIDATION
from gan_eval.tables.frames import frame_of, read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODES = ("train", "eval")
"""Modes of BatchNorm and dropout in validation."""
SIDE = 128
"""Pixels of a sample picture."""
MAX_COLUMNS = 8
"""Maximum number of steps in the columns of the sample pictures."""
SHARE = 0.05
"""Share of a curve's points: the window of the running median."""
MAX_POINTS = 150
"""Maximum number of points of a curve; more are averaged."""
_TITLES = {
    "g_adversarial": "generator: adversarial loss",
    "g_l1": "generator: L1 loss",
    "g_l2": "generator: L2 loss",
    "g_ssim": "generator: 1 - SSIM",
    "g_style": "generator: style loss",
    "g_tv": "generator: total variation",
    "g_loss": "generator: whole loss",
    "d_real": "discriminator: loss on reals",
    "d_fake": "discriminator: loss on fakes",
    "d_accuracy": "discriminator: accuracy",
    "g_gradient_norm": "generator: gradient norm",
    "g_gradient_norm_max": "generator: largest gradient norm",
    "d_gradient_norm": "discriminator: gradient norm",
    "d_gradient_norm_max": "discriminator: largest gradient norm",
}
_VERDICTS = {
    "still_improving": "still improves at the end",
    "never_improved": "never improved",
    "too_few": "too few measurements",
}


@dataclass(frozen=True)
class TrainingRun:
    """One model's training."""

    model: str
    log: pd.DataFrame
    validation: pd.DataFrame
    settings: Mapping[str, Any]
    """The training settings of `config.json`; empty where it is absent."""
    grids: Mapping[int, Path]
    """Sample grids by step, ascending: one row for each item, all pictures square. Side by side are input, generated
    and ground truth; of filled holes original, masked, generated and composite."""

    def sample(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Return input, generated picture and ground truth of the first item after `step` steps, of filled holes the
        masked, composite and original one; None where the grid cannot be read."""
        try:
            grid = read_rgb(self.grids[step])
        except UserError:
            return None
        count, columns = (4, (1, 3, 0)) if fills_holes(self.settings) else (3, (0, 1, 2))
        side = grid.shape[1] // count
        if side == 0 or grid.shape[0] < side:
            return None
        first, second, third = (grid[:side, column * side : (column + 1) * side] for column in columns)
        return first, second, third


def training_runs(folder: StudyFolder) -> list[TrainingRun]:
    """Return the runs that have a training log: in the study's order, others by name."""
    runs = []
    for name in _in_order(set(folder.training), folder.study.models if folder.study is not None else {}):
        run_folder = folder.path / "models" / name
        config, validation = run_folder / "config.json", run_folder / "validation.csv"
        grids = {path.stem.removeprefix("step_"): path for path in sorted((run_folder / "samples").glob("step_*.png"))}
        runs.append(
            TrainingRun(
                model=name,
                log=folder.training[name],
                validation=read_table(validation, VALIDATION) if validation.is_file() else frame_of([], VALIDATION),
                settings=read_record(config, known=CONFIG_FORMAT, settings=dict).get("settings", {}),
                grids=dict(sorted((int(step), path) for step, path in grids.items() if step.isdigit())),
            )
        )
    return runs


def training_settings(folder: StudyFolder) -> dict[str, Mapping[str, Any]]:
    """Return by model the `settings` of `models/NAME/config.json`, else those of study.toml."""
    settings_of: dict[str, Mapping[str, Any]] = {}
    if folder.study is not None:
        settings_of = {name: folder.study.training_of(name).model_dump(mode="json") for name in folder.study.models}
    for config in sorted((folder.path / "models").glob("*/config.json")):
        settings_of[config.parent.name] = read_record(config, known=CONFIG_FORMAT, settings=dict)["settings"]
    return settings_of


def fills_holes(settings: Mapping[str, Any]) -> bool:
    """Return whether the settings are those of a generator that fills holes."""
    return settings.get("inpainting") is not None


def training_section(folder: StudyFolder) -> ReportSection:
    """Return curves, plateaus and sample pictures; empty if there are only sample pictures."""
    runs = training_runs(folder)
    charts, tables = training_charts(runs), plateau_tables(folder.table(PLATEAUS))
    if not charts and not tables:
        return ReportSection("training", "Training", [])
    return ReportSection("training", "Training", [sample_table(runs), Charts(charts), *tables])


class TrainingCurve(NamedTuple):
    """One line of a panel."""

    run: int
    """Number of the run, from 0."""
    steps: np.ndarray
    """(N,)"""
    heights: np.ndarray
    """(N,)"""
    in_evaluation: bool = False


def curves(runs: Sequence[TrainingRun]) -> Iterator[tuple[str, list[TrainingCurve]]]:
    """Yield each term of the logs, then each metric of the validation, with its curves."""
    for term in _in_order({str(term) for run in runs for term in run.log["term"]}, _TITLES):
        yield term, _drawn(_logged(index, run, term) for index, run in enumerate(runs))
    for metric in _in_order({str(metric) for run in runs for metric in run.validation["metric"]}, METRICS):
        lines = (_validation(index, run, metric, mode) for index, run in enumerate(runs) for mode in MODES)
        yield f"validation: {metric}", _drawn(lines)


def _drawn(lines: Iterable[TrainingCurve]) -> list[TrainingCurve]:
    """Return the curves with a value."""
    return [curve for curve in lines if len(curve.steps)]


def _logged(index: int, run: TrainingRun, term: str) -> TrainingCurve:
    """Return a term's values in the log."""
    rows = run.log[(run.log["term"] == term) & run.log["value"].notna()].sort_values("step")
    rows = rows[rows["value"] > 0] if _is_norm(term) else rows
    return TrainingCurve(index, rows["step"].to_numpy(float), rows["value"].to_numpy(float))


def _validation(index: int, run: TrainingRun, metric: str, mode: str) -> TrainingCurve:
    """Return a metric's finite values in one mode."""
    rows = run.validation[(run.validation["metric"] == metric) & (run.validation["mode"] == mode)]
    rows = rows[np.isfinite(rows["value"].astype(float))].sort_values("step")
    steps, values = rows["step"].to_numpy(float), rows["value"].to_numpy(float)
    return TrainingCurve(index, steps, values, in_evaluation=mode == "eval")


def _in_order(names: set[str], first: Mapping[str, object]) -> list[str]:
    """Return names in the order of a mapping, others after them by name."""
    order = list(first)
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def _is_norm(term: str) -> bool:
    return term.endswith(("norm", "norm_max"))


def training_charts(runs: Sequence[TrainingRun]) -> list[Chart]:
    """Return one chart with a panel for each loss term and validation metric, a line for each run; or none."""
    panels = {name: drawn for name, drawn in curves(runs) if drawn}
    if not panels:
        return []
    names = [run.model for run in runs]
    every = [*chain.from_iterable(panels.values())]
    last = max(float(curve.steps.max()) for curve in every)
    figures = [_figure(name, drawn, names, last) for name, drawn in panels.items()]
    has_eval = any(curve.in_evaluation for curve in every)
    caption = sentence("tables", "training", last, len(runs) > 1, MAX_POINTS, SHARE, has_eval, _splits(runs))
    alternative = "; ".join(
        f"{_TITLES.get(name, name)}: from {number(drawn[0].heights[0], digits=3)} to "
        f"{number(drawn[0].heights[-1], digits=3)}"
        for name, drawn in panels.items()
    )
    title = f"Training of {names[0] if len(names) == 1 else plural(len(names), 'model')}"
    return [Chart(title, figures, caption, alternative, name="losses")]


def _splits(runs: Sequence[TrainingRun]) -> list[tuple[object, str, bool | None]]:
    """Return the splits of the validation, their numbers of pictures, and whether training saw some; None: unknown."""
    measured, splits = pd.concat([run.validation for run in runs]), list[tuple[object, str, bool | None]]()
    for split, part in measured[measured["value"].notna()].groupby("split", sort=False):
        seen = part["seen"].dropna().astype(bool)
        splits.append((split, from_to(part["n"]), bool(seen.any()) if len(seen) else None))
    return splits


def _figure(name: str, drawn: Sequence[TrainingCurve], names: Sequence[str], last: float) -> "Figure":
    """Draw a term or metric; the vertical axis of a loss covers all but the largest 1% of the values."""
    is_loss = not name.startswith("validation: ")
    with panel(2.1 + 0.17 * (len(drawn) if len(names) > 1 else 0)) as (figure, axes):
        for curve in drawn:
            _draw_curve(axes, curve, names[curve.run].replace("$", r"\$"), is_loss=is_loss)
        axes.set_title(_TITLES.get(name, name), fontsize=9, loc="left", parse_math=False)
        axes.set_xlim(0, last or 1)
        if _is_norm(name):
            axes.set_yscale("log")
        elif is_loss:
            values = np.concatenate([curve.heights for curve in drawn])
            axes.set_ylim(min(0.0, float(values.min())), max(1.15 * float(np.quantile(values, 0.99)), 1e-9))
        axes.grid(axis="y")
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
        if len(names) > 1:
            figure.legend(loc="outside lower left", fontsize=8, handlelength=3)
    return figure


def _draw_curve(axes: "Axes", curve: TrainingCurve, label: str, *, is_loss: bool) -> None:
    """Draw the running median of a loss and its points, or a line through measurements."""
    style = line_style(curve.run)
    if curve.in_evaluation:
        style |= {"linewidth": 0.8, "markerfacecolor": "none"}
        label += ", evaluation"
    if is_loss and len(curve.steps) > 2:
        window = 2 * round(len(curve.heights) * SHARE / 2) + 1
        median = pd.Series(curve.heights).rolling(window, center=True, min_periods=1).median().to_numpy()
        axes.plot(*_thinned(curve.steps, curve.heights), color=style["color"], linewidth=0.5, alpha=0.22)
        axes.plot(*_thinned(curve.steps, median), label=label, **style)
    else:
        axes.plot(curve.steps, curve.heights, marker="o", markersize=3, label=label, **style)


def _thinned(steps: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    """Return means over neighbours, at most MAX_POINTS."""
    parts = min(MAX_POINTS, len(steps))
    return [np.array([part.mean() for part in np.array_split(array, parts)]) for array in (steps, values)]


def sample_table(runs: Sequence[TrainingRun]) -> PictureTable:
    """Return each model's pictures of one fixed item after some steps, between its input and its ground truth."""
    all_steps = sorted({step for run in runs for step in run.grids})
    steps = [all_steps[index] for index in evenly_spaced(len(all_steps), MAX_COLUMNS)]
    rows = [(run.model, pictures) for run in runs if (pictures := _samples(run, steps))]
    caption = "One fixed picture after some steps" + ": composites" * any(fills_holes(run.settings) for run in runs)
    columns = ["untrained" if step == 0 else f"step {whole(step)}" for step in steps]
    return PictureTable(caption, ["model", "input", *columns, "ground truth"], rows)


def _samples(run: TrainingRun, steps: Sequence[int]) -> list[Picture | None]:
    """Return a model's pictures of one item after these steps, between its input and its ground truth; or none."""
    samples = {step: sample for step in steps if step in run.grids and (sample := run.sample(step)) is not None}
    if not samples:
        return []
    condition, _, real = next(iter(samples.values()))
    shown = {f"step {step}": samples[step][1] if step in samples else None for step in steps}
    shown = {"input": condition, **shown, "ground truth": real}
    return [
        None if pixels is None else small_picture(pixels, f"{run.model}, {what}", side=SIDE)
        for what, pixels in shown.items()
    ]


def plateau_tables(plateaus: pd.DataFrame) -> list[ShownTable]:
    """Return the step after which each metric no longer improves, in each mode."""
    columns = {
        "model": cell(text, "model"),
        "metric": cell(text, "metric"),
        "mode": cell(text, "mode"),
        "measurements": cell(whole, "n"),
        "no longer improves after step": _plateau_text,
    }
    return table_of(
        "The step after which a metric no longer improves",
        plateaus[plateaus["n"] > 0],
        columns,
        text_columns=3,
        last_is_text=True,
        notes=said("tables", "plateaus"),
        label=lambda row: f"{row['model']} ({row['metric']} in {row['mode']} mode)",
        source="plateaus",
    )


def _plateau_text(row: Record) -> str:
    """Return the verdict on one metric in one mode, with the step's 95% interval."""
    if row["verdict"] == "plateau":
        return f"{whole(row['plateau_step'])} [{whole(row['ci_low'])}, {whole(row['ci_high'])}]"
    if row["verdict"] == "still_improving" and not missing(row["ci_low"]):
        return f"{_VERDICTS['still_improving']}; not before {whole(row['ci_low'])}"
    return _VERDICTS[row["verdict"]]
