"""Metric values against fooling rates, a plot for each metric with the fitted curve.

Do metrics agree with people? Correlations, their differences, and models of single answers.
"""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gan_eval.report.parts.chart import GRID, MUTED, SERIES, STYLE, Picture, panel, picture
from gan_eval.report.parts.folder import StudyFolder, kept_trials
from gan_eval.report.parts.table import INTERVAL, between, filled, known_as, of, view_of
from gan_eval.report.parts.words import Record, View, clean, missing, number, p_value, percent, plural, text, whole
from gan_eval.stats.metrics_and_people.ceiling import spearman
from gan_eval.stats.metrics_and_people.points import fitted_curves, points
from gan_eval.tables import CORRELATION_DIFFERENCES, CORRELATIONS, IMAGE_METRICS, METRIC_MODELS, SET_METRICS

MOST_PLOTS = 24
MOST_POINTS = 500
"""Dots of a plot; of more pictures they are spread evenly over the metric's values."""
NEAR = 1e-6
"""Two correlations of the same points differ by less."""
_BY = ["level", "dataset", "metric"]


def agreement_figures(folder: StudyFolder) -> list[Picture]:
    """A scatter for each level, data set and metric; none where the trials or the metrics are not here."""
    trials = kept_trials(folder)
    if trials.empty or folder.table(CORRELATIONS).empty:
        return []
    tables = {
        "image_metrics": folder.tables.get(IMAGE_METRICS.name),
        "set_metrics": folder.tables.get(SET_METRICS.name),
    }
    if all(table is None for table in tables.values()):
        return []
    dots = points(trials, **tables)
    dots = dots[dots["rate"].notna()]
    curves = dict(_groups(fitted_curves(trials, **tables)))
    found = [
        _plot(key, part, curves.get(key), folder.table(CORRELATIONS))
        for key, part in _groups(dots)
        if np.isfinite(part["value"].astype(float)).sum() > 2
    ]
    return [
        picture(title, figure, name=f"agreement-{place}", caption=caption, alternative=alternative)
        for place, (title, figure, caption, alternative) in enumerate(found[:MOST_PLOTS])
    ]


def _groups(frame: pd.DataFrame) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """Parts by level, data set ("" where all are together) and metric."""
    named = frame.assign(dataset=frame["dataset"].astype(object).where(frame["dataset"].notna(), ""))
    return [((str(a), str(b), str(c)), part) for (a, b, c), part in named.groupby(_BY, sort=False)]


def _plot(
    key: tuple[str, str, str], dots: pd.DataFrame, curve: pd.DataFrame | None, correlations: pd.DataFrame
) -> tuple[str, Figure, str, str]:
    level, dataset, metric = key
    ordered = dots[np.isfinite(dots["value"].astype(float))].sort_values(["value", "rate", "id"])
    count = len(ordered)
    shown = ordered.iloc[np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int))]
    what = "picture" if level == "stimulus" else "model"
    where = f" on {dataset}" if dataset else ""
    printed = _printed(correlations, key)
    other = _other_trials(printed, dots)
    curve = None if other else curve
    thinned = f" {len(shown)} of {plural(count, what)} drawn." if len(shown) < count else ""
    infinite = plural(len(dots) - count, "infinite value", "infinite values")
    beyond = f" Not drawn: {infinite}." if count < len(dots) else ""
    curved = " Line: fitted logistic curve." if curve is not None else ""
    caption = (
        f"A dot for each {what} ({plural(count, what)}), larger with more answers.{curved}{thinned}{beyond}"
        f"{_told(printed)}{other}"
    )
    return f"{metric}{where}, {what}s", _drawn(metric, shown, curve, level), caption, caption


