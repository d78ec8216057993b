"""The application of the command line: of all commands, or of those that are asked for, each imported only then."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from gan_eval import __version__
from gan_eval.cli.options import DataRoot, refuse_without_effect
from gan_eval.machine.commands import VERBS, as_typed


def application(
    verbs: Iterable[str] = VERBS,
    *,
    about: str = "Can people tell generated pictures from photographs? Train, show, measure, answer.",
) -> typer.Typer:
    """The application with these commands; a session of the quiz does not wait for the import of the others.

    Args:
        verbs: some of `VERBS`.
        about: what its help begins with.
    """
    app = typer.Typer(
        name="gan-eval", help=about, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
    )
    app.callback(invoke_without_command=True)(root)
    for verb in verbs:
        module, _, name = VERBS[verb].partition(":")
        command = getattr(import_module(f"gan_eval.cli.{module}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=verb)
        else:
            app.command(verb)(command)
    return app


def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Options that come before a command."""
    if version:
        typer.echo(f"gan_eval {__version__}")
        raise typer.Exit


def doctor(
    context: typer.Context,
    study: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A study's folder: its stages, its people, what comes next.")
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """List what is missing on this machine: libraries, display, weights, GPU; or what is left to do of a study."""
    from gan_eval.cli.doctor import examine, examine_study

    if study is None:
        refuse_without_effect(context, ["data_root"], "goes with a study's folder; leave it out")
    for finding in examine() if study is None else examine_study(study, data_root=data_root):
        fix = f" — {finding.fix}" if finding.fix else ""
        typer.echo(as_typed(f"{finding.status:8} {finding.what}: {finding.detail}{fix}"))
