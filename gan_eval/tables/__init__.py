"""The tables' schemas: the only place that names columns, dtypes, units and meanings.

A table is declared in the module of its topic, and that is all: whatever is declared there is a table of the project, a
name of this package, and a section of `docs/tables.md` (`packaging/tables_reference.py`), in the order of the modules
below and of the declarations within them. Reading and writing is in `gan_eval.tabular`; nothing here needs more than
the standard library.
"""

from gan_eval.tables import answers, inference, inputs, measurements, sessions
from gan_eval.tables.answers import *
from gan_eval.tables.inference import *
from gan_eval.tables.inputs import *
from gan_eval.tables.measurements import *
from gan_eval.tables.schema import *
from gan_eval.tables.sessions import *

TABLES: dict[str, Table] = {
    table.name: table
    for topic in (sessions, measurements, answers, inference, inputs)
    for table in vars(topic).values()
    if isinstance(table, Table)
}
"""Every table of the project by its name."""

OF_ANALYSIS: tuple[Table, ...] = tuple(table for table in TABLES.values() if ANALYSIS_RUN in table.columns)
"""The tables that one analysis makes."""
