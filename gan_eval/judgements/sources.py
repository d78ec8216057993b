"""Sources of `--map` that are no column of the file: paths into JSON, `#`, `*`, `@file`, `@fill:`, `@name`, others."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.mapping import parse_source
from gan_eval.judgements.paths import column_of_path, path_cells, with_entries
from gan_eval.judgements.reading import Foreign
from gan_eval.judgements.rules import parse_rule
from gan_eval.judgements.wide import columns_by_number, lengthened

_OTHER_ROW = re.compile(r"@(fill|previous):(.+)", re.DOTALL)
_CONSTANT = re.compile(r'@"(.*)"', re.DOTALL)
ANSWER = "@answer"
"""Source of the cells under the columns that are called as pictures."""


def with_sources(foreign: Foreign, mapping: Mapping[str, str], rules: Sequence[str]) -> Foreign:
    """Return the rows with a further column for each source and each rule's column that the files do not have.

    If one has `#`, each number becomes a row; with `*` each text; with `[*]` after a column with lists each entry.

    Raises:
        UserError: a source names no column, or one has `#` or `*` and another one `[*]`.
    """
    columns = [*map(str, foreign.cells)]
    names = [parse_source(target, source, columns).column for target, source in mapping.items() if source]
    names = list(dict.fromkeys([*names, *(parse_rule(rule).column for rule in rules)]))
    if {*names} <= {*columns}:
        return foreign
    inner = [part for name in names for part in parts_of_source(name, columns)]
    of_pictures = {ANSWER: foreign.pictures} if foreign.pictures and ANSWER in names else {}
    foreign, entries = _with_marked_rows(foreign, inner, columns, of_pictures)
    cells = {name: _cells(name, foreign) for name in names if name not in foreign.cells}
    further = {name: column for name, column in cells.items() if column is not None}
    left = foreign.cells.drop(columns=list(_lists(foreign, entries, columns).difference(inner)))
    return replace(foreign, cells=left.assign(**further)) if further or entries else foreign


def _lists(foreign: Foreign, entries: Sequence[str], columns: Sequence[str]) -> set[str]:
    """Return the columns of lists of which each entry has become a row, and those of their entries.

    Args:
        columns: those of the files.
    """
    whole = {column_of_path(name, columns) for name in entries}
    of_entries = {name for name in map(str, foreign.cells) if name.endswith("[*]") and name not in columns}
    return {name for name in map(str, foreign.cells) if name in whole} | of_entries


def _with_marked_rows(
    foreign: Foreign, sources: Sequence[str], columns: Sequence[str], of_pictures: Mapping[str, Mapping[str, str]]
) -> tuple[Foreign, list[str]]:
    """Return a row for each number, text or entry of a list that sources name, and the sources with lists."""
    others = [name for name in sources if name not in columns]
    entries = [name for name in others if "[*]" in name and column_of_path(name, columns)]
    patterns = [name for name in others if re.search("[#*]", name) and name[0] != "@" and name not in entries]
    if entries and patterns:
        raise UserError(f"{entries[0]} makes a row of each entry, {patterns[0]} of each column; import one at a time")
    foreign = with_entries(foreign, sources) if entries else foreign
    if patterns or of_pictures:
        foreign = lengthened(foreign, list(dict.fromkeys(patterns)), keep=sources, known=of_pictures)
    return foreign, entries


def parts_of_source(source: str, columns: Sequence[str]) -> list[str]:
    """Return the sources that a source joins (`a + b`), or that of another row; else the source alone."""
    if found := _OTHER_ROW.fullmatch(source):
        return [found[2]]
    is_one = source in columns or _CONSTANT.fullmatch(source) or columns_by_number(source, columns)
    return [source] if is_one else source.split(" + ")


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
        return None if values is None else _of_other_row(values, foreign.groups(), which=other[1])
    joined = _joined(source.split(" + "), foreign) if " + " in source else None
    return path_cells(source, cells) if joined is None else joined


def _of_other_row(values: pd.Series, groups: pd.Series, *, which: str) -> pd.Series:
    """Return for each row the value of the `previous` one, or of the nearest one of its group that has one."""
    by_group = values.groupby(groups, sort=False)
    return by_group.shift(1) if which == "previous" else by_group.ffill().groupby(groups, sort=False).bfill()


def _joined(sources: Sequence[str], foreign: Foreign) -> pd.Series | None:
    """Return the text of several sources, joined; an empty cell has no part. None: one of them is unknown."""
    parts = [cells for source in sources if (cells := _cells(source, foreign)) is not None]
    if len(parts) < len(sources):
        return None
    texts = ["_".join(text for text in row if isinstance(text, str)) for row in zip(*parts, strict=True)]
    return pd.Series([text or None for text in texts], index=foreign.cells.index, dtype="str")


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
    if len(joined := parts_of_source(source, columns)) > 1:
        return {name for part in joined for name in columns_of_source(part, columns)}
    column = column_of_path(source, columns)
    if column is None and re.search("[#*]", source):
        return {*columns_by_number(source, columns).values()}
    return {column} if column else set()
