"""Views of tables: what each column is called, and how its cells are told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from gan_eval.report.parts.words import NOTHING, Record, View, interval, missing, noted, share_interval, text

Cell = Callable[[Record], str]
"""How a row's cell is told."""
INTERVAL = "95\u202f% interval"


def view_of(
    caption: str,
    table: pd.DataFrame,
    columns: Mapping[str, Cell | None],
    *,
    source: str,
    text_columns: int = 1,
    last_is_text: bool = False,
    notes: Sequence[str] = (),
    label: str = "",
    grouped: bool = False,
    folded: bool = False,
) -> list[View]:
    """The table as a view, a row for each row; none where it has none.

    Args:
        caption: heading.
        table: rows.
        columns: head and cell of each column, in order; None: left out.
        source: name of the table.
        text_columns: so many leading columns are words.
        last_is_text: the last one is, too.
        notes: lines below.
        label: the column that names the rows whose own notes follow; empty: they are not told.
        grouped: equal first cells in a row are a heading over their rows.
        folded: closed until it is asked for.
    """
    if table.empty:
        return []
    shown = {head: cell for head, cell in columns.items() if cell is not None}
    rows = [[cell(row) for cell in shown.values()] for row in table.to_dict("records")]
    told = [*notes, *(noted(table, label) if label else [])]
    return [View(caption, list(shown), rows, text_columns, told, last_is_text, (source,), grouped, folded)]


def of(say: Callable[..., str], name: str, **options: Any) -> Cell:
    """The cell `name`, told by `say`."""
    return lambda row: say(row[name], **options)


def between(low: str = "ci_low", high: str = "ci_high", *, digits: int = 2) -> Cell:
    """The two ends of an interval."""
    return lambda row: interval(row[low], row[high], digits=digits)


def share(name: str, low: str, high: str) -> Cell:
    """A share with its interval in brackets."""
    return lambda row: share_interval(row[name], row[low], row[high])


def known_as(words: Mapping[Any, str], name: str, otherwise: str = NOTHING) -> Cell:
    """The words for a cell; a cell without any stands as it is, an empty one is told as `otherwise`."""
    return lambda row: otherwise if missing(row[name]) else words.get(row[name], text(row[name]))


def filled(table: pd.DataFrame, name: str, cell: Cell) -> Cell | None:
    """The cell where any row of the table has the column `name` filled."""
    return cell if table[name].notna().any() else None
