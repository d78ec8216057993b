"""The command-line application, with all commands or only those requested; each is imported only then."""

import re
from collections.abc import Collection
from importlib import import_module
from inspect import getdoc
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gan_eval import __version__
from gan_eval.base.commands import VERBS, as_typed, program

_FIRST_SENTENCE = re.compile(r"(?:.*?\.)(?=\s|$)|.*", re.DOTALL)
_SINGLE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")
"""A line break in a docstring that does not end a paragraph."""


def application(verbs: Collection[str] = VERBS, *, subcommand: bool = False) -> typer.Typer:
    """Return the application with these commands, so that a quiz session need not import the others.

    Args:
        subcommand: a subcommand of the only verb follows. What comes before a command then has no options, not even
            `--help`: typer imports pydantic for each of them.
    """
    is_whole = len(verbs) > 1
    app = typer.Typer(
        name="gan-eval",
        help="Can people tell generated pictures from photographs? Train, show, measure, answer.",
        no_args_is_help=True,
        add_help_option=is_whole,
        rich_markup_mode=None,  # importing rich's parts for a help takes longer than all else
        context_settings={"max_content_width": 120},
        pretty_exceptions_enable=False,
        add_completion=is_whole and program() == "gan-eval",  # shells complete names, not paths such as ./run
    )
    app.callback(invoke_without_command=True)(root if is_whole else lambda: None)
    for verb in verbs:
        module, _, name = VERBS[verb].partition(":")
        command = getattr(import_module(f"gan_eval.study.commands.{module}"), name)
        if isinstance(command, typer.Typer):
            help_option: dict[str, Any] = {"add_help_option": False} if subcommand and not is_whole else {}
            app.add_typer(command, name=verb, short_help=as_typed(str(command.info.help)), **help_option)
        else:
            app.command(verb)(command)
        for info in command.registered_commands if isinstance(command, typer.Typer) else app.registered_commands[-1:]:
            info.help = _SINGLE_BREAK.sub(" ", getdoc(info.callback) or "")  # the terminal wraps lines
            info.short_help = as_typed(_FIRST_SENTENCE.match(info.help)[0])  # type: ignore[index]  # it is not cut
            info.cls = _Command
    return app


class _Command(TyperCommand):
    """A command whose help has commands as the user types them."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        described: list[Any] = [self, *self.get_params(ctx)]
        for each in described:
            each.help = as_typed(each.help or "")
        super().format_help(ctx, formatter)


def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Options that come before a command."""
    if version:
        typer.echo(f"gan_eval {__version__}")
        raise typer.Exit