def _drawn(metric: str, dots: pd.DataFrame, curve: pd.DataFrame | None, level: str) -> Figure:
    with mpl.rc_context(STYLE):
        figure, axes = panel(2.6)
        size = 8 + 22 * np.sqrt(dots["n"].to_numpy(float) / max(float(dots["n"].max()), 1.0))
        axes.scatter(
            dots["value"],
            100 * dots["rate"],
            s=size * (2 if level == "model" else 1),
            color=SERIES["fake"],
            alpha=0.45,
            linewidths=0,
            zorder=2,
        )
        if curve is not None:
            axes.plot(curve["x"], 100 * curve["rate"], color=SERIES["all"], linewidth=2, zorder=3)
        axes.set_ylim(-4, 104)
        axes.grid(color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.set_xlabel(clean(metric)[:48], parse_math=False)
        axes.set_ylabel("called real, %", color=MUTED)
    return figure


def _printed(correlations: pd.DataFrame, key: tuple[str, str, str]) -> Record | None:
    """The row of the correlations that a plot belongs to; None where there is no coefficient."""
    level, dataset, metric = key
    own = correlations["dataset"].astype(object).where(correlations["dataset"].notna(), "")
    rows = correlations[(correlations["level"] == level) & (own == dataset) & (correlations["metric"] == metric)]
    return None if rows.empty or missing(rows.iloc[0]["spearman"]) else rows.to_dict("records")[0]


def _told(printed: Record | None) -> str:
    if printed is None:
        return ""
    low, high = printed["ci_low"], printed["ci_high"]
    within = "" if missing(low) else f" (95 % interval {number(low)} to {number(high)})"
    return f" Spearman {number(printed['spearman'])}{within}."


def _other_trials(printed: Record | None, dots: pd.DataFrame) -> str:
    """A warning where the dots do not give the correlation that is told."""
    if printed is None:
        return ""
    drawn = spearman(dots["value"].to_numpy(float), dots["rate"].to_numpy(float))
    if int(printed["n"]) == len(dots) and abs(drawn - float(printed["spearman"])) < NEAR:
        return ""
    return (
        f" The dots come from other trials than the coefficient: those in trials.csv give {number(drawn)}, so no curve "
        "is drawn."
    )


_LEVELS = {"stimulus": "pictures", "model": "models"}
_DATASET = known_as({}, "dataset", "all")


def agreement_views(folder: StudyFolder) -> list[View]:
    """Every table of metrics beside people."""
    return [*correlations_views(folder), *_differences(folder), *_models(folder)]


def correlations_views(folder: StudyFolder) -> list[View]:
    """Agreement of metrics with people, with the ceiling that no metric can exceed."""
    table = folder.table(CORRELATIONS)
    ceiling = filled(table, "ceiling", of(number, "ceiling"))
    columns = {
        "over": known_as(_LEVELS, "level"),
        "data set": _DATASET,
        "metric": of(text, "metric"),
        "n": of(whole, "n"),
        "Spearman": of(number, "spearman"),
        INTERVAL: between(),
        "Kendall": of(number, "kendall"),
        "Pearson": of(number, "pearson"),
        "after logistic fit": filled(table, "pearson_logistic", of(number, "pearson_logistic")),
        "p": of(p_value, "p"),
        "ceiling": ceiling,
    }
    told = "Ceiling: the correlation that a perfect metric could reach with answers of this reliability."
    caption = "Correlation of metrics with the share of generated pictures called real"
    notes = [told] if ceiling else []
    return view_of(caption, table, columns, text_columns=3, notes=notes, label="metric", source="correlations")


def _differences(folder: StudyFolder) -> list[View]:
    table = folder.table(CORRELATION_DIFFERENCES)
    columns = {
        "over": known_as(_LEVELS, "level"),
        "data set": _DATASET,
        "metrics": of(text, "pair"),
        "n": of(whole, "n"),
        "|Spearman| of each": lambda row: f"{number(row['agreement_a'])}, {number(row['agreement_b'])}",
        "difference": of(number, "difference"),
        INTERVAL: between(),
        "p (Steiger)": of(p_value, "p"),
        "p (Holm)": of(p_value, "p_holm"),
        "follows people better": known_as({}, "follows_better", "undecided"),
    }
    return view_of(
        "Which metric follows people better?",
        table.assign(pair=[f"{a}, {b}" for a, b in zip(table["metric_a"], table["metric_b"], strict=True)]),
        columns,
        text_columns=3,
        last_is_text=True,
        label="pair",
        source="correlation_differences",
    )


def _models(folder: StudyFolder) -> list[View]:
    columns = {
        "data set": _DATASET,
        "metric": of(text, "metric"),
        "log-odds for 1 SD": of(number, "estimate"),
        INTERVAL: between(),
        "likelihood ratio χ²": of(number, "lrt_chi2"),
        "p": of(p_value, "lrt_p"),
        "p (Holm)": of(p_value, "p_holm"),
        "variance of pictures explained": of(percent, "explained"),
        "answers": of(whole, "n_trials"),
        "pictures": of(whole, "n_stimuli"),
    }
    return view_of(
        "Does a metric tell which single picture fools?",
        folder.table(METRIC_MODELS),
        columns,
        text_columns=2,
        notes=[
            "Log-odds of being called real for one standard deviation more of the metric, in a crossed mixed model."
        ],
        label="metric",
        source="metric_models",
    )
