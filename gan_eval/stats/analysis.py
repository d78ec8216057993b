"""The analysis: `analyze` makes all tables, `write_analysis` writes them together."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow

from gan_eval.base.atomic import write_text
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set
from gan_eval.base.output_folders import claim_output_folder, relative_path
from gan_eval.judgements.doubts import doubts, doubts_of_covariates
from gan_eval.judgements.readers import NO_SIMULATED, of_people, tables_to_analyze
from gan_eval.judgements.trials import (
    CALLED,
    PreparedTrials,
    TypedTrials,
    are_own_names,
    prepare_trials,
    requested_exposure,
    text_coded,
    typed,
    with_text_names,
)
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.exclusions import EXCLUSIONS_PLANNED, Included, Rules, apply_rules
from gan_eval.stats.groups import ONE_PARTICIPANT, WHO_NOT_KNOWN, joined, with_holes
from gan_eval.stats.latex import latex
from gan_eval.stats.metrics_and_people.correlation_tables import CORRELATIONS
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.paper import PAPER, paper
from gan_eval.stats.questions import require_known_models
from gan_eval.stats.recruitment import ALPHA, is_waiting, recruitment
from gan_eval.stats.tables.agreement import agreement
from gan_eval.stats.tables.comparisons import compare
from gan_eval.stats.tables.hype import hype, thresholds
from gan_eval.stats.tables.rates import rates, reaction_times
from gan_eval.stats.tables.robustness import is_on_outcome, refuse_outcome_rules, robustness, sensitivity
from gan_eval.tables import (
    IMAGE_METRICS,
    MARKS,
    PARTICIPANTS,
    PLANS,
    SESSIONS,
    SET_METRICS,
    STORED_TABLES,
    TRIALS,
    Table,
)
from gan_eval.tables.directions import Better, require_directions
from gan_eval.tables.frames import as_table, conform, frame_of, joined_tables, read_table, write_frame
from gan_eval.tables.names import MODELS_TEX, NOT_KNOWN
from gan_eval.tables.personal import left_out_line, without_personal_columns

if TYPE_CHECKING:
    from gan_eval.metrics.maps import PictureMaps
    from gan_eval.settings.quiz import StaircaseSettings
    from gan_eval.settings.study import Study
    from gan_eval.store import Store

__all__ = ["analyze", "write_analysis"]

FrameOrFile = pd.DataFrame | Path | str


@dataclass(frozen=True)
class ReadTable:
    """A table of a file that is read already; another program may write the file again."""

    frame: pd.DataFrame
    where: str
    lines: Sequence[str] = ()


"""A table, or its file."""
ALWAYS = ("rates", "reaction_times", "mixed_models", "comparisons", "correlations")
"""Tables that are written even without rows."""
RESULTS = {
    "participation": "tables",
    "correlations": "stats.metrics_and_people.correlation_tables",
    "paper": "stats.paper",
    "mark_agreement": "stats.marks.tables",
    "mark_maps": "stats.marks.tables",
    "mark_map_differences": "stats.marks.tables",
    "mark_regions": "stats.marks.tables",
    "correlation_differences": "stats.metrics_and_people.correlation_tables",
    "metric_scores": "stats.metrics_and_people.metric_scores",
    "metric_score_differences": "stats.metrics_and_people.metric_scores",
    "mixed_models": "stats.mixed.models",
    "recruitment": "stats.recruitment",
    "agreement": "stats.tables.agreement",
    "choices": "stats.tables.choices",
    "classes": "stats.tables.classes",
    "bradley_terry": "stats.tables.choices",
    "comparisons": "stats.tables.comparisons",
    "ratings": "stats.tables.grades",
    "opinion_scores": "stats.tables.grades",
    "thresholds": "stats.tables.hype",
    "hype": "stats.tables.hype",
    "psychometric": "stats.tables.psychometric",
    "psychometric_levels": "stats.tables.psychometric",
    "rates": "stats.tables.rates",
    "reaction_times": "stats.tables.rates",
    "robustness": "stats.tables.robustness",
    "roc": "stats.tables.roc",
    "roc_points": "stats.tables.roc",
}
"""Module of each table that an analysis may return; its constant there is the name in capitals."""
SUFFIXES = (".csv", ".parquet")
SET_NAME = "analysis"
"""Name of the set of tables that an analysis writes (see `gan_eval.base.file_sets`)."""


def analyze(
    trials: "FrameOrFile | Store | PreparedTrials",
    *,
    image_metrics: FrameOrFile | ReadTable | Sequence[Path | str] | None = None,
    set_metrics: FrameOrFile | ReadTable | Sequence[Path | str] | None = None,
    better: Mapping[str, Better] | None = None,
    exclude: Sequence[str] = (),
    exclude_participants: Sequence[str] = (),
    margin: float | None = None,
    covariates: Sequence[str] = (),
    staircase: "StaircaseSettings | None" = None,
    grades: int | None = None,
    seed: int = 0,
    plan: "AnalysisSettings | None" = None,
    participants: FrameOrFile | None = None,
    sessions: FrameOrFile | None = None,
    plans: FrameOrFile | None = None,
    stimuli: FrameOrFile | Sequence[Path | str] | None = None,
    marks: FrameOrFile | None = None,
    maps: "PictureMaps | None" = None,
    recruited: pd.DataFrame | None = None,
    on_message: Callable[[str], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """Analyze a trials table. Each table is a frame, or the path of its CSV or Parquet file.

    Args:
        trials: the table `trials`, or any frame with participant, stimulus, kind and response; or a results store (its
            file, its URL, or the result of `open_store`); or the result of `prepare_trials`. Identifiers may be whole
            numbers. Repeated rows and trials without a participant or a stimulus are left out; the note of the rates
            counts them. Simulated sessions of a store are left out once people have answered.
        image_metrics: the table `image_metrics`; this and the next are needed for correlations and 2AFC scores. A file
            may come from another program, and may be given as METRIC=FILE; several files are joined
            (`read_image_metrics`).
        set_metrics: the table `set_metrics`; several files are joined.
        better: `higher` or `lower` by metric, where the name does not tell which values are better
            (`gan_eval.tables.directions`); 2AFC scores need it.
        exclude: rules such as `reaction_time_ms<200` or `flags~late`. A trial that fulfils any is left out of every
            table; the note of the rates counts them. A rule on the outcome (kind, response, correct, ...) is refused,
            except `response=none`.
        exclude_participants: rules on the table `participation`, such as `catch_accuracy<0.8`. A participant who
            fulfils any is left out. A rule on the outcome (`accuracy`) excludes no participants, but adds a
            sensitivity row to the comparisons.
        margin: margin of equivalence, as a share.
        covariates: questions of the table `participants`, or columns of the trials: fixed effects of one more mixed
            model.
        staircase: `[quiz.staircase]` of the study; with it, thresholds at an end of the range have a note.
        grades: number of grades of the study's scale, whose range the margin is a share of; default: the range of the
            grades that were given.
        seed: random seed of the bootstraps.
        plan: `[analysis]` of the study. Exclusions, margin and covariates are added to it and marked as exploratory;
            without a plan they are the analysis.
        participants: the table `participants`: answers to the study's questions. Default of this and the next two: the
            tables in the store, or `participants.csv`, `sessions.csv` and `plans.csv` next to the file of the trials.
        sessions: the table `sessions`. Sessions that are not complete are left out of every result; a sensitivity row
            of `comparisons` includes them. Without the table, all sessions count.
        plans: the table `plans`, with the SHA-256 of each picture that was shown. Image metrics and stimuli of other
            pictures are refused.
        stimuli: the table `stimuli` of all sets that were shown, or the folder of one or several sets. If it has holes,
            `rates` has rows by their kind and area.
        marks: the table `marks`: where people saw it. Default as for `participants`.
        maps: the maps to compare with the marks, and regions to count them in (`gan_eval.metrics.maps`).
        recruited: the table `recruitment` of a study that waits for people; while they are missing, every verdict is
            `interim`. Default: all people have come.
        on_message: called with each warning, such as participants whose codes differ only in case; default: Python's
            warnings.

    Returns:
        The tables `rates`, `reaction_times`, `mixed_models`, `comparisons` and `correlations` by name, and every other
        table of `RESULTS` that has rows.

    Raises:
        UserError: a table does not fit its schema, rows contradict each other (`require_agreement`), the metrics are
            of other pictures or models (`require_metrics_of`), metrics or stimuli are of other files than those shown
            (`require_same_pictures`), `better` names no metric or no direction, a rule is not valid or is on the
            outcome, the tables lack a model or covariate of the plan, or both the plan and the options have a margin.

    >>> answers = pd.DataFrame({"participant": ["P1"] * 4, "stimulus": list("abcd"),
    ...     "kind": ["real", "real", "fake", "fake"], "response": ["real", "fake", "fake", "fake"]})
    >>> float(analyze(answers)["rates"]["accuracy"][0])
    0.75
    """
    say = on_message or warnings.warn
    inputs = _read_inputs(
        trials,
        image_metrics=image_metrics,
        set_metrics=set_metrics,
        stimuli=stimuli,
        others={PARTICIPANTS: participants, SESSIONS: sessions, PLANS: plans, MARKS: marks},
        say=say,
    )
    require_directions(better or {}, () if inputs.images is None else inputs.images["metric"].unique())
    settings, beyond = _settings_and_departures(
        plan, exclude=exclude, exclude_participants=exclude_participants, margin=margin, covariates=covariates
    )
    if settings.comparisons:
        require_known_models(settings, inputs.prepared.trials)
    included, analysed, sensitivity_rows, exclusion_notes = _exclude(inputs, settings, beyond, planned=plan is not None)
    for line in included.doubts or [included.note] * (included.note != "" and included.trials.empty):
        say(line)
    answers = inputs.participants
    if asked := {*settings.covariates, *beyond.covariates}:
        for line in doubts_of_covariates(sorted(asked), analysed.every, answers):
            say(line)
    if answers is not None:
        answers = answers[answers["session"].isin(analysed.every["session"].unique())].reset_index(drop=True)
    pyarrow.default_memory_pool().release_unused()  # reading and checking text leave twice the size of the file
    compared = compare(analysed, plan=settings, recruited=recruited, grades=grades)
    frames = {
        "participation": included.participation,
        **_tables_of_answers(analysed, inputs.shown, settings, staircase=staircase, seed=seed),
        "mixed_models": mixed_models(analysed, plan=settings, participants=answers, detection=compared.fit),
        "comparisons": compared.table,
        "correlations": frame_of([], CORRELATIONS),
    }
    if recruited is not None:
        frames["recruitment"] = recruited
    if inputs.images is not None or inputs.sets is not None:
        waits = recruited is not None and is_waiting(recruited)
        frames |= _tables_of_correlations(analysed, inputs, settings, is_interim=waits, seed=seed, say=say)
        frames |= _tables_of_scores(analysed, inputs.images, better or {}, is_interim=waits)
    if inputs.marks is not None and len(inputs.marks):
        from gan_eval.stats.marks.tables import mark_tables, marked

        sizes = pd.concat(inputs.shown.values(), ignore_index=True) if inputs.shown else None
        frames |= mark_tables(marked(inputs.marks, analysed.every, stimuli=sizes, sessions=inputs.sessions), maps)
    if plan is None:  # nothing can depart from it
        for name in ("comparisons", "mixed_models"):
            frames[name].loc[:, "exploratory"] = pd.NA
    else:
        frames = _with_departures(frames, plan, beyond, analysed, answers, included.beyond)
    frames["robustness"] = robustness(analysed)
    if len(sensitivity_rows):
        frames["comparisons"] = pd.concat([frames["comparisons"], sensitivity_rows], ignore_index=True)
    frames["paper"] = paper(analysed, frames, compared.detections)
    frames = {name: frame for name, frame in frames.items() if len(frame) or name in ALWAYS}
    if len(inputs.prepared.trials) and inputs.prepared.trials["simulated"].fillna(False).all():
        frames = {
            name: frame.assign(simulated=True) if "simulated" in frame else frame for name, frame in frames.items()
        }
    if analysed.every["participant"].eq(NOT_KNOWN).all():
        frames = {name: _without_known_people(frame) for name, frame in frames.items()}
    if notes := [note for note in (inputs.prepared.note, *exclusion_notes) if note]:
        rows, is_overall = frames["rates"], frames["rates"]["scope"] == "all"
        rows.loc[is_overall, "note"] = joined(*rows["note"][is_overall].dropna(), *notes)
    return frames


def _without_known_people(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of answers of unknown people, whose notes do not call them one participant."""
    if "note" not in frame:
        return frame
    return frame.assign(note=frame["note"].str.replace(ONE_PARTICIPANT, WHO_NOT_KNOWN, regex=False))


