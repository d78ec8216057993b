"""The data dictionary: what each column of each table means."""

from collections.abc import Iterable

from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table, boolean, text

TIMING = (
    "All times are software timing: onset, offset and key press as the program stamped them on its monotonic clock. "
    "The absolute lag of display and keyboard, 2 to 30 ms in published measurements, is not measured."
)
"""Note on times in every export."""

DICTIONARY = Table(
    "data_dictionary",
    "The meaning of each column of each table.",
    (
        text("table", "name of the table, which is the file's", filled=True),
        text("column", "name of the column", filled=True),
        text("dtype", "text, int, float, bool (true, false), instant (UTC, ISO 8601) or json", filled=True),
        text("unit", "its unit"),
        text("words", "the words that the column may hold, separated by spaces; empty: free text or no text"),
        boolean("key", "a row is identified by its key columns", filled=True),
        boolean("filled", "every row holds a value", filled=True),
        text("meaning", "what it says", filled=True),
    ),
    key=("table", "column"),
)


def dictionary_rows(tables: Iterable[Table]) -> list[Row]:
    """The rows of the data dictionary of these tables."""
    return [
        {
            "table": table.name,
            "column": column.name,
            "dtype": column.dtype,
            "unit": column.unit or None,
            "words": " ".join(column.words) or None,
            "key": column.name in table.key,
            "filled": column.filled,
            "meaning": column.meaning,
        }
        for table in tables
        for column in table.columns
    ]


def readme(title: str, counts: Iterable[tuple[Table, int]]) -> str:
    """A text that goes with the files: what they are, and what their times are not."""
    lines = [f"# {title}", "", TIMING, "", "| table | rows | key columns | what |", "| --- | ---: | --- | --- |"]
    lines += [f"| {table.name} | {count} | {', '.join(table.key)} | {table.meaning} |" for table, count in counts]
    lines += [
        "",
        "Fake is the signal: a fake called fake is a hit. Practice and catch trials (`phase`) enter no rate. Rows of a "
        "simulated participant are marked in `simulated`. A missing value is an empty cell. An apostrophe before `=`, "
        "`+`, `-` or `@` keeps a spreadsheet from running the cell and is none of its text.",
    ]
    return "\n".join(lines) + "\n"
