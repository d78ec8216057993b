"""Each section's content for one data set, ready for the template.

Metrics in the report of a study: the tables of the metrics page, and the sentences to put into a paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gan_eval.report.metrics.agreement import LEAST_MODELS, Agreement, model_agreement, picture_agreement
from gan_eval.report.metrics.answer import Standing, answer, standings
from gan_eval.report.metrics.charts import Cloud, distribution_chart
from gan_eval.report.metrics.data import REAL, Measured, arrow, decimals, unit_of
from gan_eval.report.metrics.differences import (
    Matrix,
    MatrixCell,
    difference_figures,
    differences_view,
    metric_matrices,
    wins_matrix,
)
from gan_eval.report.metrics.gallery import Extremes, Shown, disputed, extremes
from gan_eval.report.metrics.holes import hole_views, holes_of_folder, holes_of_stimuli
from gan_eval.report.metrics.method import paper_paragraph
from gan_eval.report.metrics.tables import MetricTable, beside_view, metric_tables, table_notes
from gan_eval.report.parts.chart import Picture
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import View, number, plural, whole

MOST_MODELS = 12
"""Bands of a distribution chart; of more models the first are drawn."""


@dataclass(frozen=True)
class DatasetPart:
    """What the page shows of one data set."""

    dataset: str
    answer: Sequence[str]
    tables: Sequence[MetricTable]
    beside: Sequence[View]
    """Values of other programs beside ours, and values by the hole that was filled."""
    distributions: Sequence[Picture]
    difference_tables: Sequence[View]
    difference_figures: Sequence[Picture]
    wins: Sequence[Matrix]
    matrices: Sequence[Matrix]
    extremes: Sequence[Extremes]
    agreement: Sequence[Matrix]
    disputed: Sequence[Shown]

    @property
    def shown(self) -> list[Shown]:
        """Every picture that the part shows."""
        listed = [one for found in self.extremes for _, pictures in found.lists for one in pictures]
        return [*listed, *self.disputed]


def dataset_part(measured: Measured, dataset: str, *, prefix: str, most_listed: int) -> DatasetPart:
    """Everything that is said of one data set.

    Args:
        measured: the tables.
        dataset: its name.
        prefix: keeps the identifiers of its figures apart from those of other data sets.
        most_listed: pictures at each end of each metric.
    """
    found: Mapping[str, Standing] = standings(measured, dataset)
    return DatasetPart(
        dataset=dataset,
        answer=answer(measured, dataset, found),
        tables=metric_tables(measured, dataset, found),
        beside=[
            *beside_view(measured, dataset),
            *hole_views(measured, dataset, holes_of_stimuli(measured.stimuli.values())),
        ],
        distributions=_distributions(measured, dataset, prefix),
        difference_tables=differences_view(measured, dataset),
        difference_figures=difference_figures(measured, dataset, found, prefix=prefix),
        wins=wins_matrix(measured, dataset),
        matrices=metric_matrices(measured, dataset),
        extremes=extremes(measured, dataset, most=most_listed),
        agreement=_agreement(measured, dataset),
        disputed=disputed(measured, dataset),
    )


def _distributions(measured: Measured, dataset: str, prefix: str) -> list[Picture]:
    """How the values of each picture metric lie in each model's pictures."""
    figures = []
    for place, metric in enumerate(measured.picture_metrics(dataset)):
        names = measured.models(dataset)[:MOST_MODELS]
        clouds = [_cloud(measured, dataset, metric, name) for name in (*names, REAL)]
        infinite = sum(measured.summary(dataset, metric, name).infinite for name in (*names, REAL))
        clouds = [cloud for cloud in clouds if len(cloud.values)]
        if not clouds:
            continue
        places = decimals([float(np.median(cloud.values)) for cloud in clouds])
        clouds = [cloud._replace(label=f"median {_median(cloud, places)}") for cloud in clouds]
        drawn = distribution_chart(clouds, axis=unit_of(metric), name=f"{prefix}-distribution-{place}")
        figures.append(
            Picture(
                title=f"{metric} {arrow(metric)}".strip(),
                svg=drawn.svg,
                caption=_caption(clouds, drawn.beyond, len(measured.models(dataset)), infinite),
                alternative="; ".join(_said(cloud) for cloud in clouds),
            )
        )
    return figures


