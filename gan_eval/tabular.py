"""Reading, checking and writing the tables of `gan_eval.tables`, as rows (dicts) or as pandas frames.

Rows serve the parts that start without pandas (the quiz, generation); frames serve metrics and statistics. Both
read and write the same files: a table survives CSV and Parquet without loss.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.errors import UserError
from gan_eval.files import atomic_path, write_bytes
from gan_eval.schema import Column, Dtype, Table

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
"""One row: text as str, int, float, bool; None where a value is missing."""

_WANTED: dict[Dtype, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "instant": "an instant in ISO 8601, such as 2026-01-31T12:00:00Z",
    "json": "JSON",
}
_PANDAS: dict[Dtype, str] = {
    "text": "str",
    "instant": "str",
    "json": "str",
    "int": "Int64",
    "float": "float64",
    "bool": "boolean",
}
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def read_rows(path: Path, table: Table) -> list[Row]:
    """Read a table from CSV as rows, with every cell checked. Columns beyond the schema stay text.

    Raises:
        UserError: no such file, a column is missing, or a cell is not what the schema wants.
    """
    header, records = _read_csv(Path(path))
    _require_columns(header, table, path)
    columns = [table.by_name.get(name) for name in header]
    rows = [
        {
            name: _parse(text, column, f"{path}: row {number}, column {name}") if column else (text or None)
            for name, column, text in zip(header, columns, record, strict=True)
        }
        for number, record in enumerate(records, start=1)
    ]
    for column in table.columns:
        if column.name not in header:
            for row in rows:
                row[column.name] = None
    _require_filled_rows(rows, table, path)
    return rows


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path, table: Table) -> None:
    """Write rows as CSV, the schema's columns first, whole or not at all.

    Raises:
        UserError: a value is not what the schema wants, a key stands twice, or the file cannot be written.
    """
    rows = [dict(row) for row in rows]
    extra = dict.fromkeys(name for row in rows for name in row if name not in table.by_name)
    _require_filled_rows(rows, table, path)
    header = [*table.names, *extra]
    records = (
        [_format(row.get(name), table.by_name.get(name), f"{path}: row {number}, column {name}") for name in header]
        for number, row in enumerate(rows, start=1)
    )
    write_bytes(Path(path), _csv_bytes(header, records))


def read_table(path: Path, table: Table) -> "pd.DataFrame":
    """Read a table from CSV or Parquet (by suffix) as a frame with the schema's dtypes.

    Raises:
        UserError: no such file, a column is missing, or a cell is not what the schema wants.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix == ".parquet":
        if not path.is_file():
            raise UserError(f"{path}: no such file; expected the table {table.name}")
        try:
            return conform(pd.read_parquet(path), table, where=str(path))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: not a readable Parquet file ({error})") from error
    header, records = _read_csv(path)
    cells = list(zip(*records, strict=True)) if records else [()] * len(header)
    frame = pd.DataFrame({name: pd.Series(column, dtype="object") for name, column in zip(header, cells, strict=True)})
    return conform(frame.mask(frame == ""), table, where=str(path))


def write_table(frame: "pd.DataFrame", path: Path, table: Table) -> None:
    """Write a frame as CSV or Parquet (by suffix), checked against the schema, whole or not at all.

    Raises:
        UserError: the frame does not fit the schema, or the file cannot be written.
    """
    path = Path(path)
    frame = conform(frame, table, where=path.name)
    if path.suffix == ".parquet":
        with atomic_path(path) as temporary:
            frame.to_parquet(temporary, index=False)
        return
    cells = [[_format(value, None, "") for value in frame[name].astype(object)] for name in frame.columns]
    write_bytes(path, _csv_bytes(list(frame.columns), zip(*cells, strict=True)))


