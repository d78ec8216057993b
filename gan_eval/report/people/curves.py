"""Thresholds of exposure from staircases and QUEST+, psychometric functions, and ROC curves from confidence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gan_eval.report.parts.blocks import Block, Charts, Lines, ReportSection, ShownTable
from gan_eval.report.parts.chart import MAX_GROUPS, MAX_TITLE, MUTED, Chart, first_of, line_style, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    BASES,
    NOTHING,
    Record,
    milliseconds,
    missing,
    model_text,
    number,
    on_dataset,
    percent,
    proportion_interval,
    row_notes,
    rows_with,
    text,
    whole,
)
from gan_eval.settings.protocols import QUEST_PLUS, STAIRCASE
from gan_eval.stats.tables.hype import THRESHOLDS, mean_thresholds
from gan_eval.stats.tables.psychometric import EXPOSURE, PSYCHOMETRIC, PSYCHOMETRIC_LEVELS, averaged_share
from gan_eval.stats.tables.roc import ROC, ROC_POINTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES: Mapping[str, str] = {STAIRCASE: "staircase", QUEST_PLUS: "QUEST+"}
_TASKS = {"single": "single pictures", "pair": "pairs"}


def thresholds_table(folder: StudyFolder) -> ShownTable:
    """Return the mean thresholds; the file has each block's."""
    frame = folder.table(THRESHOLDS)
    head = ["data set", "by", "participants", "mean threshold", INTERVAL, "without a threshold"]
    means = [
        [
            text(mean.dataset),
            _NAMES[mean.protocol],
            whole(mean.counts["n_participants"]),
            milliseconds(mean.estimate.value),
            NOTHING if missing(mean.estimate.low) else _interval(*mean.estimate[1:]),
            whole(mean.counts["n_without"]),
        ]
        for mean in (mean_thresholds(frame) if len(frame) else ())
    ]
    return ShownTable("Thresholds of exposure", head, means, 2, source="thresholds")


def _interval(low: float, high: float) -> str:
    return f"[{milliseconds(low)}, {milliseconds(high)}]"


def psychometric_blocks(folder: StudyFolder) -> list[Block]:
    """Return the curves of each data set, and every threshold and slope."""
    frame = _estimated(folder.table(PSYCHOMETRIC))
    several = frame["task"].nunique() > 1
    units = ["probits" if row["link"] == "probit" else "log-odds" for row in frame.to_dict("records")]
    columns = {
        **({"answers to": labelled(_TASKS, "task")} if several else {}),
        "data set": cell(text, "dataset"),
        "model": cell(text, "model"),
        "threshold": lambda row: level_text(row["threshold"], row["level"]),
        INTERVAL: lambda row: (
            NOTHING
            if missing(row["threshold"])
            else f"[{', '.join(level_text(row[f'threshold_{end}'], row['level']) for end in ('low', 'high'))}]"
        ),
        "correct answers there": cell(percent, "share"),
        "slope": cell(number, "slope"),
        f"its {INTERVAL}": interval_cell("slope_low", "slope_high"),
        "by": labelled(BASES, "basis"),
    }
    functions = table_of(
        "Thresholds and slopes",
        frame,
        columns,
        text_columns=3 if several else 2,
        last_is_text=True,
        notes=said("tables", "psychometric", [*dict.fromkeys(units)]),
        label=_named,
        source="psychometric",
    )
    charts = psychometric_charts(folder)
    return [Charts(charts), *(functions if frame["slope"].notna().any() else _reasons(frame) if charts else [])]


def _named(row: Record) -> str:
    """Return the name of a row of a model on a data set, for its note."""
    return model_text(row["model"]) + on_dataset(row["dataset"])


def _reasons(frame: pd.DataFrame) -> list[Lines]:
    """Return the notes of rows without any curve: a table of them would be empty."""
    return [Lines(row_notes((row["note"], _named(row)) for row in frame.to_dict("records")))]


def _estimated(functions: pd.DataFrame) -> pd.DataFrame:
    """Return `psychometric` with threshold and share only where the threshold has an interval: else there is none."""
    is_known = functions["threshold_low"].notna()
    return functions.assign(**{name: functions[name].where(is_known) for name in ("threshold", "share")})


def level_text(value: object, level: object) -> str:
    """Return a level as the report prints it; exposures in ms.

    >>> level_text(0.1234, "noise")
    '0.123'
    """
    if missing(value):
        return NOTHING
    return milliseconds(value) if level == EXPOSURE else f"{float(str(value)):.3g}"


