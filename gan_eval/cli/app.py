"""The command-line application, with all commands or only those requested; each is imported only then."""

import re
from collections.abc import Callable, Collection
from functools import partial
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gan_eval import __version__
from gan_eval.files.reading import Place, place_of
from gan_eval.machine.commands import VERBS, as_typed, program

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
        command = getattr(import_module(f"gan_eval.cli.{module}"), name)
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
    """A command whose texts and paths typer need not check: it would import pydantic, which takes 0.1 s."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a command line."""
        for parameter in self.get_params(ctx):
            parameter.process_value = partial(_processed, parameter, parameter.process_value)  # type: ignore[method-assign]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with commands as the user types them."""
        described: list[Any] = [self, *self.get_params(ctx)]
        for each in described:
            each.help = as_typed(each.help or "")
        super().format_help(ctx, formatter)


def _processed(parameter: Any, process: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    """Return a parameter's value; typer checks it unless it is the default, a text or a path."""
    if value in (None, (), parameter.default) and not parameter.required:
        return value
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)  # typer before 0.29 has none
    kinds: dict[Any, Any] = {str: str, list[str]: str, Path: Path, list[Path]: Path}
    kind = (kinds | {Place: place_of, list[Place]: place_of}).get(annotation)
    texts = value if isinstance(value, list | tuple) else [value]
    if kind is None or not texts or None in texts:
        return process(context, value)
    return [*map(kind, texts)] if texts is value else kind(value)


def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Options that come before a command."""
    if version:
        typer.echo(f"gan_eval {__version__}")
        raise typer.Exit
