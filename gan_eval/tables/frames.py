"""Read, check and write the tables of `gan_eval.tables`, as rows (dicts) or as pandas frames.

Rows are for the parts that start without pandas, such as the quiz.
"""

import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.base.atomic import atomic_path, write_bytes
from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small_parquet
from gan_eval.base.reading import read_bytes
from gan_eval.tables.cells import (
    all_fit,
    csv_cells,
    csv_records,
    csv_rows,
    even_records,
    format_cell,
    is_outside,
    padded,
    parse,
    parse_any,
    require_clear_numbers,
    require_distinct,
    whole_names,
)
from gan_eval.tables.schema import Column, Dtype, Table, limited

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow

Row = dict[str, Any]
"""A row with values of str, int, float, bool; None: missing."""


EMPTY = "empty; every row must hold a value"
"""Reason why an empty cell is refused in a column that is always filled."""

ROWS_AT_ONCE = 20_000
"""Number of rows that are converted from or to single cells at a time; cells take many times a frame's memory."""

_PANDAS: dict[Dtype, str] = {
    "text": "str",
    "instant": "str",
    "json": "str",
    "int": "Int64",
    "float": "float64",
    "bool": "boolean",
}


@cache
def pandas_dtype(dtype: Dtype) -> Any:
    """Return the pandas dtype of a column's cells; pandas takes longer to find one by name than to convert 25 cells."""
    import pandas as pd

    return pd.api.types.pandas_dtype(_PANDAS[dtype])


def iso(moment: datetime) -> str:
    """Return an instant in the form of the tables: UTC, ISO 8601, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_rows(path: Path, table: Table) -> list[Row]:
    """Read a table from CSV as rows, with every cell checked. Columns beyond the schema stay text."""
    table = limited(table)
    header, records = even_records(Path(path), table)
    _require_columns(header, table, path)
    columns = [table.by_name.get(name) for name in header]
    absent = {name: None for name in table.names if name not in header}
    rows = [
        {
            name: parse(text, column, f"{path}: row {number}, column {name}: ") if column else (text or None)
            for name, column, text in zip(header, columns, record, strict=True)
        }
        | absent
        for number, record in enumerate(records, start=1)
    ]
    _require_filled_rows(rows, table, path)
    return rows


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path, table: Table) -> None:
    """Write rows as CSV, the schema's columns first, whole or not at all."""
    rows = [dict(row) for row in rows]
    extra = dict.fromkeys(name for row in rows for name in row if name not in table.by_name)
    _require_filled_rows(rows, table, path)
    header = [*table.names, *extra]
    records = (
        csv_cells(
            format_cell(row.get(name), table.by_name.get(name), f"{path}: row {number}, column {name}: ")
            for name in header
        )
        for number, row in enumerate(rows, start=1)
    )
    write_bytes(Path(path), csv_rows([csv_cells(header), *records]))


def read_table(path: Path, table: Table) -> "pd.DataFrame":
    """Read a table from CSV or Parquet (by suffix) as a frame with the schema's dtypes.

    Raises:
        UserError: no such file, a column is missing, or a cell does not fit the schema or the range of its unit.
    """
    import pandas as pd

    path, table = Path(path), limited(table)
    if path.suffix == ".parquet":
        if not path.is_file():
            raise UserError(f"{path}: no such file; expected the table {table.name}")
        try:
            require_small_parquet(path)
            return conform(pd.read_parquet(path), table, where=str(path))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: not a readable Parquet file ({error})") from error
    return conform(text_frame(path, table), table, where=str(path))


def as_table(source: "pd.DataFrame | Path | str", table: Table) -> "pd.DataFrame":
    """Return a table from a frame or a file (CSV or Parquet), with the schema's columns and dtypes.

    Raises:
        UserError: it is neither; as for `read_table` and `conform`.
    """
    import pandas as pd

    if isinstance(source, Path | str):
        return read_table(Path(source), table)
    if not isinstance(source, pd.DataFrame):
        raise UserError(
            f"the table {table.name}: found a {type(source).__name__}; give a pandas frame, or the path of its CSV or "
            "Parquet file"
        )
    return conform(source, table, where=table.name)


