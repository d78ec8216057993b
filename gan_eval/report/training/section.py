"""The course of training: warnings, one fixed picture after some steps, curves, plateaus and validation."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.blocks import Charts, Lines, PictureTable, Section, Table
from gan_eval.report.parts.chart import STYLE, Chart, line_style, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import MASKED, ORIGINAL, Picture, small_picture
from gan_eval.report.parts.words import NOTHING, missing, number, plural, whole
from gan_eval.report.training.runs import MODES, TrainingRun, TrainingSample, chosen_steps, labels, training_runs
from gan_eval.settings.study import Study
from gan_eval.stats.answers.plateau import all_plateaus
from gan_eval.tables import PLATEAUS

SIDE = 128
"""Pixels of a sample picture."""
SHARE = 0.05
"""Share of a curve's points: the window of the running median."""
MOST_POINTS = 150
"""Points of a curve as drawn; more are averaged."""
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
_WARNINGS = {
    "discriminator_overpowers": "the discriminator overpowers the generator",
    "diversity_lost": "the generated pictures lose diversity",
}
_VERDICTS = {
    "still_improving": "still improves at the end",
    "never_improved": "never improved",
    "too_few": "too few measurements",
}
_METHOD = (
    "In brackets 95\u202f% intervals. A broken line, rising to a step and flat from there, by least squares; intervals "
    "and tests by a bootstrap of its residuals with their autocorrelation. A metric still improves where a straight "
    "line does as well, or where the interval reaches the end."
)


def training_section(folder: StudyFolder) -> Section:
    """Return what the study's folder holds of training; sample pictures alone make no section."""
    runs = training_runs(folder)
    plateaus = folder.tables.get(PLATEAUS.name)
    if plateaus is None:
        plateaus = study_plateaus({run.model: run.validation for run in runs}, folder.study)
    charts = training_charts(runs)
    tables = [*plateau_tables(plateaus), *validation_tables(runs)]
    if not charts and not tables:
        return Section("training", "How did training go?", [])
    warnings = [
        f"{run.model}, step {whole(row['step'])}: {_WARNINGS.get(row['warning'], row['warning'])}: {row['detail']}."
        for run in runs
        for row in run.warnings.to_dict("records")
    ]
    blocks = [Lines(warnings, "warnings"), *sample_tables(runs), Charts(charts), *tables]
    return Section("training", "How did training go?", blocks)


def study_plateaus(validations: Mapping[str, pd.DataFrame], study: Study | None) -> pd.DataFrame:
    """Return the table `plateaus` of models by their tables `validation`."""
    return all_plateaus(
        validations,
        datasets={name: model.data for name, model in study.models.items()} if study else {},
        higher_is_better={name: metric.higher_is_better for name, metric in METRICS.items()},
    )


class Curve(NamedTuple):
    """One line of a panel."""

    run: int
    """Number of the run, from 0."""
    steps: np.ndarray
    """(N,)"""
    heights: np.ndarray
    """(N,)"""
    dashed: bool = False


class Panel(NamedTuple):
    """A small chart over the steps of training."""

    title: str
    curves: Sequence[Curve]
    smooth: bool = True
    """True: the running median is strong and the values are faint. False: the values with dots."""
    logarithmic: bool = False


def loss_panels(runs: Sequence[TrainingRun]) -> list[Panel]:
    """Return a panel for each term of the logs, with a curve for each run."""
    panels = []
    for term in _in_order({str(term) for run in runs for term in run.log["term"]}, _TITLES):
        is_norm = term.endswith(("norm", "norm_max"))
        curves = []
        for place, run in enumerate(runs):
            rows = run.log[(run.log["term"] == term) & run.log["value"].notna()].sort_values("step")
            rows = rows[rows["value"] > 0] if is_norm else rows
            if len(rows):
                curves.append(Curve(place, rows["step"].to_numpy(float), rows["value"].to_numpy(float)))
        if curves:
            panels.append(Panel(_TITLES.get(term, term), curves, logarithmic=is_norm))
    return panels


def validation_panels(runs: Sequence[TrainingRun]) -> list[Panel]:
    """Return a panel for each metric of the validation, with a curve for each run and mode."""
    panels = []
    for metric in _in_order({str(metric) for run in runs for metric in run.validation["metric"]}, METRICS):
        curves = []
        for place, run in enumerate(runs):
            rows = run.validation[run.validation["metric"] == metric]
            rows = rows[np.isfinite(rows["value"].astype(float))]
            for mode in MODES:
                part = rows[rows["mode"] == mode].sort_values("step")
                if len(part):
                    steps, values = part["step"].to_numpy(float), part["value"].to_numpy(float)
                    curves.append(Curve(place, steps, values, dashed=mode == "eval"))
        if curves:
            panels.append(Panel(f"validation: {metric}", curves, smooth=False))
    return panels


