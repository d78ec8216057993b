"""Trials of other programs: a foreign CSV becomes a trials table by naming its columns."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.stats.rules import column_named, keep
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import TRIALS

_SCALED = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator>[*/])\s*(?P<number>[0-9.eE+-]+)\s*$")


def import_trials(file: Path, *, mapping: Mapping[str, str], where: Sequence[str] = ()) -> pd.DataFrame:
    """A foreign table of judgements as a trials table.

    What is not mapped is taken from a column of the same name, else filled: session = participant, trial = order,
    phase = main, simulated = false; `correct` is computed. The file's further columns are kept.

    Args:
        file: CSV with one judgement a row.
        mapping: for a column of `trials` the file's column, or a column times or divided by a number:
            `{"participant": "subject", "reaction_time_ms": "rt_s*1000"}`.
        where: rules (`gan_eval.stats.rules`) on the file's own columns; rows that fulfil all are taken.

    Raises:
        UserError: no such file or column, a rule that is not understood, or a cell that the schema does not allow.
    """
    foreign = keep(_read_text(Path(file)), where, where=str(file))
    if foreign.empty:
        raise UserError(f"{file}: no row is left{' under ' + ', '.join(where) if where else ''}; nothing to import")
    columns: dict[str, pd.Series] = {}
    taken: set[str] = set()
    for target, expression in mapping.items():
        if target not in TRIALS.by_name:
            column_named(target, pd.DataFrame(columns=list(TRIALS.names)), where=f"--map {target}={expression}")
        where_from = f"{file}: --map {target}={expression}"
        columns[target], source = _evaluate(expression, foreign, where=where_from)
        if source != expression and TRIALS.by_name[target].dtype not in ("int", "float"):
            raise UserError(f"{where_from}: {target} is no column of numbers; map it to a column without arithmetic")
        taken.add(source)
    for name in foreign.columns:
        if name not in taken and name not in columns:
            columns[name] = foreign[name]
    frame = pd.DataFrame(columns)
    for column in TRIALS.columns:
        if column.words and column.name in frame:
            frame[column.name] = frame[column.name].str.strip().str.lower()
    if {"response", "kind"} <= set(frame):
        frame["response"] = frame["response"].fillna("none")
    return fill_trials(frame, where=str(file))


def _evaluate(expression: str, foreign: pd.DataFrame, *, where: str) -> tuple[pd.Series, str]:
    """The mapped cells and the file's column that they came from. A column's own name goes before arithmetic."""
    found = None if expression in foreign.columns else _SCALED.match(expression)
    if found is None:
        source = column_named(expression, foreign, where=where)
        return foreign[source], source
    source = column_named(found["column"], foreign, where=where)
    try:
        number = float(found["number"])
        factor = number if found["operator"] == "*" else 1 / number
    except (ValueError, ZeroDivisionError) as error:
        raise UserError(f"{where}: {found['number']} is not a number to multiply or divide by") from error
    values = pd.to_numeric(foreign[source], errors="coerce")
    bad = (values.isna() & foreign[source].notna()).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise UserError(f"{where}: row {row + 1}: found {foreign[source].iloc[row]!r}, wanted a number")
    return values.astype("float64") * factor, source


def _read_text(file: Path) -> pd.DataFrame:
    """Every cell as text; an empty cell is missing."""
    try:
        return pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"{file}: no such file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: not UTF-8 text; save it as CSV in UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise UserError(f"{file}: not a CSV table ({error})") from error
