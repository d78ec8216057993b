"""Differences between the models: each against the leader, and all against all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gan_eval.report.metrics.answer import Standing
from gan_eval.report.metrics.charts import differences_chart
from gan_eval.report.metrics.data import NO_VERDICT, Measured, arrow, decimals, unit_of
from gan_eval.report.metrics.tables import noted
from gan_eval.report.parts.chart import Picture, Span
from gan_eval.report.parts.words import NOTHING, View, interval, listed, missing, number, text, whole

MOST_NOTES = 6
"""Different notes told of the differences between many models."""


@dataclass(frozen=True)
class MatrixCell:
    """A cell of a square table."""

    text: str
    tone: str = ""
    """`good`, `bad` or nothing: the colour."""
    share: int = 0
    """Strength of the colour, 0..100."""


@dataclass(frozen=True)
class Matrix:
    """Names beside the same names; the columns bear the rows' numbers."""

    caption: str
    names: Sequence[str]
    cells: Sequence[Sequence[MatrixCell]]
    notes: Sequence[str] = ()


def differences_view(measured: Measured, dataset: str) -> list[View]:
    """Two models: a line for each metric. More of them have figures and matrices."""
    table = measured.comparisons[measured.comparisons["dataset"] == dataset]
    if len(measured.models(dataset)) != 2 or table.empty:
        return []
    rows = []
    for metric in measured.metrics(dataset):
        for _, row in table[table["metric"] == metric].iterrows():
            places = decimals([row["difference"]], [(row["ci_high"] - row["ci_low"]) / 2])
            rows.append(
                [
                    f"{metric} {arrow(metric)}".strip(),
                    f"{row['a']} − {row['b']}",
                    text(row["better"]) if not missing(row["better"]) else _undecided(row),
                    number(row["difference"], digits=places),
                    interval(row["ci_low"], row["ci_high"], digits=places),
                    whole(row["n"]),
                    "" if missing(row["reason"]) else str(row["reason"]),
                ]
            )
    head = ["metric", "difference of", "better", "difference", "95\u202f% interval", "N", "remark"]
    return [View(f"{dataset}: differences", head, rows, text_columns=3, notes=noted(table), last_is_text=True)]


def _undecided(row: pd.Series) -> str:
    return NOTHING if missing(row["difference"]) else "not told apart"


def difference_figures(
    measured: Measured, dataset: str, found: Mapping[str, Standing], *, prefix: str
) -> list[Picture]:
    """For each metric that has a leader, every other model's difference from it; none for two models."""
    if len(measured.models(dataset)) < 3:
        return []
    every = measured.comparisons[measured.comparisons["dataset"] == dataset]
    figures = []
    for place, (metric, one) in enumerate(found.items()):
        if one.leader is None:
            continue
        table = every[(every["metric"] == metric) & every["difference"].notna()]
        spans = _from_leader(table, one.leader)
        if not spans:
            continue
        unit, first = unit_of(metric), _first(measured, dataset, metric, one)
        figures.append(
            Picture(
                title=f"{metric} {arrow(metric)}: difference from {one.leader}",
                svg=differences_chart(
                    spans,
                    axis=f"model − leader{f', {unit}' if unit else ''}",
                    name=f"{prefix}-difference-{place}",
                ),
                caption=f"{first}. Diamonds: shown to differ from it; grey circles: not told "
                "apart. Bars: 95\u202f% intervals of the difference. Dashed: no difference.",
                alternative="; ".join(_said(title, span) for title, span in spans),
            )
        )
    return figures


def _first(measured: Measured, dataset: str, metric: str, found: Standing) -> str:
    """Who has the best value: the leader, and every model whose value is the very same."""
    value = {model: measured.summary(dataset, metric, model).value for model in found.tied}
    names = [model for model in found.tied if value[model] == value[found.tied[0]]]
    return f"{listed(names)} share the best value" if len(names) > 1 else f"{names[0]} has the best value"


def _from_leader(table: pd.DataFrame, leader: str) -> list[tuple[str, Span]]:
    """Each other model and its difference from the leader, the smallest difference first."""
    spans = []
    for _, row in table[(table["a"] == leader) | (table["b"] == leader)].iterrows():
        turn = -1.0 if row["a"] == leader else 1.0
        value = turn * float(row["difference"])
        ends = sorted(turn * float(end) if not missing(end) else value for end in (row["ci_low"], row["ci_high"]))
        series = "open" if missing(row["better"]) else "all"
        spans.append((str(row["b"] if row["a"] == leader else row["a"]), Span(series, value, ends[0], ends[1])))
    return sorted(spans, key=lambda one: (abs(one[1].value), one[0]))


def _said(title: str, span: Span) -> str:
    places = decimals([span.value], [(span.high - span.low) / 2])
    return f"{title} {number(span.value, digits=places)} ({interval(span.low, span.high, digits=places)})"


def wins_matrix(measured: Measured, dataset: str) -> list[Matrix]:
    """By how many metrics each model is better than each other; none for fewer than three models."""
    names = measured.models(dataset)
    table = measured.comparisons[measured.comparisons["dataset"] == dataset]
    aside = [metric for metric in NO_VERDICT if metric in set(table["metric"])]
    table = table[~table["metric"].isin(aside)]
    if len(names) < 3 or table.empty:
        return []
    decided = table[table["better"].notna()]
    losers = decided["a"].where(decided["a"] != decided["better"], decided["b"])
    won = Counter(zip(decided["better"], losers, strict=True))
    most = max(won.values(), default=1)
    compared = table.loc[table["difference"].notna(), "metric"].nunique()
    cells = [
        [MatrixCell("") if a == b else MatrixCell(whole(won[a, b]), "good", 60 * won[a, b] // most) for b in names]
        for a in names
    ]
    return [
        Matrix(
            f"{dataset}: by how many of {whole(compared)} metrics the row is better than the column",
            names,
            cells,
            [
                "Counted where the difference lies beyond its 95\u202f% interval. The numbers of the columns are those "
                "of the rows.",
                *([f"{listed(aside)} is not counted: it does not say which pictures are better."] if aside else []),
                *noted(table)[:MOST_NOTES],
            ],
        )
    ]


def metric_matrices(measured: Measured, dataset: str) -> list[Matrix]:
    """All models against all by each metric; none for fewer than three models."""
    names = measured.models(dataset)
    every = measured.comparisons[measured.comparisons["dataset"] == dataset]
    if len(names) < 3:
        return []
    found = []
    for metric in measured.metrics(dataset):
        table = every[(every["metric"] == metric) & every["difference"].notna()]
        verdict = {}
        for a, b, better in table[["a", "b", "better"]].astype(object).to_numpy():
            verdict[a, b] = "·" if missing(better) else "+" if better == a else "−"
            verdict[b, a] = {"+": "−", "−": "+"}.get(verdict[a, b], "·")
        tones = {"+": "good", "−": "bad"}
        if verdict:
            signs = [["" if a == b else verdict.get((a, b), "?") for b in names] for a in names]
            cells = [[MatrixCell(sign, tones.get(sign, ""), 35) for sign in row] for row in signs]
            found.append(Matrix(f"{metric} {arrow(metric)}".strip(), names, cells))
    return found