def holds_table(path: Path, table: Table) -> bool:
    """Return True if a CSV or Parquet file exists and has the required columns of the table."""
    path = Path(path)
    if not path.is_file():
        return False
    try:
        if path.suffix == ".parquet":
            from pyarrow.parquet import read_schema

            header = list(read_schema(path).names)
        else:
            header = csv_records(path)[0]
    except (UserError, OSError, ValueError):
        return False
    return all(column.optional or column.name in header for column in table.columns)


_QUOTED = re.compile(rb'"(?<![^,\n]")[^"]*(?:""[^"]*)*"(?![^,\r\n])')
"""A quoted cell of a CSV file with commas."""
_APOSTROPHE = re.compile(rb"""'(?<![^,\n"]')""")
"""An apostrophe that may begin a cell, where it may be that of `csv_cells`."""


def text_frame(path: Path, table: Table) -> "pd.DataFrame":
    """Return a table in a CSV file as a frame of text; an empty cell is missing."""
    import pandas as pd

    frame = _plain_frame(path)
    if frame is None:
        header, records = even_records(path, table)
        frame = pd.DataFrame([[cell or None for cell in record] for record in records], columns=header, dtype="str")
    return frame


def _plain_frame(path: Path) -> "pd.DataFrame | None":
    """Return a CSV file's cells as `text_frame` does, in a tenth of the time; None if it is not plain."""
    import pandas as pd
    import pyarrow

    table = plain_table(read_bytes(path))
    if table is None:
        return None
    columns: dict[str, Any] = dict(zip(table.column_names, table.columns, strict=True))
    dtypes = {pyarrow.large_string(): pd.StringDtype(na_value=math.nan)}
    del table
    for name in columns:  # one at a time, since each is copied
        columns[name] = columns[name].combine_chunks().to_pandas(types_mapper=dtypes.get)
    return pd.DataFrame(columns, copy=False)


def plain_table(content: bytes) -> "pyarrow.Table | None":
    """Return the cells of a CSV text, empty where missing, by a reader in C; None if it is not plain.

    Plain: separated by commas, with rows of one length. Each quote begins or ends a cell or is doubled in one, and no
    cell begins with an apostrophe. The names of the columns are in the first line.
    """
    from pyarrow import ArrowInvalid, BufferReader, large_string
    from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

    head, has_quotes = content.partition(b"\n")[0], b'"' in content
    if b"," not in _QUOTED.sub(b"", head) or content.count(b"\r") > content.count(b"\r\n"):
        return None
    if b"'" in content and _APOSTROPHE.search(content):
        return None
    if has_quotes and b'"' in _QUOTED.sub(b"", content):
        return None
    try:
        header = next(csv.reader([head.decode("utf-8-sig").rstrip("\r")]), [])
        cells = ConvertOptions(
            column_types=dict.fromkeys(header, large_string()), null_values=[""], strings_can_be_null=True
        )
        one_thread = ReadOptions(use_threads=False)  # several keep as much memory again, and are hardly faster
        lines = ParseOptions(newlines_in_values=has_quotes)
        table = read_csv(BufferReader(content), one_thread, lines, convert_options=cells)
    except (ArrowInvalid, UnicodeDecodeError, csv.Error):
        return None
    if table.column_names != header or len({*header}) < len(header):
        return None
    return table


def joined_tables(
    parts: "Sequence[tuple[str, pd.DataFrame]]", table: Table, *, compared: Sequence[str]
) -> "pd.DataFrame":
    """Return the rows of several files of one table, each key once.

    Rows of one key are one row, that of the first file with its value, if they agree in the compared columns, or cells
    are empty. Numbers agree to a millionth: another number of threads changes the last digits.

    Args:
        parts: names of the files and their frames, with distinct keys in each.
        compared: columns; the first has the value.

    Raises:
        UserError: two files have different cells of one key.
    """
    import numpy as np
    import pandas as pd

    frame = pd.concat([part for _, part in parts], ignore_index=True)
    key, file = [*table.key], np.repeat(np.arange(len(parts)), [len(part) for _, part in parts])
    if not frame.duplicated(key).any():
        return conform(frame, table, where=", ".join(name for name, _ in parts))
    number = frame.groupby(key, dropna=False, sort=False).ngroup().to_numpy()
    for name in compared:
        known = np.flatnonzero(frame[name].notna().to_numpy(bool))
        of_group, first = np.unique(number[known], return_index=True)
        others = known[first[np.searchsorted(of_group, number[known])]]
        cells, expected = (frame[name].to_numpy()[rows] for rows in (known, others))
        is_number = frame[name].dtype == "float64"
        agree = np.isclose(cells, expected, rtol=1e-6, atol=0) if is_number else cells == expected
        if not agree.all():
            row, other = (int(rows[np.argmin(agree)]) for rows in (known, others))
            what = ", ".join(f"{column}={frame[column].iat[row]}" for column in key)
            a, b = (f"{parts[file[at]][0]} has {frame[name].iat[at]}" for at in (other, row))
            raise UserError(
                f"{what}: {name}: {a}, {b}; these are not of one picture or set: give only one of the files"
            )
    order = np.argsort(frame[compared[0]].isna().to_numpy(bool), kind="stable")
    kept = np.sort(order[np.unique(number[order], return_index=True)[1]])
    return conform(frame.iloc[kept].reset_index(drop=True), table, where=table.name)


