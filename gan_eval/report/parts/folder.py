"""What a folder holds that a report can show; every part may be absent.

Notes that stand in many tables, told once.

The trials that the tables rest on: those in trials.csv, without what rules left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.file_sets import FileSet, settled
from gan_eval.files import OWN_FOLDER, read_json
from gan_eval.report.parts.one_run import require_one_mark, require_one_run
from gan_eval.settings.study import Study, load_study
from gan_eval.stats.exclusions import parse_rule
from gan_eval.stats.groups import SEVERAL_STUDIES
from gan_eval.stimuli.sets import TABLE_NAME
from gan_eval.tables import (
    AGREEMENT,
    BRADLEY_TERRY,
    CHECKS,
    CHOICES,
    COMPARISONS,
    CORRELATION_DIFFERENCES,
    CORRELATIONS,
    DETECTION,
    HYPE,
    IMAGE_METRICS,
    METRIC_COMPARISONS,
    METRIC_MODELS,
    MIXED_MODELS,
    MODEL_CHECKS,
    OPINION_SCORES,
    PARTICIPATION,
    PLATEAUS,
    RATERS,
    RATES,
    RATINGS,
    REACTION_TIME_MODELS,
    REACTION_TIMES,
    RUNS,
    SESSIONS,
    SET_METRICS,
    SPEED_ACCURACY,
    STIMULI,
    TABLES,
    THRESHOLDS,
    TRAINING_LOG,
    TRIALS,
    Table,
)
from gan_eval.tables.cells import even_records
from gan_eval.tabular import read_table

_ANSWERS = (RATES, CHOICES, RATINGS, THRESHOLDS)
_TABLES = (
    SESSIONS, CHECKS, TRIALS, PARTICIPATION, *_ANSWERS, DETECTION, HYPE, BRADLEY_TERRY, OPINION_SCORES, RATERS,
    AGREEMENT, REACTION_TIMES, REACTION_TIME_MODELS, SPEED_ACCURACY, MIXED_MODELS, MODEL_CHECKS, COMPARISONS,
    CORRELATIONS, CORRELATION_DIFFERENCES, METRIC_MODELS, PLATEAUS,
)  # fmt: skip
_METRICS = (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, RUNS)


@dataclass(frozen=True)
class StudyFolder:
    """The tables and texts of a study's folder."""

    path: Path
    study: Study | None
    facts: Mapping[str, Any]
    """`.gan-eval/facts.json`: title, version, fraction, smoke, notes, sessions, software."""
    tables: Mapping[str, pd.DataFrame]
    """Tables by name; absent and empty ones are left out."""
    stimuli: Mapping[str, pd.DataFrame]
    """Stimulus tables by the names of their sets."""
    training: Mapping[str, pd.DataFrame]
    """Training logs by model."""
    published: Mapping[str, pd.DataFrame]
    """Published tables by file name, every cell as text."""
    places: Mapping[str, Path] = field(default_factory=dict)
    """The folders of the stimulus sets by the same names."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """The files of `tables` by the table's name, and of `published` by `published/NAME`."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """What was in `files` when they were read."""

    def table(self, table: Table) -> pd.DataFrame:
        """The table, without rows where the folder has none."""
        return self.tables.get(table.name, pd.DataFrame({name: [] for name in table.names}))

    def scope(self, name: str) -> pd.DataFrame:
        """The rates of one scope."""
        rates = self.table(RATES)
        return rates[rates["scope"] == name]

    def judged(self) -> pd.DataFrame:
        """The rates that rest on single pictures called real or fake, answered or not.

        A study of pairs or of grades alone has a row for everything too, of no trials.
        """
        rates = self.table(RATES)
        return rates[(rates["n_real"] + rates["n_fake"] + rates["n_none"]) > 0]

    @property
    def simulated(self) -> bool:
        """The numbers come from simulated participants, as their tables, else trials, sessions or the facts say."""
        answers = [self.judged()["simulated"], *(self.table(table)["simulated"] for table in _ANSWERS[1:])]
        if any(len(marks) for marks in answers):
            return any(bool(marks.fillna(False).any()) for marks in answers)
        for table in (TRIALS, SESSIONS):
            marks = self.table(table)["simulated"]
            if len(marks):
                return bool(marks.fillna(False).any())
        return bool((self.facts.get("sessions") or {}).get("simulated"))

    def answers(self) -> pd.DataFrame:
        """The trials behind the rates: simulated ones are left out where people have answered."""
        trials = self.table(TRIALS)
        of_people = trials[~trials["simulated"].fillna(False).astype(bool)]
        return trials if self.simulated or of_people.empty else of_people

    @property
    def fractions(self) -> list[float]:
        """The shares of the planned training steps that stand in the tables, ascending."""
        found = {float(self.facts["fraction"])} if self.facts.get("fraction") is not None else set()
        for frame in (*self.tables.values(), *self.stimuli.values(), *self.training.values()):
            if "fraction" in frame:
                found |= set(frame["fraction"].dropna().astype(float))
        return sorted(found)


