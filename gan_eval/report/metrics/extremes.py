"""The generated pictures with the best and worst values of every metric."""

import pandas as pd

from gan_eval.report.metrics.data import (
    Measured,
    decimals,
    higher_is_better,
    section_by_dataset,
    unit_of,
    with_arrow,
)
from gan_eval.report.parts.blocks import Block, Folded, Gallery, Paragraph, Section
from gan_eval.report.parts.words import NARROW, number, plural, whole

MOST_LISTED = 10
"""Best and worst pictures of a metric."""
MOST_THUMBNAILS = 1600
"""Pictures on a page whose lists share none; where there would be more, fewer are listed."""


def most_listed(metrics: int) -> int:
    """Return how many pictures at each end of each metric a page of this number of metrics has room for.

    >>> most_listed(1), most_listed(12), most_listed(400)
    (10, 10, 3)
    """
    return min(MOST_LISTED, max(3, MOST_THUMBNAILS // (4 * max(metrics, 1))))


def extremes_section(measured: Measured) -> Section:
    """Return best and worst pictures of each metric, the first metric's open."""
    most = most_listed(sum(len(measured.picture_metrics(dataset)) for dataset in measured.datasets))

    return section_by_dataset(
        "extremes",
        "Best and worst pictures",
        measured,
        lambda dataset: metric_extremes(measured, dataset, most=most),
        before=[Paragraph("Left the generated picture, right the real one.")],
    )


def metric_extremes(measured: Measured, dataset: str, *, most: int) -> list[Folded]:
    """Return the generated pictures at both ends of each picture metric, over all models of a data set.

    Args:
        measured: the tables.
        dataset: its name.
        most: pictures at each end.
    """
    blocks: list[Folded] = []
    for metric in measured.picture_metrics(dataset):
        rows = [measured.rows(dataset, metric, model) for model in measured.models(dataset)]
        table = pd.concat(rows).dropna(subset="value").sort_values(["value", "stimulus"], kind="stable")
        if table.empty:
            continue
        better = higher_is_better(metric)
        low, high = ("worst", "best") if better else ("lowest", "highest") if better is None else ("best", "worst")
        count = min(most, max(len(table) // 2, 1))
        ends = [(high, table.iloc[::-1].head(count))]
        if len(table) > 1:
            ends.append((low, table.head(count)))
        if better is False:
            ends.reverse()
        unit, places = unit_of(metric), decimals(list(table["value"]))
        unit = f"{NARROW}{unit}" if unit and len(unit) < 5 else ""
        models = plural(int(table["model"].nunique()), "model")
        lists: list[Block] = [Paragraph(f"Of {plural(len(table), 'generated picture')} of {models}.", "remarks")]
        for end, part in ends:
            heading = f"The {end} {whole(len(part))}" if len(part) > 1 else f"The {end}"
            entries = [
                measured.shown(row, [number(row["value"], digits=places) + unit]) for row in part.to_dict("records")
            ]
            lists.append(Gallery(entries, heading if len(table) > 1 else "The only picture"))
        blocks.append(Folded(with_arrow(metric), lists, is_open=not blocks))
    return blocks