def frame_of(rows: Sequence[Mapping[str, Any]], table: Table) -> "pd.DataFrame":
    """Rows as a frame with the schema's dtypes; no rows give an empty frame with every column."""
    import pandas as pd

    if not rows:
        return pd.DataFrame({column.name: pd.Series(dtype=_PANDAS[column.dtype]) for column in table.columns})
    names = dict.fromkeys((*table.names, *(name for row in rows for name in row)))
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype="object") for name in names})
    return conform(frame, table, where=table.name)


def conform(frame: "pd.DataFrame", table: Table, *, where: str) -> "pd.DataFrame":
    """The frame with the schema's columns first and its dtypes; further columns follow unchanged.

    Args:
        frame: any frame with the schema's columns; cells may be text.
        table: the schema.
        where: the file or table that an error names.

    Raises:
        UserError: a column is missing, a cell is not what the schema wants, or a key stands twice.
    """
    import pandas as pd

    _require_columns(list(frame.columns), table, where)
    columns: dict[str, pd.Series] = {}
    for column in table.columns:
        if column.name in frame.columns:
            columns[column.name] = _conform_series(frame[column.name], column, where)
        else:
            columns[column.name] = pd.Series(None, index=frame.index, dtype=_PANDAS[column.dtype])
    for name in frame.columns:
        if name not in columns:
            series = frame[name]
            columns[name] = series.astype("str") if _holds_only_text(series) else series
    result = pd.DataFrame(columns, index=frame.index).reset_index(drop=True)
    _require_filled_frame(result, table, where)
    return result


def _conform_series(series: "pd.Series", column: Column, where: str) -> "pd.Series":
    import pandas as pd

    wanted = _PANDAS[column.dtype]
    if series.dtype == wanted and not column.words and column.dtype not in ("instant", "json"):
        return series
    if column.dtype == "float" and pd.api.types.is_numeric_dtype(series.dtype) and series.dtype != "boolean":
        return series.astype("float64")
    codes, distinct = pd.factorize(series.array)  # a column has few distinct values: each is parsed once
    parsed: list[Any] = []
    for code, value in enumerate(distinct):
        try:
            parsed.append(_parse_any(value, column, where))
        except UserError:
            row = int((codes == code).argmax()) + 1
            _parse_any(value, column, f"{where}: row {row}, column {column.name}")
    values = pd.Series([*parsed, None], dtype=wanted).take(codes)  # code -1, the last one: missing
    return values.set_axis(series.index)


def _holds_only_text(series: "pd.Series") -> bool:
    return series.dtype == object and all(isinstance(value, str) for value in series.dropna())


def _is_missing(value: Any) -> bool:
    """None, NaN, and pandas' NA and NaT (told by not equalling themselves, so that pandas need not be imported)."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _parse_any(value: Any, column: Column, where: str) -> Any:
    """A cell of any origin (text from CSV, a NumPy scalar, None, NaN, NA) as the schema's Python value."""
    if _is_missing(value):
        return None
    if isinstance(value, str):
        return _parse(value, column, where)
    return _check(value.item() if hasattr(value, "item") else value, column, where)


def _parse(text: str, column: Column, where: str) -> Any:
    """A cell of CSV text as the schema's Python value; an empty cell is None."""
    if text == "":
        return None
    try:
        return _check(_READERS[column.dtype](text), column, where)
    except (ValueError, KeyError) as error:
        raise UserError(f"{where}: found {text!r}, wanted {_WANTED[column.dtype]}") from error


def _check(value: Any, column: Column, where: str) -> Any:
    """The value itself when it has the schema's type and word.

    Raises:
        UserError: it has not.
    """
    match column.dtype:
        case "int" if isinstance(value, float) and value.is_integer():
            value = int(value)
        case "float" if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        case "json" if not isinstance(value, str):
            value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    wanted: type = {"int": int, "float": float, "bool": bool}.get(column.dtype, str)
    if type(value) is not wanted:
        raise UserError(f"{where}: found {value!r}, wanted {_WANTED.get(column.dtype, 'text')}")
    if column.words and value not in column.words:
        raise UserError(f"{where}: found {value!r}, wanted one of {', '.join(column.words)}")
    return None if _is_missing(value) else value


