"""The commands, thin: each reads its options, calls one function and shows what came out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_eval import __version__
from gan_eval.cli_data import data_app
from gan_eval.cli_groups import stimuli_app, trials_app, weights_app
from gan_eval.cli_metrics import metrics
from gan_eval.cli_model import model_app
from gan_eval.cli_options import (
    DataRoot,
    Out,
    design_of_options,
    given,
    quiz_of_options,
    refuse_beside_study,
    session_summary,
    tables_as_json,
)
from gan_eval.cli_train import generate, train
from gan_eval.errors import UserError
from gan_eval.launch import require_one_process, restart_with_allocator_settings

if TYPE_CHECKING:
    import pandas as pd


app = typer.Typer(
    name="gan-eval",
    help="Can people tell generated pictures from photographs? Train, show, measure, answer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(stimuli_app, name="stimuli")
app.add_typer(weights_app, name="weights")
app.add_typer(trials_app, name="trials")
app.add_typer(model_app, name="model")
app.add_typer(data_app, name="data")

Redo = Annotated[list[str] | None, typer.Option("--redo", help="Move this stage's results aside and make them again.")]
Simulate = Annotated[
    str | None,
    typer.Option("--simulate", help="Rehearse without people: 'default' or 'dprime=1.2,criterion=0.1,lapse=0.02'."),
]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Tell the version.")] = False) -> None:
    if version:
        typer.echo(f"gan_eval {__version__}")
        raise typer.Exit


@app.command()
def demo(
    out: Out = Path("demo"),
    simulate: Simulate = None,
) -> None:
    """Do a whole small study with pictures that come with a package: train, show, measure, report."""
    from gan_eval.console import Console
    from gan_eval.demo import run_demo

    require_one_process("demo")
    restart_with_allocator_settings()
    with Console() as console:
        report_file = run_demo(out, console, simulate=simulate)
    typer.echo(report_file)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="The study file (TOML).")],
    out: Out,
    data_root: DataRoot = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Touch every stage with few steps and pictures.")] = False,
    fraction: Annotated[float, typer.Option(help="Share of the planned training steps, above 0 up to 1.")] = 1.0,
    redo: Redo = None,
    only: Annotated[str | None, typer.Option("--only", help="Do this stage alone.")] = None,
    simulate: Simulate = None,
) -> None:
    """Do what is missing of a study: train, generate, metrics, quiz, analyze, report."""
    from gan_eval import pipeline
    from gan_eval.console import Console
    from gan_eval.plan import make_plan
    from gan_eval.stages import list_stages

    require_one_process("run")
    restart_with_allocator_settings()
    plan = make_plan(
        study, out, data_root=data_root, fraction=fraction, smoke=smoke, simulate=simulate, redo=bool(redo)
    )
    with Console() as console:
        pipeline.run(list_stages(plan), plan.folder, console, redo=redo or (), only=only)
    if only is None:
        typer.echo(plan.folder / "report.html")


app.command()(train)
app.command()(generate)


@app.command()
def quiz(
    study: Annotated[
        Path | None, typer.Argument(help="A study file, with --out its folder; or give --stimuli.")
    ] = None,
    participant: Annotated[str, typer.Option(help="The participant's pseudonym, such as P01.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="With a study: its folder.")] = None,
    stimuli: Annotated[list[Path] | None, typer.Option(help="A stimulus set; may be given several times.")] = None,
    store: Annotated[str | None, typer.Option(help="Results store: a path or a database URL.")] = None,
    real: Annotated[int | None, typer.Option(help="Real pictures of each data set; default: 25.")] = None,
    fake: Annotated[int | None, typer.Option(help="Generated pictures of each data set; default: 25.")] = None,
    exposure_ms: Annotated[str | None, typer.Option(help="A fixed flash in ms, or until-answer (the default).")] = None,
    response_ms: Annotated[
        float | None, typer.Option(help="Longest time from onset to the answer in ms; default: 4000.")
    ] = None,
    keys: Annotated[str | None, typer.Option(help="The two answer keys; default: real=j,fake=f.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of the draw; default: 0.")] = None,
    list_number: Annotated[int | None, typer.Option("--list", help="Which dealt list; default: by arrival.")] = None,
    windowed: Annotated[bool, typer.Option("--windowed", help="A window instead of the full screen.")] = False,
    intro: Annotated[bool, typer.Option("--intro/--no-intro", help="Start page and end page.")] = True,
    simulate: Simulate = None,
) -> None:
    """Show real and generated pictures to one participant and store each answer."""
    if (study is None) == (not stimuli):
        raise UserError("quiz: give either a study file with --out, or --stimuli SET")
    if not participant:
        raise UserError("quiz: --participant is missing; give a pseudonym such as P01")
    how: dict[str, Any] = {"windowed": windowed, "intro": intro, "simulate": simulate, "list_number": list_number}
    options = given(real=real, fake=fake, exposure_ms=exposure_ms, response_ms=response_ms, keys=keys)
    if study is not None:
        from gan_eval.plan import open_plan
        from gan_eval.sessions import quiz_session

        if out is None:
            raise UserError("quiz: --out is missing; name the study's folder")
        refuse_beside_study({**options, **given(seed=seed)}, study)
        result = quiz_session(open_plan(study, out), participant, store=store, **how)
    else:
        from gan_eval.quiz import run_session
        from gan_eval.stimuli import read_sets

        settings = quiz_of_options(options)
        pool = read_sets(stimuli or [])
        result = run_session(
            [pool],
            settings,
            participant=participant,
            store=store or "gan-eval.sqlite",
            study_name="ad-hoc",
            design_hash=design_of_options(settings, pool),
            seed=seed or 0,
            **how,
        )
    for line in (*result.warnings, session_summary(result)):
        typer.echo(line, err=True)


app.command()(metrics)


@app.command()
def analyze(
    trials: Annotated[Path | None, typer.Argument(help="A trials table; or give --store.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables.")] = None,
    store: Annotated[str | None, typer.Option(help="A results store instead of a trials table.")] = None,
    study: Annotated[str | None, typer.Option(help="With --store: only this study's sessions.")] = None,
    image_metrics: Annotated[Path | None, typer.Option(help="Metric values of single pictures.")] = None,
    set_metrics: Annotated[Path | None, typer.Option(help="Metric values of sets.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A rule such as 'reaction_time_ms<200'.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tables to stdout as JSON.")] = False,
) -> None:
    """Rates, detection, mixed models, comparisons and correlations of a trials table."""
    if (trials is None) == (store is None):
        raise UserError("analyze: give either a trials table or --store")
    if out is None:
        raise UserError("analyze: --out is missing; name a folder for the tables")
    from gan_eval import tables, tabular
    from gan_eval.files import claim_output_folder
    from gan_eval.sessions import read_quiz_tables, write_quiz_tables
    from gan_eval.stats import analyze as analyze_trials
    from gan_eval.stats import write_analysis

    if store is not None:
        found = read_quiz_tables(store, study)
        if not found[tables.TRIALS]:
            raise UserError(f"--store {store}: no trials{f' of the study {study}' if study else ''} in it")
        frame = tabular.frame_of(found[tables.TRIALS], tables.TRIALS)
    else:
        found = {}
        frame = tabular.read_table(trials or Path(), tables.TRIALS)
    answers = analyze_trials(
        frame,
        image_metrics=tabular.read_table(image_metrics, tables.IMAGE_METRICS) if image_metrics else None,
        set_metrics=tabular.read_table(set_metrics, tables.SET_METRICS) if set_metrics else None,
        exclude=tuple(exclude or ()),
    )
    claim_output_folder(out)
    write_quiz_tables(found, out)
    write_analysis(answers, out)
    _show_tables(answers, out, as_json=as_json)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A study's folder, or one with its tables.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The HTML file; default: report.html in the folder.")
    ] = None,
) -> None:
    """Make one self-contained HTML file from a study's tables."""
    from gan_eval.report import build

    typer.echo(build(folder, out or folder / "report.html"))


@app.command()
def doctor() -> None:
    """Tell what is missing on this machine: libraries, display, weights, GPU."""
    from gan_eval.doctor import examine

    findings = examine()
    for finding in findings:
        mend = f" — {finding.mend}" if finding.mend else ""
        typer.echo(f"{finding.status:8} {finding.what}: {finding.detail}{mend}")


def _show_tables(frames: "dict[str, pd.DataFrame]", out: Path, *, as_json: bool) -> None:
    typer.echo(tables_as_json(frames) if as_json else out)
