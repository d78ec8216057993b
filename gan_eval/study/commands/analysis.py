"""The commands `analyze` and `power`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_eval.base.errors import UserError, naming
from gan_eval.base.file_sets import replaced_set, settled
from gan_eval.base.output_folders import check_output_folder, claim_output_folder, refuse_of_others, study_folder_of
from gan_eval.base.progress import about
from gan_eval.base.reading import Place, place_of, resolved
from gan_eval.base.threads import usable_cores
from gan_eval.pictures.sets import TABLE_NAME, read_sets, read_stimulus_tables, require_presented
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.sections import check_options
from gan_eval.settings.study import Study, load_study
from gan_eval.study.commands.console import Console, print_next_command
from gan_eval.study.commands.options import (
    Cluster,
    LargestMember,
    Maps,
    Out,
    Stimuli,
    Store,
    check_rules,
    given_options,
    parse_pairs,
    refuse_without_effect,
    repeated,
    setting,
    table_or_store,
    tables_as_json,
    values_of_options,
    with_settings,
)
from gan_eval.tables import IMAGE_METRICS, MARKS, SET_METRICS, STORED_TABLES, TRIALS
from gan_eval.tables import frames as tabular
from gan_eval.tables.frames import Row, holds_table, read_table
from gan_eval.tables.schema import Table

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.metrics.maps import PictureMaps
    from gan_eval.stats.analysis import Answers
    from gan_eval.stats.inputs import ReadTable


def analyze(
    trials: Annotated[Place | None, typer.Argument(parser=place_of, help="A trials table; or give --store.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables.")] = None,
    store: Store = None,
    study: Annotated[str | None, typer.Option(help="With --store: only this study's sessions.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="A study file with the plan; rules and margin given here are then exploratory.")
    ] = None,
    image_metrics: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Metric values of single pictures, ours or another program's, in any format of trials import "
            "([METRIC=]FILE). Repeatable.",
        ),
    ] = [],
    set_metrics: Annotated[list[Path], typer.Option(metavar="FILE", help="Metric values of sets. Repeatable.")] = [],
    better: Annotated[
        list[str],
        typer.Option(
            metavar="METRIC=WORD",
            help="Which values of a metric are better: higher or lower, if not known. Repeatable.",
        ),
    ] = [],
    stimuli: Stimuli = [],
    maps: Maps = [],
    exclude: Annotated[list[str], setting(AnalysisSettings, "exclude", metavar="RULE")] = [],
    exclude_participants: Annotated[list[str], setting(AnalysisSettings, "exclude_participants", metavar="RULE")] = [],
    margin: Annotated[float | None, setting(AnalysisSettings, "margin")] = None,
    largest_member: LargestMember = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tables to stdout as JSON.")] = False,
) -> None:
    """Analyze a trials table: write all tables of results.

    Always: rates, reaction_times, mixed_models, comparisons, correlations. If the trials allow it:
    participation, choices, bradley_terry, ratings, opinion_scores, agreement, thresholds, hype,
    psychometric, psychometric_levels, roc, roc_points, correlation_differences, metric_scores,
    metric_score_differences, robustness, and paper: the table to cite, which comes as paper.tex too. If people
    marked where they saw it: mark_agreement and, with --stimuli, mark_maps, mark_map_differences, mark_regions.

    If the study plans a number of people, also recruitment: until all have come, verdicts are `interim`.

    The tables participants, sessions and marks are read from the store, or from participants.csv,
    sessions.csv and marks.csv in the trials' folder.
    """
    source, file = table_or_store(trials, store, usage="analyze: give either a trials table or --store")
    if file is not None and study is not None:
        raise UserError("--study: chooses among the studies of a --store; remove it")
    if out is None:
        raise UserError("analyze: --out is missing; name a folder for the tables")
    with Console() as console, console.working("analysis"):
        from gan_eval.stats.analysis import analyze_study

        check_output_folder(out)
        refuse_of_others(out, "tables")
        check_rules("--exclude", exclude)
        check_rules("--exclude-participants", exclude_participants)
        planned = load_study(plan, only_plan=True) if plan else None
        if file is None:
            answers = _answers_of_store(source, study, planned)
        else:
            answers = _answers_of_files(file, planned, out, console.message)
        metrics = _read_metrics(image_metrics, set_metrics, answers, out)
        with (
            naming(f"{plan}: " if plan else "", only="analysis."),
            naming("--exclude: ", only="trials: "),
            naming("--exclude-participants: ", only="participation: "),
        ):
            results, counted = analyze_study(
                answers,
                out,
                stimuli=stimuli,
                maps=_maps(answers, stimuli, maps),
                extra=_to_copy(metrics, out),
                image_metrics=metrics.get(IMAGE_METRICS),
                set_metrics=metrics.get(SET_METRICS),
                better=parse_pairs(better, "--better"),
                exclude=exclude,
                exclude_participants=exclude_participants,
                margin=margin,
                on_message=console.message,
            )
        for line in _read_as(answers):
            console.message(line)
        _print_answer(console, results, counted, answers.study if file is None else None)
    print_next_command("report", str(out), *repeated("--stimuli", stimuli), *repeated("--maps", maps))
    typer.echo(tables_as_json(results) if as_json else out)


def _read_metrics(
    image_metrics: Sequence[Path], set_metrics: Sequence[Path], answers: "Answers", out: Path
) -> "dict[Table, ReadTable]":
    """Read the metric tables once, so that those that are copied are those that are analysed."""
    from gan_eval.judgements.readers import of_people
    from gan_eval.stats.inputs import ReadTable, read_set_metrics

    read = {}
    with settled(*(file.parent for file in (*image_metrics, *set_metrics)), out):
        if image_metrics:
            from gan_eval.judgements.external_values import read_image_metrics

            trials = (answers.tables if answers.prepared else of_people(answers.tables))[TRIALS]
            frame, lines = read_image_metrics(image_metrics, trials)
            read[IMAGE_METRICS] = ReadTable(frame, ", ".join(map(str, image_metrics)), lines)
        if set_metrics:
            read[SET_METRICS] = ReadTable(read_set_metrics(set_metrics), ", ".join(map(str, set_metrics)))
    return read


def _to_copy(metrics: "Mapping[Table, ReadTable]", out: Path) -> "dict[Table, pd.DataFrame]":
    """Return the metric tables to copy next to their correlations for the report, unless `out` has others already."""
    from gan_eval.stats.writing import SET_NAME

    with settled(out) as sets:
        ours = {file for one in sets.get(out, []) if one.name == SET_NAME for file in one.files}
    return {
        table: read.frame
        for table, read in metrics.items()
        if f"{table.name}.csv" in ours or not (out / f"{table.name}.csv").exists()
    }


def _read_as(answers: "Answers") -> list[str]:
    """Return what a table of another program, which did not measure onsets, was read as; empty for a store."""
    from gan_eval.judgements.read_as import lines_of, of_table

    trials, covariates = answers.tables[TRIALS], answers.study.analysis.covariates if answers.study else ()
    return lines_of(of_table(trials, covariates)) if answers.prepared and trials["onset_ms"].isna().all() else []


def _print_answer(
    console: "Console",
    answers: "Mapping[str, pd.DataFrame]",
    stored: "Mapping[Table, pd.DataFrame]",
    study: Study | None,
) -> None:
    """Print the first sentence of the report, the table to cite, and the number of participants left out of it.

    Args:
        study: the study whose question was asked; None: not known.
    """
    from gan_eval.report.parts.folder import StudyFolder
    from gan_eval.report.people.answer import answer_sentences
    from gan_eval.settings.facts import Facts
    from gan_eval.stats.cited import one_kind_sentence, printed, unadjusted

    tables = {table.name: frame for table, frame in stored.items()} | dict(answers)
    tables = {name: frame for name, frame in tables.items() if len(frame)}
    folder = StudyFolder(Path(), study, Facts(), tables, stimuli={}, training={}, published={})
    for sentence in islice(answer_sentences(folder), 1):
        console.message(sentence, wrap=True)
    if "paper" in answers:
        results = folder.results
        if note := unadjusted(results.cited):
            console.message("In brackets 95% intervals. " * results.has_intervals + note, wrap=True)
        console.table(*printed(results, without=["dprime"]))  # accuracy has the same information as d′
        if left_out := one_kind_sentence(results):
            console.message(left_out, wrap=True)


def _answers_of_store(store: Place, name: str | None, planned: Study | None) -> "Answers":
    """Read the answers to the named study of a store; a study's folder next to it knows how many people are wanted."""
    from gan_eval.judgements.readers import stored_tables
    from gan_eval.stats.analysis import Answers
    from gan_eval.store import open_store

    with open_store(store, create=False) as opened:
        stored = stored_tables(opened, name)
    if stored[TRIALS].empty:
        raise UserError(f"--store {store}: no trials{f' of the study {name}' if name else ''} in it")
    near = None
    if study_folder_of(store):
        from gan_eval.study.sessions import plan_of_store

        near = plan_of_store(store, name)
    study = planned or (near and near.study)
    people = study.quiz.participants if study else None
    return Answers(stored, planned, people, store=store if isinstance(store, Path) else None)