class _Inputs(NamedTuple):
    """The tables that an analysis reads, checked against each other."""

    prepared: PreparedTrials
    images: pd.DataFrame | None
    """The table `image_metrics`."""
    sets: pd.DataFrame | None
    """The table `set_metrics`."""
    participants: pd.DataFrame | None
    sessions: pd.DataFrame | None
    shown: Mapping[str, pd.DataFrame]
    """Tables `stimuli` of the sets that were shown, by their file."""
    marks: pd.DataFrame | None


class Answers(NamedTuple):
    """The answers of one study."""

    tables: dict[Table, pd.DataFrame]
    """Tables of its store, or of a file."""
    study: "Study | None"
    """None: nothing is planned."""
    wanted: int | None
    """Number of people whom the study wants; None: unknown."""
    prepared: PreparedTrials | None = None
    """The trials of a file, in which all sessions count."""
    store: Path | None = None
    """The file of the answers; None: they have another place."""


def analyze_study(
    answers: Answers,
    out: Path,
    *,
    stimuli: Sequence[Path],
    on_message: Callable[[str], None],
    extra: Mapping[Table, pd.DataFrame] | None = None,
    **more: Any,
) -> tuple[dict[str, pd.DataFrame], Mapping[Table, pd.DataFrame]]:
    """Analyze the answers of one study as its file plans, and write the tables into `out`.

    Args:
        stimuli: folders of the sets that were shown.
        extra: tables to write next to the answers and results.
        more: other options of `analyze`.

    Returns:
        The results, and the tables without simulated sessions if people have answered.
    """
    stored, study = answers.tables, answers.study
    counted = of_people(stored) if answers.prepared is None else stored
    if counted is not stored:
        on_message(NO_SIMULATED)
    sessions = counted.get(SESSIONS)
    recruited = None if answers.wanted is None else recruitment(counted[TRIALS], answers.wanted, sessions=sessions)
    if study is not None:
        more |= {"plan": study.analysis, "seed": study.study.seed}
        more |= {"staircase": study.quiz.staircase, "grades": study.quiz.grades}
    results = analyze(
        counted[TRIALS] if answers.prepared is None else answers.prepared,
        participants=stored.get(PARTICIPANTS),
        sessions=sessions,
        plans=stored.get(PLANS),
        marks=stored.get(MARKS),
        stimuli=stimuli or None,
        recruited=recruited,
        on_message=on_message,
        **more,
    )
    if not out.exists():
        claim_output_folder(out)
    shared, left_out = without_personal_columns(stored)
    if left_out:
        on_message(left_out_line(left_out))
    write_analysis(results, out, given={**shared, **(extra or {})}, store=answers.store)
    return results, counted


