"""The analysis: `analyze` makes all tables, `analyze_study` also reads a study's plan and writes them."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow

from gan_eval.base.output_folders import claim_output_folder
from gan_eval.judgements.doubts import doubts_of_covariates
from gan_eval.judgements.readers import NO_SIMULATED, of_people
from gan_eval.judgements.trials import PreparedTrials, TypedTrials, requested_exposure
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.departures import apply_exclusions, models_with_departures, settings_and_departures
from gan_eval.stats.groups import joined, with_holes
from gan_eval.stats.inputs import FrameOrFile, Inputs, MetricValues, read_inputs
from gan_eval.stats.marks.tables import Maps, mark_tables, marked
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS, correlations_and_differences
from gan_eval.stats.metrics_and_people.metric_scores import metric_scores
from gan_eval.stats.metrics_and_people.points import why_none
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.paper import paper
from gan_eval.stats.questions import require_known_models
from gan_eval.stats.recruitment import ALPHA, is_waiting, recruitment
from gan_eval.stats.results import Result
from gan_eval.stats.tables.agreement import agreement
from gan_eval.stats.tables.choices import bradley_terry, choices, preference_results
from gan_eval.stats.tables.classes import classes
from gan_eval.stats.tables.comparisons import COMPARISONS, Departures, compare
from gan_eval.stats.tables.grades import grade_results, opinion_scores, ratings
from gan_eval.stats.tables.hype import hype, threshold_results, thresholds
from gan_eval.stats.tables.psychometric import psychometric
from gan_eval.stats.tables.rates import rates, reaction_times
from gan_eval.stats.tables.robustness import robustness
from gan_eval.stats.tables.roc import roc
from gan_eval.stats.writing import write_analysis
from gan_eval.tables import MARKS, PARTICIPANTS, PLANS, SESSIONS, TRIALS, Table
from gan_eval.tables.directions import Better, require_directions
from gan_eval.tables.frames import frame_of
from gan_eval.tables.personal import left_out_line, without_personal_columns

if TYPE_CHECKING:
    from gan_eval.settings.quiz import StaircaseSettings
    from gan_eval.settings.study import Study
    from gan_eval.store import Store

__all__ = ["Answers", "analyze", "analyze_study", "write_analysis"]

ALWAYS = ("rates", "reaction_times", "mixed_models", "comparisons", "correlations")
"""Tables that are written even without rows."""


def analyze(
    trials: "FrameOrFile | Store | PreparedTrials",
    *,
    image_metrics: MetricValues = None,
    set_metrics: MetricValues = None,
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
    maps: Maps | None = None,
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
        better: `higher` or `lower` by metric, where the name does not say which values are better
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
        table of `gan_eval.stats.all_tables.OF_ANALYSIS` that has rows.

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
    inputs = read_inputs(
        trials,
        image_metrics=image_metrics,
        set_metrics=set_metrics,
        stimuli=stimuli,
        others={PARTICIPANTS: participants, SESSIONS: sessions, PLANS: plans, MARKS: marks},
        say=say,
    )
    require_directions(better or {}, () if inputs.images is None else inputs.images["metric"].unique())
    settings, beyond = settings_and_departures(
        plan, exclude=exclude, exclude_participants=exclude_participants, margin=margin, covariates=covariates
    )
    if settings.comparisons:
        require_known_models(settings, inputs.prepared.trials)
    included, analysed, sensitivity_rows, exclusion_notes = apply_exclusions(
        inputs, settings, beyond, planned=plan is not None
    )
    for line in included.doubts or [included.note] * (included.note != "" and included.trials.empty):
        say(line)
    answers = _answers_of_analysed(inputs.participants, analysed, {*settings.covariates, *beyond.covariates}, say)
    pyarrow.default_memory_pool().release_unused()  # reading and checking text leave twice the size of the file
    excluded = f"rests on exclusions that are not in the plan ({included.beyond} trials)" if included.beyond else ""
    departures = Departures(plan is not None, beyond.margin is not None, excluded)
    compared = compare(analysed, plan=settings, recruited=recruited, grades=grades, departures=departures)
    models = mixed_models(analysed, plan=settings, participants=answers, detection=compared.fit)
    frames = {
        "participation": included.participation,
        **_tables_of_answers(analysed, inputs.shown, settings, staircase=staircase, seed=seed),
        "mixed_models": models_with_departures(models, plan, beyond, analysed, answers, departures),
        "comparisons": frame_of([*compared.rows, *sensitivity_rows], COMPARISONS),
        "correlations": frame_of([], CORRELATIONS),
    }
    if recruited is not None:
        frames["recruitment"] = recruited
    is_interim = is_waiting(recruited)
    if inputs.images is not None or inputs.sets is not None:
        frames |= _tables_of_correlations(analysed, inputs, settings, is_interim=is_interim, seed=seed, say=say)
        frames |= _tables_of_scores(analysed, inputs.images, better or {}, is_interim=is_interim)
    if inputs.marks is not None and len(inputs.marks):
        sizes = pd.concat(inputs.shown.values(), ignore_index=True) if inputs.shown else None
        frames |= mark_tables(marked(inputs.marks, analysed.every, stimuli=sizes, sessions=inputs.sessions), maps)
    frames |= {"robustness": robustness(analysed), "paper": paper(analysed, results_to_cite(frames), compared)}
    return _with_provenance(frames, inputs.prepared, exclusion_notes)


def results_to_cite(frames: Mapping[str, pd.DataFrame]) -> list[Result]:
    """Return the numbers to cite that are not differences."""
    sources = {"bradley_terry": preference_results, "ratings": grade_results, "thresholds": threshold_results}
    return [result for name, results in sources.items() if name in frames for result in results(frames[name])]


def _answers_of_analysed(
    answers: pd.DataFrame | None, trials: TypedTrials, covariates: Iterable[str], say: Callable[[str], None]
) -> pd.DataFrame | None:
    """Return the rows of `participants` of the analysed sessions; say what is doubtful about the covariates."""
    if covariates:
        for line in doubts_of_covariates(sorted(covariates), trials.every, answers):
            say(line)
    if answers is None:
        return None
    return answers[answers["session"].isin(trials.every["session"].unique())].reset_index(drop=True)


def _with_provenance(
    frames: Mapping[str, pd.DataFrame], prepared: PreparedTrials, notes: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return the tables to be written: marked if all answers are simulated, with a note on what was left out."""
    kept = {name: frame for name, frame in frames.items() if len(frame) or name in ALWAYS}
    if len(prepared.trials) and prepared.trials["simulated"].fillna(False).all():
        kept = {name: frame.assign(simulated=True) if "simulated" in frame else frame for name, frame in kept.items()}
    if notes := [note for note in (prepared.note, *notes) if note]:
        rows, is_overall = kept["rates"], kept["rates"]["scope"] == "all"
        rows.loc[is_overall, "note"] = joined(*rows["note"][is_overall].dropna(), *notes)
    return kept


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
        "classes": classes(trials),
    }
    is_adaptive = every["protocol"].isin(ADAPTIVE_PROTOCOLS).any()
    if is_adaptive or np.isinf(requested_exposure(trials.answered)).any():
        tables["hype"] = hype(trials, settings=staircase)
    if len(trials.pairs):
        tables |= {"choices": choices(trials), "bradley_terry": bradley_terry(trials)}
    if len(trials.graded):
        tables |= {"ratings": ratings(trials), "opinion_scores": opinion_scores(trials)}
    if is_adaptive:
        tables["thresholds"] = thresholds(every, settings=staircase)
    if settings.level != NO_PLAN.level or every[settings.level].nunique() > 1:
        tables |= psychometric(trials, plan=settings)
    if trials.answered["confidence"].notna().any():
        tables |= roc(trials)
    return tables


def _tables_of_correlations(
    trials: TypedTrials,
    inputs: Inputs,
    settings: AnalysisSettings,
    *,
    is_interim: bool,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, pd.DataFrame]:
    """Return the agreement of metrics with people; without points for it, say why."""
    images, sets = inputs.images, inputs.sets
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
    scores, differences = metric_scores(trials, images, better=better)
    if is_interim:
        differences = differences.assign(follows_better=None)
    return {"metric_scores": scores, "metric_score_differences": differences}
