"""Options shared by several commands, the refusal of options without effect, and output helpers."""

import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer

from gan_eval.base.commands import setup_command
from gan_eval.base.errors import UserError, naming
from gan_eval.base.limits import members_up_to, parse_size
from gan_eval.base.reading import Place, place_of, plain_file
from gan_eval.base.threads import MAX_THREADS
from gan_eval.settings.words import as_flag

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.settings.sections import Section

Out = Annotated[Path, typer.Option("--out", help="Folder for the results; must be empty or made by gan_eval.")]
DataRoot = Annotated[
    Path | None, typer.Option("--data-root", envvar="GAN_EVAL_DATA", help="Folder with the data sets' folders.")
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        max=MAX_THREADS,
        help="Number of CPU threads; default: the run's own; for a new run one thread for each idle core.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="tcp://HOST:PORT|local:N",
        help="Do the work on the workers of this Dask scheduler, or in N processes of this machine (docs/cluster.md).",
    ),
]
Simulate = Annotated[
    str | None,
    typer.Option("--simulate", help="Rehearse without people: 'default' or 'dprime=1.2,criterion=0.1,lapse=0.02'."),
]

Stimuli = Annotated[list[Path], typer.Option(metavar="SET", help="A stimulus set that is shown. Repeatable.")]
Maps = Annotated[
    list[str],
    typer.Option(metavar="NAME=DIR", help="Your maps (grey PNG or npy), to show next to people's marks. Repeatable."),
]
_STORE = typer.Option("--store", parser=place_of, help="Results store: a path or a database URL.")
Store = Annotated[Place | None, _STORE]
RequiredStore = Annotated[Place, _STORE]
Intro = Annotated[bool, typer.Option("--intro/--no-intro", help="Show the pages before, between and after trials.")]

Command = TypeVar("Command", bound=Callable[..., None])


def setting(section: "type[Section]", key: str, *, default: str | None = None, metavar: str | None = None) -> Any:
    """Return the option of a setting, with the setting's sentence and its default, or another one, as the help."""
    from gan_eval.settings.declared import declarations  # other commands start without pydantic

    declared = declarations(section)[key]
    names = [as_flag(key)] * (declared.default is False)  # without --no-NAME
    return typer.Option(*names, help=declared.help(default), metavar=metavar)


def with_settings(sections: "Sequence[type[Section]]", command: Command) -> Command:
    """Add the options that sections declare to a command that takes them as `**settings`."""
    from gan_eval.settings.declared import declarations

    signature = inspect.signature(command)
    *parameters, _ = signature.parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    for section in sections:
        for name, key in declarations(section).items():
            if key.option is not None and name not in signature.parameters:
                option, is_flag = setting(section, name, metavar=key.option or None), isinstance(key.default, bool)
                kind = Annotated[bool | None, option] if is_flag else Annotated[str | None, option]
                parameters.append(inspect.Parameter(name, keyword, default=None, annotation=kind))
    command.__dict__["__signature__"] = signature.replace(parameters=parameters)
    return command


def values_of_options(section: "type[Section]", options: Mapping[str, str | bool]) -> dict[str, Any]:
    """Return the values of settings that are given by options, for `check_options`."""
    values = dict[str, Any](options)
    for name, text in options.items():
        annotation = section.model_fields[name].annotation
        parts = get_args(annotation) or (annotation,)
        value = str.strip if all(part in (str, NoneType, ...) for part in parts) else _value
        if get_origin(annotation) is dict:
            values[name] = parse_pairs(str(text).split(","), as_flag(name))
        elif not isinstance(text, bool):
            values[name] = tuple(map(value, text.split(","))) if get_origin(annotation) is tuple else value(text)
    return values


def _value(text: str) -> int | float | str:
    """Return the number that a text stands for, else the text."""
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return text.strip()


def _raise_limit(context: typer.Context, size: int) -> int:
    """Set the limit until the command ends."""
    context.with_resource(members_up_to(size))
    return size


Paired = Annotated[
    bool | None,
    typer.Option(
        "--paired/--unpaired",
        help="Pictures of one file stem are partners, or none are; default: paired where nine of ten stems match.",
    ),
]
LargestMember = Annotated[
    int | None,
    typer.Option(
        parser=parse_size,
        callback=_raise_limit,
        metavar="SIZE",
        help="Largest member of an archive, array, cell or table that is read; default: 500MB.",
    ),
]
TarKey = Annotated[str | None, typer.Option(help="Picture to take of a tar with several for each key, such as png.")]
FitOption = Literal["crop", "stretch", "corner", "centre"]
White = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Level of white, such as 4095 for 12 bits in 16; default: the highest."),
]


