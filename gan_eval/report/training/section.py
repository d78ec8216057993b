"""How training went: losses of all models, one fixed picture on the way, validation with its plateaus, warnings."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.downloads import safe_name
from gan_eval.report.parts.blocks import Charts, Films, Lines, Section, Table
from gan_eval.report.parts.chart import Chart
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.palette import series_look
from gan_eval.report.parts.words import NOTHING, listed, missing, number, plural, whole
from gan_eval.report.training.curves import (
    MOST_POINTS,
    SHARE,
    Curve,
    Mark,
    Panel,
    legend_of,
    looks_of,
    panels_figure,
    panels_on_page,
)
from gan_eval.report.training.runs import MODES, TrainingRun, chosen_steps, labels, training_runs
from gan_eval.report.training.samples import films, training_grids
from gan_eval.settings.study import Study
from gan_eval.stats.answers.plateau import all_plateaus
from gan_eval.tables import PLATEAUS
from gan_eval.tables.schema import any_seen

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
_MOST_CURVES = 4
"""Curves whose ends an alternative text gives."""
_MODE_NAMES = ("training", "evaluation")
"""MODES in words."""
DIVERSITY = "diversity"
"""The one validated quantity that is no metric of the registry."""


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
    """What the study's folder holds of training; grids and animations alone make no section."""
    runs = training_runs(folder)
    plateaus = folder.tables.get(PLATEAUS.name)
    if plateaus is None:
        plateaus = study_plateaus({run.model: run.validation for run in runs}, folder.study)
    charts = [*loss_charts(runs), *validation_charts(runs, plateaus)]
    tables = [*plateau_tables(plateaus), *validation_tables(runs)]
    if not charts and not tables:
        return Section("training", "How did training go?", [])
    warnings = [
        f"{run.model}, step {whole(row['step'])}: {_WARNINGS.get(row['warning'], row['warning'])}: {row['detail']}."
        for run in runs
        for _, row in run.warnings.iterrows()
    ]
    blocks = [Lines(warnings, "warnings"), *training_grids(runs), Films(films(runs)), Charts(charts), *tables]
    return Section("training", "How did training go?", blocks)


def study_plateaus(validations: Mapping[str, pd.DataFrame], study: Study | None) -> pd.DataFrame:
    """The table `plateaus` of models by their tables `validation`, with the registry's word on which way is better."""
    return all_plateaus(
        validations,
        datasets={name: model.data for name, model in study.models.items()} if study else {},
        higher_is_better={name: metric.higher_is_better for name, metric in METRICS.items()},
    )


def loss_panels(runs: Sequence[TrainingRun]) -> list[Panel]:
    """A panel for each term that any run has logged; a line for each run.

    The vertical axis goes from 0 (or a little below the least value) to just above what all but the wildest hundredth
    of the values reach.
    """
    order = list(_TITLES)
    terms = dict.fromkeys(str(term) for run in runs for term in run.log["term"])
    panels = []
    for term in sorted(terms, key=lambda term: order.index(term) if term in order else len(order)):
        is_norm = term.endswith(("norm", "norm_max"))
        curves = []
        for series, run in enumerate(runs):
            rows = run.log[(run.log["term"] == term) & run.log["value"].notna()].sort_values("step")
            rows = rows[rows["value"] > 0] if is_norm else rows
            if len(rows):
                curves.append(Curve(series, rows["step"].to_numpy(float), rows["value"].to_numpy(float)))
        if curves:
            values = np.concatenate([curve.heights for curve in curves])
            high = float(np.quantile(values, 0.99)) * 1.15 or 1.0
            limits = min(0.0, float(values.min())), max(high, 1e-9)
            panels.append(Panel(_TITLES.get(term, term), curves, logarithmic=is_norm, limits=limits))
    return panels


