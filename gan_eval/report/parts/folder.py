"""Read a study's folder for the report: tables, stimuli, training, settings; each of them may be absent."""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import FileSet, settled
from gan_eval.base.output_folders import is_study_folder
from gan_eval.base.reading import no_folder, resolved
from gan_eval.judgements.contradictions import require_agreement
from gan_eval.judgements.trials import TypedTrials, typed
from gan_eval.pictures.sets import TABLE_NAME, read_stimulus_tables, require_presented, require_same_pictures
from gan_eval.report.parts.words import plural, whole
from gan_eval.settings.facts import Facts, read_facts
from gan_eval.settings.run_record import read_run_record, run_command
from gan_eval.stats.all_tables import ALL_TABLES, OF_ANALYSIS
from gan_eval.stats.paper import PAPER
from gan_eval.stats.results import Results, results_of
from gan_eval.stats.tables.choices import CHOICES
from gan_eval.stats.tables.comparisons import COMPARISONS
from gan_eval.stats.tables.grades import RATINGS
from gan_eval.stats.tables.hype import THRESHOLDS
from gan_eval.stats.tables.rates import RATES
from gan_eval.tables import (
    CHECKS,
    GIVEAWAYS,
    HOLE_METRICS,
    IMAGE_METRICS,
    MARKS,
    METRIC_COMPARISONS,
    PARTICIPANTS,
    PARTICIPATION,
    PLANS,
    PLATEAUS,
    RUNS,
    SESSIONS,
    SET_METRICS,
    TRAINING_LOG,
    TRIALS,
    Table,
)
from gan_eval.tables.cells import even_records
from gan_eval.tables.frames import holds_table, read_table
from gan_eval.tables.names import NOT_KNOWN

if TYPE_CHECKING:
    from gan_eval.report.metrics.summaries import Measured
    from gan_eval.settings.study import Study

_ANSWERS = (RATES, CHOICES, RATINGS, THRESHOLDS)
_OF_STORE = (SESSIONS, CHECKS, TRIALS, MARKS, PARTICIPANTS)
_TABLES = tuple(dict.fromkeys((*_OF_STORE, PARTICIPATION, *_ANSWERS, *OF_ANALYSIS.values(), PLATEAUS, GIVEAWAYS)))
_METRICS = (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, HOLE_METRICS, RUNS)


