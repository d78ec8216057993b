"""Tables as columns, lists of cells: checked, and written as CSV and Parquet without pandas."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files.atomic import atomic_path, write_bytes
from gan_eval.tables.cells import csv_bytes, csv_cell, format_cell, is_outside, parse_any
from gan_eval.tables.frames import Row, empty_cell, pandas_dtype, repeated_key
from gan_eval.tables.schema import Column, Dtype, Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

Columns = dict[str, list[Any]]
"""The cells of each column, by name: str, int, float or bool; None: missing."""


def columns_of(rows: Iterable[Mapping[str, Any]], table: Table) -> Columns:
    """Return rows as checked columns, those of the schema first.

    Raises:
        UserError: as for `checked`.
    """
    rows = [*rows]
    names = dict.fromkeys((*table.names, *(name for row in rows for name in row)))
    return checked({name: [row.get(name) for row in rows] for name in names}, table)


def rows_of(columns: Mapping[str, list[Any]]) -> Iterator[Row]:
    """Yield the rows of columns."""
    return (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))


def checked(columns: Columns, table: Table) -> Columns:
    """Return all columns of a table with cells of the schema's types.

    Raises:
        UserError: a cell does not fit the schema, or a key occurs twice.
    """
    result = {name: _checked(columns[name], table.by_name.get(name), f"{table.name}: row") for name in columns}
    for column in table.columns:
        if column.filled and None in result[column.name]:
            raise empty_cell(table.name, result[column.name].index(None) + 1, column.name)
    first: dict[tuple[Any, ...], int] = {}
    for number, key in enumerate(zip(*(result[name] for name in table.key), strict=True), start=1):
        if first.setdefault(key, number) != number:
            raise repeated_key(table.name, number, first[key], table, key)
    return result


def _checked(cells: list[Any], column: Column | None, where: str) -> list[Any]:
    if column is None:
        return cells
    if column.dtype == "float":  # most are distinct
        numbers = np.array(cells, np.float64)
        if not is_outside(numbers, column).any():
            return [None if number != number else number for number in numbers.tolist()]
    parsed: dict[Any, Any] = {}
    for number, cell in enumerate(cells, start=1):
        if cell not in parsed:
            try:
                parsed[cell] = parse_any(cell, column)
            except UserError as error:
                raise UserError(f"{where} {number}, column {column.name}{error}") from error
    return [parsed[cell] for cell in cells]


def write_columns(columns: Columns, table: Table, *files: Path) -> None:
    """Write checked columns to files by their suffix, CSV or Parquet, each whole or not at all.

    Raises:
        UserError: a file cannot be written.
    """
    for file in files:
        if file.suffix == ".parquet":
            from pyarrow import parquet

            with atomic_path(file) as temporary:
                parquet.write_table(_arrow_table(columns, table), temporary)
        else:
            write_bytes(file, csv_bytes(list(columns), zip(*map(_texts, columns.values()), strict=True)))


def _texts(cells: list[Any]) -> list[str]:
    """Return cells as CSV text; each distinct text is made once."""
    if any(isinstance(cell, float) for cell in cells):  # 1.0 equals 1 and True
        return [csv_cell(format_cell(cell, None, "")) for cell in cells]
    texts = {cell: csv_cell(format_cell(cell, None, "")) for cell in dict.fromkeys(cells)}
    return [texts[cell] for cell in cells]


_PANDAS_TYPES: dict[Dtype, tuple[str, str]] = {
    "int": ("int64", "Int64"),
    "float": ("float64", "float64"),
    "bool": ("bool", "boolean"),
}
"""The two names of a column's type in the metadata that pandas reads; those of text are `object` and `str`."""


def _arrow_table(columns: Columns, table: Table) -> "pyarrow.Table":
    """Return an Arrow table that equals the one that pandas makes of the table's frame."""
    import pyarrow as pa

    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    fields, described = [], []
    for name in columns:
        column = table.by_name.get(name)
        dtype = column.dtype if column else "text"
        pandas_type, numpy_type = _PANDAS_TYPES.get(dtype, ("object", "str"))
        fields.append(pa.field(name, types.get(dtype, pa.large_string())))
        names = {"name": name, "field_name": name}
        described.append({**names, "pandas_type": pandas_type, "numpy_type": numpy_type, "metadata": None})
    facts = {
        "index_columns": [],
        "column_indexes": [],
        "columns": described,
        "attributes": {},
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": version("pandas"),
    }
    arrays = [_arrow_array(cells, field.type) for field, cells in zip(fields, columns.values(), strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={"pandas": json.dumps(facts)}))


def _arrow_array(cells: list[Any], dtype: "pyarrow.DataType") -> "pyarrow.Array":
    """Return cells as an Arrow array made from its buffers: `pyarrow.array` would import pandas."""
    import pyarrow as pa

    is_known = np.array([cell is not None for cell in cells], bool)
    if dtype == pa.large_string():
        texts = [b"" if cell is None else cell.encode() for cell in cells]
        data = [np.cumsum([0, *map(len, texts)], dtype=np.int64), np.frombuffer(b"".join(texts), np.uint8)]
    elif dtype == pa.bool_():
        data = [np.packbits(np.array([bool(cell) for cell in cells], bool), bitorder="little")]
    else:
        kind = np.float64 if dtype == pa.float64() else np.int64
        data = [np.array([0 if cell is None else cell for cell in cells], kind)]
    validity = None if is_known.all() else pa.py_buffer(np.packbits(is_known, bitorder="little"))
    return pa.Array.from_buffers(dtype, len(cells), [validity, *map(pa.py_buffer, data)])


def frame_of_columns(columns: Columns, table: Table) -> "pd.DataFrame":
    """Return checked columns as a frame with the schema's dtypes."""
    import pandas as pd

    def dtype_of(name: str) -> Any:
        column = table.by_name.get(name)
        return pandas_dtype(column.dtype if column else "text")

    return pd.DataFrame({name: pd.array(cells, dtype=dtype_of(name)) for name, cells in columns.items()})