def _read_inputs(
    trials: "FrameOrFile | Store | PreparedTrials",
    *,
    image_metrics: FrameOrFile | ReadTable | Sequence[Path | str] | None,
    set_metrics: FrameOrFile | ReadTable | Sequence[Path | str] | None,
    stimuli: FrameOrFile | Sequence[Path | str] | None,
    others: Mapping[Table, FrameOrFile | None],
    say: Callable[[str], None],
) -> _Inputs:
    """Read the tables that `analyze` describes, and check that they are of the same pictures and models.

    Args:
        others: tables that are read with the trials where they are None.
    """
    tables: Mapping[Table, pd.DataFrame] = {}
    where, lines = "trials", []
    if not isinstance(trials, PreparedTrials):
        of_file = False
        if not isinstance(trials, pd.DataFrame):
            stored, where, of_file = tables_to_analyze(trials, say=say)
            tables = stored if of_file else of_people(stored)
            lines += [NO_SIMULATED] if tables is not stored else []
            trials = tables[TRIALS]
        trials = prepare_trials(trials, where=where, of_file=of_file)
    whole = trials.trials
    lines += doubts(whole)
    if not are_own_names(whole):
        from gan_eval.judgements.pictures import several_names

        lines += several_names(whole)
    metrics = _NO_METRICS
    if image_metrics is not None or set_metrics is not None:
        metrics = _read_metrics(whole, image_metrics, set_metrics)
        lines += metrics.lines
    for line in lines:
        say(line)
    given = {table: tables.get(table) if source is None else source for table, source in others.items()}
    read = {table: None if source is None else as_table(source, table) for table, source in given.items()}
    plans, shown = read[PLANS], {} if stimuli is None else _read_shown_sets(stimuli)
    if shown or plans is not None:
        from gan_eval.pictures.sets import require_same_pictures

        require_same_pictures(
            shown,
            shown=None if plans is None else (f"{where}, table plans", plans, whole),
            measured=None if metrics.images is None else (metrics.measured_in, metrics.images),
        )
    people = read[PARTICIPANTS], read[SESSIONS]
    return _Inputs(trials, metrics.images, metrics.sets, *people, shown, read[MARKS])