def psychometric_charts(folder: StudyFolder) -> list[Chart]:
    """Return a chart for each data set: each model's curve, and the observed shares at the levels."""
    functions, levels = _estimated(folder.table(PSYCHOMETRIC)), folder.table(PSYCHOMETRIC_LEVELS)
    charts: list[Chart] = []
    for (task, dataset), part in functions.groupby(["task", "dataset"], dropna=False, sort=False):
        rows = rows_with(levels[levels["task"] == task], "dataset", dataset)
        if rows.empty:
            continue
        caption = sentence("tables", "psychometric_chart", part["threshold"].notna().any())
        alternatives = [
            f"{model_text(row['model'])}: threshold {level_text(row['threshold'], row['level'])}"
            for row in part.to_dict("records")
        ]
        charts.append(
            Chart(
                f"{'Pairs' if task == 'pair' else 'Correct answers'}{on_dataset(dataset)}",
                [_psychometric_figure(part.iloc[:MAX_GROUPS], rows)],
                caption + first_of(len(part)),
                "; ".join(alternatives),
                name=f"psychometric-{len(charts) + 1}",
            )
        )
    return charts


def _psychometric_figure(functions: pd.DataFrame, levels: pd.DataFrame) -> "Figure":
    level = str(functions["level"].iloc[0])
    at = levels["at"].to_numpy(float)
    scale, back = (np.log2, np.exp2) if bool((at > 0).all()) else (np.asarray, np.asarray)
    low, high = float(scale(at).min()), float(scale(at).max())
    pad = 0.06 * max(high - low, 1e-9)
    grid = np.linspace(low - pad, high + pad, 120)
    from matplotlib.ticker import FuncFormatter, NullLocator

    with panel(2.7 + 0.17 * len(functions)) as (figure, axes):
        axes.axhline(50, color=MUTED, linewidth=1.2, linestyle="--", zorder=0)
        for index, row in enumerate(functions.to_dict("records")):
            style = line_style(index)
            colour = style["color"]
            label = model_text(row["model"]).replace("$", r"\$")
            rows = rows_with(levels, "model", row["model"])
            aside = 0.35 * pad * (index - (len(functions) - 1) / 2)  # no interval hides another
            x = scale(rows["at"].to_numpy(float)) + aside
            share, down, up = (100 * rows[name].to_numpy(float) for name in ("accuracy", "ci_low", "ci_high"))
            has_curve = not missing(row["threshold"])  # else the share may not change at all
            axes.vlines(x, down, up, color=colour, linewidth=1.6, alpha=0.55)
            axes.plot(x, share, "o", color=colour, markersize=4.5, label=None if has_curve else label)
            if has_curve:
                middle = float(scale(np.array([row["threshold"]]))[0])
                sd = abs(row["slope"]) * float(np.hypot(row["sd_participant"], row["sd_stimulus"]))
                curve = averaged_share(row["slope"] * (grid - middle), sd, row["lapse_rate"], str(row["link"]))
                axes.plot(grid, 100 * curve, label=label, **style)
                if low - pad <= middle <= high + pad:
                    axes.vlines(middle, 100 * row["share"] - 4, 100 * row["share"] + 4, color=colour, linewidth=2.2)
        ticks = scale(np.unique(at)) if levels["at"].nunique() <= 8 else axes.get_xticks()
        axes.set_xticks(ticks[np.concatenate([[True], np.diff(ticks) > 1.5 * pad])])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{float(back(value)):.4g}"))
        axes.set_xlim(low - pad, high + pad)
        axes.set_ylim(min(30.0, float(100 * levels["ci_low"].min())), 102)
        axes.grid(axis="y")
        axes.set_xlabel("exposure, ms" if level == EXPOSURE else level, parse_math=False)
        axes.set_ylabel("correct answers, %")
        figure.legend(loc="outside lower center", ncols=min(3, len(functions)), fontsize=8, handlelength=3.5)
    return figure


_MARKERS = "osD^vPX*"