def _format(value: Any, column: Column | None, where: str) -> str:
    """A Python value as CSV text."""
    if _is_missing(value) or value == "":
        return ""
    if column is not None:
        value = _parse(value, column, where) if isinstance(value, str) else _check(value, column, where)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _read_instant(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _read_json(text: str) -> str:
    json.loads(text)
    return text


def _read_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        value = float(text)  # other programs write 3.0 where a column has missing values
        if not value.is_integer():
            raise
        return int(value)


_READERS: dict[Dtype, Callable[[str], Any]] = {
    "text": str,
    "instant": _read_instant,
    "json": _read_json,
    "int": _read_int,
    "float": float,
    "bool": lambda text: _TRUTH[text.lower()],
}


def _read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and records of a CSV file as text; a byte-order mark is dropped."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from error
    limit = csv.field_size_limit(2**31 - 1)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file ({error})") from error
    finally:
        csv.field_size_limit(limit)
    records = [record for record in records if record]
    if not records:
        raise UserError(f"{path}: empty; a table needs a header line")
    header, *rows = records
    _require_distinct(header, path)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise UserError(f"{path}: row {number}: found {len(row)} cells, wanted {len(header)} as in the header")
    return header, rows


class _LineFeeds(io.StringIO):
    """Receives csv.writer's lines, one a call, and ends them with a line feed.

    The writer itself must be told CR LF, or it leaves a carriage return inside a cell unquoted.
    """

    def write(self, line: str) -> int:
        return super().write(line.removesuffix("\r\n") + "\n")


def _csv_bytes(header: Sequence[str], records: Iterable[Sequence[str]]) -> bytes:
    text = _LineFeeds(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(records)
    return text.getvalue().encode()


def _require_distinct(found: Sequence[str], where: object) -> None:
    for number, name in enumerate(found):
        if name in found[:number]:
            raise UserError(f"{where}: column {name} stands twice; rename or remove one")


def _require_columns(found: Sequence[str], table: Table, where: object) -> None:
    _require_distinct(found, where)
    missing = [column.name for column in table.columns if not column.optional and column.name not in found]
    if missing:
        raise UserError(
            f"{where}: column {', '.join(missing)} is missing; the table {table.name} needs it (docs/tables.md)"
        )


def _require_filled_rows(rows: Sequence[Mapping[str, Any]], table: Table, where: object) -> None:
    filled = [column.name for column in table.columns if column.filled]
    seen: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(rows, start=1):
        for name in filled:
            if row.get(name) in (None, ""):
                raise _empty(where, number, name)
        if table.key:
            key = tuple(row.get(name) for name in table.key)
            if key in seen:
                raise _twice(where, number, seen[key], table, key)
            seen[key] = number


def _require_filled_frame(frame: "pd.DataFrame", table: Table, where: object) -> None:
    for column in table.columns:
        if column.filled and (missing := frame[column.name].isna()).any():
            raise _empty(where, int(missing.to_numpy().argmax()) + 1, column.name)
    if table.key and (double := frame.duplicated(list(table.key))).any():
        number = int(double.to_numpy().argmax())
        key = tuple(frame.loc[number, name] for name in table.key)
        same = (frame[list(table.key)] == list(key)).all(axis=1)
        raise _twice(where, number + 1, int(same.to_numpy().argmax()) + 1, table, key)


def _empty(where: object, number: int, name: str) -> UserError:
    return UserError(f"{where}: row {number}, column {name}: found nothing, wanted a value")


def _twice(where: object, number: int, first: int, table: Table, key: tuple[Any, ...]) -> UserError:
    named = ", ".join(f"{name}={value}" for name, value in zip(table.key, key, strict=True))
    return UserError(f"{where}: row {number}: the same {named} as row {first}; each may stand once")
