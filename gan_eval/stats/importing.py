"""Trials of other programs: convert a CSV into a trials table by naming its columns."""

import re
import shlex
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.files.sqlite_files import is_store
from gan_eval.stats.contradictions import Source, Sources, doubts, require_agreement, require_plausible_times
from gan_eval.stats.exclusions import column_named, parse_rule, rows_fulfilling
from gan_eval.stats.trials import (
    OUTCOMES,
    REQUIRED,
    are_missing,
    fill_trials,
    misnamed,
    missing_answers,
    model_problem,
    prepare_trials,
    sessions_of,
)
from gan_eval.tables import PARTICIPANTS, PLANS, REJECTED, SESSIONS, TRIALS, Table
from gan_eval.tables.cells import csv_records, require_clear_numbers, with_point
from gan_eval.tables.frames import EMPTY, Row, faults, frame_of, holds_table, read_table, text_frame

if TYPE_CHECKING:
    from gan_eval.store import Store

_NUMBERS = [column.name for column in TRIALS.columns if column.is_number]
_ENUMERATIONS = ("kind", "phase", "response")
"""Columns whose words may differ in a foreign table."""
_SCALED = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator>[*/])\s*(?P<number>[0-9.eE+-]+)\s*$")
"""A column times or divided by a number."""
_PICTURE_FILE = r"(?i)\.(png|jpe?g|webp|bmp|tiff?)$"
NO_SIMULATED = "people have answered, so simulated sessions are left out of the statistics"
"""Message if `of_people` leaves sessions out."""
WRONG_LENGTH = "the row has "
"""Start of the reason for rejecting a row whose number of cells differs from the header's."""
MAX_WORDS = 8
"""Maximum number of unknown words of a column, or of reasons for rejecting rows, that a message names."""


class Imported(NamedTuple):
    """The result of `import_trials`."""

    trials: pd.DataFrame
    rejected: pd.DataFrame
    """The table `rejected`: each row that was left out, with the reason."""
    renamed: tuple[str, ...] = ()
    """Stimuli that shared a name and now have different names."""
    doubts: tuple[str, ...] = ()
    """Warnings (`gan_eval.stats.contradictions.doubts`)."""


