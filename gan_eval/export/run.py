"""Which files an export has, and what is in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gan_eval import tables, tabular
from gan_eval.errors import UserError
from gan_eval.export.dictionary import DICTIONARY, dictionary_rows, readme
from gan_eval.export.psych_ds import write_psych_ds
from gan_eval.export.r_script import ANALYSIS_R, r_script
from gan_eval.file_sets import replaced_set
from gan_eval.files import check_output_folder, claim_output_folder, write_text
from gan_eval.store import STORED_TABLES, open_store
from gan_eval.tables.schema import Table

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "parquet", "psych-ds", "r")


@dataclass(frozen=True)
class Exported:
    """What came of an export."""

    folder: Path
    sessions: int
    trials: int


def export_store(where: str | Path, out: Path, *, formats: Sequence[str], study: str | None = None) -> Exported:
    """Write a store's tables into a folder, with a data dictionary, in place of what an earlier export wrote there.

    csv: `TABLE.csv` each; parquet: `TABLE.parquet`; psych-ds: a dataset in `psych-ds/`; r: `read.R`, the CSV
    files that it reads, and `analysis.R`, which fits the crossed mixed models with lme4.

    Args:
        where: path or URL of the store.
        out: the folder; empty, or an earlier export's.
        formats: some of `FORMATS`.
        study: only this study's sessions.

    Raises:
        UserError: an unknown format, no such store or study, or the folder is somebody else's.
    """
    _require_known(formats)
    check_output_folder(out)
    frames = _read(where, study)
    sessions = frames[tables.SESSIONS]
    studies = sorted(sessions["study"].dropna().unique())
    title = " and ".join(studies) or "gan_eval"
    claim_output_folder(out)
    with replaced_set(out, "export") as new:
        if {"csv", "r"} & set(formats):
            _write_all(frames, lambda table: new.folder / f"{table.name}.csv")
        if "parquet" in formats:
            _write_all(frames, lambda table: new.folder / f"{table.name}.parquet")
        if "r" in formats:
            write_text(new.folder / "read.R", r_script(frames))
            write_text(new.folder / "analysis.R", ANALYSIS_R)
        if "psych-ds" in formats:
            write_psych_ds(frames, new.folder / "psych-ds", title=title, studies=studies)
        tabular.write_rows(dictionary_rows(frames), new.folder / "data_dictionary.csv", DICTIONARY)
        write_text(new.folder / "README.md", readme(title, [(table, len(frame)) for table, frame in frames.items()]))
    return Exported(out, len(sessions), len(frames[tables.TRIALS]))


def _require_known(formats: Sequence[str]) -> None:
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UserError(f"--format {','.join(unknown)}: wanted one or several of {','.join(FORMATS)}")


def _read(where: str | Path, study: str | None) -> "dict[Table, pd.DataFrame]":
    """All tables, checked before the first one is written."""
    with open_store(where, create=False) as store:
        frames = {
            table: tabular.conform(store.frame(table), table, where=f"{store.where}: {table.name}")
            for table in STORED_TABLES
        }
        sessions = frames[tables.SESSIONS]
        of_study = sessions if study is None else sessions[sessions["study"] == study]
        if of_study.empty:
            raise UserError(f"--store {store.where}: no session{f' of the study {study}' if study else ''} in it")
    if study is None:
        return frames
    return {table: frame[frame["session"].isin(of_study["session"])] for table, frame in frames.items()}


def _write_all(frames: "dict[Table, pd.DataFrame]", path_of: Callable[[Table], Path]) -> None:
    for table, frame in frames.items():
        tabular.write_table(frame, path_of(table), table)
