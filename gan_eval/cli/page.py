"""The commands `export page` and `store import-page`: a study's page without a server, and its answers."""

import re
from pathlib import Path
from typing import Annotated

import typer

from gan_eval.cli.console import print_next_command, say
from gan_eval.cli.options import LargestMember, RequiredStore, counted, refuse_without_effect
from gan_eval.errors import UserError, naming
from gan_eval.machine.commands import setup_command

KEY = "study.key"
INCOMPLETE = 3
"""Exit status if some answers were not imported."""


def export_page(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(help="A study file.")],
    out: Annotated[Path | None, typer.Option("--out", help="A study archive for JATOS, such as study.jzip.")] = None,
    static: Annotated[Path | None, typer.Option("--static", help="A folder for any other web host.")] = None,
    people: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Number of lists; default: quiz.participants.")
    ] = None,
    post: Annotated[str | None, typer.Option(help="Address that gets a POST with JSON for each answer.")] = None,
    datapipe: Annotated[
        str | None, typer.Option(help="DataPipe's experiment ID; gets a file for each session.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="File that the answers are read with; default: study.key next to the page.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="The study's folder, if its models were trained; default: the file's name without .toml."),
    ] = None,
) -> None:
    """Write a study's page for JATOS or any web host; the page needs no server of gan_eval.

    Keep the key private: it has the truth, and the answers cannot be read without it.
    """
    page = static or out
    if page is None or (static and out):
        raise UserError("export page: give one of --out STUDY.jzip (for JATOS) and --static DIR (for any web host)")
    if out is not None:
        refuse_without_effect(
            context, ["post", "datapipe"], "with JATOS the answers are results of its study; remove the option"
        )
    if post is not None and (datapipe is not None or not re.fullmatch(r"https?://[^/\s]+\S*", post)):
        raise UserError(f"--post {post}: expected one address such as https://example.org/answers, without --datapipe")
    try:
        from gan_eval.quiz.serve.page_export import Destination, export_page, require_no_server
    except ImportError as error:
        raise UserError(f"export page: {error.name} is missing; install it with: {setup_command('web')}") from error
    from gan_eval.study.plan import check_analysis, check_sets, plan_of_file
    from gan_eval.study.sessions import quiz_study

    plan = plan_of_file(study, folder or study.with_suffix(""))
    check_sets(plan)
    check_analysis(plan)
    with naming(f"{study}: "):
        require_no_server(plan.study.quiz)
    key = key or page.absolute().parent / KEY
    if static is not None and key.resolve().is_relative_to(static.resolve()):
        raise UserError(f"--key {key}: would be published with --static {static}; name a file elsewhere")
    people = people or plan.study.quiz.participants
    made, pictures = export_page(
        quiz_study(plan),
        Destination(path=page, jatos=static is None, post=post, datapipe=datapipe),
        people=people,
        key_file=key,
        say=say,
    )
    store = plan.store if plan.folder.is_dir() else "answers.sqlite"
    say(f"page {made.page}: {counted(people, 'list')}, {counted(pictures, 'picture')}; key (private): {key}")
    print_next_command("store", "import-page", "RESULTS", "--key", str(key), "--store", str(store))
    typer.echo(page)


def import_page(
    results: Annotated[
        list[Path], typer.Argument(help="JATOS' results, answers saved by the page, or folders of them; also zipped.")
    ],
    key: Annotated[Path, typer.Option(help="The key that `export page` wrote.")],
    store: RequiredStore,
    largest_member: LargestMember = None,
) -> None:
    """Add the answers of a page to a store, each row once; rerun the command when there are more."""
    from gan_eval.cli.console import Console
    from gan_eval.quiz.serve.page_import import import_page

    with Console() as console, console.working("import-page"):
        done = import_page(results, key, store)
    problems = done.problems or ([] if done.sessions else [f"{results[0]}: no answers of a page in it"])
    for line in problems[not done.sessions :]:
        say(line)
    if not done.sessions:
        raise UserError(problems[0])
    for session in done.forgotten:
        say(f"session {session}: the participant wants all data deleted; the store has none, delete them in the files")
    new = f"{counted(done.new_sessions, 'new session')}, {counted(done.new_trials, 'new trial')}"
    say(f"{counted(done.sessions, 'session')} in the files; {new}")
    typer.echo(store)
    if done.problems:
        raise typer.Exit(INCOMPLETE)
