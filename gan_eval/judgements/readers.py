"""Read the trials of a file or store, and the tables next to them."""

import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.reading import Address, Place, place_of, plain_file
from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.trials import (
    are_missing,
    are_own_names,
    misnamed,
    missing_answers,
    model_problem,
    prepare_trials,
)
from gan_eval.tables import MARKS, PARTICIPANTS, PLANS, SESSIONS, TRIALS, Table
from gan_eval.tables.cells import csv_records, require_clear_numbers
from gan_eval.tables.frames import read_table, text_frame

if TYPE_CHECKING:
    from gan_eval.store import Store

NO_SIMULATED = "people have answered, so simulated sessions are left out of the statistics"
"""Message if `of_people` leaves sessions out."""


class Source(NamedTuple):
    """The tables of a file of trials or of a store, and its name in messages, without a password."""

    tables: dict[Table, pd.DataFrame]
    where: str
    of_file: bool


def read_trials(source: "pd.DataFrame | str | Place | Store") -> pd.DataFrame:
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
    found, where, of_file = tables_to_analyze(source, extra=())
    trials, _, note = prepare_trials(found[TRIALS], where=where, of_file=of_file)
    lines = [note, *doubts(trials)]
    if not are_own_names(trials):
        from gan_eval.judgements.pictures import several_names

        lines += several_names(trials)
    for line in lines:
        if line:
            warnings.warn(f"{where}: {line}", stacklevel=2)
    return trials


def import_trials(
    files: Path | str | Sequence[Path | str],
    *,
    mapping: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
    on_message: Callable[[str], object] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Convert other programs' files of judgements into the table `trials`, as `gan-eval trials import` does.

    Args:
        files: tables of one form, joined by column name.
        mapping: for a column of `trials` its source: `{"kind": "truth", "reaction_time_ms": "rt_s*1000"}`.
        where: rules on the files' own columns; only rows that fulfil all are imported.
        words: meanings of the files' words: `{"response": {"j": "real", "f": "fake"}}`.
        on_message: called with each question and with the number of rows that do not fit; default: Python's warnings.
        options: `tool`, `asked`, `picture_names`, `rating_high`, `skip_rows`, `sheet`, `columns`, `pictures`, as the
            options of the command.

    Returns:
        A row for each trial. `attrs["read_as"]` has what the files were read as: the summary of the command.

    Raises:
        UserError: no such file, a required column is missing, no row fits, or rows contradict each other.

    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "answers.csv"
    >>> _ = file.write_text("subject,stimulus,kind,key\\nP1,a,real,j\\nP1,b,fake,j\\n")
    >>> words = {"response": {"j": "real"}}
    >>> trials = import_trials(file, mapping={"participant": "subject", "response": "key"}, words=words)
    >>> trials["correct"].tolist(), trials.attrs["read_as"]["answers"]
    ([True, False], 2)
    """
    from gan_eval.judgements import convert
    from gan_eval.judgements.rejections import rejection_summary

    imported = convert.import_trials(files, mapping=mapping or {}, where=where, words=words, **options)
    say = on_message or warnings.warn
    for line in imported.doubts:
        say(line)
    if len(imported.rejected):
        say(f"rows are left out: {rejection_summary(imported.rejected)}")
    imported.trials.attrs["read_as"] = imported.read_as.as_json()
    return imported.trials


def unfilled_trials(path: Path) -> pd.DataFrame:
    """Read the trials of a file unchanged; the cells of a CSV file are text.

    Raises:
        UserError: no such file, a required column is absent, or a word is not known.
    """
    if path.suffix == ".parquet":
        try:
            return read_table(path, TRIALS)
        except UserError as error:
            raise (UserError(f"{error}; another program's: {_import_of(path)}") if path.is_file() else error) from error
    _require_text(path)
    frame = text_frame(path, TRIALS)
    for name in [column.name for column in TRIALS.columns if column.is_number]:
        if name in frame and frame[name].notna().any():
            require_clear_numbers(frame[name].fillna("").tolist(), f"{path}: column {name}")
    missing, problem = missing_answers(frame), ""
    if missing:
        problem = f"{are_missing(missing)}; the file's columns are {', '.join(frame.columns)}"
    for name in () if missing else ("kind", "phase", "response"):
        cells = frame[name].dropna() if name in frame else pd.Series(dtype="str")
        others = cells[~cells.isin(TRIALS.by_name[name].words)]
        if len(others):
            words = ", ".join(TRIALS.by_name[name].words)
            problem = f"row {others.index[0] + 1}, column {name}: found {others.iloc[0]!r}, expected one of {words}"
            break
    if problem:
        from gan_eval.judgements.refusals import unread_file_error

        raise unread_file_error(path, problem, frame, missing)
    return frame


def _require_text(path: Path) -> None:
    """Refuse a file that is not CSV by its beginning: JSON, Excel, another archive, bytes."""
    with suppress(OSError), path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith((b"PK\x03\x04", b"{", b"[{", b"[\n", b"[ ", b"PAR1")) or b"\0" in start:
            ways = f"JSON and Excel: {_import_of(path)}"
            raise UserError(f"{path}: not CSV, but JSON, Excel or bytes; {ways}; then analyze that")


def _import_of(path: Path) -> str:
    return f"gan-eval trials import {shlex.quote(str(path))} --out trials.csv"


def tables_to_analyze(
    source: "pd.DataFrame | str | Place | Store",
    *,
    extra: Sequence[Table] = (PARTICIPANTS, SESSIONS, PLANS, MARKS),
    say: Callable[[str], None] = lambda _: None,
) -> Source:
    """Read the unfilled trials of a file, and `extra` tables next to it; or all tables of a store; a frame has trials.

    A file that lacks half of its table's columns is another's, such as a recruiter's participants.csv.

    Args:
        say: function that receives a message about each file that is another's, and is not read.
    """
    if isinstance(source, pd.DataFrame):
        return Source({TRIALS: source}, "trials", of_file=False)
    place = place_of(source) if isinstance(source, str | Path | Address) else None
    if place is not None and (trials := plain_file(place)) is not None:
        tables = {TRIALS: unfilled_trials(trials)}
        for table in extra:
            if not (file := trials.with_name(f"{table.name}.csv")).is_file():
                continue
            required, missing = _required_columns(file, table)
            if len(missing) < (1 if table is PLANS else len(required) / 2):
                tables[table] = read_table(file, table)
            else:
                say(f"{file} is not read: it is not our table {table.name}, it has no column {', '.join(missing[:5])}")
        return Source(tables, str(trials), of_file=True)
    from gan_eval.store import Store, open_store

    if place is not None:
        with open_store(place, create=False) as store:
            return Source(stored_tables(store), store.where, of_file=False)
    if not isinstance(source, Store):
        raise TypeError(f"found a {type(source).__name__}; give a frame of trials, a Store, or the path of either")
    return Source(stored_tables(source), source.where, of_file=False)


def _required_columns(file: Path, table: Table) -> tuple[list[str], list[str]]:
    """Return the columns that a table must have, and those of them that a file lacks."""
    try:
        header, _ = csv_records(file, number_unnamed=True)
    except UserError:
        header = []
    required = [column.name for column in table.columns if not column.optional]
    return required, [name for name in required if name not in header]


def stored_tables(store: "Store", study: str | None = None) -> dict[Table, pd.DataFrame]:
    """Return all tables of a store, or of one study in it."""
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
