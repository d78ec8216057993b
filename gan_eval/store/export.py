"""Export of a store's tables for other programs: CSV, Parquet, a Psych-DS dataset, scripts for R."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval import __version__, tables
from gan_eval.base.atomic import write_json, write_text
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set
from gan_eval.base.output_folders import check_output_folder, claim_output_folder
from gan_eval.base.reading import Place
from gan_eval.store import consistent_frames, open_store
from gan_eval.store.bids import write_bids
from gan_eval.tables import frames as tabular
from gan_eval.tables.cells import FORMULA
from gan_eval.tables.frames import Row
from gan_eval.tables.personal import without_personal, without_personal_columns
from gan_eval.tables.schema import Column, Table, boolean, number, text

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "parquet", "psych-ds", "bids", "r")
_MARGINS = Table("comparisons", "Comparisons of an analysis.", (number("margin", "of equivalence"),))
_LINKS = Table("mixed_models", "Models of an analysis.", (text("link", "link function of the model"),))
"""The columns of an analysis that a script for R needs; the whole tables are declared in `gan_eval.stats`."""


@dataclass(frozen=True)
class Exported:
    """Result of an export."""

    folder: Path
    sessions: int
    trials: int
    files: Mapping[str, int | None]
    """Number of rows by file, relative to the folder; None for texts, scripts and folders."""
    left_out: Sequence[str] = ()
    """Columns and questions that say who people are (`gan_eval.tables.personal`)."""


def export_store(where: str | Place, out: Path, *, formats: Sequence[str], study: str | None = None) -> Exported:
    """Write a store's tables and a data dictionary into a folder, replacing an earlier export.

    Formats: csv: `TABLE.csv`; parquet: `TABLE.parquet`; psych-ds: a dataset in `psych-ds/`; bids: the trials as events
    in `bids/`; r: `read.R`, the CSV files that it reads, and `analysis.R`, which fits the crossed mixed models with
    lme4 and writes `mixed_models_R.csv` and `paper_R.csv`.

    Raises:
        UserError: an unknown format; no such store or study; its rows are missing or contradict each other; the folder
            is neither empty nor gan_eval's.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UserError(f"--format {','.join(unknown)}: expected one or several of {','.join(FORMATS)}")
    check_output_folder(out)
    with open_store(where, create=False) as store:
        frames, left_out = without_personal_columns(consistent_frames(store, study))
        sessions = frames[tables.SESSIONS]
        if sessions.empty:
            raise UserError(f"--store {store.where}: no session{f' of the study {study}' if study else ''} in it")
    studies = sorted(sessions["study"].dropna().unique())
    title = " and ".join(studies) or "gan_eval"
    files: dict[str, int | None] = {}
    claim_output_folder(out)
    with replaced_set(out, "export") as new:
        for ending, users in (("csv", {"csv", "r"}), ("parquet", {"parquet"})):
            if users & set(formats):
                for table, frame in frames.items():
                    tabular.write_table(frame, new.folder / f"{table.name}.{ending}", table)
                    files[f"{table.name}.{ending}"] = len(frame)
        if "r" in formats:
            write_text(new.folder / "read.R", r_script(frames))
            write_text(new.folder / "analysis.R", analysis_script())
            files |= {"read.R": None, "analysis.R": None}
        if "psych-ds" in formats:
            write_psych_ds(frames, new.folder / "psych-ds", title=title, studies=studies)
            files["psych-ds/"] = None
        if "bids" in formats:
            about = f"# {title}\n\nReal-vs-fake judgements of pictures, an event for each trial. {TIMING}\n"
            write_bids(frames, new.folder / "bids", title=title, about=about)
            files["bids/"] = None
        dictionary = dictionary_rows(frames)
        tabular.write_rows(dictionary, new.folder / "data_dictionary.csv", DICTIONARY)
        files["data_dictionary.csv"] = len(dictionary)
        write_text(new.folder / "README.md", readme(title, frames, files))
    return Exported(out, len(sessions), len(frames[tables.TRIALS]), {**files, "README.md": None}, left_out)


