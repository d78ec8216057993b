"""Convert a study's tables to tables of the report: column heads and cell formats."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.parts.words import NOTHING, Record, interval, missing, row_notes, text

CellFormat = Callable[[Record], str]
"""Function that returns the text of a row's cell."""
INTERVAL = "95% interval"


def table_of(
    caption: str,
    frame: pd.DataFrame,
    columns: Mapping[str, CellFormat],
    *,
    source: str,
    text_columns: int = 1,
    last_is_text: bool = False,
    notes: Sequence[str] = (),
    label: str | CellFormat = "",
) -> list[ShownTable]:
    """Return a list with one table, which has the rows of the frame; an empty list for an empty frame.

    Args:
        columns: head and cell of each column, in order.
        label: the column (or function) that names a row, for the rows' own notes; empty: the notes are not shown.
    """
    if frame.empty:
        return []
    rows = [[cell(row) for cell in columns.values()] for row in frame.to_dict("records")]
    if label:
        name_of = label if callable(label) else labelled({}, label, "all")
        notes = [*notes, *row_notes((row["note"], name_of(row)) for row in frame.to_dict("records"))]
    return [ShownTable(caption, list(columns), rows, text_columns, notes, last_is_text, source)]


def cell(formatted: Callable[[Any], str], name: str) -> CellFormat:
    """Return a format that prints the column `name` with the function `formatted`."""
    return lambda row: formatted(row[name])


def interval_cell(low: str = "ci_low", high: str = "ci_high", *, scale: float = 1, digits: int = 2) -> CellFormat:
    """Return a format that prints the two ends of an interval."""
    return lambda row: (
        NOTHING
        if missing(row[low]) or missing(row[high])
        else interval(scale * row[low], scale * row[high], digits=digits)
    )


def labelled(labels: Mapping[Any, str], name: str, empty: str = NOTHING) -> CellFormat:
    """Return a format that prints the label of a cell, or the cell if it has no label; `empty` for an empty cell."""
    return lambda row: empty if missing(row[name]) else labels.get(row[name], text(row[name]))