class _Metrics(NamedTuple):
    """Metric tables, named as the pictures that were judged."""

    images: pd.DataFrame | None
    sets: pd.DataFrame | None
    measured_in: str
    """Source of the pictures' values, for messages."""
    lines: list[str]
    """Doubts."""


_NO_METRICS = _Metrics(None, None, "", [])


def _read_metrics(
    trials: pd.DataFrame,
    image_metrics: FrameOrFile | ReadTable | Sequence[Path | str] | None,
    set_metrics: FrameOrFile | ReadTable | Sequence[Path | str] | None,
) -> _Metrics:
    from gan_eval.judgements.external_values import read_image_metrics
    from gan_eval.stats.metrics_and_people.matching import completed, named_as_judged, require_metrics_of

    lines = list[str]()
    images: pd.DataFrame | None
    sets, sets_in = _read_sets(set_metrics)
    if isinstance(image_metrics, ReadTable):
        images, lines, measured_in = image_metrics.frame, [*image_metrics.lines], image_metrics.where
    elif not isinstance(image_metrics, Path | str | Sequence):  # `_table` refuses other types
        images, measured_in = _table(image_metrics, IMAGE_METRICS), IMAGE_METRICS.name
    else:
        files = [image_metrics] if isinstance(image_metrics, Path | str) else image_metrics
        images, lines = read_image_metrics([Path(file) for file in files], trials)
        measured_in = ", ".join(map(str, files))
    if images is not None:
        images, by_file_name = named_as_judged(trials, images)
        lines = [*lines, *by_file_name, *require_metrics_of(trials, images, where=measured_in)]
    if sets is not None:
        lines = [*lines, *require_metrics_of(completed(trials, images, sets).trials, sets, where=sets_in)]
    return _Metrics(images, sets, measured_in, lines)