def _in_order(names: set[str], known: Mapping[str, object]) -> list[str]:
    """Return names in the order of a mapping, others after them by name."""
    order = list(known)
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def training_charts(runs: Sequence[TrainingRun]) -> list[Chart]:
    """Return one chart of the loss terms and the validation metrics of all runs, or none."""
    panels = [*loss_panels(runs), *validation_panels(runs)]
    if not panels:
        return []
    names = labels(runs)
    last = max(float(curve.steps.max()) for panel in panels for curve in panel.curves)
    figures = [_figure(panel, names, last) for panel in panels]
    of_models = ", a line for each model" if len(runs) > 1 else ""
    has_eval = any(curve.dashed for panel in panels for curve in panel.curves)
    caption = (
        f"Loss terms over {whole(last)} steps{of_models}: faint as logged (at most {MOST_POINTS} means), strong the "
        f"running median over {100 * SHARE:.0f}\u202f% of the run. Gradient norms have a logarithmic axis."
        + " Validation: solid with BatchNorm and dropout as in training, dashed as in evaluation." * has_eval
        + "".join(f" {text}." for text in _pictures_of_validation(runs))
    )
    alternative = "; ".join(
        f"{panel.title}: from {number(curve.heights[0], digits=3)} to {number(curve.heights[-1], digits=3)}"
        for panel in panels
        for curve in panel.curves[:1]
    )
    title = f"Training of {names[0] if len(names) == 1 else plural(len(names), 'model')}"
    return [Chart(title, figures, caption, alternative, name="losses")]


def _pictures_of_validation(runs: Sequence[TrainingRun]) -> list[str]:
    """Return on how many pictures of which split validation was computed, and whether they were trained on."""
    if not runs:
        return []
    rows = pd.concat([run.validation for run in runs])
    rows = rows[rows["value"].notna()]
    texts = []
    for split, part in rows.groupby("split", sort=False):
        counts = sorted({int(n) for n in part["n"].dropna()})
        count = " to ".join(whole(n) for n in dict.fromkeys(counts[:1] + counts[-1:])) or "the"
        seen = part["seen"].dropna().astype(bool)
        known = ""
        if len(seen):
            known = ", some or all trained on, too" if seen.any() else ", no copy among the training pictures"
        texts.append(f"Validated on {count} pictures of the split {split}{known}")
    return texts


def _figure(drawn: Panel, names: Sequence[str], last: float) -> Figure:
    """Draw a panel; the vertical axis reaches all but the wildest hundredth of the values."""
    with mpl.rc_context(STYLE):
        figure, axes = panel(2.1 + 0.17 * (len(names) if len(names) > 1 else 0))
        for curve in drawn.curves:
            style = line_style(curve.run)
            style |= {"linestyle": "--"} if curve.dashed else {}
            label = names[curve.run].replace("$", r"\$")
            label = f"{label}, evaluation" if curve.dashed else label
            if drawn.smooth and len(curve.steps) > 2:
                axes.plot(*_thinned(curve.steps, curve.heights), color=style["color"], linewidth=0.5, alpha=0.22)
                axes.plot(*_thinned(curve.steps, running_median(curve.heights)), label=label, **style)
            else:
                axes.plot(curve.steps, curve.heights, marker="o", markersize=2.4, label=label, **style)
        axes.set_title(drawn.title, fontsize=9, loc="left", parse_math=False)
        axes.set_xlim(0, last)
        if drawn.logarithmic:
            axes.set_yscale("log")
        elif drawn.smooth:
            values = np.concatenate([curve.heights for curve in drawn.curves])
            axes.set_ylim(min(0.0, float(values.min())), max(1.15 * float(np.quantile(values, 0.99)), 1e-9))
        axes.grid(axis="y")
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
        if len(names) > 1:
            figure.legend(loc="outside lower left", fontsize=8, handlelength=3)
    return figure


def running_median(values: np.ndarray) -> np.ndarray:
    """Return the median over SHARE of the points around each point, fewer at both ends; (N,).

    >>> running_median(np.array([1.0, 9.0, 3.0])).tolist()
    [1.0, 9.0, 3.0]
    """
    window = 2 * round(len(values) * SHARE / 2) + 1
    return np.asarray(pd.Series(values).rolling(window, center=True, min_periods=1).median(), float)