def _cloud(measured: Measured, dataset: str, metric: str, name: str) -> Cloud:
    values = measured.values(dataset, metric, name)
    return Cloud(name, "real" if name == REAL else "fake", values[np.isfinite(values)])


def _median(cloud: Cloud, places: int) -> str:
    return number(np.median(cloud.values), digits=places)


def _caption(clouds: Sequence[Cloud], beyond: int, models: int, infinite: int) -> str:
    counts = sorted({len(cloud.values) for cloud in clouds})
    said = f"{whole(counts[0])}{f' to {whole(counts[-1])}' if len(counts) > 1 else ''} pictures each."
    if beyond:
        said += f" {plural(beyond, 'value lies', 'values lie')} beyond the axis."
    if infinite:
        said += f" {plural(infinite, 'infinite value is', 'infinite values are')} not drawn and in no median."
    if models > MOST_MODELS:
        said += f" The first {MOST_MODELS} of {models} models."
    return said


def _said(cloud: Cloud) -> str:
    low, middle, high = np.quantile(cloud.values, [0.25, 0.5, 0.75])
    places = decimals([low, middle, high])
    ends = f"{number(low, digits=places)} to {number(high, digits=places)}"
    return f"{cloud.title}: median {number(middle, digits=places)}, quartiles {ends}"


def _agreement(measured: Measured, dataset: str) -> list[Matrix]:
    """Rank agreement of the metrics over the models and over the pictures."""
    found = []
    models, pictures = model_agreement(measured, dataset), picture_agreement(measured, dataset)
    if models is not None and len(models.pairs):
        few = " Few models: one that changes its place moves these numbers far." if models.n < 10 else ""
        found.append(
            _heat(
                models,
                f"{dataset}: do metrics put the models into the same order? Kendall's tau over {models.n} models",
                f"Over {models.n} models only, by their values, intervals disregarded; with {LEAST_MODELS} or 4 models "
                f"chance alone often gives 1 or −1.{few}",
            )
        )
    if pictures is not None and len(pictures.pairs):
        least, most = int(pictures.pairs["n"].min()), int(pictures.pairs["n"].max())
        counted = whole(most) if least == most else f"{whole(least)} to {whole(most)}"
        found.append(
            _heat(
                pictures,
                f"{dataset}: do metrics put the pictures into the same order? Spearman's correlation over {counted} "
                "generated pictures",
                f"n = {counted} generated pictures"
                + (
                    " of all models together, so differences between models count as well as those between pictures."
                    if len(measured.models(dataset)) > 1
                    else "."
                ),
            )
        )
    return found


def _heat(found: Agreement, caption: str, note: str) -> Matrix:
    cells = [[_heat_cell(found.of(a, b)) if a != b else MatrixCell("") for b in found.metrics] for a in found.metrics]
    turned = "1: the same order of what is good; −1: the opposite. Metrics where lower is better are turned round."
    return Matrix(caption, found.metrics, cells, [note, turned])


def _heat_cell(value: float | None) -> MatrixCell:
    if value is None:
        return MatrixCell("–")
    return MatrixCell(number(value), "good" if value >= 0 else "bad", round(60 * abs(value)))


@dataclass(frozen=True)
class MetricsSection:
    """What the report of a study says of metrics."""

    tables: Sequence[MetricTable] = ()
    notes: Sequence[str] = ()
    """How to read the tables."""
    paragraph: str = ""
    """To put into a paper; empty where nothing was measured."""


def metrics_section(folder: StudyFolder) -> MetricsSection:
    """Every model's values by every metric, data set by data set; without tables where there are none."""
    measured = Measured(folder.tables)
    tables = [
        table
        for dataset in measured.datasets
        for table in metric_tables(measured, dataset, standings(measured, dataset))
    ]
    return MetricsSection(tables, table_notes(measured), paper_paragraph(measured)) if tables else MetricsSection()


def hole_tables(folder: StudyFolder) -> list[View]:
    """The metrics of the hole by its kind and by its area, data set by data set; none where no holes were filled."""
    measured, holes = Measured(folder.tables), holes_of_folder(folder)
    return [view for dataset in measured.datasets for view in hole_views(measured, dataset, holes)]
