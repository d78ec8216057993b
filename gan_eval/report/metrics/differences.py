"""Differences between the models: each metric's, and by how many metrics each model beats each other."""

from collections import Counter

from gan_eval.report.metrics.answer import descriptive_metrics, standings
from gan_eval.report.metrics.data import (
    Measured,
    decimals,
    section_by_dataset,
    square_table,
    title_of,
    with_arrow,
)
from gan_eval.report.metrics.values import metric_notes
from gan_eval.report.parts.blocks import Cell, Section, Table
from gan_eval.report.parts.words import NOTHING, interval, missing, number, text, whole

MOST_NOTES = 6
"""Different notes given of the differences between many models."""


def differences_section(measured: Measured) -> Section:
    """Return by how many metrics each model wins, and the differences themselves."""
    return section_by_dataset(
        "differences",
        "Differences between models",
        measured,
        lambda dataset: [*wins_matrix(measured, dataset), *difference_tables(measured, dataset)],
    )


def difference_tables(measured: Measured, dataset: str) -> list[Table]:
    """Return each metric's differences: of two models, or of every model and the one with the best value."""
    table = measured.comparisons[measured.comparisons["dataset"] == dataset]
    several = len(measured.models(dataset)) > 2
    rows = []
    for metric, standing in standings(measured, dataset).items():
        pairs = table[table["metric"] == metric]
        if several:
            pairs = pairs[(pairs["a"] == standing.leader) | (pairs["b"] == standing.leader)]
        for row in pairs.to_dict("records"):
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
    caption = f"{dataset}: differences{' from the best value' * several}"
    notes = metric_notes(table)[:MOST_NOTES]
    return [Table(caption, head, rows, text_columns=3, notes=notes, last_is_text=True)] if rows else []


def wins_matrix(measured: Measured, dataset: str) -> list[Table]:
    """Return by how many metrics each model is better than each other; none for fewer than three models."""
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
        "Counted where the difference lies beyond its 95\u202f% interval. The columns bear the numbers of the rows.",
        *(f"{title_of(metric)} is not counted: {why}." for metric, why in uncounted.items()),
    ]
    caption = f"{dataset}: by how many of {whole(compared)} metrics the row is better than the column"
    return [square_table(caption, names, cells, notes=notes)]
