"""The commands that a lab's desktop needs, as an application of their own: no torch, no pandas, quick to start.

`gan_eval.cli.app` has all commands, these among them. A session starts with these alone, since the others take a
participant's time to import; the build for desktops without Python has nothing else.
"""

from typing import Annotated

import typer

from gan_eval import __version__
from gan_eval.cli.quiz import quiz
from gan_eval.cli.stimuli import stimuli_app
from gan_eval.cli.store import participants_app, store_app

lab_app = typer.Typer(
    name="gan-eval",
    help="Can people tell generated pictures from photographs? The quiz, its store and its stimuli.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
LAB_VERBS = ("doctor", "participants", "quiz", "stimuli", "store")
"""What `lab_app` knows."""


@lab_app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Tell the version.")] = False) -> None:
    """Options that come before a command."""
    if version:
        typer.echo(f"gan_eval {__version__}")
        raise typer.Exit


@lab_app.command()
def doctor() -> None:
    """Tell what is missing on this machine: libraries, display, weights, GPU."""
    from gan_eval.doctor import examine

    for finding in examine():
        mend = f" — {finding.mend}" if finding.mend else ""
        typer.echo(f"{finding.status:8} {finding.what}: {finding.detail}{mend}")


lab_app.command()(quiz)
lab_app.add_typer(participants_app, name="participants")
lab_app.add_typer(store_app, name="store")
lab_app.add_typer(stimuli_app, name="stimuli")
