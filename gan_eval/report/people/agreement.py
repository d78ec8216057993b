"""Do metrics agree with people? Values against fooling rates or mean grades, correlations."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gan_eval.report.metrics.data import higher_is_better, is_of_quality, title_of, with_unit
from gan_eval.report.parts.blocks import Charts, Section, Table
from gan_eval.report.parts.chart import STYLE, Chart, chart_of, panel
from gan_eval.report.parts.folder import StudyFolder, included_trials
from gan_eval.report.parts.palette import GRID, MUTED, SERIES
from gan_eval.report.parts.table import INTERVAL, CellFormat, cell, if_filled, interval_cell, labelled, table_of
from gan_eval.report.parts.words import NOTHING, clean, missing, number, p_value, plural, text, whole
from gan_eval.report.people.design import is_interim
from gan_eval.stats.metrics_and_people.ceiling import spearman
from gan_eval.stats.metrics_and_people.correlations import CORRELATION_DIFFERENCES, CORRELATIONS
from gan_eval.stats.metrics_and_people.points import FOOLING, GRADE, POOLED, points
from gan_eval.tables import IMAGE_METRICS, SET_METRICS

MOST_PLOTS = 24
MOST_POINTS = 500
"""Dots of a plot; of more pictures they are spread evenly over the metric's values."""
NEAR = 1e-6
"""Two correlations of the same points differ by less."""
_LEVELS = {"stimulus": "pictures", "model": "models"}
_WITHIN = (
    "Within models: each picture ranked among its own model's. Pooled over models: all ranked together, so that a "
    "metric which only tells models apart seems to tell pictures apart."
)
_CEILING = (
    "Ceiling: the correlation that a perfect metric could reach with answers of this reliability; corrected for it: "
    "the correlation over the ceiling, what it would be with answers without noise."
)
_UNADJUSTED = "p (Holm) is corrected over metrics, levels and data sets; intervals are unadjusted."
_DATASET = labelled({}, "dataset", "all")


def agreement_section(folder: StudyFolder) -> Section:
    """Plots, correlations and their differences."""
    blocks = [Charts(agreement_charts(folder)), *_correlation_tables(folder)]
    return Section("agreement", "Do metrics agree with people?", blocks)


def _pooled(frame: pd.DataFrame, name: str, within: str) -> dict[str, CellFormat | None]:
    """The column of what is pooled over models, named so, where there is another within models."""
    differs = (frame[name] - frame[within]).abs() > NEAR
    return {
        "pooled over models": cell(number, name)
        if (differs | frame[within].isna() & frame[name].notna()).any()
        else None
    }


def _with_titles(frame: pd.DataFrame) -> pd.DataFrame:
    """With the metrics' titles, and without the rows' word that a column is pooled: the page's column says it."""
    notes = frame["note"].astype(object).where(frame["note"].notna(), "")
    rest = ["; ".join(part for part in note.split("; ") if part != POOLED) or None for note in notes]
    return frame.assign(metric=frame["metric"].map(title_of), note=pd.Series(rest, frame.index, dtype="object"))


def agreement_charts(folder: StudyFolder) -> list[Chart]:
    """A scatter for each level, data set and metric; none where the trials or the metrics are not here."""
    trials, correlations = included_trials(folder), folder.table(CORRELATIONS)
    tables = {table.name: folder.tables.get(table.name) for table in (IMAGE_METRICS, SET_METRICS)}
    if trials.empty or correlations.empty or all(table is None for table in tables.values()):
        return []
    scored = points(trials, **tables)
    # a data set's few models stand among those of all data sets, too
    of_all = {key for key, _ in _groups(scored) if key.level == "model" and not key.dataset}
    plots = [
        (key, part)
        for key, part in sorted(_groups(scored), key=lambda group: not is_of_quality(group[0].metric))
        if np.isfinite(part["value"].astype(float)).sum() >= (5 if key._replace(dataset="") in of_all else 3)
    ]
    return [
        _chart(key, part, correlations, name=f"agreement-{place}")
        for place, (key, part) in enumerate(plots[:MOST_PLOTS])
    ]


class _Key(NamedTuple):
    """Whose points a chart shows."""

    measure: str
    level: str
    dataset: str
    """"" where all are pooled."""
    metric: str