def _answers_of_files(file: Path, planned: Study | None, out: Path, say: Callable[[str], None]) -> "Answers":
    """Read a trials table and fill its columns; also read the tables next to it that an analysis uses or keeps."""
    from gan_eval.judgements.readers import tables_to_analyze
    from gan_eval.judgements.trials import prepare_trials
    from gan_eval.stats.analysis import Answers

    with settled(file.parent):  # finish an interrupted replacement
        frames = tables_to_analyze(file, say=say).tables
    prepared = prepare_trials(frames[TRIALS], where=str(file), of_file=True)
    frames[TRIALS] = prepared.trials
    if resolved(file).parent == resolved(out):
        others = {table: file.with_name(f"{table.name}.csv") for table in STORED_TABLES if table not in frames}
        frames |= {table: read_table(path, table) for table, path in others.items() if holds_table(path, table)}
    has_number = planned is not None and "participants" in planned.quiz.model_fields_set
    return Answers(frames, planned, planned.quiz.participants if planned and has_number else None, prepared)


def _maps(answers: "Answers", stimuli: Sequence[Path], maps: Sequence[str]) -> "PictureMaps | None":
    """Return the maps to compare with marks; refuse sets without pictures that people saw, and maps without marks."""
    for folder in stimuli:
        shown = answers.tables[TRIALS].reindex(columns=["stimulus", "stimulus_b"]).melt()["value"].dropna()
        require_presented(folder, read_stimulus_tables([folder]), {*shown})
    if stimuli and len(answers.tables.get(MARKS, ())):
        from gan_eval.metrics.maps import PictureMaps
        from gan_eval.metrics.run.inputs import stimuli_of_sets

        return PictureMaps(stimuli_of_sets(stimuli), parse_pairs(maps, "--maps"))
    if maps:
        raise UserError(f"--maps {maps[0]}: needs --stimuli SET, and marks in the store or next to the trials")
    return None