@dataclass(frozen=True)
class StudyFolder:
    """The tables and texts of a study's folder."""

    path: Path
    study: "Study | None"
    facts: Facts
    tables: Mapping[str, pd.DataFrame]
    """Tables by name, without absent and empty ones."""
    stimuli: Mapping[str, pd.DataFrame]
    """Stimulus tables by the names of their sets."""
    training: Mapping[str, pd.DataFrame]
    """Training logs by model."""
    published: Mapping[str, pd.DataFrame]
    """Published tables by file name, every cell as text."""
    set_folders: Mapping[str, Path] = field(default_factory=dict)
    """The folders of the stimulus sets by the same names."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """The files of `tables` by the table's name, and of `published` by `published/NAME`."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """The bytes of `files` when they were read."""
    maps: Mapping[str, Path] = field(default_factory=dict)
    """Folders of the user's maps by name."""

    def table(self, table: Table) -> pd.DataFrame:
        """Return a table; a table that the folder does not have is empty."""
        if table.name in self.tables:
            return self.tables[table.name]
        return _without_rows(table.names).copy(deep=False)

    def scope(self, name: str) -> pd.DataFrame:
        """Return the rates of one scope."""
        rates = self.table(RATES)
        return rates[rates["scope"] == name]

    @cached_property
    def results(self) -> Results:
        """The results: the rows of the table to cite, and differences."""
        return results_of(self.table(PAPER), self.table(COMPARISONS))

    def judged(self) -> pd.DataFrame:
        """Return the rates that have trials with single pictures, answered or not.

        A study of only pairs or grades has a row `all` without such trials; it is removed.
        """
        rates = self.table(RATES)
        return rates[(rates["n_real"] + rates["n_fake"] + rates["n_none"]) > 0]

    @cached_property
    def measured(self) -> "Measured":
        """The metric tables."""
        from gan_eval.report.metrics.summaries import Measured  # imports the metrics

        return Measured(self.tables)

    @cached_property
    def simulated(self) -> bool:
        """True if participants are simulated, according to the tables of answers, else trials, sessions or facts."""
        answers = pd.concat([self.judged()["simulated"], *(self.table(table)["simulated"] for table in _ANSWERS[1:])])
        for marks in (answers, self.table(TRIALS)["simulated"], self.table(SESSIONS)["simulated"]):
            if len(marks):
                return bool(marks.fillna(False).any())
        return self.facts.sessions.simulated > 0

    @property
    def who_is_unknown(self) -> bool:
        """True if answers were counted by picture, so that nobody knows who gave them."""
        trials = self.table(TRIALS)
        return len(trials) > 0 and bool(trials["participant"].eq(NOT_KNOWN).all())

    def who_text(self, count: int, *, with_n: bool = False) -> str:
        """Return a number of participants, and how many of them are simulated: `12 participants, 3 of them simulated`.

        Args:
            with_n: in the form `participants (N = 12, 3 of them simulated)`.
        """
        if self.who_is_unknown:
            return "participants who are not known"
        trials = self.table(TRIALS)
        noun, mixed = "participant", ""
        if self.simulated:
            people = trials.loc[~trials["simulated"].fillna(False).to_numpy(bool), "participant"].nunique()
            is_mixed = 0 < people < count
            noun = noun if is_mixed else "simulated participant"
            mixed = f", {whole(count - people)} of them simulated" * is_mixed
        if not with_n:
            return plural(count, noun) + mixed
        return f"one {noun}" if count == 1 else f"{noun}s (N = {whole(count)}{mixed})"

    @property
    def only_simulated(self) -> bool:
        """True if no answer is a person's."""
        return self.simulated and bool(self.answers["simulated"].fillna(False).all())

    @cached_property
    def answers(self) -> pd.DataFrame:
        """The trials behind the rates: without simulated ones if people have answered."""
        trials = self.table(TRIALS)
        is_simulated = trials["simulated"].fillna(False).to_numpy(bool)
        return trials if self.simulated or is_simulated.all() or not is_simulated.any() else trials[~is_simulated]

    @cached_property
    def answers_by_type(self) -> TypedTrials:
        """The result of `answers`, by what was asked."""
        return typed(self.answers)

    @cached_property
    def presented(self) -> pd.DataFrame:
        """The main trials of every procedure, answered or not, before any exclusion."""
        if self.answers.empty:
            return self.answers
        by_type = self.answers_by_type
        parts = [part for part in (by_type.main, by_type.graded, by_type.pairs) if len(part)]
        return parts[0] if len(parts) == 1 else pd.concat(parts or [by_type.main])

    @property
    def fractions(self) -> list[float]:
        """The fractions of the planned training steps in the tables, ascending."""
        frames = (*self.tables.values(), *self.stimuli.values(), *self.training.values())
        return fractions_of([*frames, pd.DataFrame({"fraction": [self.facts.fraction]})])


@cache
def _without_rows(names: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in names})


def fractions_of(frames: Iterable[pd.DataFrame]) -> list[float]:
    """Return the different cells of the columns `fraction`, ascending."""
    return sorted({float(cell) for frame in frames if "fraction" in frame for cell in frame["fraction"].dropna()})