def export_analysis(folder: Path, out: Path) -> Exported:
    """Write the trials of an analysed folder for R: `trials.csv`, `read.R`, and `analysis.R` with its link and margin.

    Participants whom the analysis excluded and unfinished sessions are not written; rules that exclude single trials
    are not applied.

    Raises:
        UserError: the folder has no analysed trials, a table does not fit its schema, or `out` is neither empty nor
            gan_eval's.
    """
    source = next((each for each in (folder, folder / "tables") if (each / "trials.csv").is_file()), None)
    if source is None or not (source / "comparisons.csv").is_file():
        raise UserError(f"{folder}: no trials.csv and comparisons.csv in it; give a folder that analyze or run wrote")
    check_output_folder(out)
    trials, left_out = without_personal(tabular.read_table(source / "trials.csv", tables.TRIALS), tables.TRIALS)
    if (source / "participation.csv").is_file():
        people = tabular.read_table(source / "participation.csv", tables.PARTICIPATION)
        exclusions = people.loc[people["excluded"].fillna(False).astype(bool), "participant"]
        trials = trials[~trials["participant"].isin(exclusions)].reset_index(drop=True)
    if (source / "sessions.csv").is_file():
        sessions = tabular.read_table(source / "sessions.csv", tables.SESSIONS)
        incomplete = sessions.loc[sessions["status"] != "complete", "session"]
        trials = trials[~trials["session"].isin(incomplete)].reset_index(drop=True)
    comparisons = tabular.read_rows(source / "comparisons.csv", _MARGINS)
    margins = [row["margin"] for row in comparisons if row["margin"] is not None]
    is_probit = any(row["link"] == "probit" for row in tabular.read_rows(source / "mixed_models.csv", _LINKS))
    script = analysis_script(link="probit" if is_probit else "logit", margin=min(margins, default=None))
    claim_output_folder(out)
    with replaced_set(out, "export") as new:
        tabular.write_table(trials, new.folder / "trials.csv", tables.TRIALS)
        write_text(new.folder / "read.R", r_script([tables.TRIALS]))
        write_text(new.folder / "analysis.R", script)
    files = {"trials.csv": len(trials), "read.R": None, "analysis.R": None}
    return Exported(out, trials["session"].nunique(), len(trials), files, left_out)


TIMING = (
    "All times are software timing: onset, offset and key press as the program stamped them on its monotonic clock. "
    "The absolute lag of display and keyboard, 2 to 30 ms in published measurements, is not measured."
)
"""Note on times in every export."""

DICTIONARY = Table(
    "data_dictionary",
    "The meaning of each column of each table.",
    (
        text("table", "name of the table, which is the file's", filled=True),
        text("column", "name of the column", filled=True),
        text("dtype", "text, int, float, bool (true, false), instant (UTC, ISO 8601) or json", filled=True),
        text("unit", "its unit"),
        text("words", "the words that the column may hold, separated by spaces; empty: free text or no text"),
        boolean("key", "a row is identified by its key columns", filled=True),
        boolean("filled", "every row holds a value", filled=True),
        text("meaning", "what it says", filled=True),
    ),
    key=("table", "column"),
)


def dictionary_rows(tables: Iterable[Table]) -> list[Row]:
    """Return the rows of the data dictionary of these tables."""
    return [
        {
            "table": table.name,
            "column": column.name,
            "dtype": column.dtype,
            "unit": column.unit or None,
            "words": " ".join(column.words) or None,
            "key": column.name in table.key,
            "filled": column.filled,
            "meaning": column.meaning,
        }
        for table in tables
        for column in table.columns
    ]


CONTENTS = {
    "read.R": 'reads the CSV files into data frames: `source("read.R")`',
    "analysis.R": "fits the crossed mixed models, writes `mixed_models_R.csv` and `paper_R.csv`: `Rscript analysis.R`",
    "data_dictionary.csv": "what each column of each table means",
    "dataset_description.json": "description of the whole dataset, as Psych-DS asks for",
    "psych-ds/": "the tables as a Psych-DS dataset",
    "bids/": "the trials as BIDS events",
    "CHANGES.md": "versions of the dataset",
    "analysis/README.md": "place of the scripts that read these tables",
    "results/README.md": "place of tables and reports made from these tables",
    "materials/README.md": "place of the pictures, the study file and the instructions",
    "documentation/README.md": "place of preregistration, consent form and notes",
}
"""Contents of the files of an export, but for tables."""


