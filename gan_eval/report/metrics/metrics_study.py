"""Metrics in the report of a study: the tables of the metrics page, and the sentences to put into a paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.holes import hole_views, holes_of_folder
from gan_eval.report.metrics.method import paper_paragraph
from gan_eval.report.metrics.metrics_best import standings
from gan_eval.report.metrics.tables import MetricTable, metric_tables, table_notes
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import View


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
