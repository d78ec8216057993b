"""The files of an analysis: `write_analysis` writes all tables together."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gan_eval.base.atomic import write_text
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set
from gan_eval.base.output_folders import relative_path
from gan_eval.stats.all_tables import OF_ANALYSIS
from gan_eval.stats.latex import latex
from gan_eval.stats.paper import PAPER
from gan_eval.tables import STORED_TABLES, Table
from gan_eval.tables.frames import conform, write_frame
from gan_eval.tables.names import MODELS_TEX

SUFFIXES = (".csv", ".parquet")
SET_NAME = "analysis"
"""Name of the set of tables that an analysis writes (see `gan_eval.base.file_sets`)."""


def write_analysis(
    frames: Mapping[str, pd.DataFrame],
    out: Path,
    *,
    given: Mapping[Table, pd.DataFrame] | None = None,
    store: Path | None = None,
) -> list[Path]:
    """Write the tables of one analysis as CSV and Parquet into `out`, in place of those of an earlier one.

    The table `paper` is also written as `paper.tex`. All files are put in place together: after a full disk or a kill,
    the earlier tables are complete. Tables of an earlier analysis that this one does not have are removed.

    Args:
        given: the analysed tables (trials, sessions, ...), to be written as well; those of an earlier analysis are
            removed. Default: they stay.
        store: the file of the answers; a report refuses sessions that are no longer in it.

    Returns:
        The CSV files of `frames`.

    Raises:
        UserError: a name is not that of a table of an analysis, or a frame does not fit its table.
    """
    run = _mark_of(frames)
    tables = _checked(frames, run)
    with replaced_set(Path(out), SET_NAME) as new:
        new.run = run
        new.source = relative_path(store, Path(out)) if store else ""
        for table, frame in (given or {}).items():
            _write(conform(frame, table, where=f"{table.name}.csv"), new.folder / table.name)
        for name, frame in tables.items():
            _write(frame, new.folder / name)
        if PAPER.name in frames:
            write_text(new.folder / "paper.tex", latex(frames[PAPER.name]))
        if given is None:
            new.staying |= {f"{table.name}{suffix}" for table in STORED_TABLES for suffix in SUFFIXES}
    (Path(out) / MODELS_TEX).unlink(missing_ok=True)  # a report of the earlier tables wrote it
    return [Path(out) / f"{name}.csv" for name in frames]


def _mark_of(frames: Mapping[str, pd.DataFrame]) -> str:
    """Return the identifier of an analysis; equal tables have equal ones."""
    return f"{SET_NAME}-{sha256_json({name: frame.to_csv() for name, frame in frames.items()})[:12]}"


def _checked(frames: Mapping[str, pd.DataFrame], run: str) -> dict[str, pd.DataFrame]:
    """Return the tables of an analysis as declared, with its identifier; refuse other tables and other columns."""
    checked = {}
    for name, frame in frames.items():
        if name not in OF_ANALYSIS:
            raise UserError(f"no table {name!r} of an analysis; give the tables that `analyze` returns, by their names")
        if unknown := [str(column) for column in frame if column not in OF_ANALYSIS[name].by_name]:
            raise UserError(f"table {name}: no column {', '.join(unknown)}; give the tables that `analyze` returns")
        checked[name] = conform(frame.assign(run=run), OF_ANALYSIS[name], where=f"{name}.csv")
    return checked


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV and Parquet; `path` has no suffix."""
    for suffix in SUFFIXES:
        write_frame(frame, path.with_name(f"{path.name}{suffix}"))