def _thinned(steps: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    """Return means over neighbours, at most MOST_POINTS."""
    parts = min(MOST_POINTS, len(steps))
    return [np.array([part.mean() for part in np.array_split(array, parts)]) for array in (steps, values)]


def sample_tables(runs: Sequence[TrainingRun]) -> list[PictureTable]:
    """Return the models' pictures of one fixed item after some steps; models with another item have another table."""
    groups: dict[bytes, list[TrainingRun]] = {}
    given: dict[bytes, TrainingSample] = {}
    for run in runs:
        first = next((sample for step in run.grids if (sample := run.sample(step)) is not None), None)
        if first is not None:
            key = bytes(run.fills_holes) + first.condition.tobytes() + first.real.tobytes()
            groups.setdefault(key, []).append(run)
            given.setdefault(key, first)
    names = dict(zip((run.model for run in runs), labels(runs), strict=True))
    tables = []
    for place, (key, group) in enumerate(groups.items(), start=1):
        common = set.intersection(*(set(run.grids) for run in group))
        steps = chosen_steps(
            sorted(common) if len(common) > 1 else [step for run in group for step in run.grids],
            preferred=[step for run in group for step in run.snapshots],
        )
        columns, first = column_names(group, steps), given[key]
        condition, real = (MASKED, ORIGINAL) if group[0].fills_holes else ("input", "ground truth")
        rows: list[tuple[str, list[Picture | None]]] = []
        for run in group:
            samples = [run.sample(step) if step in run.grids else None for step in steps]
            pictures = [
                small_picture(sample.generated, f"{run.model}, {column}", side=SIDE) if sample else None
                for sample, column in zip(samples, columns, strict=True)
            ]
            ends = [
                small_picture(pixels, name.capitalize(), side=SIDE)
                for pixels, name in ((first.condition, condition), (first.real, real))
            ]
            start, end = ends if run is group[0] else (None, None)  # the same for all
            rows.append((names[run.model], [start, *pictures, end]))
        caption = (
            "One fixed picture after some steps" if len(groups) == 1 else f"Fixed picture {place} after some steps"
        )
        caption += ": composites" * group[0].fills_holes
        tables.append(PictureTable(caption, ["model", condition, *columns, real], rows))
    return tables


def column_names(runs: Sequence[TrainingRun], steps: Sequence[int]) -> list[str]:
    """Return `epoch N` where the epochs differ, else `step N`; `untrained` for step 0."""
    epochs = [next((epoch for run in runs if (epoch := run.epoch(step)) is not None), None) for step in steps]
    by_epoch = None not in epochs and len(set(epochs)) == len(epochs)
    return [
        "untrained" if step == 0 else f"epoch {epoch}" if by_epoch else f"step {whole(step)}"
        for step, epoch in zip(steps, epochs, strict=True)
    ]


def plateau_tables(plateaus: pd.DataFrame) -> list[Table]:
    """Return the step after which each metric no longer improves, in both modes."""
    measured = plateaus[plateaus["n"] > 0]
    rows = [
        [
            str(model),
            str(metric),
            *(_plateau_text(group[group["mode"] == mode]) for mode in MODES),
            whole(group["n"].max()),
        ]
        for (model, metric), group in measured.groupby(["model", "metric"], sort=False)
    ]
    notes = [_METHOD]
    for note, part in measured[measured["note"].notna()].groupby("note", sort=False):
        where = [f"{row['model']} ({row['metric']} in {row['mode']} mode)" for row in part.to_dict("records")]
        notes.append(f"{'all' if len(part) == len(measured) else ', '.join(where)}: {note}.")
    head = ["model", "metric", *(f"{mode} mode" for mode in MODES), "N"]
    caption = "The step after which a metric no longer improves"
    return [Table(caption, head, rows, text_columns=4, notes=notes, source="plateaus")] if rows else []


def _plateau_text(rows: pd.DataFrame) -> str:
    """Return the verdict on one metric in one mode, with the step's 95 % interval."""
    if rows.empty:
        return NOTHING
    row = rows.iloc[0]
    if row["verdict"] == "plateau":
        return f"{whole(row['plateau_step'])} ({whole(row['ci_low'])} to {whole(row['ci_high'])})"
    if row["verdict"] == "still_improving" and not missing(row["ci_low"]):
        return f"{_VERDICTS['still_improving']}; not before {whole(row['ci_low'])}"
    return _VERDICTS[row["verdict"]]


def validation_tables(runs: Sequence[TrainingRun]) -> list[Table]:
    """Return the validation values at the snapshots, else at steps spread over the run."""
    steps = chosen_steps(
        [int(step) for run in runs for step in run.validation["step"].unique()],
        preferred=[step for run in runs for step in run.snapshots],
    )
    rows: list[list[str]] = []
    reasons: dict[str, list[str]] = {}
    for run in runs:
        for (metric, mode), group in run.validation[run.validation["value"].notna()].groupby(["metric", "mode"]):
            values = group.drop_duplicates("step").set_index("step")["value"]
            cells = (number(values.get(step), digits=3) for step in steps)
            rows.append([run.model, str(metric), str(mode), *cells])
        for metric, reason in run.validation.loc[run.validation["reason"].notna(), ["metric", "reason"]].to_numpy():
            reasons.setdefault(f"no {metric}: {reason}", []).append(run.model)
    notes = [f"{', '.join(dict.fromkeys(models))}: {reason}" for reason, models in reasons.items()]
    if any(row[1] == "diversity" for row in rows):
        notes.append("diversity: 1 is as diverse as the ground truths, 0 is one picture for every input.")
    head = ["model", "metric", "mode", *("untrained" if step == 0 else f"step {whole(step)}" for step in steps)]
    return [Table("Validation during training", head, rows, text_columns=3, notes=notes)] if rows else []