def read_folder(folder: Path, *, stimuli: Sequence[Path] = ()) -> StudyFolder:
    """Read what is there: the layout of a study's folder, or tables that lie in the folder itself.

    Args:
        folder: the folder.
        stimuli: stimulus sets that lie elsewhere.

    Raises:
        UserError: no such folder, nothing in it to report, a table that does not fit its schema, or tables of several
            analyses.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the folder of a study or of its tables")
    with settled(folder, folder / "tables", folder / "metrics") as sets:
        found = _read(folder, sets, stimuli)
    if not (found.tables or found.stimuli or found.training):
        raise UserError(f"{folder}: nothing to report; expected tables such as tables/rates.csv or set_metrics.csv")
    return found


def _read(folder: Path, sets: Mapping[Path, Sequence[FileSet]], stimuli: Sequence[Path]) -> StudyFolder:
    facts_file = folder / OWN_FOLDER / "facts.json"
    facts = read_json(facts_file) if facts_file.is_file() else {}
    study_file = folder / "study.toml"
    files = {**_files(folder, "tables", _TABLES), **_files(folder, "metrics", _METRICS)}
    files = require_one_run(files, {place: tuple(known) for place, known in sets.items()})
    tables = {name: read_table(path, TABLES[name]) for name, path in files.items()}
    require_one_mark(files, tables)
    copied = next((known.files for known in sets.get(folder, ()) if known.name == "published"), None)
    published = [
        path
        for path in sorted((folder / "published").glob("*.csv"))
        if copied is None or path.relative_to(folder).as_posix() in copied
    ]
    shown_sets = _stimulus_sets(folder, facts, stimuli)
    shown = {name: path for name, path in files.items() if len(tables[name])}
    shown |= {f"published/{path.name}": path for path in published}
    return StudyFolder(
        path=folder,
        study=load_study(study_file) if study_file.is_file() else None,
        facts=facts,
        tables={name: frame for name, frame in tables.items() if len(frame)},
        stimuli={name: frame for name, (_, frame) in shown_sets.items()},
        places={name: place for name, (place, _) in shown_sets.items()},
        training=_each(folder, "models", "training_log.csv", TRAINING_LOG),
        published={path.name: _as_text(path) for path in published},
        files=shown,
        contents={name: path.read_bytes() for name, path in shown.items()},
    )


def _files(folder: Path, below: str, wanted: tuple[Table, ...]) -> dict[str, Path]:
    """The tables' files: those in the sub-folder `below`; where it has none, those in the folder itself."""
    for place in (folder / below, folder):
        found = {table.name: path for table in wanted if (path := place / f"{table.name}.csv").is_file()}
        if found:
            return found
    return {}


