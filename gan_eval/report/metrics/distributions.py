"""Distributions: the values of each picture metric over the pictures of each model, as one figure and one table."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from gan_eval.report.metrics.data import REAL, Measured, decimals, unit_of, with_arrow
from gan_eval.report.parts.blocks import Block, Charts, Table
from gan_eval.report.parts.chart import INK, SERIES, STYLE, Chart, panel
from gan_eval.report.parts.words import clean, interval, number, whole

MOST_MODELS = 12
"""Models of a panel; of more the first are drawn, and the table has all."""


def distribution_blocks(measured: Measured, dataset: str) -> list[Block]:
    """Return a figure with a panel for each picture metric, and the medians and quartiles as a table."""
    models = [*measured.models(dataset), REAL]
    figures, rows = [], []
    for metric in measured.picture_metrics(dataset):
        finite = {name: values[np.isfinite(values)] for name in models
                  if len(values := measured.values(dataset, metric, name))}  # fmt: skip
        finite = {name: values for name, values in finite.items() if len(values)}
        if not finite:
            continue
        drawn = dict(list(finite.items())[:MOST_MODELS])
        figures.append(_figure(with_arrow(metric), drawn, unit_of(metric)))
        for name, values in finite.items():
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            places = decimals([low, middle, high])
            infinite = measured.summary(dataset, metric, name).infinite
            cells = [number(middle, digits=places), interval(low, high, digits=places), whole(infinite)]
            rows.append([with_arrow(metric), name, whole(len(values)), *cells])
    if not rows:
        return []
    caption = (
        "Boxes: the middle half of the pictures, with the median; lines: the middle 90\u202f%. Infinite values are not "
        "drawn."
    )
    several = len(measured.datasets) > 1
    chart = Chart(
        f"Values of pictures{f' on {dataset}' * several}",
        figures,
        caption,
        "; ".join(f"{row[0]}, {row[1]}: median {row[3]}, quartiles {row[4]}" for row in rows),
        name=f"distributions-{measured.datasets.index(dataset)}",
    )
    head = ["metric", "model", "N", "median", "quartiles", "infinite values"]
    return [Charts([chart]), Table(f"{dataset}: medians and quartiles", head, rows, 2, grouped=True)]


def _figure(title: str, values: dict[str, np.ndarray], unit: str) -> Figure:
    with mpl.rc_context(STYLE):
        figure, axes = panel(0.8 + 0.25 * len(values))
        boxes = axes.boxplot(
            list(values.values()),
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            widths=0.55,
            tick_labels=[clean(name).replace("$", r"\$")[:24] for name in values],
            medianprops={"color": INK, "linewidth": 2},
        )
        for place, name in enumerate(values):
            colour = SERIES["real" if name == REAL else "fake"]
            for part in (boxes["boxes"][place], *boxes["whiskers"][2 * place : 2 * place + 2]):
                part.set_color(colour)
        axes.set_title(title, fontsize=9, loc="left", parse_math=False)
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.set_xlabel(unit, parse_math=False)
    return figure
