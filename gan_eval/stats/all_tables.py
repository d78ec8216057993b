"""All tables of the project by name, except that of `gan_eval.power`. This module loads every statistic."""

from gan_eval.stats.analysis import declared_tables
from gan_eval.stats.marks import tables as marks  # noqa: F401
from gan_eval.stats.metrics_and_people import correlations  # noqa: F401
from gan_eval.stats.tables import choices, grades, psychometric, roc  # noqa: F401
from gan_eval.tables import ANALYSIS_RUN, Table

ALL_TABLES: dict[str, Table] = declared_tables()
"""Each module of a statistic declares its own."""
OF_ANALYSIS: tuple[Table, ...] = tuple(table for table in ALL_TABLES.values() if ANALYSIS_RUN in table.columns)
