"""`docs/tables.md`, made from the tables' declarations: python packaging/tables_reference.py > docs/tables.md"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.tables.cells import limits_of
from gan_eval.tables.schema import SHARE, Column, Table

HEAD = """# The tables

Made from the declarations by `python packaging/tables_reference.py > docs/tables.md`; do not edit by hand.

- CSV files are UTF-8 with line feeds; a missing value is an empty cell; booleans are `true` and `false`; an infinite
  number is `inf`.
- Times are float milliseconds in columns that end in `_ms`; instants are UTC in ISO 8601.
- More columns than those below are welcome and are kept.
- No number has exactly three decimals: 0.875 is written 0.8750. A spreadsheet in German may take the point of 0.875
  for a separator of thousands, and save 875. A number outside the range of its unit (`0..1`, `-1..1`) is refused.
- Text that a spreadsheet would run as a formula (it begins with `=`, `+`, `@`, a tab, a line's end, or a `-` that does
  not begin a number) is written with an apostrophe before it, also behind apostrophes of its own. Every command removes
  one when it reads; so should other programs.
- Identifiers and file names have no invisible characters (controls, marks of direction, zero-width spaces).

Below, **bold** columns identify a row; `*` marks columns that are never empty, `?` columns that a file may lack.
Columns without a type are text. A column without a description is one of these:
"""
SHARED = 5
"""Number of tables from which on a column is described once, at the top."""
Entry = tuple[Column, ...]
"""A column, or the two ends of an interval."""


def reference() -> str:
    """The text of `docs/tables.md`."""
    tables = (*ALL_TABLES.values(),)
    counts = Counter((names(entry), description(entry)) for table in tables for entry in entries(table))
    shared: dict[str, str] = {}
    for (name, words), count in counts.most_common():
        if count >= SHARED:
            shared.setdefault(name, words)
    lines = [HEAD, *(f"- {name}{words}" for name, words in shared.items())]
    for table in tables:
        lines += ["", f"## {table.name}", "", table.meaning.replace("`gan-eval ", "`./run "), "", *body(table, shared)]
    return "\n".join(lines) + "\n"


def body(table: Table, shared: dict[str, str]) -> Iterator[str]:
    """Yield a line for each entry; neighbours that are described at the top have one line."""
    for known, group in groupby(entries(table), key=lambda entry: shared.get(names(entry)) == description(entry)):
        if known:
            yield f"- {', '.join(names(entry, table.key) for entry in group)}"
        else:
            yield from (f"- {names(entry, table.key)}{description(entry)}" for entry in group)


def entries(table: Table) -> Iterator[Entry]:
    """Yield the columns in order; the two ends of an interval are one entry."""
    columns = list(table.columns)
    while columns:
        column = columns.pop(0)
        is_end = column.meaning.startswith("lower end of")
        yield (column, columns.pop(0)) if is_end else (column,)


def names(entry: Entry, key: tuple[str, ...] | None = None) -> str:
    """Return the names of an entry; with the key of its table, marked as the head of the page says."""
    marked = [f"`{column.name}`" for column in entry]
    if key is not None:
        marked = [
            (f"**{name}**" if column.name in key else name) + r"\*" * column.filled + "?" * column.optional
            for name, column in zip(marked, entry, strict=True)
        ]
    return ", ".join(marked)


def description(entry: Entry) -> str:
    """Return type and unit, meaning, words and limits; words that the meaning has are not repeated."""
    column = entry[0]
    meaning = column.meaning.replace("lower end of", "ends of")
    facts = ", ".join(filter(None, ["" if column.dtype == "text" else column.dtype, column.unit]))
    said = all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", meaning) for word in column.words)
    words = "" if said else f" ({', '.join(column.words)})"
    limits = f" ({limits_of(column)})" if column.least is not None and column.unit != SHARE else ""
    return f"{f' ({facts})' if facts else ''}: {meaning}{words}{limits}"


if __name__ == "__main__":
    print(reference(), end="")
