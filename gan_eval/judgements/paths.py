"""Paths into cells with JSON, such as `response.Q0` and `answers[*].label`: `[*]` makes a row of each entry."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.parts import text_of
from gan_eval.judgements.reading import Foreign, Labels

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*)\]")


def path_cells(source: str, cells: pd.DataFrame) -> pd.Series | None:
    """Return the values at a path such as `response.Q0` or `answer[0].label`: the column, then keys and places."""
    if (column := column_of_path(source, map(str, cells))) is None or not (path := _steps(source, column)):
        return None
    values = {cell: _value_at(nested(cell), path) for cell in cells[column].dropna().unique()}
    if any(value is not None for value in values.values()):
        return cells[column].map(values).astype("str")
    if keys := dict.fromkeys(key for cell in values if isinstance(value := nested(cell), dict) for key in value):
        raise UserError(f"no {source!r}: column {column} has the keys {', '.join(map(str, keys))}")
    return None


def column_of_path(source: str, columns: Iterable[str]) -> str | None:
    """Return the column that a path begins with; None: there is none.

    >>> column_of_path("answers[*].label", ["answers"]), column_of_path("Real? [*]", ["Real? [a.png]"])
    ('answers', None)
    """
    known = set(columns)
    ends = [found.start() for found in re.finditer(r"[.\[]", source)][::-1]
    return next((source[:end] for end in ends if source[:end] in known), None)


def _steps(source: str, column: str) -> list[str]:
    return [key or index for key, index in _STEP.findall(source, len(column))]


def _levels(source: str, cells: pd.DataFrame) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield each step of a source's path: the path before it, the step, and the values of all cells there."""
    if source in cells or (column := column_of_path(source, map(str, cells))) is None:
        return
    values = [nested(cell) for cell in cells[column].dropna()]
    for found in _STEP.finditer(source, len(column)):
        step = found[1] or found[2]
        yield source[: found.start()], step, values
        if found[2] == "*":
            values = [nested(entry) for value in values if isinstance(value, list) for entry in value]
        else:
            values = [_value_in(value, step) for value in values]


def unread_entries(source: str, cells: pd.DataFrame) -> dict[str, int]:
    """Return the numbers of entries of lists of which a path reads one, such as `answers` of `answers[0].label`."""
    counts = {}
    for path, step, values in _levels(source, cells):
        lists = [value for value in values if isinstance(value, list)] if step.isdecimal() else []
        if others := sum(len(value) - (int(step) < len(value)) for value in lists):
            counts[f"{path}, entries other than [{step}], a row each with {path}[*]"] = others
    return counts


def unread_fields(sources: Sequence[str], cells: pd.DataFrame) -> dict[str, list[str | None]]:
    """Return the texts of each field of the objects that the paths of sources lead through, where no source reads it.

    The keys of the result are the fields' paths.
    """
    found: dict[str, list[str | None]] = {}
    for path, _, values in (level for source in sources for level in _levels(source, cells)):
        objects = [value for value in values if isinstance(value, dict)]
        for key in dict.fromkeys(key for value in objects for key in value):
            field = f"{path}.{key}"
            if not any(other == field or other.startswith((f"{field}.", f"{field}[")) for other in sources):
                found[field] = [text_of(value.get(key)) for value in objects]
    return found


def with_entries(foreign: Foreign, sources: Sequence[str]) -> Foreign:
    """Return a row for each entry of the lists that `[*]` in a source names; the other columns are repeated.

    The entries of `answers[*].label` are a column `answers[*]`. Lists side by side, as in `pictures[*]` and
    `answers[*]`, have their equal places in one row; a list in an entry of a list (`a[*].b[*]`) multiplies its rows.
    Rows without a list or with an empty one are left out.

    Raises:
        UserError: no cell has the list, or lists side by side differ in length.
    """
    while lists := _next_lists(sources, foreign.cells):
        foreign = _lengthened(foreign, lists)
    return foreign


def _next_lists(sources: Iterable[str], cells: pd.DataFrame) -> dict[str, str]:
    """Return the first list of each source that is not yet a column, and the column that its path begins with."""
    lists = {}
    for source in sources:
        whole = (source[: found.end()] for found in re.finditer(r"\[\*\]", source))
        name = next((path for path in whole if path not in cells), None)
        if source not in cells and name and (column := column_of_path(name, map(str, cells))):
            lists[name] = column
    return lists


def _lengthened(foreign: Foreign, lists: dict[str, str]) -> Foreign:
    """Return a row for each place in these lists, whose entries are columns of their names."""
    entries = {name: _entries(foreign.cells[column], _steps(name, column)[:-1]) for name, column in lists.items()}
    for name, column in lists.items():
        if not any(map(any, entries[name])):
            raise UserError(f"no {name!r}: column {column} has no list of this path")
    counts = np.array([[*map(len, each)] for each in entries.values()])
    count = counts.max(axis=0)
    if (unequal := ((counts != count) & (counts > 0)).any(axis=0)).any():
        at = int(unequal.argmax())
        lengths = " and ".join(f"{name} {length}" for name, length in zip(lists, counts[:, at], strict=True))
        row = Labels(foreign, foreign.cells.index)[at]
        raise UserError(f"row {row}: {lengths} entries; equal places belong together: fix the lists")
    long = foreign.repeated(count, [str(index) for n in count for index in range(n)])
    columns = {
        name: pd.array([entry for row, n in zip(each, count, strict=True) for entry in row or [None] * n], dtype="str")
        for name, each in entries.items()
    }
    return replace(long, cells=long.cells.assign(**columns))


def _entries(cells: pd.Series, path: Sequence[str]) -> list[list[str | None]]:
    """Return the entries of each cell's list as text; of a cell that has something else there one that is missing."""
    found: dict[str, list[str | None]] = {}
    for cell in cells.dropna().unique():
        value = nested(cell)
        for step in path:
            value = _value_in(value, step)
        is_none = value is None or value == ""
        found[cell] = [] if is_none else [text_of(each) for each in value] if isinstance(value, list) else [None]
    return [found.get(cell, []) for cell in cells]


def columns_of_lists(cells: pd.DataFrame) -> list[str]:
    """Return the paths, such as `results.judgments`, at which most cells have a list of objects; most entries first."""
    entries: dict[str, int] = {}
    for name in map(str, cells):
        filled = cells[name].dropna()
        lists = [found for cell in filled for found in _lists(nested(cell), name)]
        for path, count in Counter(path for path, _ in lists).items():
            if 2 * count > len(filled):
                entries[path] = sum(length for other, length in lists if other == path)
    return sorted(entries, key=lambda path: -entries[path])


def _lists(value: Any, path: str) -> Iterator[tuple[str, int]]:
    """Yield the path and the length of each list of objects that is in no other list."""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        yield path, len(value)
    for key, each in value.items() if isinstance(value, dict) else ():
        yield from _lists(nested(each), f"{path}.{key}")


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
