"""Tables as columns, lists of cells: checked, and written as CSV and Parquet without pandas."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.tables.cells import TYPES, all_fit, csv_cells, csv_rows, is_outside, padded, parse_any
from gan_eval.tables.frames import Row, empty_cell, pandas_dtype, repeated_key
from gan_eval.tables.schema import Column, Dtype, Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

Columns = dict[str, list[Any]]
"""The cells of each column, by name: str, int, float or bool; None: missing."""


def columns_of(rows: Iterable[Mapping[str, Any]], table: Table) -> Columns:
    """Return rows as checked columns, those of the schema first."""
    rows = [*rows]
    names = dict.fromkeys((*table.by_name, *(name for row in rows for name in row)))
    return conform_columns({name: [row.get(name) for row in rows] for name in names}, table)


def rows_of(columns: Mapping[str, list[Any]]) -> Iterator[Row]:
    """Yield the rows of columns."""
    return (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))


def conform_columns(columns: Columns, table: Table) -> Columns:
    """Return all columns of a table with cells of the schema's types."""
    result = {name: _conform_cells(columns[name], table.by_name.get(name), f"{table.name}: row") for name in columns}
    for column in table.columns:
        if column.filled and None in result[column.name]:
            raise empty_cell(table.name, result[column.name].index(None) + 1, column.name)
    first: dict[tuple[Any, ...], int] = {}
    for number, key in enumerate(zip(*(result[name] for name in table.key), strict=True), start=1):
        if first.setdefault(key, number) != number:
            raise repeated_key(table.name, number, first[key], table, key)
    return result


def _conform_cells(cells: list[Any], column: Column | None, where: str) -> list[Any]:
    if column is None or all(cell is None for cell in cells):
        return cells
    if column.dtype == "float":  # most are distinct
        numbers = np.array(cells, np.float64)
        if not is_outside(numbers, column).any():
            return [None if number != number else number for number in numbers.tolist()]
    distinct = dict.fromkeys(cells)
    looked_at = distinct if TYPES[column.dtype] is str else cells  # True equals 1
    if all_fit([cell for cell in looked_at if cell is not None], column):
        return cells
    for cell in distinct:
        try:
            distinct[cell] = parse_any(cell, column)
        except UserError as error:
            raise UserError(f"{where} {cells.index(cell) + 1}, column {column.name}: {error}") from error
    return [distinct[cell] for cell in cells]


def write_columns(columns: Columns, table: Table, folder: Path) -> None:
    """Write checked columns as `TABLE.csv` and `TABLE.parquet` into the folder of a new set (`files.sets`)."""
    from pyarrow import parquet

    texts = []
    for cells in columns.values():
        if any(isinstance(cell, float) for cell in cells):  # most are distinct
            texts.append(["" if cell is None else padded(repr(cell)) for cell in cells])
        else:
            text_of = {cell: "" if cell is None else str(cell) for cell in dict.fromkeys(cells)}
            pairs = zip(text_of, csv_cells(text_of.values()), strict=True)
            text_of = {cell: text.lower() if isinstance(cell, bool) else text for cell, text in pairs}
            texts.append([text_of[cell] for cell in cells])
    (folder / f"{table.name}.csv").write_bytes(csv_rows([csv_cells(columns), *zip(*texts, strict=True)]))
    parquet.write_table(_arrow_table(columns, table), folder / f"{table.name}.parquet")


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
    fields, descriptions = [], []
    for name in columns:
        column = table.by_name.get(name)
        dtype = column.dtype if column else "text"
        pandas_type, numpy_type = _PANDAS_TYPES.get(dtype, ("object", "str"))
        fields.append(pa.field(name, types.get(dtype, pa.large_string())))
        names = {"name": name, "field_name": name}
        descriptions.append({**names, "pandas_type": pandas_type, "numpy_type": numpy_type, "metadata": None})
    facts = {
        "index_columns": [],
        "column_indexes": [],
        "columns": descriptions,
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
