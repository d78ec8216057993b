"""A store's tables as files for other programs: CSV, Parquet, a Psych-DS dataset, a script for R.

export_store("store.sqlite", Path("out"), formats=["csv", "psych-ds"])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import write_text
from gan_eval.files.output_folders import check_output_folder, claim_output_folder
from gan_eval.files.sets import replaced_set
from gan_eval.store import STORED_TABLES, open_store, require_consistent
from gan_eval.store.export.dictionary import DICTIONARY, dictionary_rows, readme
from gan_eval.store.export.psych_ds import write_psych_ds
from gan_eval.store.export.r_script import ANALYSIS_R, r_script
from gan_eval.tables import frames as tabular

__all__ = ["FORMATS", "Exported", "export_store"]

FORMATS = ("csv", "parquet", "psych-ds", "r")


@dataclass(frozen=True)
class Exported:
    """Result of an export."""

    folder: Path
    sessions: int
    trials: int
    files: Mapping[str, int | None]
    """Written files, relative to the folder, with their numbers of rows; None: no rows (texts, scripts, a folder)."""


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
        UserError: an unknown format, no such store or study, rows of it that are missing or contradict each other, or
            the folder is somebody else's.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UserError(f"--format {','.join(unknown)}: wanted one or several of {','.join(FORMATS)}")
    check_output_folder(out)
    with open_store(where, create=False) as store:
        frames = {  # all of them are checked before the first one is written
            table: tabular.conform(store.frame(table), table, where=f"{store.where}: {table.name}")
            for table in STORED_TABLES
        }
        sessions = frames[tables.SESSIONS]
        sessions = sessions if study is None else sessions[sessions["study"] == study]
        if sessions.empty:
            raise UserError(f"--store {store.where}: no session{f' of the study {study}' if study else ''} in it")
        require_consistent(store, study=study)
    if study is not None:
        frames = {table: frame[frame["session"].isin(sessions["session"])] for table, frame in frames.items()}
    studies = sorted(sessions["study"].dropna().unique())
    title = " and ".join(studies) or "gan_eval"
    files: dict[str, int | None] = {}
    claim_output_folder(out)
    with replaced_set(out, "export") as new:
        for ending, needed in (("csv", {"csv", "r"}), ("parquet", {"parquet"})):
            if needed & set(formats):
                for table, frame in frames.items():
                    tabular.write_table(frame, new.folder / f"{table.name}.{ending}", table)
                    files[f"{table.name}.{ending}"] = len(frame)
        if "r" in formats:
            write_text(new.folder / "read.R", r_script(frames))
            write_text(new.folder / "analysis.R", ANALYSIS_R)
            files |= {"read.R": None, "analysis.R": None}
        if "psych-ds" in formats:
            write_psych_ds(frames, new.folder / "psych-ds", title=title, studies=studies)
            files["psych-ds/"] = None
        dictionary = dictionary_rows(frames)
        tabular.write_rows(dictionary, new.folder / "data_dictionary.csv", DICTIONARY)
        files |= {"data_dictionary.csv": len(dictionary), "README.md": None}
        write_text(new.folder / "README.md", readme(title, [(table, len(frame)) for table, frame in frames.items()]))
    return Exported(out, len(sessions), len(frames[tables.TRIALS]), files)
