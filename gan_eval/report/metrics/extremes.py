"""The generated pictures that every metric likes best and least."""

from functools import partial

import pandas as pd

from gan_eval.report.metrics.data import Measured, decimals, higher_is_better, unit_of, with_arrow
from gan_eval.report.metrics.sections import pair_of, section_by_dataset
from gan_eval.report.parts.blocks import Block, Folded, Gallery, Heading, Paragraph, Section
from gan_eval.report.parts.thumbnails import Album
from gan_eval.report.parts.words import NARROW, number, plural, whole

MOST_LISTED = 10
"""Best and worst pictures of a metric."""
MOST_THUMBNAILS = 1600
"""Of a page whose lists share no picture; where there would be more, fewer are listed."""


def most_listed(metrics: int) -> int:
    """Pictures at each end of each metric that a page of so many metrics has room for.

    >>> most_listed(1), most_listed(12), most_listed(400)
    (10, 10, 3)
    """
    return min(MOST_LISTED, max(3, MOST_THUMBNAILS // (4 * max(metrics, 1))))


def extremes_section(measured: Measured, album: Album) -> Section:
    """Best and worst pictures of each metric, the first metric's open."""
    most = most_listed(sum(len(measured.picture_metrics(dataset)) for dataset in measured.datasets))
    return section_by_dataset(
        "extremes",
        "Best and worst pictures",
        measured,
        partial(metric_extremes, measured, album=album, most=most),
        before=[Paragraph("Left the generated picture, right the real one.")],
    )


def metric_extremes(measured: Measured, dataset: str, *, album: Album, most: int) -> list[Block]:
    """The generated pictures at both ends of each picture metric, over all models of a data set.

    Args:
        measured: the tables.
        dataset: its name.
        album: takes the thumbnails.
        most: pictures at each end.
    """
    blocks: list[Block] = []
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
        note = (
            f"Of {plural(len(table), 'generated picture')} of {plural(int(table['model'].nunique()), 'model')}, each "
            "beside its real one."
        )
        lists: list[Block] = [Paragraph(note, "remarks")]
        for end, part in ends:
            if len(table) == 1:
                heading = "The only picture"
            else:
                heading = f"The {end} {whole(len(part))}" if len(part) > 1 else f"The {end}"
            pairs = [
                pair_of(measured, album, row, [number(row["value"], digits=places) + unit])
                for row in part.to_dict("records")
            ]
            lists += [Heading(heading, level=4), Gallery(pairs)]
        blocks.append(Folded(with_arrow(metric), lists, is_open=not blocks, is_heading=True))
    return blocks
