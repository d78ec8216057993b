"""Tables as text: what each reader of a format returns."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow

from gan_eval.tables.frames import Row

MAX_TITLES = 20
"""Maximum number of lines above a header."""
MAX_PICTURES_OF_A_TRIAL = 2
"""Maximum number of names of pictures in a row that is not a header."""


_EMPTY_LINE = re.compile(r"\n[,;\t ]*\r?(?=\n)")


class FilePart(NamedTuple):
    """The rows of one file, of a file in an archive, or of one of several tables in a file."""

    file: str
    group: str
    """Rows of one group follow each other: the file's stem, or the participant's folder in an archive."""
    table: pyarrow.Table
    """Text cells; missing: empty."""
    numbers: Sequence[int]
    """The number of each row in the file, 1 is the first below the header."""
    rejected: Sequence[Row] = ()
    texts: Mapping[str, str] = {}
    """The question of each column, if the file has a further header row."""
    comment: str = ""
    """The first line, if it begins with #."""
    unread: Sequence[str] = ()
    """The other sheets of an Excel file that have cells, where none was chosen."""
    titles: Sequence[str] = ()
    """Lines above the header, such as a title, which are not read."""
    note: str = ""
    """Note for the user on how the text was read."""
    of_sheet: bool = False
    """True if it is one of several tables in a text."""
    begins_again: bool = False
    """True if it follows the previous part without a header: the number of the trial begins again."""


def column_names(header: Sequence[str]) -> list[str]:
    """Return the names of columns, each once: one without a name is called after its number, an equal one is numbered.

    >>> column_names(["id", "", "Is it real?", "Is it real?"])
    ['id', 'unnamed_2', 'Is it real?.1', 'Is it real?.2']
    """
    stripped = [name.strip() or f"unnamed_{number}" for number, name in enumerate(header, start=1)]
    total, so_far = Counter(stripped), Counter[str]()
    names = []
    for name in stripped:
        so_far[name] += 1
        names.append(f"{name}.{so_far[name]}" if total[name] > 1 else name)
    return names


def header_row(rows: Sequence[Sequence[str]], names: Sequence[str] = ()) -> int:
    """Return the number, from 0, of the row that is the header: it has most of `names`, or first more than two cells.

    A row of three that begins with an empty cell and ends with a name is one, too, as above pandas' row numbers. The
    row below it must be as long; what is above it are titles.

    >>> header_row([["Results"], ["id", "a", "b"], ["1", "x", "y"]])
    1
    >>> header_row([["", "image", "psnr"], ["0", "a.png", "21.4"]])
    0
    >>> header_row([["_", "9 %", "8 %", "7 %"], ["id", "a", "b", "c"]], names=["a", "b", "c"])
    1
    """
    is_qualtrics = any(title_of(cell) in ("responseid", "response id") for row in rows[:3] for cell in row)
    wanted = set() if is_qualtrics else {title_of(name) for name in names}  # its second row has the questions' texts
    for at, row in enumerate(rows[:MAX_TITLES]):
        if len(wanted.intersection(map(title_of, row))) > max(MAX_PICTURES_OF_A_TRIAL, len(wanted) / 2):
            return at
    at = next((at for at, row in enumerate(rows[: MAX_TITLES + 1]) if _may_be_header(row)), 0)
    return at if at + 1 < len(rows) and len(rows[at]) == len(rows[at + 1]) else 0


def _may_be_header(row: Sequence[str]) -> bool:
    return sum(map(bool, row)) > 2 or (len(row) > 2 and not row[0] and row[-1] != "")


def title_of(text: str) -> str:
    """Return the title of a column in lower case and with single spaces."""
    return " ".join(text.split()).casefold()


def table_of(header: Sequence[str], columns: Iterable[Sequence[str | None]]) -> pyarrow.Table:
    """Return a table of text; an empty cell is missing."""
    cells = [pyarrow.array([cell or None for cell in column], pyarrow.large_string()) for column in columns]
    return pyarrow.table(cells, names=list(header))


def table_of_rows(rows: Sequence[Mapping[str, str | None]]) -> pyarrow.Table:
    """Return rows as a table of text; a cell that a row lacks is missing."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return table_of(names, [[row.get(name) for row in rows] for name in names])


def text_of(value: Any) -> str | None:
    """Return a value of JSON as the text of a cell; objects and lists as JSON."""
    match value:
        case None | str():
            return value
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def titled_tables(text: str) -> dict[str, str]:
    """Return the tables of a text, each below its title and above an empty line, by title; empty: it is one table.

    The results of QuickEval (quickeval.no) are such a text.

    >>> titled_tables("Observers,,\\nid,age,\\n1,20,\\n,,\\nResults,,\\nid,left,right\\n1,a.png,b.png\\n")
    {'Observers': 'id,age,\\n1,20,', 'Results': 'id,left,right\\n1,a.png,b.png'}
    >>> titled_tables("A study\\n\\nid,left,right\\n1,a.png,b.png\\n")
    {}
    """
    if not _EMPTY_LINE.search(text):
        return {}
    tables = {}
    for block in filter(None, (each.strip("\n\r") for each in _EMPTY_LINE.split(f"{text}\n"))):
        first, _, rest = block.partition("\n")
        title = first.strip(",;\t \r")
        if not title or re.search(r"[,;\t]", title) or "\n" not in rest:
            return {}
        tables[title] = rest
    return tables if len(tables) > 1 else {}