def confidence_section(folder: StudyFolder) -> ReportSection:
    """Return the ROC and zROC of each data set, and the table of their fits."""
    columns = {
        "data set": cell(text, "dataset"),
        "model": cell(text, "model"),
        "d_a": cell(number, "d_a"),
        INTERVAL: interval_cell("d_a_low", "d_a_high"),
        "slope": cell(number, "slope"),
        f"its {INTERVAL}": interval_cell("slope_low", "slope_high"),
        "area A_z": lambda row: proportion_interval(row["a_z"], row["a_z_low"], row["a_z_high"]),
        "by": labelled(BASES, "basis"),
    }
    fits = folder.table(ROC)
    table = table_of(
        "Sensitivity and slope of the zROC",
        fits,
        columns,
        text_columns=2,
        last_is_text=True,
        notes=said("tables", "confidence"),
        label=_named,
        source=ROC.name,
    )
    shown = table if fits["d_a"].notna().any() else _reasons(fits)
    return ReportSection(
        "confidence", "Sensitivity from confidence ratings", [Charts(confidence_charts(folder)), *shown]
    )


def confidence_charts(folder: StudyFolder) -> list[Chart]:
    """Return a chart of two panels for each data set, ROC and zROC."""
    fits, points = folder.table(ROC), folder.table(ROC_POINTS)
    charts: list[Chart] = []
    for dataset, rows in fits.groupby("dataset", dropna=False, sort=False):
        curves, at = rows.iloc[:MAX_GROUPS], rows_with(points, "dataset", dataset)
        if at.empty:
            continue
        charts.append(
            Chart(
                f"ROC and zROC{on_dataset(dataset)}",
                [_roc_figure(curves, at, on_z=False), _roc_figure(curves, at, on_z=True)],
                sentence("tables", "confidence_chart", rows["d_a"].notna().any()) + first_of(len(rows)),
                "; ".join(
                    f"{model_text(row['model'])}: d_a {number(row['d_a'])}, slope {number(row['slope'])}"
                    for row in rows.to_dict("records")
                ),
                name=f"roc-{len(charts) + 1}",
            )
        )
    return charts


def _fitted(row: Record, x: np.ndarray, ends: tuple[float, float], *, on_z: bool) -> list[np.ndarray]:
    """Return the fitted line of a zROC over its points, or the whole curve of a ROC: its two coordinates."""
    finite = x[np.isfinite(x)]
    if not on_z:
        grid = np.linspace(-4, 4, 161)
    else:
        grid = np.array([finite.min() - 0.3, finite.max() + 0.3] if len(finite) else ends)
    line = [grid, row["intercept"] + row["slope"] * grid]
    return line if on_z else list(map(ndtr, line))


def _roc_figure(fits: pd.DataFrame, points: pd.DataFrame, *, on_z: bool) -> "Figure":
    names = ("z_false_alarm", "z_hit") if on_z else ("false_alarm_rate", "hit_rate")
    with panel(3.7 + 0.17 * len(fits)) as (figure, axes):
        values = np.abs(points[[*names]].to_numpy(float))
        reach = min(3.0, float(values[np.isfinite(values)].max(initial=0.7)) + 0.3)
        ends = (-reach, reach) if on_z else (-0.02, 1.02)
        axes.set(xlim=ends, ylim=ends)
        axes.set_xticks(np.arange(-int(reach), int(reach) + 1) if on_z else np.linspace(0, 1, 6))
        axes.set_yticks(axes.get_xticks())
        axes.plot(ends, ends, color=MUTED, linewidth=1.2, linestyle="--", zorder=0)
        for index, row in enumerate(fits.to_dict("records")):
            style = line_style(index)
            rows = rows_with(points, "model", row["model"])
            x, y = (rows[name].to_numpy(float) for name in names)
            marker = _MARKERS[index % len(_MARKERS)]
            axes.plot(x, y, marker, color=style["color"], markersize=4.5)
            label = model_text(row["model"])[:MAX_TITLE].replace("$", r"\$")
            axes.plot([], [], marker=marker, markersize=4.5, label=label, **style)  # for the legend
            if not missing(row["d_a"]):
                axes.plot(*_fitted(row, x, ends, on_z=on_z), **style)
        axes.set_aspect("equal")
        axes.grid()
        axes.set_xlabel("z(false-alarm rate)" if on_z else "false-alarm rate: reals called fake")
        axes.set_ylabel("z(hit rate)" if on_z else "hit rate: fakes called fake")
        are_short = all(len(model_text(row["model"])) <= 14 for row in fits.to_dict("records"))
        columns = min(3, len(fits)) if are_short else 1
        figure.legend(loc="outside lower center", ncols=columns, fontsize=8, handlelength=3.5)
    return figure