def read_folder(folder: Path, *, stimuli: Sequence[Path] = (), maps: Mapping[str, Path] | None = None) -> StudyFolder:
    """Read a study's folder, or a folder that itself contains the tables.

    Raises:
        UserError: no such folder, nothing in it to report, a table that does not fit its schema, tables of several
            analyses, or pictures that are not those that were shown or measured.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(no_folder(folder))
    from gan_eval.settings.study import load_study  # takes a tenth of a second, which `analyze` does not need

    with settled(folder, folder / "tables", folder / "metrics") as sets:
        study_file = folder / "study.toml"
        facts = read_facts(folder)
        files = _table_files(folder, "tables", _TABLES) | _table_files(folder, "metrics", _METRICS)
        files = _files_of_sets(folder, files, sets)
        tables = {name: read_table(path, ALL_TABLES[name]) for name, path in files.items()}
        if TRIALS.name in tables:
            require_agreement(tables[TRIALS.name], where=str(files[TRIALS.name]))
        _require_one_analysis(files, tables)
        _require_answers_of_store(folder, files, tables, sets)
        published, logs = _published_files(folder, sets), sorted((folder / "models").glob("*/training_log.csv"))
        training = {path.parent.name: read_table(path, TRAINING_LOG) for path in logs}
        stimulus_sets = _stimulus_sets(folder, facts, stimuli)
        _require_same_pictures(folder, files, tables, stimulus_sets)
        files = {name: path for name, path in files.items() if len(tables[name])}
        files |= {f"published/{name}": path for name, path in published.items()}
        study_folder = StudyFolder(
            path=folder,
            study=load_study(study_file) if study_file.is_file() else None,
            facts=facts,
            tables={name: frame for name, frame in tables.items() if len(frame)},
            stimuli={name: frame for name, (_, frame) in stimulus_sets.items()},
            set_folders={name: base for name, (base, _) in stimulus_sets.items()},
            training={name: log for name, log in training.items() if len(log)},
            published={
                name: pd.DataFrame(records, columns=header, dtype="str")
                for name, path in published.items()
                for header, records in [even_records(path)]
            },
            files=files,
            contents={name: path.read_bytes() for name, path in files.items()},
            maps=maps or {},
        )
    presented = {*study_folder.scope("stimulus")["id"].astype(str)}
    for base in stimuli:
        require_presented(base, read_stimulus_tables([base]), presented)
    if not (study_folder.tables or study_folder.stimuli or study_folder.training):
        raise UserError(f"{folder}: nothing to report; expected tables such as tables/rates.csv or set_metrics.csv")
    return study_folder


def _published_files(folder: Path, sets: Mapping[Path, Sequence[FileSet]]) -> dict[str, Path]:
    """Return the published tables by file name: those that the record names, if there is one."""
    copied = next((made.files for made in sets.get(folder, ()) if made.name == "published"), None)
    files = sorted((folder / "published").glob("*.csv"))
    return {file.name: file for file in files if copied is None or file.relative_to(folder).as_posix() in copied}


def _table_files(folder: Path, below: str, tables: tuple[Table, ...]) -> dict[str, Path]:
    """Return the tables' files: those in the sub-folder `below`, else those in the folder itself."""
    for base in (folder / below, folder):
        files = {table.name: path for table in tables if (path := base / f"{table.name}.csv").is_file()}
        if files:
            return files
    return {}


def _stimulus_sets(folder: Path, facts: Facts, named: Sequence[Path]) -> dict[str, tuple[Path, pd.DataFrame]]:
    """Return the sets in the study's folder, those that its facts name, and those named by the caller."""
    for base in named:
        if not (Path(base) / TABLE_NAME).is_file():
            raise UserError(f"--stimuli {base}: not a stimulus set (no {TABLE_NAME})")
    made = [path.parent for path in sorted((folder / "stimuli").glob(f"*/{TABLE_NAME}"))]
    noted = [folder / base for base in facts.imported_sets]
    folders: dict[Path, Path] = {}
    for base in [*made, *(base for base in noted if (base / TABLE_NAME).is_file()), *map(Path, named)]:
        folders.setdefault(resolved(base), base)
    sets: dict[str, tuple[Path, pd.DataFrame]] = {}
    for base in folders.values():
        name = resolved(base).name
        sets[name if name not in sets else f"{name} {len(sets) + 1}"] = (base, read_stimulus_tables([base]))
    return sets


def _require_same_pictures(
    folder: Path,
    files: Mapping[str, Path],
    tables: Mapping[str, pd.DataFrame],
    stimulus_sets: Mapping[str, tuple[Path, pd.DataFrame]],
) -> None:
    """Refuse a report of answers, metric values and pictures that are not of the same picture files."""
    plans = next((file for base in (folder / "tables", folder) if (file := base / "plans.csv").is_file()), None)
    images, shown = tables.get(IMAGE_METRICS.name), None
    if plans is not None and TRIALS.name in tables and holds_table(plans, PLANS):
        shown = (str(plans), read_table(plans, PLANS), tables[TRIALS.name])
    require_same_pictures(
        {str(base / TABLE_NAME): frame for base, frame in stimulus_sets.values()},
        shown=shown,
        measured=None if images is None else (str(files[IMAGE_METRICS.name]), images),
    )


