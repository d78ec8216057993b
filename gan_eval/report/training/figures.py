"""The figures of training: loss terms of all models on one page, and validation metrics with their plateaus."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.chart import Picture
from gan_eval.report.parts.words import listed, number, plural, whole
from gan_eval.report.training.curves import (
    MOST_POINTS,
    SHARE,
    Curve,
    Look,
    Mark,
    Panel,
    legend_of,
    looks_of,
    panels_figure,
    panels_on_page,
    series_look,
)
from gan_eval.report.training.runs import MODES, TrainingRun, labels

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
}
_MOST_SAID = 4
_MODE_WORDS = ("training", "evaluation")
"""MODES in words."""
DIVERSITY = "diversity"
"""The one validated quantity that is no metric of the registry."""


def loss_panels(runs: Sequence[TrainingRun]) -> list[Panel]:
    """A panel for each term that any run has logged; a line for each run."""
    found = dict.fromkeys(str(term) for run in runs for term in run.log["term"])
    terms = sorted(found, key=lambda term: list(_TITLES).index(term) if term in _TITLES else len(_TITLES))
    panels = [Panel(_TITLES.get(term, term), _curves(runs, term), logarithmic=term.endswith("norm")) for term in terms]
    return [panel._replace(limits=_limits(panel)) for panel in panels if panel.curves]


def losses_figures(runs: Sequence[TrainingRun]) -> list[Picture]:
    """The loss terms of all runs, none without runs."""
    panels = loss_panels(runs)
    if not panels:
        return []
    names, looks = labels(runs), looks_of(runs)
    last = max(int(run.log["step"].max()) for run in runs)
    said = [
        f"{panel.title}: " + ", ".join(_said(names[curve.series], curve.heights) for curve in panel.curves[:_MOST_SAID])
        for panel in panels
    ]
    each = ", a line for each model" if len(runs) > 1 else ""
    picture = Picture(
        title="Training of " + (names[0] if len(names) == 1 else plural(len(names), "model")),
        svg=panels_on_page(panels, looks, name="losses"),
        caption=f"Loss terms over {whole(last)} steps{each}: faint as logged (at most {MOST_POINTS} means), strong the "
        f"running median over {100 * SHARE:.0f}\u202f% of the run. The gradient norm has a logarithmic axis.",
        alternative="; ".join(said),
        legend=legend_of(names, looks) if len(names) > 1 else (),
        wide=True,
        name="losses",
        draw=partial(panels_figure, panels, names, looks),
    )
    return [picture]


def validated_metrics(runs: Sequence[TrainingRun]) -> list[str]:
    """The metrics with a value in any run's validation, in the registry's order, others after them."""
    found = dict.fromkeys(
        str(metric) for run in runs for metric in run.validation.loc[run.validation["value"].notna(), "metric"]
    )
    order = list(METRICS)
    return sorted(found, key=lambda metric: order.index(metric) if metric in order else len(order))


def metric_panels(runs: Sequence[TrainingRun], metric: str, plateaus: pd.DataFrame) -> list[Panel]:
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
    shared = _shared_limits(panels)
    return [panel._replace(limits=shared) for panel in panels]


def validation_figures(runs: Sequence[TrainingRun], plateaus: pd.DataFrame) -> list[Picture]:
    """A figure for each validated metric."""
    found = []
    for place, metric in enumerate(validated_metrics(runs)):
        panels = metric_panels(runs, metric, plateaus)
        if not panels:
            continue
        name = f"validation-{place}"
        said = [
            f"{panel.title}, {MODES[curve.series]} mode: {_from_to(curve.heights)}"
            for panel in panels
            for curve in panel.curves
        ]
        if len(runs) == 1:
            panels = [panel._replace(title="") for panel in panels]
        marked = any(panel.marks for panel in panels)
        drawn = sorted({curve.series for panel in panels for curve in panel.curves})
        modes = " and ".join(f"as in {_MODE_WORDS[series]}" for series in drawn)
        note = " Upright line and band: the step after which it no longer improves, with its 95\u202f% interval."
        found.append(
            Picture(
                title=f"Validation: {metric_title(metric)}",
                svg=panels_on_page(panels, mode_looks(), name=name),
                caption=f"{_meaning(runs, metric)}, with BatchNorm and dropout {modes}.{note if marked else ''}",
                alternative="; ".join(said[: 2 * _MOST_SAID]),
                legend=[legend_of(mode_names(), mode_looks())[series] for series in drawn],
                wide=len(panels) > 1,
                name=name,
                draw=partial(panels_figure, panels, mode_names(), mode_looks()),
            )
        )
    return found


def mode_names() -> list[str]:
    """The modes as a legend calls them,"""
    return [f"{mode} mode" for mode in MODES]


def mode_looks() -> list[Look]:
    """and how their curves look."""
    return [series_look(number) for number in range(len(MODES))]


def metric_title(metric: str) -> str:
    """A metric's name with its unit and which way is better."""
    if metric == DIVERSITY:
        return f"{DIVERSITY} (1: as diverse as the ground truths, 0: one picture for every input)"
    if metric not in METRICS:
        return metric
    facts = METRICS[metric]
    better = f"{'higher' if facts.higher_is_better else 'lower'} is better"
    return f"{metric} ({f'{facts.unit}, ' if facts.unit else ''}{better})"


def _meaning(runs: Sequence[TrainingRun], metric: str) -> str:
    """What a point of the metric's curves is, and of how many pictures of which split."""
    rows = pd.concat([run.validation[run.validation["metric"] == metric] for run in runs])
    rows = rows[rows["value"].notna()]
    counts = sorted({int(n) for n in rows["n"].dropna()})
    least = "" if len(counts) < 2 else f"{whole(counts[0])} to "
    splits = [str(split) for split in rows["split"].dropna().unique()]
    origin = f" of {'splits' if len(splits) > 1 else 'the split'} {listed(splits)}, not trained on" if splits else ""

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


def _curves(runs: Sequence[TrainingRun], term: str) -> list[Curve]:
    curves = []
    for series, run in enumerate(runs):
        rows = run.log[(run.log["term"] == term) & run.log["value"].notna()].sort_values("step")
        if term.endswith("norm"):
            rows = rows[rows["value"] > 0]
        if len(rows):
            curves.append(Curve(series, rows["step"].to_numpy(float), rows["value"].to_numpy(float)))
    return curves


def _limits(panel: Panel) -> tuple[float, float]:
    """From 0 (or a little below the least) to just above what all but the wildest hundredth of the values reach."""
    values = np.concatenate([curve.heights for curve in panel.curves])
    high = float(np.quantile(values, 0.99)) * 1.15 or 1.0
    return min(0.0, float(values.min())), max(high, 1e-9)


def _shared_limits(panels: Sequence[Panel]) -> tuple[float, float] | None:
    if not panels:
        return None
    values = np.concatenate([curve.heights for panel in panels for curve in panel.curves])
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _said(name: str, values: np.ndarray) -> str:
    return f"{name} {_from_to(values)}"


def _from_to(values: np.ndarray) -> str:
    """The means of the first and of the last twentieth."""
    share = max(1, len(values) // 20)
    first, last = (number(part.mean(), digits=3) for part in (values[:share], values[-share:]))
    return f"from {first} to {last}"
