"""ROC curves from confidence ratings: observed points, fitted curves and lines, and the numbers of each."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gan_eval.report.parts.blocks import Charts, ReportSection
from gan_eval.report.parts.chart import MAX_GROUPS, MAX_TITLE, MUTED, STYLE, Chart, first_of, line_style, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    BASES,
    missing,
    model_text,
    number,
    on_dataset,
    proportion_interval,
    rows_with,
    text,
)
from gan_eval.stats.tables.roc import ROC, ROC_POINTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    fits = table_of(
        "Sensitivity and slope of the zROC",
        folder.table(ROC),
        columns,
        text_columns=2,
        last_is_text=True,
        notes=said("tables", "confidence"),
        label=lambda row: text(row["model"]) + on_dataset(row["dataset"]),
        source=ROC.name,
    )
    return ReportSection(
        "confidence", "Sensitivity from confidence ratings", [Charts(confidence_charts(folder)), *fits]
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
                [_figure(curves, at, on_z=False), _figure(curves, at, on_z=True)],
                sentence("tables", "confidence_chart", rows["d_a"].notna().any()) + first_of(len(rows)),
                "; ".join(
                    f"{model_text(row['model'])}: d_a {number(row['d_a'])}, slope {number(row['slope'])}"
                    for row in rows.to_dict("records")
                ),
                name=f"roc-{len(charts) + 1}",
            )
        )
    return charts


def _figure(fits: pd.DataFrame, points: pd.DataFrame, *, on_z: bool) -> "Figure":
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure, axes = panel(3.7 + 0.17 * len(fits))
        names = ("z_false_alarm", "z_hit") if on_z else ("false_alarm_rate", "hit_rate")
        values = np.abs(points[[*names]].to_numpy(float))
        reach = min(3.0, float(values[np.isfinite(values)].max(initial=0.7)) + 0.3)
        ends = (-reach, reach) if on_z else (-0.02, 1.02)
        axes.set(xlim=ends, ylim=ends)
        axes.set_xticks(np.arange(-int(reach), int(reach) + 1) if on_z else np.linspace(0, 1, 6))
        axes.set_yticks(axes.get_xticks())
        axes.plot(ends, ends, color=MUTED, linewidth=1.2, linestyle="--", zorder=0)
        for place, row in enumerate(fits.to_dict("records")):
            style = line_style(place)
            rows = rows_with(points, "model", row["model"])
            x, y = (rows[name].to_numpy(float) for name in names)
            has_fit, marker = not missing(row["d_a"]), _MARKERS[place % len(_MARKERS)]
            axes.plot(x, y, marker, color=style["color"], markersize=4.5)
            label = model_text(row["model"])[:MAX_TITLE].replace("$", r"\$")
            axes.plot([], [], marker=marker, markersize=4.5, label=label, **style)  # for the legend
            if has_fit and on_z:
                finite = x[np.isfinite(x)]
                grid = np.array([finite.min() - 0.3, finite.max() + 0.3]) if len(finite) else np.array(ends)
                axes.plot(grid, row["intercept"] + row["slope"] * grid, **style)
            elif has_fit:
                grid = np.linspace(-4, 4, 161)
                axes.plot(ndtr(grid), ndtr(row["intercept"] + row["slope"] * grid), **style)
        axes.set_aspect("equal")
        axes.grid()
        axes.set_xlabel("z(false-alarm rate)" if on_z else "false-alarm rate: reals called fake")
        axes.set_ylabel("z(hit rate)" if on_z else "hit rate: fakes called fake")
        are_short = all(len(model_text(row["model"])) <= 14 for row in fits.to_dict("records"))
        columns = min(3, len(fits)) if are_short else 1
        figure.legend(loc="outside lower center", ncols=columns, fontsize=8, handlelength=3.5)
    return figure
