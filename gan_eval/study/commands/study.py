"""The commands for a whole study: `demo`, `try`, `study new`, `run` and `report`."""

import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gan_eval.base.errors import UserError
from gan_eval.base.locks import refuse_if_held
from gan_eval.base.output_folders import check_output_file
from gan_eval.base.system_libraries import missing_display
from gan_eval.settings.examples import TEMPLATES, TRAINING, Values
from gan_eval.study import markers
from gan_eval.study.commands.console import Console, print_next_command, say
from gan_eval.study.commands.options import (
    Cluster,
    DataRoot,
    FitOption,
    LargestMember,
    Maps,
    Out,
    Paired,
    Simulate,
    Stimuli,
    TarKey,
    Threads,
    White,
    files_of_pairs,
    on_command_line,
    refuse_without_effect,
    typed_words,
)

if TYPE_CHECKING:
    from gan_eval.tables.frames import Row

study_app = typer.Typer(help="Study files: one TOML file describes an experiment.", no_args_is_help=True)

Opens = Annotated[bool, typer.Option("--open/--no-open", help="Open the report at the end, where there is a screen.")]
Redo = Annotated[list[str], typer.Option("--redo", help="Move this stage's results aside and make them again.")]


def open_page(page: Path) -> None:
    """Open a page in the browser, if there is a screen."""
    import webbrowser

    if missing_display() is None:
        with suppress(webbrowser.Error):
            webbrowser.open(page.resolve().as_uri())


def demo(
    context: typer.Context,
    out: Out = Path("demo"),
    simulate: Simulate = None,
    threads: Threads = None,
    opens: Opens = True,
) -> None:
    """Do a whole small study with pictures that come with a package: train, show, measure, report."""
    from gan_eval.study.demo import run_demo

    with Console() as console:
        report_file = run_demo(out, console, again=typed_words(context), simulate=simulate, threads=threads)
    typer.echo(report_file)
    if opens:
        open_page(report_file)


def try_pictures(
    context: typer.Context,
    real: Annotated[Path, typer.Argument(metavar="REAL", help="Folder of real pictures.")],
    fakes: Annotated[
        list[Path],
        typer.Argument(metavar="FAKE", help="Folder (or zip, npz, Parquet, tar) of generated pictures for each model."),
    ],
    out: Out = Path("answer"),
    quiz: Annotated[
        bool, typer.Option("--quiz/--no-quiz", help="A quiz of 20 pictures or more, where there is a screen.")
    ] = True,
    paired: Paired = None,
    tar_key: TarKey = None,
    largest_member: LargestMember = None,
    fit: Annotated[FitOption | None, typer.Option(help="Cut or stretch pictures of another shape.")] = None,
    white: White = None,
    picture_size: Annotated[
        int | None,
        typer.Option(min=1, max=16_384, help="Width in the quiz; default: the largest multiple that fits the screen."),
    ] = None,
    threads: Threads = None,
    opens: Opens = True,
) -> None:
    """Turn folders of real and generated pictures into a report: import, metrics, a short quiz, audit."""
    from gan_eval.study.two_folders import try_folders

    with Console() as console:
        report_file = try_folders(
            real,
            fakes,
            out,
            console,
            again=typed_words(context),
            paired=paired,
            tar_key=tar_key,
            fit=fit,
            white=white,
            quiz=quiz,
            threads=threads,
            picture_size=picture_size,
            ask=console.ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        )
    typer.echo(report_file)
    if opens:
        open_page(report_file)


@study_app.command("new")
def study_new(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.toml", help="The new study file.")],
    stimuli: Annotated[
        list[Path],
        typer.Option(metavar="SET", help="A stimulus set that the study shows. Repeatable; nothing is trained then."),
    ] = [],
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="Begin with pairs, staircase, grades, inpainting or online.")
    ] = None,
    every_key: Annotated[bool, typer.Option("--all", help="Write every key, not only those that people set.")] = False,
) -> None:
    """Write a study file with the keys that people set, each with its default and its meaning."""
    from gan_eval.pictures.sets import read_set
    from gan_eval.settings.template import study_name, write_study
    from gan_eval.study.plan import metrics_for

    if out.suffix.lower() != ".toml":
        raise UserError(f"--out {out}: expected a name that ends in .toml, such as {out}.toml")
    example = _template(template, trains=not stimuli)
    rows = [row for folder in stimuli for row in read_set(folder).rows]
    models = {} if stimuli or "models" in example else TRAINING
    values = {**models, **example, "study": {"name": study_name(out.stem), **example.get("study", {})}}
    values["quiz"] = {**example.get("quiz", {}), **_counts_of(rows, example.get("quiz", {}))}
    write_study(out, {**values, **metrics_for(rows)}, sets=stimuli, every_key=every_key)
    words = ["run", str(out), "--out", str(out.with_suffix(""))]
    if not stimuli:
        (data,) = values["data"]
        fetch = shlex.join(["gan-eval", "data", "fetch", data, "--data-root", "DATA"])
        say(f"its example trains on {data}: {fetch}" if models else f"it trains on your photographs in DATA/{data}")
        words += ["--data-root", "DATA"]
    if template == "online":
        say(f"{out}: put your own completion codes in place of CODE1, CODE2 and CODE3")
    print_next_command(*words, remark="with --smoke: a rehearsal of all stages")
    typer.echo(out)


