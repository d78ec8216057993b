"""Differences between the models: each against the leader, and all against all."""

from collections import Counter

from gan_eval.report.metrics.answer import descriptive_metrics, standings
from gan_eval.report.metrics.data import Measured, decimals, title_of, unit_of, with_arrow
from gan_eval.report.metrics.sections import section_by_dataset, square_table
from gan_eval.report.metrics.values import metric_notes
from gan_eval.report.parts.blocks import Block, Cell, Charts, Folded, Paragraph, Section, SideBySide, Table
from gan_eval.report.parts.chart import Chart, Span, spans_figure, svg_element
from gan_eval.report.parts.words import NOTHING, interval, listed, missing, number, text, whole

MOST_NOTES = 6
"""Different notes given of the differences between many models."""


def differences_section(measured: Measured) -> Section:
    """Two models: a table; more: how often each wins, charts, and matrices."""

    def blocks(dataset: str) -> list[Block]:
        tables, wins = difference_tables(measured, dataset), wins_matrix(measured, dataset)
        if not (tables or wins):
            return []
        prefix = f"d{measured.datasets.index(dataset)}"
        matrices = metric_matrices(measured, dataset)
        legend = "+: the row is better than the column, −: worse, ·: not told apart, ?: no difference could be had."
        summary = "All models against all, metric by metric"
        folded = [Folded(summary, [Paragraph(legend), SideBySide(matrices)])] if matrices else []
        return [*tables, *wins, Charts(difference_charts(measured, dataset, prefix=prefix), "bands"), *folded]

    return section_by_dataset("differences", "Differences between models", measured, blocks)


def difference_tables(measured: Measured, dataset: str) -> list[Table]:
    """Two models: a line for each metric. More of them have charts and matrices."""
    table = measured.comparisons[measured.comparisons["dataset"] == dataset]
    if len(measured.models(dataset)) != 2 or table.empty:
        return []
    rows = []
    for metric in measured.metrics(dataset):
        for _, row in table[table["metric"] == metric].iterrows():
            places = decimals([row["difference"]], [(row["ci_high"] - row["ci_low"]) / 2])
            undecided = NOTHING if missing(row["difference"]) else "not told apart"
            rows.append(
                [
                    with_arrow(metric),
                    f"{row['a']} − {row['b']}",
                    undecided if missing(row["better"]) else text(row["better"]),
                    number(row["difference"], digits=places),
                    interval(row["ci_low"], row["ci_high"], digits=places),
                    whole(row["n"]),
                    "" if missing(row["reason"]) else str(row["reason"]),
                ]
            )
    head = ["metric", "difference of", "better", "difference", "95\u202f% interval", "N", "remark"]
    caption, notes = f"{dataset}: differences", metric_notes(table)
    return [Table(caption, head, rows, text_columns=3, notes=notes, last_is_text=True, folded=False)]


def difference_charts(measured: Measured, dataset: str, *, prefix: str) -> list[Chart]:
    """For each metric that has a leader, every other model's difference from it; none for two models.

    Args:
        measured: the tables.
        dataset: its name.
        prefix: keeps the identifiers of its charts apart from those of other data sets.
    """
    if len(measured.models(dataset)) < 3:
        return []
    comparisons = measured.comparisons[measured.comparisons["dataset"] == dataset]
    charts = []
    for place, (metric, standing) in enumerate(standings(measured, dataset).items()):
        leader = standing.leader
        if leader is None:
            continue
        spans = []
        table = comparisons[(comparisons["metric"] == metric) & comparisons["difference"].notna()]
        for _, row in table[(table["a"] == leader) | (table["b"] == leader)].iterrows():
            sign, other = (-1.0, row["b"]) if row["a"] == leader else (1.0, row["a"])
            value = sign * float(row["difference"])
            ends = sorted(sign * float(end) if not missing(end) else value for end in (row["ci_low"], row["ci_high"]))
            differs = not missing(row["better"])
            label = "differs" if differs else "not told apart"
            spans.append(
                (str(other), Span("all" if differs else "open", value, ends[0], ends[1])._replace(label=label))
            )
        if not spans:
            continue
        spans.sort(key=lambda span: (abs(span[1].value), span[0]))
        alternatives = []
        for model, span in spans:
            places = decimals([span.value], [(span.high - span.low) / 2])
            within = interval(span.low, span.high, digits=places)
            alternatives.append(f"{model} {number(span.value, digits=places)} ({within})")
        values = {model: measured.summary(dataset, metric, model).value for model in standing.tied}
        first = [model for model, value in values.items() if value == values[leader]]
        have = "share" if len(first) > 1 else "has"
        unit = unit_of(metric)
        figure = spans_figure(
            [(model, [span]) for model, span in spans],
            axis=f"model − leader{f', {unit}' if unit else ''}",
            reference=0,
            limits=None,
        )
        charts.append(
            Chart(
                title=f"{with_arrow(metric)}: difference from {leader}",
                svg=svg_element(figure, f"{prefix}-difference-{place}"),
                caption=f"{listed(first)} {have} the best value. Bars: 95\u202f% intervals of the difference. Dashed: "
                "no difference.",
                alternative="; ".join(alternatives),
            )
        )
    return charts


def wins_matrix(measured: Measured, dataset: str) -> list[Table]:
    """By how many metrics each model is better than each other; none for fewer than three models."""
    names = measured.models(dataset)
    table = measured.comparisons[measured.comparisons["dataset"] == dataset]
    uncounted = descriptive_metrics(measured, dataset, standings(measured, dataset))
    table = table[~table["metric"].isin(uncounted)]
    if len(names) < 3 or table.empty:
        return []
    decided = table[table["better"].notna()]
    losers = decided["a"].where(decided["a"] != decided["better"], decided["b"])
    won = Counter(zip(decided["better"], losers, strict=True))
    most = max(won.values(), default=1)
    compared = table.loc[table["difference"].notna(), "metric"].nunique()
    cells = [
        [Cell("") if a == b else Cell(whole(won[a, b]), tone="good", strength=60 * won[a, b] // most) for b in names]
        for a in names
    ]
    notes = [
        "Counted where the difference lies beyond its 95\u202f% interval. The numbers of the columns are those "
        "of the rows.",
        *(f"{title_of(metric)} is not counted: {why}." for metric, why in uncounted.items()),
        *metric_notes(table)[:MOST_NOTES],
    ]
    caption = f"{dataset}: by how many of {whole(compared)} metrics the row is better than the column"
    return [square_table(caption, names, cells, notes=notes)]


def metric_matrices(measured: Measured, dataset: str) -> list[Table]:
    """All models against all by each metric; none for fewer than three models."""
    names = measured.models(dataset)
    comparisons = measured.comparisons[measured.comparisons["dataset"] == dataset]
    if len(names) < 3:
        return []
    matrices = []
    for metric in measured.metrics(dataset):
        table = comparisons[(comparisons["metric"] == metric) & comparisons["difference"].notna()]
        verdicts = {}
        for a, b, better in table[["a", "b", "better"]].astype(object).to_numpy():
            verdicts[a, b] = "·" if missing(better) else "+" if better == a else "−"
            verdicts[b, a] = {"+": "−", "−": "+"}.get(verdicts[a, b], "·")
        if verdicts:
            tones = {"+": "good", "−": "bad"}
            signs = [["" if a == b else verdicts.get((a, b), "?") for b in names] for a in names]
            cells = [[Cell(sign, tone=tones.get(sign, ""), strength=35) for sign in row] for row in signs]
            matrices.append(square_table(with_arrow(metric), names, cells))
    return matrices