_OF_SETS = {"analysis": tuple(OF_ANALYSIS), "metrics": tuple(table.name for table in _METRICS)}
"""The tables that belong to each set, by the set's name."""


def _run_command(folder: Path) -> str:
    """Return the `run` command that makes a study's folder; empty for a folder of other origin."""
    if not is_study_folder(folder):
        return ""
    made = read_run_record(folder)
    data_root = made.get("data_root")
    return run_command(made["file"], folder, data_root=data_root, fraction=made["fraction"], smoke=made["smoke"])


def _files_of_sets(folder: Path, files: Mapping[str, Path], sets: Mapping[Path, Sequence[FileSet]]) -> dict[str, Path]:
    """Return the files to read, by table: only those that the record names, for a set with a record."""
    included, run = dict(files), _run_command(folder)
    for base, made in ((base, made) for base, of_folder in sets.items() for made in of_folder):
        members = _OF_SETS.get(made.name, ())
        if made.name == "analysis" and f"{TRIALS.name}.csv" in made.files:  # the analysed trials are there, too
            members = (*members, *(table.name for table in _OF_STORE))
        again = run or f"gan-eval {'analyze' if made.name == 'analysis' else made.name}"
        for name in members:
            path = base / f"{name}.csv"
            if name not in files and run and path.name in made.files:
                raise UserError(f"{path}: missing from the tables of run {made.run}; repeat {again}")
            if files.get(name) == path:
                _require_unchanged(path, made, again, always=bool(run))
                if path.name not in made.files:
                    included.pop(name)
    return included


def _require_unchanged(path: Path, made: FileSet, again: str, *, always: bool) -> None:
    """Refuse a table next to a set that its record does not have, or has otherwise.

    Args:
        again: the command that writes the set.
        always: also refuse a changed file that no longer holds the table.
    """
    table = ALL_TABLES[path.stem]
    if path.name not in made.files:
        if holds_table(path, table):
            raise UserError(
                f"{path}: not from run {made.run}, which wrote the tables next to it; remove it, or repeat {again}"
            )
    elif sha256_file(path) != made.files[path.name] and (always or holds_table(path, table)):
        raise UserError(f"{path}: has changed since run {made.run} wrote it and the tables next to it; repeat {again}")


def _require_answers_of_store(
    folder: Path, files: Mapping[str, Path], tables: Mapping[str, pd.DataFrame], sets: Mapping[Path, Sequence[FileSet]]
) -> None:
    """Compare the sessions in the tables with the store that they were made from, if it is there."""
    run = _run_command(folder)
    stores = {base / made.source for base, of_folder in sets.items() for made in of_folder if made.source}
    stores |= {folder / "store.sqlite"} if run else set()
    for file in stores:
        if not file.is_file():
            continue
        from gan_eval.store import open_store, session_ids  # imports SQLAlchemy

        with open_store(file, create=False) as store:
            there = session_ids(store)
        for name in (SESSIONS.name, TRIALS.name):
            frame = tables.get(name)
            if frame is not None and len(gone := frame.loc[~frame["session"].isin(there)]):
                again = run or shlex.join(["gan-eval", "analyze", "--store", str(file), "--out", str(folder)])
                raise UserError(
                    f"{files[name]}: {gone['session'].nunique()} of its sessions are not in {os.path.normpath(file)}, "
                    f"such as {gone.iloc[0]['session']} (was a participant forgotten?); make the tables again: {again}"
                )


def _require_one_analysis(files: Mapping[str, Path], tables: Mapping[str, pd.DataFrame]) -> None:
    """Compare the column `run` of the tables, for folders without a record."""
    first = ""
    for name in (name for name in _OF_SETS["analysis"] if name in tables):
        for mark in tables[name]["run"].fillna("an unknown one").unique():
            first = first or mark
            if mark != first:
                raise UserError(
                    f"{files[name]}: rows of another analysis ({mark}) than in the tables next to it ({first}); "
                    "analyze again into one folder"
                )