def _stimulus_sets(
    folder: Path, facts: Mapping[str, Any], named: Sequence[Path]
) -> dict[str, tuple[Path, pd.DataFrame]]:
    """The sets in the study's folder, those that it notes elsewhere as far as they are there, and those named.

    Raises:
        UserError: a named one is none, or a table does not fit its schema.
    """
    for place in named:
        if not (Path(place) / TABLE_NAME).is_file():
            raise UserError(f"--stimuli {place}: not a stimulus set (no {TABLE_NAME})")
    own = [path.parent for path in sorted((folder / "stimuli").glob(f"*/{TABLE_NAME}"))]
    noted = [folder / str(place) for place in (facts.get("imported_sets") or ())]
    places: dict[Path, Path] = {}
    for place in [*own, *(place for place in noted if (place / TABLE_NAME).is_file()), *map(Path, named)]:
        places.setdefault(place.resolve(), place)
    found: dict[str, tuple[Path, pd.DataFrame]] = {}
    for place in places.values():
        frame = read_table(place / TABLE_NAME, STIMULI)
        if len(frame):
            name = place.resolve().name
            name = name if name not in found else f"{name} {len(found) + 1}"
            found[name] = (place, frame)
    return found


def _each(folder: Path, below: str, file: str, table: Table) -> dict[str, pd.DataFrame]:
    """The tables `BELOW/NAME/FILE` by NAME."""
    paths = sorted((folder / below).glob(f"*/{file}"))
    frames = {path.parent.name: read_table(path, table) for path in paths}
    return {name: frame for name, frame in frames.items() if len(frame)}


def _as_text(path: Path) -> pd.DataFrame:
    header, records = even_records(path)
    return pd.DataFrame(records, columns=header, dtype="str")


MANY = 3
"""A note in so many tables is told once for all."""
_BETWEEN = "; "


def common_notes(folder: StudyFolder) -> list[str]:
    """That several studies are pooled, and what rules left out where that stands in `MANY` tables or more."""
    count = Counter(
        part for table in folder.tables.values() for part in dict.fromkeys(p for cell in _notes(table) for p in cell)
    )
    ruled = " excluded by " if len(folder.table(PARTICIPATION)) else SEVERAL_STUDIES
    return [part for part, tables in count.items() if part == SEVERAL_STUDIES or (tables >= MANY and ruled in part)]


def without_common_notes(folder: StudyFolder) -> StudyFolder:
    """The folder, its tables without those notes."""
    common = set(common_notes(folder))
    return folder if not common else replace(folder, tables={n: _less(t, common) for n, t in folder.tables.items()})


def several_studies(folder: StudyFolder) -> list[str]:
    """A sentence where trials of several studies were pooled."""
    found = SEVERAL_STUDIES in common_notes(folder)
    return ["Trials of several studies are pooled: differences between them are in no interval."] if found else []


def _notes(table: pd.DataFrame) -> list[list[str]]:
    if "note" not in table:
        return []
    return [str(note).split(_BETWEEN) for note in table["note"].dropna().unique()]


def _less(table: pd.DataFrame, common: set[str]) -> pd.DataFrame:
    if "note" not in table:
        return table
    kept = [
        None if pd.isna(note) else _BETWEEN.join(part for part in str(note).split(_BETWEEN) if part not in common)
        for note in table["note"]
    ]
    return table.assign(note=pd.Series([note or None for note in kept], index=table.index, dtype="object"))


def kept_trials(folder: StudyFolder) -> pd.DataFrame:
    """The trials of participants who were not left out, without those that a rule on trials names.

    The rules are read from `participation`: whoever is not left out altogether can only be named there by a rule on
    trials. A rule that these trials cannot be asked leaves nothing out.
    """
    trials, table = folder.answers(), folder.table(PARTICIPATION)
    if trials.empty or table.empty:
        return trials
    out = table["excluded"].fillna(False).astype(bool)
    named = table.loc[~out, "rule"].dropna().astype(str)
    rules = dict.fromkeys(rule for cell in named for rule in cell.split("; "))
    dropped = trials["participant"].isin(table.loc[out, "participant"]).to_numpy(bool)
    for rule in rules:
        dropped = dropped | _holds(rule, trials)
    return trials[~dropped].reset_index(drop=True)


def _holds(rule: str, trials: pd.DataFrame) -> np.ndarray:
    try:
        return parse_rule(rule).holds(trials, where="trials")
    except UserError:
        return np.zeros(len(trials), bool)