def require_clear_texts(cells: "pd.Series", *, where: str) -> None:
    """Refuse texts in which a point or comma may be a thousands separator (`require_clear_numbers`).

    Args:
        cells: a whole column of numbers; a column of another type than text is ignored.
        where: table and column, for the message.
    """
    require_clear_numbers([cell if isinstance(cell, str) else "" for cell in cells.tolist()], where)


def write_table(frame: "pd.DataFrame", path: Path, table: Table, *, also: Sequence[Path] = ()) -> None:
    """Write a frame as CSV or Parquet (by suffix), checked against the schema, whole or not at all."""
    checked = conform(frame, table, where=Path(path).name)
    for file in map(Path, (path, *also)):
        with atomic_path(file) as temporary:
            write_frame(checked, temporary)


def write_frame(frame: "pd.DataFrame", file: Path) -> None:
    """Write a frame that fits its schema as CSV or Parquet (by suffix), into a file that nobody reads yet."""
    if file.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), file)
        return
    with file.open("wb") as output:
        output.write(csv_rows([csv_cells(frame.columns)]))
        for start in range(0, len(frame), ROWS_AT_ONCE):
            output.write(csv_rows(zip(*_texts(frame.iloc[start : start + ROWS_AT_ONCE]), strict=True)))


def _texts(frame: "pd.DataFrame") -> "list[np.ndarray]":
    """Return the cells of each column as CSV text. Few are distinct, and each of these is written once."""
    import numpy as np
    import pandas as pd

    columns = {name: series.array for name, series in frame.items()}
    texts = {name: np.full(len(frame), "", object) for name, array in columns.items() if array.isna().all()}
    floats = [name for name, array in columns.items() if array.dtype == "float64" and name not in texts]
    if floats:
        numbers = np.concatenate([columns[name].to_numpy("float64") for name in floats])
        codes, bits = pd.factorize(numbers.view("int64"))  # by their bits: 0.0 differs from -0.0
        texts |= zip(floats, _float_texts(bits.view("float64"))[codes].reshape(len(floats), -1), strict=True)
    return [texts[name] if name in texts else _texts_of(array) for name, array in columns.items()]


def _texts_of(array: Any) -> "np.ndarray":
    """Return a column's cells, which are no floats, as CSV text."""
    import numpy as np
    import pandas as pd

    if not isinstance(array.dtype, pd.StringDtype | pd.BooleanDtype | pd.Int64Dtype):
        return np.array(csv_cells(format_cell(value, None, "") for value in array.astype(object)), dtype=object)
    codes, distinct = pd.factorize(array)
    words = {True: "true", False: "false"} if isinstance(array.dtype, pd.BooleanDtype) else {}
    cells = csv_cells(words.get(value, str(value)) for value in distinct.astype(object).tolist())
    return np.array([*cells, ""], dtype=object)[codes]


def _float_texts(numbers: "np.ndarray") -> "np.ndarray":
    """Return floats (N,) as CSV text; only those that may have three decimals are `padded`, which most are not."""
    import numpy as np

    texts = np.array([*map(repr, numbers.tolist())], object)
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.abs(numbers)
        is_tried = (np.rint(numbers * 1000) / 1000 == numbers) | (size < 1e-4) | (size >= 1e13)
    texts[is_tried] = [*map(padded, texts[is_tried].tolist())]
    texts[np.isnan(numbers)] = ""
    return texts


