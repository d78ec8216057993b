"""The schemas of the tables. A table's declaration alone names its columns, dtypes, units and meanings.

Open declared.py first. The table of a statistic is declared in the statistic's module, and listed in
`gan_eval.stats.all_tables`.
"""

from gan_eval.tables import declared
from gan_eval.tables.declared import *
from gan_eval.tables.schema import *

TABLES: dict[str, Table] = {table.name: table for table in vars(declared).values() if isinstance(table, Table)}
"""The tables that are no results of statistics, by name; all tables are in `gan_eval.stats`."""