def _groups(frame: pd.DataFrame) -> list[tuple[_Key, pd.DataFrame]]:
    named = frame.assign(dataset=frame["dataset"].astype(object).where(frame["dataset"].notna(), ""))
    return [(_Key(*map(str, key)), part) for key, part in named.groupby([*_Key._fields], sort=False)]


def _chart(key: _Key, part: pd.DataFrame, correlations: pd.DataFrame, *, name: str) -> Chart:
    """Draw the points of one level, data set and metric, with the table's coefficient in the caption.

    Where the points do not give that coefficient, the caption says so.
    """
    measure, of, dataset, metric = key
    finite = part[np.isfinite(part["value"].astype(float))].sort_values(["value", "score", "id"])
    count = len(finite)
    plotted = finite.iloc[np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int))]
    rows = dict(_groups(correlations)).get(key, correlations.iloc[:0])
    coefficient = warning = ""
    if len(rows) and not missing(rows.iloc[0]["spearman"]):
        row = rows.to_dict("records")[0]
        column, ends = ("within", "within") if of == "stimulus" else ("spearman", "ci")
        low, high = row[f"{ends}_low"], row[f"{ends}_high"]
        within = "" if missing(low) else f" (95 % interval {number(low)} to {number(high)})"
        coefficient = f" Spearman {number(row[column])}{within}."
        if not missing(row[column]) and abs(row[column] - row["spearman"]) > NEAR:
            coefficient = (
                f" Spearman within models {number(row[column])}{within}; pooled over models {number(row['spearman'])}."
            )
        of_points = spearman(part["value"].to_numpy(float), part["score"].to_numpy(float))
        if int(row["n"]) != len(part) or not abs(of_points - float(row["spearman"])) < NEAR:
            warning = (
                f" The dots come from other trials than the coefficient: those in trials.csv give {number(of_points)}."
            )
    noun = "picture" if of == "stimulus" else "model"
    of_each = " on each data set" if noun == "model" and part["id"].astype("str").str.contains("/").any() else ""
    thinned = f" {len(plotted)} of {plural(count, noun)} drawn." if len(plotted) < count else ""
    infinite = plural(len(part) - count, "infinite value", "infinite values")
    not_drawn = f" Not drawn: {infinite}." if count < len(part) else ""
    caption = (
        f"A dot for each {noun}{of_each} ({(of_each and count) or plural(count, noun)}), larger with more "
        f"{'grades' if measure == GRADE else 'answers'}."
        f"{thinned}{not_drawn}{coefficient}{warning}"
    )
    title = f"{title_of(metric)}{f' on {dataset}' if dataset else ''}, {noun}s{', graded' * (measure == GRADE)}"
    figure = _scatter(metric, measure, plotted, scale=2 if of == "model" else 1)
    return chart_of(title, figure, name=name, caption=caption, alternative=caption)