def repeated(option: str, values: Iterable[object]) -> list[str]:
    """Return the words of an option that is given once for each value."""
    return [word for value in values for word in (option, str(value))]


def names_in(text: str) -> list[str]:
    """Return the names in a text with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def table_or_store(table: Place | None, store: Place | None, *, usage: str) -> tuple[Place, Path | None]:
    """Return the one of both that is given, and its path if it is not a store."""
    source: Place = one_of(table, store, usage=usage)
    return source, plain_file(source) if store is None else None


def one_of(first: Any, second: Any, *, usage: str) -> Any:
    """Return the one of two options or arguments that is given; refuse none and both."""
    given = first or second
    if given is None or (first and second):
        raise UserError(usage)
    return given


def check_rules(option: str, rules: Iterable[str]) -> None:
    """Refuse a rule that is not valid, before anything is read."""
    from gan_eval.judgements.rules import parse_rule

    for rule in rules:
        with naming(f"{option}: "):
            parse_rule(rule)


@contextmanager
def needs_web(command: str) -> Iterator[None]:
    """Refuse the command if the block cannot import a library of the extra `web`."""
    try:
        yield
    except ImportError as error:
        raise UserError(f"{command}: {error.name} is missing; install it with: {setup_command('web')}") from error


def given_options(**options: Any) -> dict[str, Any]:
    """Return the options that the user gave.

    >>> given_options(steps=3, epochs=None)
    {'steps': 3}
    """
    return {name: value for name, value in options.items() if value is not None}


def on_command_line(context: typer.Context, name: str) -> bool:
    """Return whether the user typed this option or argument; defaults and environment variables do not count."""
    source, value = context.get_parameter_source(name), context.params.get(name)
    is_absent = isinstance(value, list | tuple) and not value  # which click before 8.3 calls typed
    return source is not None and source.name == "COMMANDLINE" and not is_absent


def refuse_without_effect(context: typer.Context, names: Iterable[str], why: str) -> None:
    """Refuse options that would have no effect, because the user expects one."""
    unused = set(names)
    for parameter in context.command.params:
        if parameter.name in unused and on_command_line(context, parameter.name):
            is_off = context.params.get(parameter.name) is False
            name = ((is_off and parameter.secondary_opts) or parameter.opts)[0]
            typed = name if name.startswith("-") else parameter.metavar or name.upper()
            raise UserError(f"{typed}: {why}")


def typed_words(context: typer.Context) -> list[str]:
    """Return the command that the user typed, in words, with each argument and option that was on the command line."""
    words, arguments = [str(context.info_name)], list[str]()
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if not on_command_line(context, str(parameter.name)):
            continue
        values = value if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            arguments += map(str, values)
        elif isinstance(value, bool):
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            words += repeated(parameter.opts[0], values)
    return [words[0], *arguments, *words[1:]]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "trial"), counted(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def refuse_with_study(options: Mapping[str, Any], study: Path) -> None:
    """Refuse options that the study file sets: they would be ignored or would change the experiment."""
    if options:
        raise UserError(f"{as_flag(next(iter(options)))}: {study} sets this; remove the option, or change the study")


def parse_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return `name=value` texts as a dict.

    >>> parse_pairs(["real=j", "fake=f"], "--keys")
    {'real': 'j', 'fake': 'f'}
    """
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in values:
            raise UserError(f"{option} {text}: expected name=value, each name once")
        values[name] = value
    return values


def files_of_pairs(texts: Sequence[str], option: str) -> dict[str, Path]:
    """Return `name=file` texts as a dict."""
    return {name: Path(file) for name, file in parse_pairs(texts, option).items()}


def tables_as_json(frames: "Mapping[str, pd.DataFrame]") -> str:
    """Return tables as a JSON object of row lists; missing values are null, infinite ones the text `inf`, as in CSV."""
    from gan_eval.tables.cells import is_missing

    def plain(value: Any) -> Any:
        if is_missing(value):
            return None
        return str(value) if isinstance(value, float) and math.isinf(value) else value

    rows = {
        name: [{key: plain(value) for key, value in row.items()} for row in frame.astype(object).to_dict("records")]
        for name, frame in frames.items()
    }
    return json.dumps(rows, ensure_ascii=False)
