"""Trials of other programs: a foreign CSV becomes a trials table by naming its columns."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.stats.exclusions import column_named, holding, parse_rule
from gan_eval.stats.trials import OUTCOMES, REQUIRED, fill_trials, joins_models, require_answers, sessions_of
from gan_eval.stimuli.sets import name_problem
from gan_eval.tables import REJECTED, TRIALS
from gan_eval.tables.cells import csv_records
from gan_eval.tabular import Row, faults, frame_of, read_table, text_frame

_SCALED = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator>[*/])\s*(?P<number>[0-9.eE+-]+)\s*$")
"""A column times or divided by a number."""


class Imported(NamedTuple):
    """Both tables of a foreign one."""

    trials: pd.DataFrame
    """The table `trials`."""
    rejected: pd.DataFrame
    """The table `rejected`: each row that could not be taken, and why."""


def import_trials(
    file: Path,
    *,
    mapping: Mapping[str, str],
    where: Sequence[str] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Imported:
    """A foreign table of judgements as a trials table; rows that do not fit are left out and named.

    What is not mapped is taken from a column of the same name, else filled: session = participant, trial = order,
    phase = main, simulated = false; `correct` is computed. The file's further columns are kept.

    Args:
        file: CSV with one judgement a row.
        mapping: for a column of `trials` the file's column, or a column times or divided by a number:
            `{"participant": "subject", "reaction_time_ms": "rt_s*1000"}`.
        where: rules (`gan_eval.stats.exclusions`) on the file's own columns; rows that fulfil all are taken.
        words: for a column of `trials` what the file's words mean: `{"kind": {"synthetic": "fake"}}`.

    Raises:
        UserError: no such file or column, a rule that is not understood or drops answers by their outcome, or no row
            that could be taken.
    """
    header, records = csv_records(Path(file))
    rows = list(enumerate(records, start=1))
    rejected = [
        _rejection(number, header[0], f"{len(record)} cells, the header has {len(header)}", ",".join(record))
        for number, record in rows
        if len(record) != len(header)
    ]
    fitting = {number: record for number, record in rows if len(record) == len(header)}
    foreign = pd.DataFrame(list(fitting.values()), index=list(fitting), columns=header, dtype="str")
    foreign = foreign.mask(foreign == "")
    chosen = holding(foreign, where, where=str(file))
    _refuse_choice_by_outcome(where, foreign, mapping, words or {}, file=str(file))
    foreign = foreign[chosen]
    if foreign.empty and not rejected:
        raise UserError(f"{file}: no row is left{' under ' + ', '.join(where) if where else ''}; nothing to import")
    frame, of_arithmetic = _mapped(foreign, mapping, file=str(file))
    frame = _in_schema_words(frame, words or {})
    rejected += of_arithmetic + _rejected(frame)
    rejected.sort(
        key=lambda row: (row["row"], TRIALS.names.index(row["column"]) if row["column"] in TRIALS.names else 0)
    )
    accepted = frame[~frame.index.isin([row["row"] for row in rejected])]
    if accepted.empty:
        first = rejected[0]
        raise UserError(
            f"{file}: no row could be taken; row {first['row']}: column {first['column']}: {first['reason']}"
        )
    return Imported(fill_trials(accepted.reset_index(drop=True), where=str(file)), frame_of(rejected, REJECTED))


def _refuse_choice_by_outcome(
    rules: Sequence[str],
    foreign: pd.DataFrame,
    mapping: Mapping[str, str],
    words: Mapping[str, Mapping[str, str]],
    *,
    file: str,
) -> None:
    """Rules may drop fillers and rows without an answer, but no judgements by what was answered or true.

    Raises:
        UserError: a rule names a column that an outcome is taken from, and drops rows with such an outcome.
    """
    outcomes = {mapping.get(name, name): name for name in OUTCOMES}
    for text in rules:
        rule = parse_rule(text)
        outcome = outcomes.get(rule.column)
        if outcome is None:
            continue
        dropped = foreign.loc[~rule.holds(foreign, where=file), rule.column]
        known = TRIALS.by_name[outcome].words
        of_column = {name: meanings for name, meanings in words.items() if name == outcome}
        cells = _in_schema_words(pd.DataFrame({outcome: dropped}), of_column)[outcome]
        judged = cells.isin([word for word in known if word != "none"]) if known else cells.notna()
        if judged.any():
            raise UserError(
                f"{file}: --where {text}: drops {int(judged.sum())} judgements by their outcome ({outcome}), so "
                "it would decide the answer; choose rows by another column"
            )


def read_trials(path: Path) -> pd.DataFrame:
    """Trials from CSV or Parquet (by suffix) for `gan_eval.stats.analyze`: columns that can be filled may be absent.

    Raises:
        UserError: no such file, a column is absent that nothing can fill, or the file cannot be read.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        return read_table(path, TRIALS)
    frame = text_frame(path)
    mend = f"name its columns: gan-eval trials import {path.name} --map participant=COLUMN ... --out trials.csv"
    require_answers(frame, where=str(path), mend=mend)
    return frame