def _scatter(metric: str, measure: str, plotted: pd.DataFrame, *, scale: int) -> Figure:
    with mpl.rc_context(STYLE):
        figure, axes = panel(2.6)
        size = 8 + 22 * np.sqrt(plotted["n"].to_numpy(float) / max(float(plotted["n"].max()), 1.0))
        colour, score = SERIES["fake"], plotted["score"] * (1 if measure == GRADE else 100)
        axes.scatter(plotted["value"], score, s=size * scale, color=colour, alpha=0.45, linewidths=0, zorder=2)
        if measure != GRADE:
            axes.set_ylim(-4, 104)
        axes.grid(color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.set_xlabel(clean(with_unit(metric))[:48], parse_math=False)
        axes.set_ylabel("mean grade" if measure == GRADE else "called real, %", color=MUTED)
    return figure


def _measure(frame: pd.DataFrame) -> dict[str, CellFormat]:
    """The column of what people did, where some judged pictures and some graded them."""
    names = {FOOLING: "called real", GRADE: "mean grade"}
    return {"against": labelled(names, "measure")} if frame["measure"].nunique() > 1 else {}


def _correlation_tables(folder: StudyFolder) -> list[Table]:
    """Agreement of metrics with people, with the ceiling that no metric can exceed; and which follows them better."""
    table = folder.table(CORRELATIONS)
    against = _measure(table)
    is_picture, is_quality = table["level"] == "stimulus", table["metric"].map(is_of_quality).astype(bool)
    correlations = []
    for caption, part, ends, label in (
        (
            "From picture to picture of a model: do metrics follow people?",
            is_picture & is_quality,
            "within",
            "Spearman, within models",
        ),
        ("From model to model: do metrics follow people?", ~is_picture & is_quality, "ci", "Spearman"),
        (
            "The generators' input, no metric of quality: does it go with people's answers?",
            ~is_quality & is_picture,
            "within",
            "Spearman, within models",
        ),
    ):
        frame = _with_titles(table[part])
        of = "" if ends == "ci" else "within_"
        columns = {
            "data set": _DATASET,
            "metric": cell(text, "metric"),
            **against,
            "n": cell(whole, "n"),
            label: cell(number, "spearman" if ends == "ci" else "within"),
            INTERVAL: interval_cell(f"{ends}_low", f"{ends}_high"),
            "p": cell(p_value, f"{of}p"),
            "p (Holm)": cell(p_value, f"{of}p_holm"),
            "ceiling": if_filled(frame, f"{of}ceiling", cell(number, f"{of}ceiling")),
            "corrected for it": if_filled(frame, f"{of}corrected", cell(number, f"{of}corrected")),
        }
        if ends != "ci":
            columns |= _pooled(frame, "spearman", "within")
        notes = [_CEILING, _UNADJUSTED] if columns["ceiling"] else [_UNADJUSTED]
        if columns.get("pooled over models"):
            notes.insert(0, _WITHIN)
        if ends == "ci":
            notes.append("Intervals draw people and items anew, and keep the models; p takes the models as drawn.")
        correlations += table_of(
            caption, frame, columns, text_columns=2 + len(against), notes=notes, label="metric", source="correlations"
        )
    frame = folder.table(CORRELATION_DIFFERENCES)
    frame = frame[frame[["metric_a", "metric_b"]].map(is_of_quality).all(axis=1).astype(bool)]
    # over fewer points than a test needs, nothing follows people better: said in a line, not in a row each
    untested = frame["ci_low"].isna() & frame["p"].isna()
    notes = [_UNADJUSTED]
    if untested.any() and not untested.all():
        pairs = plural(int(untested.sum()), "pair")
        notes.append(f"{pairs} of metrics over too few points for an interval or a test left out; the file holds them.")
        frame = frame[~untested]
    columns = {
        "over": labelled(_LEVELS, "level"),
        "data set": _DATASET,
        "metrics": cell(text, "pair"),
        **against,
        "n": cell(whole, "n"),
        "|Spearman| of each": lambda row: (
            NOTHING
            if missing(row["agreement_a"]) and missing(row["agreement_b"])
            else f"{number(row['agreement_a'])}, {number(row['agreement_b'])}"
        ),
        "difference": cell(number, "difference"),
        INTERVAL: interval_cell(),
        "p (Steiger)": cell(p_value, "p"),
        "p (Holm)": cell(p_value, "p_holm"),
        "follows people better": labelled({}, "follows_better", "interim" if is_interim(folder) else "undecided"),
    }
    differences = table_of(
        "Which metric follows people better?",
        frame.assign(
            pair=[
                f"{title_of(a)} and {title_of(b)}" for a, b in zip(frame["metric_a"], frame["metric_b"], strict=True)
            ],
            follows_better=_followers(frame, table),
        ),
        columns,
        text_columns=3 + len(against),
        last_is_text=True,
        notes=notes,
        label="pair",
        source="correlation_differences",
    )
    return [*correlations, *differences]


def _followers(differences: pd.DataFrame, correlations: pd.DataFrame) -> pd.Series:
    """Each row's metric that follows people better; the strengths compared there have no sign, so one that falls where
    its better values should fool more says so."""
    key = ["level", "dataset", "measure", "metric"]
    is_picture = correlations["level"] == "stimulus"
    signed = correlations["within"].where(is_picture, correlations["spearman"])
    rises = {
        names: value > 0
        for names, value in zip(correlations[key].fillna("").itertuples(index=False, name=None), signed, strict=True)
    }
    found: list[str | None] = []
    for level_of, dataset, measure, metric in (
        differences[[*key[:3], "follows_better"]].fillna("").itertuples(index=False, name=None)
    ):
        better = higher_is_better(metric) if metric else None
        is_against = better is not None and rises.get((level_of, dataset, measure, metric), better) != better
        found.append((title_of(metric) + ", against its direction" * is_against) if metric else None)
    return pd.Series(found, index=differences.index, dtype="object")
