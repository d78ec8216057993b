"""The tables' schemas: columns, dtypes, units and meanings are named in a table's declaration, and nowhere else.

What a statistic gives is declared in the statistic's own module, and collected by `gan_eval.stats.analysis`.
"""

from gan_eval.tables import declared
from gan_eval.tables.declared import *
from gan_eval.tables.schema import *

TABLES: dict[str, Table] = {table.name: table for table in vars(declared).values() if isinstance(table, Table)}
"""The tables that no statistic gives, by name; all are in `gan_eval.stats`."""