def loss_charts(runs: Sequence[TrainingRun]) -> list[Chart]:
    """The loss terms of all runs, none without runs."""
    panels = loss_panels(runs)
    if not panels:
        return []
    names, looks = labels(runs), looks_of(runs)
    last = max(int(run.log["step"].max()) for run in runs)
    alternatives = []
    for panel in panels:
        curves = [f"{names[curve.series]} {_first_to_last(curve)}" for curve in panel.curves[:_MOST_CURVES]]
        alternatives.append(f"{panel.title}: {', '.join(curves)}")
    of_models = ", a line for each model" if len(runs) > 1 else ""
    chart = Chart(
        title="Training of " + (names[0] if len(names) == 1 else plural(len(names), "model")),
        svg=panels_on_page(panels, looks, name="losses"),
        caption=f"Loss terms over {whole(last)} steps{of_models}: faint as logged (at most {MOST_POINTS} means), "
        f"strong the running median over {100 * SHARE:.0f}\u202f% of the run. The gradient norm has a logarithmic "
        "axis.",
        alternative="; ".join(alternatives),
        legend=legend_of(names, looks) if len(names) > 1 else (),
        wide=True,
        name="losses",
        figure=partial(panels_figure, panels, names, looks),
    )
    return [chart]


def _first_to_last(curve: Curve) -> str:
    """The means of the first and of the last twentieth."""
    count = max(1, len(curve.heights) // 20)
    first, last = (number(part.mean(), digits=3) for part in (curve.heights[:count], curve.heights[-count:]))
    return f"from {first} to {last}"


def validation_panels(runs: Sequence[TrainingRun], metric: str, plateaus: pd.DataFrame) -> list[Panel]:
    """A panel for each run that has values of the metric, with shared axes: a line for each mode, and its plateau."""
    panels = []
    for run in runs:
        rows = run.validation[(run.validation["metric"] == metric) & np.isfinite(run.validation["value"].astype(float))]
        curves = [
            Curve(series, of_mode["step"].to_numpy(float), of_mode["value"].to_numpy(float))
            for series, mode in enumerate(MODES)
            if len(of_mode := rows[rows["mode"] == mode].sort_values("step"))
        ]
        known = plateaus[(plateaus["model"] == run.model) & (plateaus["metric"] == metric)]
        known = known[known["plateau_step"].notna()].sort_values("mode", ascending=False)
        marks = [
            Mark(MODES.index(row["mode"]), float(row["plateau_step"]), float(row["ci_low"]), float(row["ci_high"]))
            for _, row in known.iterrows()
        ]
        if curves:
            panels.append(Panel(run.model, curves, smooth=False, marks=marks))
    if not panels:
        return []
    values = np.concatenate([curve.heights for panel in panels for curve in panel.curves])
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return [panel._replace(limits=(low - margin, high + margin)) for panel in panels]


def validation_charts(runs: Sequence[TrainingRun], plateaus: pd.DataFrame) -> list[Chart]:
    """A chart for each validated metric, in the registry's order, others after them."""
    names, looks = [f"{mode} mode" for mode in MODES], [series_look(number) for number in range(len(MODES))]
    validated = dict.fromkeys(
        str(metric) for run in runs for metric in run.validation.loc[run.validation["value"].notna(), "metric"]
    )
    order = list(METRICS)
    charts = []
    metrics = sorted(validated, key=lambda metric: order.index(metric) if metric in order else len(order))
    for metric in metrics:
        panels = validation_panels(runs, metric, plateaus)
        if not panels:
            continue
        name = f"validation-{safe_name(metric)}"
        alternatives = [
            f"{panel.title}, {MODES[curve.series]} mode: {_first_to_last(curve)}"
            for panel in panels
            for curve in panel.curves
        ]
        if len(runs) == 1:
            panels = [panel._replace(title="") for panel in panels]
        plotted = sorted({curve.series for panel in panels for curve in panel.curves})
        modes = " and ".join(f"as in {_MODE_NAMES[series]}" for series in plotted)
        note = " Upright line and band: the step after which it no longer improves, with its 95\u202f% interval."
        note = note if any(panel.marks for panel in panels) else ""
        charts.append(
            Chart(
                title=f"Validation: {metric_title(metric)}",
                svg=panels_on_page(panels, looks, name=name),
                caption=f"{_points_text(runs, metric)}, with BatchNorm and dropout {modes}.{note}",
                alternative="; ".join(alternatives[: 2 * _MOST_CURVES]),
                legend=[legend_of(names, looks)[series] for series in plotted],
                wide=len(panels) > 1,
                name=name,
                figure=partial(panels_figure, panels, names, looks),
            )
        )
    return charts


def metric_title(metric: str) -> str:
    """A metric's name with its unit and which way is better."""
    if metric == DIVERSITY:
        return f"{DIVERSITY} (1: as diverse as the ground truths, 0: one picture for every input)"
    if metric not in METRICS:
        return metric
    facts = METRICS[metric]
    better = f"{'higher' if facts.higher_is_better else 'lower'} is better"
    return f"{metric} ({f'{facts.unit}, ' if facts.unit else ''}{better})"


def _points_text(runs: Sequence[TrainingRun], metric: str) -> str:
    """What a point of the metric's curves is, and of how many pictures of which split."""
    rows = pd.concat([run.validation[run.validation["metric"] == metric] for run in runs])
    rows = rows[rows["value"].notna()]
    counts = sorted({int(n) for n in rows["n"].dropna()})
    least = "" if len(counts) < 2 else f"{whole(counts[0])} to "
    splits = [str(split) for split in rows["split"].dropna().unique()]
    known = {True: ", some or all trained on, too", False: ", no copy among the training pictures", None: ""}[
        any_seen(None if missing(mark) else bool(mark) for mark in rows["seen"]) if "seen" in rows else None
    ]
    origin = f" of {'splits' if len(splits) > 1 else 'the split'} {listed(splits)}{known}" if splits else ""

    def counted(noun: str) -> str:
        return f"{least}{plural(counts[-1], noun) if counts else f'{noun}s'}{origin}"

    if metric == DIVERSITY:
        return (
            f"How much the pictures generated for {counted('input')}, differ from each other, as a share of how much "
            "their ground truths do"
        )
    if metric in METRICS and METRICS[metric].kind == "set":
        return f"Over {counted('picture')}, as one set"
    return f"Mean over {counted('picture')}"


def plateau_tables(plateaus: pd.DataFrame) -> list[Table]:
    """The step after which each metric no longer improves, both modes beside each other."""
    measured = plateaus[plateaus["n"] > 0]
    if measured.empty:
        return []
    rows = []
    for (model, metric), group in measured.groupby(["model", "metric"], sort=False):
        steps = [_plateau_text(group[group["mode"] == mode]) for mode in MODES]
        rows.append([str(model), str(metric), *steps, whole(group["n"].max())])
    notes = [_METHOD]
    for note, part in measured[measured["note"].notna()].groupby("note", sort=False):
        models: dict[str, list[str]] = {}
        for (model, metric), group in part.groupby(["model", "metric"], sort=False):
            modes = "both modes" if len(group) == len(MODES) else f"{group['mode'].iloc[0]} mode"
            models.setdefault(str(model), []).append(f"{metric} in {modes}")
        where = "; ".join(f"{model} ({', '.join(metrics)})" for model, metrics in models.items())
        notes.append(f"{'all' if len(part) == len(measured) else where}: {note}.")
    head = ["model", "metric", *(f"{mode} mode" for mode in MODES), "N"]
    return [Table("The step after which a metric no longer improves", head, rows, text_columns=4, notes=notes)]


def _plateau_text(rows: pd.DataFrame) -> str:
    """The verdict on one metric in one mode, with the step's 95 % interval."""
    if rows.empty:
        return NOTHING
    row = rows.iloc[0]
    if row["verdict"] == "plateau":
        return f"{whole(row['plateau_step'])} ({whole(row['ci_low'])} to {whole(row['ci_high'])})"
    if row["verdict"] == "still_improving" and not missing(row["ci_low"]):
        return f"{_VERDICTS['still_improving']}; not before {whole(row['ci_low'])}"
    return _VERDICTS[row["verdict"]]


def validation_tables(runs: Sequence[TrainingRun]) -> list[Table]:
    """The validation values at the snapshots, else at steps spread over the run."""
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
    head = ["model", "metric", "mode", *("untrained" if step == 0 else f"step {whole(step)}" for step in steps)]
    return [Table("Validation on the way", head, rows, text_columns=3, notes=notes)] if rows else []