def _read_sets(
    source: FrameOrFile | ReadTable | Sequence[Path | str] | None,
) -> tuple[pd.DataFrame | None, str]:
    """Return the table `set_metrics`, and its source for messages."""
    if isinstance(source, ReadTable):
        return source.frame, source.where
    if not isinstance(source, Path | str | Sequence):  # `_table` refuses other types
        return _table(source, SET_METRICS), SET_METRICS.name
    files = [source] if isinstance(source, Path | str) else source
    return read_set_metrics([Path(file) for file in files]), ", ".join(map(str, files))


def read_set_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """Read the table `set_metrics` from one file or several."""
    parts = [(str(file), read_table(file, SET_METRICS)) for file in files]
    return joined_tables(parts, SET_METRICS, compared=("value",))


def _read_shown_sets(stimuli: FrameOrFile | Sequence[Path | str]) -> dict[str, pd.DataFrame]:
    if isinstance(stimuli, pd.DataFrame):
        return {"stimuli": with_text_names(stimuli)}
    from gan_eval.pictures.sets import TABLE_NAME, read_stimulus_tables

    folders = [stimuli] if isinstance(stimuli, Path | str) else stimuli
    return {str(Path(folder) / TABLE_NAME): read_stimulus_tables([Path(folder)]) for folder in folders}


def _table(source: FrameOrFile | None, table: Table) -> pd.DataFrame | None:
    return None if source is None else as_table(source, table)