def frame_of(rows: Sequence[Mapping[str, Any]], table: Table) -> "pd.DataFrame":
    """Return rows as a frame with the schema's dtypes; without rows, an empty frame with every column."""
    import pandas as pd

    if not rows:
        return pd.DataFrame({column.name: pd.array([], dtype=pandas_dtype(column.dtype)) for column in table.columns})
    names = [*dict.fromkeys((*table.names, *(name for row in rows for name in row)))]
    frame = pd.DataFrame([[row.get(name) for name in names] for row in rows], columns=names, dtype="object")
    return conform(frame, table, where=table.name)


def conform(frame: "pd.DataFrame", table: Table, *, where: str) -> "pd.DataFrame":
    """Return the frame with the schema's columns first, in its dtypes; additional columns follow unchanged.

    Args:
        frame: any frame with the schema's columns; cells may be text.
        where: the file or table that an error names.

    Raises:
        UserError: a column is missing, a cell does not fit the schema, or a key occurs twice.
    """
    import numpy as np
    import pandas as pd

    _require_columns(list(frame.columns), table, where)
    series_of = dict(frame.items())
    columns: dict[Any, pd.Series | pd.api.extensions.ExtensionArray] = {}
    for column in table.columns:
        series = series_of.pop(column.name, None)
        dtype = pandas_dtype(column.dtype)
        if series is None or (series.dtype != dtype and series.isna().all()):
            columns[column.name] = pd.array([None], dtype=dtype).take(np.zeros(len(frame), np.intp))
        else:
            columns[column.name] = _conformed(series, column, where)
    for name, series in series_of.items():
        is_text = series.dtype == object and all(isinstance(value, str) for value in series.dropna())
        columns[name] = series.astype("str") if is_text else series
    result = pd.DataFrame(columns, index=frame.index, copy=False).reset_index(drop=True)
    _require_filled(result, table, where)
    return result


def _require_filled(result: "pd.DataFrame", table: Table, where: str) -> None:
    """Refuse an empty cell in a column that is always filled, and a key that occurs twice."""
    for column in table.columns:
        if column.filled and (missing := result[column.name].isna()).any():
            raise empty_cell(where, int(missing.argmax()) + 1, column.name)
    if table.key and (double := result.duplicated(list(table.key))).any():
        number = int(double.to_numpy().argmax())
        key = tuple(result.loc[number, name] for name in table.key)
        groups = result.groupby(list(table.key), dropna=False).ngroup().to_numpy()
        raise repeated_key(where, number + 1, int((groups == groups[number]).argmax()) + 1, table, key)


def without_blanks(texts: "pd.Series") -> "pd.Series":
    """Return text cells, of which one of blanks alone is missing."""
    is_blank = texts.str.isspace().fillna(False).to_numpy(bool)
    return texts.mask(is_blank) if is_blank.any() else texts


def faults(frame: "pd.DataFrame", table: Table) -> list[tuple[int, str, str]]:
    """Return each cell that the schema does not allow: position of the row from 0, column, and reason."""
    import numpy as np

    faulty = []
    for column in table.columns:
        if column.name not in frame.columns:
            continue
        codes, _, cells, reasons = _parse_distinct(frame[column.name], column)
        if column.filled:
            empty = [-1, *(code for code, value in enumerate(cells) if value is None and code not in reasons)]
            reasons |= dict.fromkeys(empty, EMPTY)
        rows = np.isin(codes, list(reasons)).nonzero()[0]
        faulty += [(int(row), column.name, reasons[codes[row]]) for row in rows]
    return sorted(faulty)


def _parse_distinct(series: "pd.Series", column: Column) -> "tuple[np.ndarray, list[Any], list[Any], dict[int, str]]":
    """Parse each distinct value of a column once, because a column has few.

    Returns:
        (N,) the index of each row's value, -1 for a missing one; the values; the parsed values; and the faults by
        index.
    """
    import pandas as pd

    codes, values = pd.factorize(series.array)
    distinct = values.to_numpy().tolist() if series.dtype.kind in "fiub" else list(values)  # of Python's types
    if all_fit(distinct, column):
        return codes, distinct, distinct, {}
    cells: list[Any] = []
    reasons: dict[int, str] = {}
    for code, value in enumerate(distinct):
        try:
            cells.append(parse_any(value, column))
        except UserError as error:
            cells.append(None)
            reasons[code] = str(error)
    return codes, distinct, cells, reasons