def _template(name: str | None, *, trains: bool) -> Values:
    """Return what a template sets; nothing without a name."""
    if name is None:
        return {}
    if name not in TEMPLATES:
        raise UserError(f"--template {name}: expected one of {', '.join(TEMPLATES)}")
    if "models" in TEMPLATES[name] and not trains:
        raise UserError(f"--template {name}: trains a model of its own; remove --stimuli, or the template")
    return TEMPLATES[name]


def _counts_of(rows: "Sequence[Row]", quiz: Values) -> dict[str, int]:
    """Return the wanted numbers of pictures, or the largest that every data set allows; none without real pictures."""
    from gan_eval.quiz.draw.choose import possible_counts
    from gan_eval.quiz.draw.offers import pools_of
    from gan_eval.settings.quiz import QuizSettings

    settings = QuizSettings(**quiz)
    with suppress(UserError, ValueError):  # without rows there is no smallest one
        counts = [possible_counts(pool, settings)[0] for pool in pools_of(rows, settings).values()]
        if settings.shows_pairs:
            return {"pairs": min(each.generated for each in counts)}
        return {"real": min(each.real for each in counts), "fake": min(each.generated for each in counts)}
    return {}


def run(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(help="The study file (TOML).")],
    out: Out,
    data_root: DataRoot = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Do every stage with few steps and pictures.")] = False,
    fraction: Annotated[float, typer.Option(help="Share of the planned training steps, above 0 up to 1.")] = 1.0,
    redo: Redo = [],
    only: Annotated[str | None, typer.Option("--only", help="Do this stage alone.")] = None,
    simulate: Simulate = None,
    threads: Threads = None,
    cluster: Cluster = None,
) -> None:
    """Do the missing stages of a study: train, generate, audit, metrics, quiz, analyze, report.

    Until all participants have come, it writes an interim report and prints the next session's command.
    """
    if smoke:
        refuse_without_effect(context, ["fraction"], "a smoke run makes few steps of any planned number")
    from gan_eval.settings.study import load_study
    from gan_eval.study.plan import Plan, make_plan
    from gan_eval.study.sessions import pending_sessions
    from gan_eval.study.stages import list_stages

    refuse_if_held(*markers.run_lock(out))
    if on_command_line(context, "fraction") and not load_study(study).models:
        raise UserError(f"--fraction: {study} trains no model; remove it")
    if names := [*redo, *([only] if only else [])]:
        markers.require_known(names, list_stages(Plan(load_study(study), study, out, data_root)))
    plan = make_plan(
        study, out, data_root=data_root, fraction=fraction, smoke=smoke, simulate=simulate, redo=bool(redo),
        threads=threads,
    )  # fmt: skip
    with ExitStack() as stack:
        console, elsewhere = stack.enter_context(Console()), None
        if cluster is not None:
            from gan_eval.study.cluster import connected

            machines = stack.enter_context(connected(cluster, plan.folder, console, threads=threads))
            elsewhere, plan = machines.do_stages, replace(plan, run_tasks=machines.in_parallel)
        markers.run(list_stages(plan), plan.folder, console, redo=redo, only=only, elsewhere=elsewhere)
        for line in pending_sessions(plan) if only in (None, "quiz") else ():
            console.message(line)
    if only is None:
        typer.echo(plan.folder / "report.html")


def report(
    folder: Annotated[Path, typer.Argument(help="A study's folder, or one with its tables.")],
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file; default: in the folder.")] = None,
    figures: Annotated[
        list[str],
        typer.Option("--figure", metavar="[marks=]FILE", help="Also figure 1, or where people saw it. Repeatable."),
    ] = [],
    figure_width: Annotated[
        float | None, typer.Option(min=60, max=400, help="Width of --figure in mm; default: 180. Below 130: stacked.")
    ] = None,
    panels: Annotated[
        str | None, typer.Option(metavar="LETTERS", help="Panels of figure 1, such as ab; default: all that fit.")
    ] = None,
    stimuli: Stimuli = [],
    maps: Maps = [],
    with_raw_tables: Annotated[
        bool, typer.Option("--with-raw-tables", help="Add the tables trials and sessions, which may identify people.")
    ] = False,
) -> None:
    """Make a report of a study's tables: one self-contained HTML file."""
    from gan_eval.report import build_figure, check_page, write_report

    for option, value in (("--figure-width", figure_width), ("--panels", panels)):
        if value is not None and not figures:
            raise UserError(f"{option}: is for --figure; give --figure FILE.pdf, too")
    if out is not None:
        check_page(out, option="--out")
    page = out or folder / "report.html"
    charts = [_figure(text, page) for text in figures]
    more: dict[str, Any] = {"stimuli": stimuli, "maps": files_of_pairs(maps, "--maps")}
    with Console() as console, console.working("report"):
        typer.echo(write_report(folder, page, **more, with_raw_tables=with_raw_tables))
        for content, file in charts:
            of_figure: dict[str, Any] = {"width_mm": figure_width, "panels": panels, "on_message": console.message}
            typer.echo(build_figure(folder, file, content=content, **of_figure, **more))


def _figure(text: str, page: Path) -> tuple[Literal["1", "marks"], Path]:
    """Return the content and the file of a value of `--figure`."""
    from gan_eval.report.parts.chart import FORMATS

    name = f"marks={page.with_name('figure_marks.pdf')}" if text == "marks" else text
    file = Path(name.removeprefix("marks="))
    check_output_file(file, option="--figure")
    if file.suffix not in FORMATS:
        raise UserError(f"--figure {text}: expected a name that ends in {', '.join(FORMATS)}")
    return "marks" if name.startswith("marks=") else "1", file