def _exclude(
    inputs: _Inputs, settings: AnalysisSettings, beyond: AnalysisSettings, *, planned: bool
) -> tuple[Included, TypedTrials, pd.DataFrame, tuple[str, str]]:
    """Apply the rules of exclusion.

    Returns:
        The trials and participants that are analysed; these trials by what was asked; rows of `comparisons` on those
        whom a rule on the outcome would exclude; notes on what each kind of rule excludes.
    """
    for source, where in ((settings, EXCLUSIONS_PLANNED if planned else "trials"), (beyond, "trials")):
        if source.exclude:
            refuse_outcome_rules(source.exclude, where=where)
    on_outcome = [
        rule for rule in (*settings.exclude_participants, *beyond.exclude_participants) if is_on_outcome(rule)
    ]
    rules = (
        Rules(source.exclude, [rule for rule in source.exclude_participants if rule not in on_outcome])
        for source in (settings, beyond)
    )
    prepared = inputs.prepared
    included = apply_rules(prepared.trials, inputs.sessions, *rules, planned=planned)
    leaves_out = len(included.trials) < len(prepared.trials)
    analysed = typed(text_coded(included.trials)) if leaves_out else prepared.typed
    rows, note = sensitivity(
        analysed, included.participation, on_outcome, plan=settings, unfinished=included.unfinished
    )
    return included, analysed, rows, (included.note, note)