def readme(title: str, frames: "Mapping[Table, pd.DataFrame]", files: Iterable[str]) -> str:
    """Return the text of README.md: the tables with their numbers of rows, the files next to it, and notes."""
    lines = [f"# {title}", "", TIMING, "", "| table | rows | key columns | what |", "| --- | ---: | --- | --- |"]
    lines += [
        f"| {table.name} | {len(frame)} | {', '.join(table.key)} | {table.meaning} |" for table, frame in frames.items()
    ]
    lines += ["", "Files:", ""]
    for file in files:
        default = "what the columns of this table mean" if file.endswith(".json") else "a table"
        lines.append(f"- `{file}`: {CONTENTS.get(file, default)}")
    lines += [
        "",
        "Fake is the signal: a fake called fake is a hit. Practice and catch trials (`phase`) enter no rate. Rows of a "
        "simulated participant are marked in `simulated`. A missing value is an empty cell. An apostrophe before `=`, "
        "`+`, `-` or `@` keeps a spreadsheet from running the cell and is not part of its text.",
    ]
    return "\n".join(lines) + "\n"


def write_psych_ds(frames: "Mapping[Table, pd.DataFrame]", folder: Path, *, title: str, studies: list[str]) -> None:
    """Write the tables that have rows as a Psych-DS dataset (psychds-docs.readthedocs.io, Schema Reference).

    A JSON file next to each table describes its variables. The recommended folders have a README.md that names what
    belongs there. Author, licence and identifier are left for the experimenter to add.
    """
    filled = {table: frame for table, frame in frames.items() if len(frame)}
    variables: dict[str, Column] = {}
    folders = [f"{name}/README.md" for name in ("analysis", "results", "materials", "documentation")]
    for name in folders:
        write_text(folder / name, f"{CONTENTS[name].capitalize()}.\n")
    files = ["dataset_description.json", "CHANGES.md", *folders]
    write_text(folder / "CHANGES.md", f"# Changes\n\n- Exported by gan_eval {__version__}.\n")
    for table, frame in filled.items():
        path = folder / "data" / file_name(table, studies)
        tabular.write_table(frame, path, table)
        files += [f"data/{path.name}", f"data/{path.stem}.json"]
        write_json(path.with_suffix(".json"), {"variableMeasured": [_variable(column) for column in table.columns]})
        variables = table.by_name | variables
    write_json(
        folder / "dataset_description.json",
        {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": title,
            "description": f"Real-vs-fake judgements of pictures, one row for each trial. {TIMING}",
            "variableMeasured": [_variable(column) for column in variables.values()],
            "measurementTechnique": f"gan_eval {__version__}",
            "keywords": ["real-vs-fake judgement", "generated images", "visual perception", "psychophysics"],
        },
    )
    write_text(folder / "README.md", readme(title, filled, files))


def file_name(table: Table, studies: list[str]) -> str:
    """Return a table's file name in a dataset: pairs of keyword (lower-case letters) and value (letters and digits).

    >>> from gan_eval import tables
    >>> file_name(tables.IMAGE_METRICS, ["my_study"])
    'study-myStudy_description-imageMetrics_data.csv'
    """
    study = f"study-{_label(studies[0])}_" if len(studies) == 1 else ""
    return f"{study}description-{_label(table.name)}_data.csv"


def _label(name: str) -> str:
    first, *others = re.findall(r"[A-Za-z0-9]+", name) or ["unnamed"]
    return first + "".join(word[0].upper() + word[1:] for word in others)


def _variable(column: Column) -> dict[str, Any]:
    words = f" ({', '.join(column.words)})" if column.words else ""
    entry = {"@type": "PropertyValue", "name": column.name, "description": f"{column.meaning}{words}"}
    return entry | ({"unitText": column.unit} if column.unit else {})


def _r_text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def r_script(tables: Iterable[Table]) -> str:
    """Return the text of `read.R`, which reads each table into a data frame of its name."""
    parts = [_r_text("read.R").replace("TIMING", TIMING).replace("FORMULA", FORMULA)]
    for table in tables:
        types = []
        for column in table.columns:  # arguments of the script's `as_type`: a type, or "factor" and its levels
            words = ", ".join(f'"{word}"' for word in ("factor", *column.words))
            types.append(f"  {column.name} = " + (f"c({words})" if column.words else f'"{column.dtype}"'))
        arguments = ",\n".join(types)
        parts.append(f'{table.name} <- read_one("{table.name}", list(\n{arguments}\n))\n')
    return "\n".join(parts)


def analysis_script(*, link: str = "logit", margin: float | None = None) -> str:
    """Return the text of `analysis.R`.

    Args:
        link: link of all models, `logit` or `probit`.
        margin: equivalence margin on balanced accuracy; None: equivalence is not judged.
    """
    text = _r_text("analysis.R").replace('link <- "logit"', f'link <- "{link}"')
    return text.replace("margin <- NA", f"margin <- {'NA' if margin is None else repr(margin)}")
