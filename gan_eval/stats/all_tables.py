"""All tables of the project by name, except that of `gan_eval.stats.power`. This module loads every statistic."""

from gan_eval.stats.analysis import RESULTS, result_table
from gan_eval.tables import TABLES, Table

ALL_TABLES: dict[str, Table] = TABLES | {name: result_table(name) for name in RESULTS}
"""Each module of a statistic declares its own."""
OF_ANALYSIS: tuple[Table, ...] = tuple(ALL_TABLES[name] for name in RESULTS)