def _tables_of_answers(
    trials: TypedTrials,
    shown: Mapping[str, pd.DataFrame],
    settings: AnalysisSettings,
    *,
    staircase: "StaircaseSettings | None",
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Return the tables that need the analysed trials only, and the holes of the sets that were shown."""
    every = trials.every
    main = with_holes(trials.main, pd.concat(shown.values(), ignore_index=True)) if shown else trials.main
    tables = {
        "rates": rates(replace(trials, main=main)),
        "reaction_times": reaction_times(trials),
        "agreement": agreement(trials, seed=seed),
    }
    is_adaptive = every["protocol"].isin(ADAPTIVE_PROTOCOLS).any()
    if is_adaptive or np.isinf(requested_exposure(trials.answered)).any():
        tables["hype"] = hype(trials, settings=staircase)
    if len(trials.pairs):
        from gan_eval.stats.tables.choices import bradley_terry, choices

        tables |= {"choices": choices(trials), "bradley_terry": bradley_terry(trials)}
    if CALLED in trials.answered:
        from gan_eval.stats.tables.classes import classes

        tables["classes"] = classes(trials)
    if len(trials.graded):
        from gan_eval.stats.tables.grades import opinion_scores, ratings

        tables |= {"ratings": ratings(trials), "opinion_scores": opinion_scores(trials)}
    if is_adaptive:
        tables["thresholds"] = thresholds(every, settings=staircase)
    if settings.level != NO_PLAN.level or every[settings.level].nunique() > 1:
        from gan_eval.stats.tables.psychometric import psychometric

        tables |= psychometric(trials, plan=settings)
    if trials.answered["confidence"].notna().any():
        from gan_eval.stats.tables.roc import roc

        tables |= roc(trials)
    return tables


def _tables_of_correlations(
    trials: TypedTrials,
    inputs: _Inputs,
    settings: AnalysisSettings,
    *,
    is_interim: bool,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, pd.DataFrame]:
    """Return the agreement of metrics with people; without points for it, say why."""
    images, sets = inputs.images, inputs.sets
    from gan_eval.stats.metrics_and_people.correlations import correlations_and_differences
    from gan_eval.stats.metrics_and_people.points import why_none

    correlations, differences = correlations_and_differences(
        trials.every, image_metrics=images, set_metrics=sets, seed=seed, replicates=settings.replicates
    )
    has_scores = images is not None and trials.pairs["answered"].any()
    if correlations.empty and not has_scores and (trials.every["phase"] == "main").any():
        reason = why_none(trials.every, image_metrics=images, set_metrics=sets)
        say(f"no correlations of metrics with people: {reason}")
    is_sure = (differences["p_holm"] < ALPHA).fillna(False) & (not is_interim)
    differences = differences.assign(follows_better=differences["follows_better"].where(is_sure, None))
    return {"correlations": correlations, "correlation_differences": differences}


def _tables_of_scores(
    trials: TypedTrials, images: pd.DataFrame | None, better: Mapping[str, Better], *, is_interim: bool
) -> dict[str, pd.DataFrame]:
    """Return the 2AFC scores of metrics of pictures; without pairs, no tables."""
    if images is None or trials.pairs.empty:
        return {}
    from gan_eval.stats.metrics_and_people.metric_scores import metric_scores

    scores, differences = metric_scores(trials, images, better=better)
    if is_interim:
        differences = differences.assign(follows_better=None)
    return {"metric_scores": scores, "metric_score_differences": differences}


def _settings_and_departures(
    plan: "AnalysisSettings | None", **options: Any
) -> tuple[AnalysisSettings, AnalysisSettings]:
    """Return the settings of the main analysis, and those that depart from the plan (defaults without a plan)."""
    values = {name: value for name, value in options.items() if value not in (None, ())}
    added = NO_PLAN
    if values:
        from gan_eval.settings.analysis import AnalysisSettings
        from gan_eval.settings.sections import check_options

        added = check_options(AnalysisSettings, values)
    if plan is None:
        return added, NO_PLAN
    if added.margin is None:
        return plan, added
    if plan.margin is not None:
        raise UserError(f"margin {added.margin:g}: the plan has fixed {plan.margin:g}; remove this one")
    return plan.model_copy(update={"margin": added.margin}), added


def _with_departures(
    frames: Mapping[str, pd.DataFrame],
    plan: AnalysisSettings,
    beyond: AnalysisSettings,
    trials: TypedTrials,
    participants: pd.DataFrame | None,
    excluded: int,
) -> dict[str, pd.DataFrame]:
    """Return the tables with the rows that options add to the plan, and with marks on unplanned results."""
    marked = dict(frames)
    if beyond.margin is not None:  # rows that are equivalent by it are exploratory
        has_margin = frames["comparisons"]["margin"].notna().to_numpy(bool)
        noted = _noted(frames["comparisons"], has_margin, "the margin is exploratory, not in the plan")
        equivalent = (noted["verdict"] == "equivalent").fillna(False).to_numpy(bool)
        marked["comparisons"] = noted.assign(
            exploratory=noted["exploratory"].mask(equivalent, True), margin_exploratory=has_margin
        )
    if beyond.covariates:  # add the formulas that the plan does not have
        planned = frames["mixed_models"]
        options = plan.model_copy(update={"covariates": beyond.covariates})
        models = mixed_models(trials, plan=options, participants=participants)
        formulas = set(planned[["formula", "link"]].itertuples(index=False, name=None))
        is_new = [pair not in formulas for pair in models[["formula", "link"]].itertuples(index=False, name=None)]
        marked["mixed_models"] = pd.concat([planned, models[is_new].assign(exploratory=True)], ignore_index=True)
    if excluded:
        note = f"rests on exclusions that are not in the plan ({excluded} trials)"
        for name in ("comparisons", "mixed_models"):
            frame = marked[name]
            marked[name] = _noted(frame, np.ones(len(frame), bool), note).assign(
                exploratory=pd.Series(True, index=frame.index, dtype="boolean")
            )
    return marked


def _noted(table: pd.DataFrame, chosen: np.ndarray, note: str) -> pd.DataFrame:
    """Add a note to the chosen rows, before their own notes."""
    notes = [f"{note}; {cell}" if cell == cell else note for cell in table["note"]]
    return table.assign(note=table["note"].where(~chosen, notes))


def result_table(name: str) -> Table:
    """Return the declaration of a table of results; its module is imported if it is not yet.

    >>> result_table("choices").key
    ('protocol', 'dataset', 'model')
    """
    if name not in RESULTS:
        raise UserError(f"no table {name!r} of an analysis; give the tables that `analyze` returns, by their names")
    table: Table = getattr(import_module(f"gan_eval.{RESULTS[name]}"), name.upper())
    return table


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
        UserError: a name is not that of a table of an analysis.
    """
    # equal tables have equal marks
    run = f"{SET_NAME}-{sha256_json({name: frame.to_csv() for name, frame in frames.items()})[:12]}"
    tables = {result_table(name): frame.assign(run=run) for name, frame in frames.items()}
    with replaced_set(Path(out), SET_NAME) as new:
        new.run = run
        new.source = relative_path(store, Path(out)) if store else ""
        for table, frame in {**(given or {}), **tables}.items():
            checked = frame if table in tables else conform(frame, table, where=f"{table.name}.csv")
            for suffix in SUFFIXES:
                write_frame(checked, new.folder / f"{table.name}{suffix}")
            if table is PAPER:
                write_text(new.folder / "paper.tex", latex(frame))
        if given is None:
            new.staying |= {f"{table.name}{suffix}" for table in STORED_TABLES for suffix in SUFFIXES}
    (Path(out) / MODELS_TEX).unlink(missing_ok=True)  # a report of the earlier tables wrote it
    return [Path(out) / f"{name}.csv" for name in frames]