@partial(with_settings, [PowerSettings])
def power(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(help="The study file (TOML).")],
    out: Out,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: the usable cores.")] = None,
    cluster: Cluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="The table to stdout as JSON.")] = False,
    **settings: Any,
) -> None:
    """Find the number of people to invite: simulate the study's design and analyse each simulated study as planned.

    The assumptions and the numbers to try come from the section power of the study file.

    Writes power.csv into --out, which may be the study's folder: its stimulus sets are the pool then.
    """
    if cluster is not None:
        refuse_without_effect(context, ["workers"], f"--cluster {cluster} has its own; remove one of them")

    checked = load_study(study)
    values = checked.power.model_dump() | values_of_options(PowerSettings, given_options(**settings))
    assumptions = check_options(PowerSettings, values)

    with Console() as console, console.working("power: the design"):
        from gan_eval.study.power import require_power_is_defined

        require_power_is_defined(checked.quiz, where=str(study))
        pool = _pool(checked, study, out, assumptions.stimuli)
        models = sorted({str(row["model"]) for row in pool if row["model"]})
        for name in assumptions.fooling_rates:
            if name not in models:
                raise UserError(f"{study}: power.fooling_rates.{name}: no such model; it has {', '.join(models)}")
        from gan_eval.stats.power.planning import POWER, printed, sentences
        from gan_eval.study.power import plan_power

    claim_output_folder(out)
    with ExitStack() as stack:
        console, run_tasks = stack.enter_context(Console()), None
        if cluster is not None:
            from gan_eval.study.cluster import connected

            run_tasks = stack.enter_context(connected(cluster, None, console, threads=1)).in_parallel
        console.progress(0, 0, "power", unit="studies")
        plan = plan_power(
            checked,
            pool,
            settings=assumptions,
            workers=workers or usable_cores(),
            run_tasks=run_tasks,
            where=str(study),
            on_progress=about("power", console.progress, unit="studies"),
        )
        with replaced_set(out, "power") as new:
            tabular.write_table(plan.table, new.folder / "power.csv", POWER)
    answer, *others = sentences(plan)
    console.message(answer, wrap=True)
    caption, heads, rows = printed(plan)
    console.table(heads, rows, caption=caption)
    for line in others:
        console.message(line, wrap=True)
    typer.echo(tables_as_json({"power": plan.table}) if as_json else out)


def _pool(study: Study, file: Path, out: Path, size: int | None) -> list[Row]:
    """Return the requested pool, else the study's stimulus sets; refuse a study without either."""
    from gan_eval.study.plan import Plan
    from gan_eval.study.power import planned_stimuli, versions_of

    folders = Plan(study, file, out, None).stimulus_folders()
    existing = [folder for folder in folders.values() if (folder / TABLE_NAME).is_file()]
    if size is None:
        if len(existing) < len(folders):
            missing = next(folder for folder in folders.values() if folder not in existing)
            raise UserError(
                f"{file}: no stimuli in {missing} yet, so the pool's size is unknown; give --stimuli N (pictures of "
                "each class), or stimuli under [power], or --out with the study's folder"
            )
        return list(read_sets(folders.values()).rows)
    versions = versions_of(study, read_sets(existing).rows if existing else ())
    if not versions:
        raise UserError(f"{file}: no [models.NAME], and none of stimuli.sets exists yet, so the models are not known")
    return planned_stimuli(versions, size)
