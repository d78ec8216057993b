"""Sources of `--map` that are no column of the file: paths into JSON, `#`, `*`, `@file`, `@fill:`, `@name`, others."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.judgements.mapping import parse_source
from gan_eval.judgements.paths import column_of_path, path_cells, with_entries
from gan_eval.judgements.reading import Foreign, read_foreign
from gan_eval.judgements.rules import parse_rule
from gan_eval.judgements.wide import columns_by_number, lengthened

_OTHER_ROW = re.compile(r"@(fill|previous):(.+)", re.DOTALL)
_CONSTANT = re.compile(r'@"(.*)"', re.DOTALL)
_OF_PICTURES = ("stimulus", "kind", "model", "dataset")
_KEYS = ("number", "name", "stimulus")
"""Columns of a table of pictures that say which one a row is."""


def with_sources(foreign: Foreign, mapping: Mapping[str, str], rules: Sequence[str]) -> Foreign:
    """Return the rows with a further column for each source and each rule's column that the files do not have.

    If one has `#`, each number becomes a row; with `*` each text; with `[*]` after a column with lists each entry.

    Raises:
        UserError: a source names no column, or one has `#` or `*` and another one `[*]`.
    """
    columns = foreign.cells.columns
    names = [parse_source(target, source, columns).column for target, source in mapping.items() if source]
    names = list(dict.fromkeys([*names, *(parse_rule(rule).column for rule in rules)]))
    inner = [found[2] if (found := _OTHER_ROW.fullmatch(name)) else name for name in names]
    entries = [name for name in inner if "[*]" in name and name not in columns and column_of_path(name, columns)]
    marked = [name for name in inner if re.search("[#*]", name) and name not in columns and name[0] != "@"]
    patterns = [name for name in marked if name not in entries]
    if entries and patterns:
        raise UserError(f"{entries[0]} makes a row of each entry, {patterns[0]} of each column; import one at a time")
    foreign = with_entries(foreign, inner) if entries else foreign
    if patterns:
        foreign = lengthened(foreign, list(dict.fromkeys(patterns)), keep=inner)
    cells = {name: _cells(name, foreign) for name in names if name not in foreign.cells}
    further = {name: column for name, column in cells.items() if column is not None}
    lists = [column_of_path(name, columns) for name in entries]
    of_lists = {
        name for name in map(str, foreign.cells) if name in lists or (name.endswith("[*]") and name not in columns)
    }
    left = foreign.cells.drop(columns=list(of_lists.difference(inner)))
    return replace(foreign, cells=left.assign(**further)) if further or entries else foreign


def _cells(source: str, foreign: Foreign) -> pd.Series | None:
    """Return the text of each row for a source that is not a column; None: an unknown source."""
    cells = foreign.cells
    if source in cells:
        return cells[source]
    if source == "@file":
        return foreign.groups()
    if source == "@name" and foreign.numbers is not None:
        return foreign.numbers["name"]
    if constant := _CONSTANT.fullmatch(source):
        return pd.Series(constant[1], index=cells.index, dtype="str")
    if other := _OTHER_ROW.fullmatch(source):
        values = _cells(other[2], foreign)
        if values is None:
            return None
        by_group = values.groupby(foreign.groups(), sort=False)
        if other[1] == "previous":
            return by_group.shift(1)
        return by_group.ffill().groupby(foreign.groups(), sort=False).bfill()
    return path_cells(source, cells)


def columns_of_source(source: str, columns: Sequence[str]) -> set[str]:
    """Return the columns of the files that a source reads.

    >>> columns_of_source("@fill:id", ["id"]), columns_of_source("answers[0].label", ["answers"])
    ({'id'}, {'answers'})
    """
    if source in columns:
        return {source}
    if other := _OTHER_ROW.fullmatch(source):
        return columns_of_source(other[2], columns)
    if source.startswith("@"):
        return set()
    column = column_of_path(source, columns)
    if column is None and re.search("[#*]", source):
        return {*columns_by_number(source, columns).values()}
    return {column} if column else set()


def with_pictures(frame: pd.DataFrame, foreign: Foreign, file: Path | None) -> pd.DataFrame:
    """Return the frame with stimulus, kind, model and dataset of each picture from a table of the user.

    Args:
        frame: columns of `trials`, as text.
        file: columns `number` (what # stands for), `name` (of the picture in the frame) or `stimulus`, and others.

    Raises:
        UserError: the table has none of these columns, or lacks a picture.
    """
    if file is None:
        return frame
    pictures = read_foreign([file]).cells
    key = next((name for name in _KEYS if name in pictures), None)
    if key is None:
        raise UserError(f"{file}: expected a column number, name or stimulus, which says which picture a row is")
    of_rows = frame.get("stimulus")
    if key == "number" or of_rows is None:
        of_rows = None if foreign.numbers is None else foreign.numbers["number"].reindex(frame.index)
    if of_rows is None:
        raise UserError(f"{file}: nothing says which picture a row is of; add --map stimulus=COLUMN")
    asked, listed = map(_plain_keys, (of_rows, pictures[key]))
    if (double := listed[listed.duplicated()]).size:
        raise UserError(f"{file}: {key} {double.iloc[0]} occurs twice; remove one row")
    if (lacking := asked[~asked.isin(listed)].dropna().unique()).size:
        raise UserError(f"{file}: no row with the {key} {lacking[0]}; add it, or leave it out (--where '@name!=...')")
    rows = pictures.set_index(pd.Index(listed)).reindex(asked)
    given = {name: rows[name].set_axis(frame.index) for name in _OF_PICTURES if name in rows}
    given.setdefault("stimulus", frame.get("stimulus", asked.set_axis(frame.index)))
    return frame.assign(**given)


def _plain_keys(cells: pd.Series) -> pd.Series:
    """Return names without spaces around them, and whole numbers without zeros before and after them."""
    return cells.str.strip().str.replace(r"^0*(\d+)(\.0+)?$", r"\1", regex=True)
