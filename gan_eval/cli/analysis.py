"""`gan-eval analyze`: a trials table or a store in, the tables of the statistics out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from gan_eval.cli.options import given, naming, refuse_without_effect, tables_as_json
from gan_eval.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.tables.schema import Table


def analyze(
    context: typer.Context,
    trials: Annotated[Path | None, typer.Argument(help="A trials table; or give --store.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables.")] = None,
    store: Annotated[str | None, typer.Option(help="A results store instead of a trials table.")] = None,
    study: Annotated[str | None, typer.Option(help="With --store: only this study's sessions.")] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="A study file, whose section analysis is the plan; the options below then are exploratory."),
    ] = None,
    image_metrics: Annotated[Path | None, typer.Option(help="Metric values of single pictures.")] = None,
    set_metrics: Annotated[Path | None, typer.Option(help="Metric values of sets.")] = None,
    stimuli: Annotated[
        list[Path] | None,
        typer.Option(metavar="SET", help="A stimulus set that was shown: rates by kind and size of hole. Repeatable."),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave trials out by a rule such as 'reaction_time_ms<200'.")
    ] = None,
    exclude_participants: Annotated[
        list[str] | None,
        typer.Option(help="Leave participants out by a rule on the table participation: 'catch_accuracy<0.8'."),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Margin of equivalence as a share, such as 0.05 for 5 points.")
    ] = None,
    covariate: Annotated[
        list[str] | None, typer.Option(help="A question, or a further column of the trials, for a mixed model.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tables to stdout as JSON.")] = False,
) -> None:
    """Everything that a trials table says, as tables.

    Always: rates, reaction_times, mixed_models, comparisons, correlations. Where there is something to say:
    participation, detection, reaction_time_models, speed_accuracy, choices, bradley_terry, ratings, opinion_scores,
    raters, agreement, thresholds, hype, model_checks, correlation_differences, metric_models.

    The tables participants and sessions are read from the store, or from participants.csv and sessions.csv beside the
    trials.
    """
    if (trials is None) == (store is None):
        raise UserError("analyze: give either a trials table or --store")
    if store is None:
        refuse_without_effect(context, ["study"], "chooses among the studies of a --store; leave it out")
    if out is None:
        raise UserError("analyze: --out is missing; name a folder for the tables")
    from gan_eval import tables, tabular
    from gan_eval.file_sets import finish_cut_off
    from gan_eval.files import check_output_folder, claim_output_folder
    from gan_eval.settings.study import load_study, naming_study
    from gan_eval.stats import analyze as analyze_trials
    from gan_eval.stats import write_analysis
    from gan_eval.stats.rules import parse_rule

    check_output_folder(out)
    for option, rules in (("--exclude", exclude), ("--exclude-participants", exclude_participants)):
        for rule in rules or ():
            with naming(option):
                parse_rule(rule)
    planned = load_study(plan, only_plan=True) if plan else None
    finish_cut_off(*(file.parent for file in (trials, image_metrics, set_metrics) if file))
    found = _of_store(store, study) if store is not None else _of_files(trials or Path(), out)
    shown = _shown(stimuli, found.trials) if stimuli else None
    with naming_study(plan), naming("--covariate", instead="analysis.covariates", of=covariate or ()):
        answers = analyze_trials(
            found.trials,
            image_metrics=tabular.read_table(image_metrics, tables.IMAGE_METRICS) if image_metrics else None,
            set_metrics=tabular.read_table(set_metrics, tables.SET_METRICS) if set_metrics else None,
            exclude=tuple(exclude or ()),
            exclude_participants=tuple(exclude_participants or ()),
            margin=margin,
            covariates=tuple(covariate or ()),
            participants=found.participants,
            sessions=found.sessions,
            stimuli=shown,
            **(
                given(plan=planned.analysis, staircase=planned.quiz.staircase, seed=planned.study.seed)
                if planned
                else {}
            ),
        )
    claim_output_folder(out)
    write_analysis(answers, out, given=found.given)
    typer.echo(tables_as_json(answers) if as_json else out)


class _Found(NamedTuple):
    """The tables that are analysed."""

    trials: "pd.DataFrame"
    participants: "pd.DataFrame | None"
    sessions: "pd.DataFrame | None"
    given: "dict[Table, pd.DataFrame]"
    """All that was given, to be written beside the analysis: the report shows it."""


def _shown(sets: list[Path], trials: "pd.DataFrame") -> "pd.DataFrame":
    """The stimuli of all sets.

    Raises:
        UserError: no such set, or one of which nothing was shown.
    """
    import pandas as pd

    from gan_eval.stimuli.sets import read_stimulus_tables

    tables = {folder: read_stimulus_tables([folder]) for folder in sets}
    for folder, known in tables.items():
        if not known.loc[known["kind"] == "fake", "stimulus"].isin(trials["stimulus"]).any():
            raise UserError(
                f"--stimuli {folder}: none of its generated pictures is in the trials; name a set that was shown"
            )
    return pd.concat(tables.values(), ignore_index=True)


def _of_store(store: str, study: str | None) -> _Found:
    from gan_eval import tables
    from gan_eval.study.sessions import read_quiz_tables

    found = read_quiz_tables(store, study)
    if found[tables.TRIALS].empty:
        raise UserError(f"--store {store}: no trials{f' of the study {study}' if study else ''} in it")
    return _Found(found[tables.TRIALS], found[tables.PARTICIPANTS], found[tables.SESSIONS], found)


def _of_files(file: Path, out: Path) -> _Found:
    """A trials table with what lies beside it; all of it where the analysis is written to the same place."""
    from gan_eval import tables
    from gan_eval.stats.importing import read_trials
    from gan_eval.stats.trials import fill_trials, usable
    from gan_eval.store import STORED_TABLES
    from gan_eval.tabular import faults, holds_table, read_table

    trials = read_trials(file)
    named = usable(trials, where=str(file))
    if len(named.trials) < len(trials):  # the rows that are left have other numbers than in the file
        for row, column, reason in faults(trials, tables.TRIALS):
            if trials[column].notna()[row]:
                raise UserError(f"{file}: row {row + 1}, column {column}: {reason}")
    given = {tables.TRIALS: fill_trials(named.trials, where=str(file))}
    stays = file.resolve().parent == out.resolve()
    for table in STORED_TABLES:
        beside = file.with_name(f"{table.name}.csv")
        if table in (tables.PARTICIPANTS, tables.SESSIONS):
            is_given = beside.is_file()
        else:
            is_given = stays and table != tables.TRIALS and holds_table(beside, table)
        if is_given:
            given[table] = read_table(beside, table)
    return _Found(trials, given.get(tables.PARTICIPANTS), given.get(tables.SESSIONS), given)
