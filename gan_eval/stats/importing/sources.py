"""Sources of `--map` that are no column of the file: paths into JSON, `#`, `*`, `@file`, `@fill:`, `@name`, others."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.stats.importing.mapping import parse_source
from gan_eval.stats.importing.reading import Foreign, read_foreign
from gan_eval.stats.importing.wide import columns_by_number, lengthened
from gan_eval.stats.rules import parse_rule

_OTHER_ROW = re.compile(r"@(fill|previous):(.+)", re.DOTALL)
_CONSTANT = re.compile(r'@"(.*)"', re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_OF_PICTURES = ("stimulus", "kind", "model", "dataset")
_KEYS = ("number", "name", "stimulus")
"""Columns of a table of pictures that say which one a row is."""


def with_sources(foreign: Foreign, mapping: Mapping[str, str], rules: Sequence[str]) -> Foreign:
    """Return the rows with a further column for each source and each rule's column that the files do not have.

    If one has `#`, each number becomes a row; with `*` each text.

    Raises:
        UserError: a source names no column.
    """
    columns = foreign.cells.columns
    names = [parse_source(target, source, columns).column for target, source in mapping.items() if source]
    names = list(dict.fromkeys([*names, *(parse_rule(rule).column for rule in rules)]))
    inner = [found[2] if (found := _OTHER_ROW.fullmatch(name)) else name for name in names]
    if patterns := [name for name in inner if re.search("[#*]", name) and name not in columns and name[0] != "@"]:
        foreign = lengthened(foreign, list(dict.fromkeys(patterns)), keep=inner)
    cells = {name: _cells(name, foreign) for name in names if name not in foreign.cells}
    further = {name: column for name, column in cells.items() if column is not None}
    return replace(foreign, cells=foreign.cells.assign(**further)) if further else foreign


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
    return _path_cells(source, cells)


def _path_cells(source: str, cells: pd.DataFrame) -> pd.Series | None:
    """Return the values at a path such as `response.Q0` or `answer[0].label`: the column, then keys and places."""
    for at in [place.start() for place in re.finditer(r"[.\[]", source)][::-1]:
        column, path = source[:at], [first or second for first, second in _STEP.findall(source[at:])]
        if column in cells and path:
            values = {cell: _value_at(nested(cell), path) for cell in cells[column].dropna().unique()}
            if any(value is not None for value in values.values()):
                return cells[column].map(values).astype("str")
            keys = dict.fromkeys(key for cell in values if isinstance(value := nested(cell), dict) for key in value)
            if keys:
                raise UserError(f"no {source!r}: column {column} has the keys {', '.join(map(str, keys))}")
    return None


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
    if re.search("[#*]", source):
        return {*columns_by_number(source, columns).values()}
    return {source[: found.start()] for found in re.finditer(r"[.\[]", source)}.intersection(columns)


def unread_entries(source: str, cells: pd.DataFrame) -> dict[str, int]:
    """Return the numbers of entries of lists of which a path reads one, such as `answers` of `answers[0].label`."""
    counts = {}
    for column in columns_of_source(source, list(map(str, cells))) - {source}:
        path = [first or second for first, second in _STEP.findall(source[len(column) :])]
        values = [nested(cell) for cell in cells[column].dropna()]
        for at, step in enumerate(path):
            others = sum(len(value) - (int(step) < len(value)) for value in values if isinstance(value, list))
            if step.isdecimal() and others:
                counts[f"{column}{_written(path[:at])}, entries other than [{step}]"] = others
            values = [_value_in(value, step) for value in values]
    return counts


def _written(path: Sequence[str]) -> str:
    return "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in path)


def nested(cell: Any) -> Any:
    """Return the value of a cell with JSON, or with a list as Python writes it; the text itself if it is neither."""
    if isinstance(cell, str) and cell[:1] in ("[", "{", '"'):
        for read in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                return read(cell)
    return cell


def _value_at(value: Any, path: Sequence[str]) -> str | None:
    for step in path:
        value = _value_in(value, step)
    if isinstance(value, dict) and [*value.values()].count(True) == 1 and {*value.values()} <= {True, False}:
        return next(key for key, chosen in value.items() if chosen)  # radio buttons
    if value is None or isinstance(value, str):
        return value or None  # "" is a question that was not answered
    return json.dumps(value, ensure_ascii=False)


def _value_in(value: Any, step: str) -> Any:
    """Return the entry of a list or an object; None: it has none."""
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return nested(value[int(step)])
    return nested(value.get(step)) if isinstance(value, dict) else None


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