def _mapped(foreign: pd.DataFrame, mapping: Mapping[str, str], *, file: str) -> tuple[pd.DataFrame, list[Row]]:
    """The mapped columns, then the file's further ones; and a rejection for each cell that should be a number.

    A column's own name goes before arithmetic.
    """
    columns: dict[str, pd.Series] = {}
    sources: set[str] = set()
    rejected = []
    for target, expression in mapping.items():
        if target not in TRIALS.by_name:
            column_named(target, pd.DataFrame(columns=list(TRIALS.names)), where=f"--map {target}={expression}")
        where = f"{file}: --map {target}={expression}"
        scaled = None if expression in foreign.columns else _SCALED.match(expression)
        source = column_named(scaled["column"] if scaled else expression, foreign, where=where)
        columns[target] = foreign[source]
        if scaled:
            try:
                number = float(scaled["number"])
                factor = number if scaled["operator"] == "*" else 1 / number
            except (ValueError, ZeroDivisionError) as error:
                raise UserError(f"{where}: {scaled['number']} is not a number to multiply or divide by") from error
            if TRIALS.by_name[target].dtype not in ("int", "float"):
                raise UserError(f"{where}: {target} is no column of numbers; map it to a column without arithmetic")
            values = pd.to_numeric(foreign[source], errors="coerce").astype("float64")
            bad = foreign[source][values.isna() & foreign[source].notna()]
            rejected += [_rejection(row, target, f"found {cell!r}, wanted a number", cell) for row, cell in bad.items()]
            columns[target] = values * factor
        sources.add(source)
    columns |= {name: foreign[name] for name in foreign.columns if name not in sources and name not in columns}
    frame = pd.DataFrame(columns, index=foreign.index)
    require_answers(frame, where=file, mend="map one, such as --map kind=COLUMN")
    return frame, rejected


def _in_schema_words(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Enumerations in lower case and in the words of the schema; no answer is the answer `none`."""
    frame = frame.copy()
    for name, meanings in words.items():
        column = column_named(name, frame, where="--word")
        translations = {foreign.strip().lower(): meaning for foreign, meaning in meanings.items()}
        plain = frame[column].str.strip().str.lower()
        frame[column] = plain.map(translations).fillna(plain)
    for enumeration in TRIALS.columns:
        if enumeration.words and enumeration.name in frame:
            frame[enumeration.name] = frame[enumeration.name].str.strip().str.lower()
    if "response" in frame:
        frame["response"] = frame["response"].fillna("none")
    return frame


def _rejected(frame: pd.DataFrame) -> list[Row]:
    """What the schema does not allow, empty cells that nothing can fill, and trials that stand twice."""
    rejected = [
        _rejection(frame.index[row], column, reason, frame[column].iloc[row])
        for row, column, reason in faults(frame, TRIALS)
    ]
    rejected += [
        _rejection(row, "model", str(name_problem(model, "model")), model)
        for row, model in frame[joins_models(frame)].get("model", pd.Series(dtype="str")).items()
    ]
    filled = {column.name for column in TRIALS.columns if column.filled}
    for name in sorted(set(REQUIRED) & set(frame) - {"response"} - filled):
        rejected += [
            _rejection(row, name, "empty; every row must hold a value") for row in frame.index[frame[name].isna()]
        ]
    if "trial" in frame:
        keyed, key = frame.assign(session=sessions_of(frame)), ["session", "trial"]
        again = keyed[keyed.duplicated(key) & keyed[key].notna().all(axis=1)]
        rejected += [
            _rejection(row, "trial", f"session {session} has a trial {trial} already", trial)
            for row, session, trial in zip(again.index, again["session"], again["trial"], strict=True)
        ]
    return rejected


def _rejection(row: Any, column: str, reason: str, cell: object = None) -> Row:
    text = None if cell is None or cell is np.nan or cell != cell else str(cell)
    return {"row": int(row), "column": column, "found": text, "reason": reason}
