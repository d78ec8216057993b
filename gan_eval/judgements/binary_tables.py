"""Tables of Parquet, Feather, SPSS, Stata and SQLite files as text, with the labels of their values."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow

from gan_eval.base.commands import setup_command
from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small, require_small_parquet
from gan_eval.judgements.parts import FilePart, column_names, table_of
from gan_eval.judgements.workbooks import EVERY_SHEET, cell_text
from gan_eval.tables.cells import is_missing

_OF_R = (".rds", ".rda", ".rdata")
_NUMBER = 8
"""Number of bytes of a number."""


def binary_part(data: bytes, file: str, group: str) -> FilePart | None:
    """Read a Parquet, Feather, SPSS or Stata file; None: it is another.

    Raises:
        UserError: it is damaged, larger than the limit, or of R, or the package that reads it is missing.
    """
    if file.lower().endswith(_OF_R):
        load = f"readRDS({json.dumps(file)})" if file.lower().endswith(".rds") else f"get(load({json.dumps(file)}))"
        raise UserError(f"{file}: a file of R; in R: write.csv({load}, 'trials.csv', row.names = FALSE)")
    if data.startswith((b"PAR1", b"ARROW1", b"FEA1")):
        return _part(_arrow_columns(data, file), file, group)
    if data.startswith((b"$FL2", b"$FL3", b"<stata_dta>")) or file.lower().endswith(".dta"):
        return _labelled(data, file, group)
    return None


def _arrow_columns(data: bytes, file: str) -> dict[str, list[Any]]:
    from pyarrow import feather, ipc, parquet

    try:
        if data.startswith(b"PAR1"):
            require_small_parquet(io.BytesIO(data), file)
            table = parquet.ParquetFile(io.BytesIO(data)).read()
        elif data.startswith(b"FEA1"):
            table = feather.read_table(io.BytesIO(data))
        else:
            table = pyarrow.Table.from_batches(_small_batches(ipc.open_file(data), file))
        require_small(table.nbytes, file)
        names = [name for name in table.column_names if not name.startswith("__index_level_")]
        return {name: table[name].to_pylist() for name in names}
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        detail = str(error).partition("\n")[0]
        raise UserError(f"{file}: not a readable table ({detail}); save it as CSV") from error


def _small_batches(reader: Any, file: str) -> list[pyarrow.RecordBatch]:
    batches, size = [], 0
    for at in range(reader.num_record_batches):
        batches.append(reader.get_batch(at))
        size += batches[-1].nbytes
        require_small(size, file)
    return batches or reader.read_all().to_batches()


def _labelled(data: bytes, file: str, group: str) -> FilePart:
    """Read a file of SPSS or Stata: labels in place of values; those that the file calls missing are."""
    try:
        import pyreadstat
    except ImportError as error:
        raise UserError(
            f"{file}: .sav and .dta files need pyreadstat; {setup_command('import')}, or save it as CSV with labels"
        ) from error
    read = pyreadstat.read_sav if data.startswith(b"$FL") else pyreadstat.read_dta
    try:
        facts = read(io.BytesIO(data), metadataonly=True)[1]
        width = sum(facts.variable_storage_width.values()) + _NUMBER * (facts.number_columns or 0)
        require_small((facts.number_rows or 0) * width, file)
        frame, facts = read(io.BytesIO(data), apply_value_formats=True, formats_as_category=False)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OverflowError) as error:
        raise UserError(f"{file}: not a readable file of SPSS or Stata ({error}); save it as CSV") from error
    texts = {name: text for name, text in facts.column_names_to_labels.items() if text}
    return _part({str(name): frame[name].tolist() for name in frame}, file, group, texts)


def sqlite_parts(path: Path, group: str, sheet: str | None) -> Iterator[FilePart]:
    """Read a table of another program's SQLite database, or with `*` all, each a group.

    Raises:
        UserError: it is a results store, has no such table, or several and none was chosen.
    """
    import sqlite3

    from gan_eval.store.connect import META, address_to_read

    try:
        with closing(sqlite3.connect(address_to_read(path), uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            tables = [name for (name,) in rows]
            if not tables or META in tables:
                raise UserError(f"{path}: a results store, which needs no import; give it to gan-eval analyze")
            require_small(path.stat().st_size, str(path))
            for name in chosen_tables(tables, sheet, path):
                cursor = database.execute('SELECT * FROM "{}"'.format(name.replace('"', '""')))
                header, records = [column for column, *_ in cursor.description], cursor.fetchall()
                values = zip(*records, strict=True) if records else [()] * len(header)
                columns = dict(zip(column_names(header), values, strict=True))
                yield _part(columns, str(path), name if sheet == EVERY_SHEET else group)
    except (sqlite3.Error, UnicodeError) as error:
        raise UserError(f"{path}: not a readable database ({error}); restore it, or export the table as CSV") from error


def chosen_tables(tables: list[str], sheet: str | None, path: Path) -> list[str]:
    """Return the tables of a file that `--sheet` names.

    Raises:
        UserError: it names none of them, or nothing, and there are several.
    """
    if sheet == EVERY_SHEET:
        return tables
    if sheet is not None and sheet not in tables:
        raise UserError(f"{path}: --sheet {sheet}: no such table; it has {', '.join(tables)}")
    if sheet is None and len(tables) > 1:
        raise UserError(f"{path}: has the tables {', '.join(tables)}; choose one with --sheet NAME")
    return tables if sheet is None else [sheet]


def _part(
    columns: Mapping[str, Sequence[Any]], file: str, group: str, texts: Mapping[str, str] | None = None
) -> FilePart:
    table = table_of(list(columns), [list(map(_text, values)) for values in columns.values()])
    return FilePart(file, group, table, range(1, len(table) + 1), texts=texts or {})


def _text(value: Any) -> str | None:
    match value:
        case str():
            return value
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case bytes():
            return value.decode("utf-8", "replace")
        case date() if not isinstance(value, datetime):
            return value.isoformat()
    return None if is_missing(value) else cell_text(value)