def _conformed(series: "pd.Series", column: Column, where: str) -> "pd.Series | pd.api.extensions.ExtensionArray":
    """Return a column's cells in the schema's dtype: the series itself, if nothing changes."""
    import pandas as pd

    dtype = pandas_dtype(column.dtype)
    if series.dtype == dtype and column.is_free:
        has_empty = column.dtype == "text" and (series == "").any()
        return series.mask(series == "") if has_empty else series  # missing, as in a file
    floats = _floats(series, column)
    if floats is None or not is_outside(floats, column).any():
        if series.dtype == dtype and column.is_number:
            return series
        if column.dtype == "float" and floats is not None:
            return pd.array(floats, dtype=dtype)  # a copy: the numbers may be those of the series
        if series.dtype.kind == {"int": "i", "bool": "b"}.get(column.dtype):
            return series.astype(dtype)
    return _parsed(series, column, where)


def _parsed(series: "pd.Series", column: Column, where: str) -> "pd.Series | pd.api.extensions.ExtensionArray":
    """Return a column's cells, each parsed, in the schema's dtype: the series itself, if nothing changes."""
    import pandas as pd

    dtype = pandas_dtype(column.dtype)
    try:
        codes, distinct, cells, reasons = _parse_distinct(series, column)
    except TypeError as error:
        raise UserError(f"{where}: column {column.name}: holds lists or records; give each cell one value") from error
    for code, reason in reasons.items():
        raise UserError(f"{where}: row {int((codes == code).argmax()) + 1}, column {column.name}: {reason}")
    cells = whole_names(cells) if column.is_name else cells
    if series.dtype == dtype and cells == distinct:
        return series
    return pd.array([*cells, None], dtype=dtype).take(codes)  # code -1, the last one: missing


def _floats(series: "pd.Series", column: Column) -> "np.ndarray | None":
    """Return (N,) float64 of cells that are numbers, or text of them in a column of these; else None."""
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(series.dtype) and series.dtype != "boolean"
    with suppress(ValueError):  # not a number
        if is_number or (column.dtype == "float" and _holds_plain_floats(series)):
            return series.array.to_numpy("float64", na_value=math.nan)
    return None


def _holds_plain_floats(series: "pd.Series") -> bool:
    """Return True if NumPy converts the cells as `number_of` does: floats, or text that is plain or no number."""
    import pandas as pd
    import pyarrow
    from pyarrow import compute

    kind = pd.api.types.infer_dtype(series)
    if kind != "string":
        return kind == "floating"
    texts = pyarrow.array(series.array, pyarrow.large_string(), from_pandas=True)
    plain = compute.and_(compute.string_is_ascii(texts), compute.invert(compute.match_substring(texts, "_")))
    return compute.all(plain).as_py() is not False


def _require_columns(header: Sequence[str], table: Table, where: object) -> None:
    if len({*header}) < len(header):
        require_distinct(header, where)
    missing = [column.name for column in table.columns if not column.optional and column.name not in header]
    if missing:
        filled = ", ".join(column.name for column in table.columns if column.filled)
        empty = f"; cells of other columns than {filled} may be empty" * (len(missing) > 1 and bool(filled))
        raise UserError(
            f"{where}: column {', '.join(missing)} is missing; the table {table.name} needs it (docs/tables.md){empty}"
        )


def _require_filled_rows(rows: Sequence[Mapping[str, Any]], table: Table, where: object) -> None:
    required = [column.name for column in table.columns if column.filled]
    first: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(rows, start=1):
        for name in required:
            if row.get(name) in (None, ""):
                raise empty_cell(where, number, name)
        if table.key:
            key = tuple(row.get(name) for name in table.key)
            if key in first:
                raise repeated_key(where, number, first[key], table, key)
            first[key] = number


def empty_cell(where: object, number: int, name: str) -> UserError:
    """Return the error for an empty cell in a column that is always filled."""
    return UserError(f"{where}: row {number}, column {name}: found nothing, expected a value")


def repeated_key(where: object, number: int, first: int, table: Table, key: tuple[Any, ...]) -> UserError:
    """Return the error for a row with the key of an earlier one."""
    pairs = ", ".join(f"{name}={value}" for name, value in zip(table.key, key, strict=True))
    return UserError(f"{where}: row {number}: the same {pairs} as row {first}; each may occur once")