def import_trials(
    file: Path | str,
    *,
    mapping: Mapping[str, str],
    where: Sequence[str] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Imported:
    """Convert another program's table of judgements into a trials table; report and leave out rows that do not fit.

    Columns that are not mapped are taken from a column of the same name. Otherwise they are filled: session =
    participant, trial = order, phase = main, simulated = false; `correct` is computed. Additional columns are kept.

    Args:
        file: CSV with one judgement a row.
        mapping: for a column of `trials` the file's column, or a column times or divided by a number:
            `{"participant": "subject", "reaction_time_ms": "rt_s*1000"}`; empty: nothing is taken from a column of
            that name.
        where: rules (`gan_eval.stats.exclusions`) on the file's own columns; only rows that fulfil all are imported.
        words: for a column of `trials` the meanings of the file's words: `{"kind": {"synthetic": "fake"}}`; empty:
            nothing.

    Raises:
        UserError: no such file, a required column is missing, no row fits, a rule is not understood or drops answers by
            their outcome, a number may have a thousands separator, rows contradict each other, or times are not
            milliseconds.
    """
    file, words = Path(file), words or {}
    if is_store(file):
        raise UserError(f"{file}: a results store, which needs no import; give it to gan-eval analyze")
    header, records = csv_records(file)
    rows = list(enumerate(records, start=1))
    rejected = [
        _rejection(
            number, header[0], f"{WRONG_LENGTH}{len(record)} cells, the header has {len(header)}", ",".join(record)
        )
        for number, record in rows
        if len(record) != len(header)
    ]
    fitting = {number: record for number, record in rows if len(record) == len(header)}
    foreign = pd.DataFrame(list(fitting.values()), index=list(fitting), columns=header, dtype="str")
    foreign = foreign.mask(foreign == "")
    known, problems = _known_names(foreign, mapping)
    read = (known.get(target, Source(target)) for target in _NUMBERS)
    for name in dict.fromkeys(source.column for source in read if source and source.column in foreign):
        cells = foreign[name].reindex(range(1, len(records) + 1)).fillna("")
        require_clear_numbers(cells.tolist(), f"{file}: column {name}")
    chosen = rows_fulfilling(foreign, where, where=str(file))
    _refuse_choice_by_outcome(where, foreign, known, words, file=str(file))
    foreign = foreign[chosen]
    if foreign.empty and not rejected:
        none = "no row is left under " + ", ".join(where) if where else "no row below the header"
        raise UserError(f"{file}: {none}; nothing to import")
    frame, of_arithmetic = _mapped(foreign, known)
    others = _misfits(frame.select_dtypes(exclude="number")) - words.keys()
    if missing := missing_answers(frame.drop(columns=list(others))):
        problems.append(are_missing(missing))
    if problems:
        raise _foreign_table_error(
            file, "; ".join([*problems, f"the file's {_columns(foreign)}"]), foreign, known, words
        )
    frame = _in_schema_words(frame, words)
    rejected += of_arithmetic + _rejected(frame)
    rejected.sort(
        key=lambda row: (row["row"], TRIALS.names.index(row["column"]) if row["column"] in TRIALS.names else 0)
    )
    accepted = frame[~frame.index.isin([row["row"] for row in rejected])]
    if accepted.empty:
        first = rejected[0]
        problem = f"no row could be taken; row {first['row']}: column {first['column']}: {first['reason']}"
        if first["column"] in foreign:
            problem += f"; ignore the column with --map {first['column']}="
        raise _foreign_table_error(file, problem, foreign, known, words)
    filled = fill_trials(accepted.set_axis(accepted.index - 1), where=str(file), agree=False)
    trials, renamed = _distinct_names(filled)
    require_agreement(trials, where=str(file), numbers=accepted.index)
    require_plausible_times(trials, where=str(file), sources=known)
    lines = doubts(trials.set_axis(accepted.index - 1))
    taken = foreign.loc[accepted.index]
    if "reaction_time_ms" in frame and (equal := taken.index[taken.duplicated()].tolist()):
        named = ", ".join(map(str, equal[:MAX_WORDS])) + ", ..." * (len(equal) > MAX_WORDS)
        lines.append(f"rows that equal an earlier one in every column, reaction time too; remove them: {named}")
    return Imported(trials, frame_of(rejected, REJECTED), renamed, tuple(lines))


def _distinct_names(trials: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rename pictures that share a name to `dataset/real/STEM` and `dataset/model/STEM`; the name is their item.

    If fewer than half of the names are real in some rows and fake in others, these rows are mistakes, and
    `require_agreement` refuses them.
    """
    single = trials["kind"].notna()
    version = trials["model"].where(trials["kind"] == "fake").fillna(trials["kind"])
    version = (trials["dataset"] + "/").fillna("") + version
    versions = version[single].groupby(trials["stimulus"][single]).nunique()
    kinds = trials["kind"][single].groupby(trials["stimulus"][single]).nunique()
    mistaken = kinds.index[kinds > 1] if (kinds > 1).mean() < 0.5 else kinds.index[:0]
    shared = versions.index[versions > 1].difference(mistaken)
    if shared.empty:
        return trials, ()
    several = single & trials["stimulus"].isin(shared)
    stem = trials["stimulus"].str.replace(_PICTURE_FILE, "", regex=True)
    if stem.nunique() < trials["stimulus"].nunique():  # a.png differs from a.jpg
        stem = trials["stimulus"]
    own_name = trials["stimulus"].mask(several, version + "/" + stem)
    item = trials["item"].fillna(trials["stimulus"].where(single))
    return trials.assign(stimulus=own_name, item=item), tuple(map(str, shared))


def _known_names(foreign: pd.DataFrame, mapping: Mapping[str, str]) -> tuple[Sources, list[str]]:
    """Return the sources of those columns of a mapping that are known, and a message for each other entry."""
    known: dict[str, Source | None] = {}
    problems = []
    for target, expression in mapping.items():
        try:
            where = f"--map {target}={expression}"
            column_named(target, pd.DataFrame(columns=list(TRIALS.names)), where=f"{where}, left of =")
            source = parse_source(target, expression or target, foreign.columns)
            side = ", right of =" if expression else " ignores a column of the file"
            column_named(source.column, foreign, where=where + side)
            known[target] = source if expression else None
        except UserError as error:
            problems.append(str(error).replace(f"; the {_columns(foreign)}", ""))
    return known, problems


def _columns(foreign: pd.DataFrame) -> str:
    return f"columns are {', '.join(foreign.columns)}"


def parse_source(target: str, expression: str, columns: Collection[str]) -> Source:
    """Read an expression of a mapping; a column named like the expression wins over arithmetic.

    Raises:
        UserError: the factor is not a number, or the cells of `target` are not numbers.

    >>> parse_source("reaction_time_ms", "rt/2", ["rt"]), parse_source("reaction_time_ms", "rt/2", ["rt/2"])
    (Source(column='rt', factor=0.5), Source(column='rt/2', factor=None))
    """
    scaled = None if expression in columns else _SCALED.match(expression)
    if not scaled:
        return Source(expression)
    where = f"--map {target}={expression}"
    try:
        number = float(scaled["number"])
        factor = number if scaled["operator"] == "*" else 1 / number
    except (ValueError, ZeroDivisionError) as error:
        raise UserError(f"{where}: {scaled['number']} is not a number to multiply or divide by") from error
    if target not in _NUMBERS:
        raise UserError(f"{where}: {target} is not a column of numbers; map it to a column without arithmetic")
    return Source(scaled["column"], factor)


def _foreign_table_error(
    file: Path, problem: str, foreign: pd.DataFrame, known: Sources, words: Mapping[str, Mapping[str, str]]
) -> UserError:
    """Return the error with the file's unknown words and the options that name columns and words."""
    findings = [f"{file}: {problem}"]
    options = [f"--map {name}=COLUMN" for name in REQUIRED if name not in foreign and name not in known]
    for name in _ENUMERATIONS:
        source = known.get(name, Source(name))
        if source and source.column in foreign:
            meant = {*TRIALS.by_name[name].words, *(word.strip().lower() for word in words.get(name, {}))}
            cells = foreign[source.column].dropna().str.strip()
            counts = cells[~cells.str.lower().isin(meant)].value_counts()
            if len(counts):
                listed = ", ".join(f"{word} {count}" for word, count in counts.head(MAX_WORDS).items())
                more = f" and {len(counts) - MAX_WORDS} others" if len(counts) > MAX_WORDS else ""
                findings.append(f"not known in {source.column} ({name}): {listed}{more}")
                options.append(f"--word {shlex.quote(f'{name}:{counts.index[0]}')}=MEANING")
    if options:
        each = " (an option for each word)" if "--word" in options[-1] else ""
        command = f"name them with: gan-eval trials import {shlex.quote(str(file))} {{}} --out trials.csv"
        findings.append(("add {}" if known else command).format(" ".join(options)) + each)
    return UserError("; ".join(findings))


def rejection_summary(rejected: pd.DataFrame) -> str:
    """Return the most common reasons for rejecting rows, with the number of cells.

    >>> reason = "found 'x', expected one of real, fake"
    >>> rejection_summary(frame_of([_rejection(row, "kind", reason) for row in (3, 4)], REJECTED))
    '2 kind (expected one of real, fake)'
    """
    columns = rejected["column"].mask(rejected["reason"].str.startswith(WRONG_LENGTH), "row")
    cells = zip(columns, rejected["reason"].str.replace("^found .*?, (?=expected )", "", regex=True), strict=True)
    counts = Counter(f"{column} ({reason.partition(';')[0]})" for column, reason in cells)
    more = f" and {len(counts) - MAX_WORDS} other reasons" if len(counts) > MAX_WORDS else ""
    return ", ".join(f"{count} {what}" for what, count in counts.most_common(MAX_WORDS)) + more


def _refuse_choice_by_outcome(
    rules: Sequence[str],
    foreign: pd.DataFrame,
    known: Sources,
    words: Mapping[str, Mapping[str, str]],
    *,
    file: str,
) -> None:
    """Refuse rules that drop judgements by their outcome; they may drop fillers and rows without an answer."""
    sources = {name: known.get(name, Source(name)) for name in OUTCOMES}
    outcomes = {source.column: name for name, source in sources.items() if source}
    for text in rules:
        rule = parse_rule(text)
        outcome = outcomes.get(rule.column)
        if outcome is None:
            continue
        dropped = foreign.loc[~rule.holds(foreign, where=file), rule.column]
        meant = TRIALS.by_name[outcome].words
        of_column = {name: meanings for name, meanings in words.items() if name == outcome}
        cells = _in_schema_words(pd.DataFrame({outcome: dropped}), of_column)[outcome]
        judged = cells.isin([word for word in meant if word != "none"]) if meant else cells.notna()
        if judged.any():
            raise UserError(
                f"{file}: --where {text}: drops {int(judged.sum())} judgements by their outcome ({outcome}), so "
                "it would decide the answer; choose rows by another column"
            )


def read_trials(source: "pd.DataFrame | Path | str | Store") -> pd.DataFrame:
    """Read the table `trials` of a CSV or Parquet file, a results store or a frame, each column with its dtype.

    Absent columns are filled. Rows without participant or stimulus and repeated rows are left out; a warning gives
    their number.

    Args:
        source: the file; a store's file, its URL, or the open store; or any frame with participant, stimulus, kind and
            response.

    Returns:
        A row for each trial: the columns of the table, then additional columns of the source.

    Raises:
        UserError: no such file, an absent column cannot be filled, or a cell does not fit its column.

    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "answers.csv"
    >>> _ = file.write_text("participant,stimulus,kind,response\\nP1,a,real,real\\nP1,b,fake,real\\n")
    >>> read_trials(file)[["trial", "stimulus", "kind", "response", "correct"]]
       trial stimulus  kind response  correct
    0      1        a  real     real     True
    1      2        b  fake     real    False
    """
    where = "trials" if isinstance(source, pd.DataFrame) else str(source)
    frame = source if isinstance(source, pd.DataFrame) else tables_to_analyze(source, beside=())[TRIALS]
    trials, note = prepare_trials(frame, where=where, of_file=isinstance(source, Path | str) and not is_store(source))
    for line in (note, *doubts(trials)):
        if line:
            warnings.warn(f"{where}: {line}", stacklevel=2)
    return trials


def unfilled_trials(path: Path) -> pd.DataFrame:
    """Read the trials of a file unchanged; the cells of a CSV file are text.

    Raises:
        UserError: no such file, a required column is absent, or a word is not known.
    """
    if path.suffix == ".parquet":
        return read_table(path, TRIALS)
    frame = text_frame(path, TRIALS)
    for name in _NUMBERS:
        if name in frame and frame[name].notna().any():
            require_clear_numbers(frame[name].fillna("").tolist(), f"{path}: column {name}")
    if missing := missing_answers(frame):
        raise _foreign_table_error(path, f"{are_missing(missing)}; the file's {_columns(frame)}", frame, {}, {})
    for name in _ENUMERATIONS:
        cells = frame[name].dropna() if name in frame else pd.Series(dtype="str")
        others = cells[~cells.isin(TRIALS.by_name[name].words)]
        if len(others):
            wanted = ", ".join(TRIALS.by_name[name].words)
            problem = f"row {others.index[0] + 1}, column {name}: found {others.iloc[0]!r}, expected one of {wanted}"
            raise _foreign_table_error(path, problem, frame, {}, {})
    return frame


def tables_to_analyze(
    source: "Path | str | Store", *, beside: Sequence[Table] = (PARTICIPANTS, SESSIONS, PLANS)
) -> dict[Table, pd.DataFrame]:
    """Read the unfilled trials of a file, and these tables next to it; or all tables of a store."""
    if isinstance(source, Path | str) and not is_store(source):
        neighbours = {table: Path(source).with_name(f"{table.name}.csv") for table in beside}
        return {TRIALS: unfilled_trials(Path(source))} | {
            table: read_table(file, table)
            for table, file in neighbours.items()
            if (holds_table(file, PLANS) if table is PLANS else file.is_file())
        }
    from gan_eval.store import Store, open_store

    if isinstance(source, Path | str):
        with open_store(source, create=False) as store:
            return stored_tables(store)
    if not isinstance(source, Store):
        raise TypeError(f"found a {type(source).__name__}; give a frame of trials, a Store, or the path of either")
    return stored_tables(source)


def stored_tables(store: "Store", study: str | None = None) -> dict[Table, pd.DataFrame]:
    """Return all tables of a store, or of one study in it.

    Raises:
        UserError: as for `consistent_frames`, or a trial's model has a forbidden name.
    """
    from gan_eval.store import consistent_frames

    frames = consistent_frames(store, study)
    trials = frames[TRIALS]
    if (wrong := misnamed(trials)).any():
        trial = trials.iloc[int(wrong.argmax())]
        raise UserError(
            f"{store.where}: table trials, row session={trial['session']!r} trial={trial['trial']}, column model: "
            f"{model_problem(trial['model'])}"
        )
    return frames


def of_people(stored: dict[Table, pd.DataFrame]) -> dict[Table, pd.DataFrame]:
    """Return a store's tables without simulated trials and sessions, if people have answered too."""
    simulated = stored[TRIALS]["simulated"]
    if not simulated.any() or simulated.all():
        return stored
    return stored | {table: stored[table][~stored[table]["simulated"]] for table in (TRIALS, SESSIONS)}


def _misfits(foreign: pd.DataFrame) -> set[str]:
    """Return those of the columns `choice` and `rating` in which no cell is a choice or a grade."""
    found = set()
    for name in ("choice", "rating"):
        if name in foreign:
            cells = foreign[[name]].dropna().apply(lambda series: series.str.strip().str.lower())
            if len(cells) and len(faults(cells, TRIALS)) == len(cells):
                found.add(name)
    return found


def _mapped(foreign: pd.DataFrame, known: Sources) -> tuple[pd.DataFrame, list[Row]]:
    """Return the mapped and the other columns of the file, and a rejection for each cell that should be a number."""
    columns: dict[str, pd.Series] = {}
    sources: set[str] = set()
    rejected = []
    for target, source in known.items():
        sources.add(source.column if source else target)
        if not source:
            continue
        cells = foreign[source.column]
        columns[target] = cells
        if source.factor is not None:
            values = pd.to_numeric(cells, errors="coerce").astype("float64")
            rejected += [
                _rejection(row, target, f"found {cell!r}, expected a number{with_point(cell)}", cell)
                for row, cell in cells[values.isna() & cells.notna()].items()
            ]
            columns[target] = values * source.factor
    columns |= {name: foreign[name] for name in foreign.columns if name not in sources and name not in columns}
    return pd.DataFrame(columns, index=foreign.index), rejected


def _in_schema_words(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return enumerations in lower case and in the words of the schema; an empty response is `none`."""
    frame = frame.copy()
    for name, meanings in words.items():
        column = column_named(name, frame, where="--word")
        translations = {foreign.strip().lower(): meaning or None for foreign, meaning in meanings.items()}
        plain = frame[column].str.strip().str.lower()
        frame[column] = frame[column].mask(plain.isin(list(translations)), plain.map(translations))
    for enumeration in TRIALS.columns:
        if enumeration.words and enumeration.name in frame:
            frame[enumeration.name] = frame[enumeration.name].str.strip().str.lower()
    if "response" in frame:
        frame["response"] = frame["response"].fillna("none")
    return frame


def _rejected(frame: pd.DataFrame) -> list[Row]:
    """Return a rejection for each cell that does not fit: words, empty cells, repeated trials."""
    rejected = []
    for row, column, reason in faults(frame, TRIALS):
        cell = frame[column].iloc[row]
        if column in _ENUMERATIONS and reason.startswith("found"):
            reason += f"; if it means one of them, add --word {shlex.quote(f'{column}:{cell}')}=MEANING"
        rejected.append(_rejection(frame.index[row], column, reason, cell))
    rejected += [
        _rejection(row, "model", model_problem(model), model)
        for row, model in frame[misnamed(frame)].get("model", pd.Series(dtype="str")).items()
    ]
    filled = {column.name for column in TRIALS.columns if column.filled}
    for name in sorted(set(REQUIRED) & set(frame) - {"response"} - filled):
        rejected += [_rejection(row, name, EMPTY) for row in frame.index[frame[name].isna()]]
    if "trial" in frame:
        keyed, key = frame.assign(session=sessions_of(frame)), ["session", "trial"]
        again = keyed[keyed.duplicated(key) & keyed[key].notna().all(axis=1)]
        rejected += [
            _rejection(
                row, "trial", f"session {session} has a trial {trial} already; --map trial= numbers the rows", trial
            )
            for row, session, trial in zip(again.index, again["session"], again["trial"], strict=True)
        ]
    first: dict[tuple[object, object], Row] = {}  # one rejection for each cell
    for rejection in rejected:
        first.setdefault((rejection["row"], rejection["column"]), rejection)
    return list(first.values())


def _rejection(row: Any, column: str, reason: str, cell: object = None) -> Row:
    text = None if cell is None or cell is np.nan or cell != cell else str(cell)
    return {"row": int(row), "column": column, "found": text, "reason": reason}
