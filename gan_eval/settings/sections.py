"""The base class of settings: frozen values, checked when they are made, with errors that name the field."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from gan_eval.base.errors import UserError, abbreviated, shortened
from gan_eval.settings.words import as_flag

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
Name = Annotated[str, Field(pattern=_NAME)]
"""A name that is safe in a file path and in an identifier: letters, digits, `_`, `-`, `.`."""


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; expected a text, or remove it")
    return text


Words = Annotated[str, AfterValidator(_not_empty)]
"""Text that people read."""


def _usable_path(text: str) -> str:
    if not text:
        raise ValueError("is empty; expected a path, or remove it")
    if not text.isprintable():
        raise ValueError(f"found {shortened(repr(text), 60)}; expected a path of letters that can be printed")
    if len(text.encode()) > 4095 or any(len(part.encode()) > 255 for part in re.split(r"[/\\]", text)):
        raise ValueError(f"found {shortened(repr(text), 60)}; the path is too long; expected a shorter one")
    return text


PathText = Annotated[str, AfterValidator(_usable_path)]
"""A path, or a name in one."""
OptionalPath = Annotated[str, AfterValidator(lambda text: text and _usable_path(text))]
"""A path; empty: none."""


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


class Section(BaseModel):
    """A section of the study file: frozen, without unknown keys, with strict types (no number in place of a text)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        strict=True,
        defer_build=True,
        use_attribute_docstrings=True,
    )
    _lists_are_tuples = field_validator("*", mode="before")(_tuples)


def check(problems: Callable[[Any], Iterator[str]]) -> Any:
    """Make a validator of a method that yields what is wrong with a section; the first problem is the error."""

    def refuse(section: Any) -> Any:
        for problem in problems(section):
            raise ValueError(problem)
        return section

    return model_validator(mode="after")(refuse)


class Short:
    """Mark of a key that people set: a new study file has it without `--all`."""


SHORT = Short()


@dataclass(frozen=True)
class Option:
    """Mark of a key that is an option of commands too (see `settings.declared`)."""

    value: str = ""
    """The value as the help shows it; empty for true or false."""


@dataclass(frozen=True)
class NotInDesign:
    """Mark of a key, or a whole section, that changes nothing that a participant sees before answering."""

    why: str


@dataclass(frozen=True)
class OnlyWhen:
    """Mark of a key that has an effect only with certain other settings of its section."""

    has_effect: Callable[[Any], bool]


Mark = TypeVar("Mark")


def mark_of(field: FieldInfo, kind: type[Mark]) -> Mark | None:
    """Return the mark of this kind in a key's annotation, if it has one."""
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


def has_effect(section: "Section", key: str) -> bool:
    """Return whether a key has an effect with the other settings of its section."""
    condition = mark_of(type(section).model_fields[key], OnlyWhen)
    return condition is None or condition.has_effect(section)


_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "dict_type": "a table, such as { name = value }",
}
"""Expected value for each of pydantic's kinds of problems."""
_ALTERNATIVES = ("float", "constrained-float", "constrained-int", "[key]")
"""Names of types that pydantic adds to a field's path; the others begin with `literal[`."""


def first_problem(error: ValidationError, model: type[BaseModel], *, prefix: str = "") -> str:
    """Return the message for the first problem: the field, what was found, what is expected."""
    problems = error.errors()
    problem, kind = problems[0], problems[0]["type"]
    keys = _place(problem["loc"])
    field = (prefix + ".".join(shortened(str(part), 80) for part in keys)).removesuffix(".")
    if kind == "extra_forbidden":
        unknown = [".".join(map(str, each["loc"])) for each in problems if each["type"] == kind]
        return f"{field}: no such key; {_known_keys(model, keys)}{_also_unknown(unknown[1:])}"
    message = problem["msg"].removeprefix("Value error, ")
    if not field or message.startswith("models."):
        return message
    if kind == "missing":
        return f"{field}: is missing; give it a value"
    if kind == "value_error":
        own_field = re.match(r"[a-z_.]+: ", message)  # a check of several fields names the one to fix
        return f"{field}.{message}" if own_field else f"{field}: {message}"
    value = abbreviated(list(problem["input"]) if isinstance(problem["input"], tuple) else problem["input"])
    words = [
        other["ctx"]["expected"]
        for other in problems
        if _place(other["loc"]) == keys and other["type"] == "literal_error"
    ]
    return f"{field}: found {value}; {_expectation(problem, message, value, words)}"


def _known_keys(model: type[BaseModel], keys: list[int | str]) -> str:
    known = _keys_at(model, keys[:-1])
    near = difflib.get_close_matches(str(keys[-1]), known, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _also_unknown(others: list[str]) -> str:
    return f"; also unknown: {shortened(', '.join(others), 200)}" if others else ""


def _expectation(problem: Any, message: str, value: str, words: list[str]) -> str:
    """Return what is expected in place of a value; `words`: the words that are allowed there, too."""
    kind = problem["type"]
    if kind in _EXPECTED and not words:
        return f"expected {_EXPECTED[kind]}"
    if problem.get("ctx", {}).get("pattern") == _NAME:
        return "expected a name of the letters a to z, digits, '.', '-' and '_'"
    if kind == "tuple_type":
        return f"expected a list such as [{value}]"
    instead = f", or {words[0]}" if words and kind != "literal_error" else ""
    return f"{message[0].lower()}{message[1:]}{instead}"


def _place(location: tuple[int | str, ...]) -> list[int | str]:
    """Return a field's path without the types that pydantic tried."""
    return [part for part in location if part not in _ALTERNATIVES and not str(part).startswith("literal[")]


def _keys_at(model: type[BaseModel], keys: list[Any]) -> list[str]:
    """Return the known keys of the section at the path `keys`, also in tables such as [data.NAME]."""
    current: Any = model
    for part in keys:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[str(part)].annotation
        else:
            current = current.__args__[0 if isinstance(part, int) else 1]  # tuple[Section, ...], or dict[Name, Section]
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


SectionType = TypeVar("SectionType", bound=Section)


def check_options(
    section: type[SectionType], options: Mapping[str, Any], *, spelled: Callable[[str], str] = as_flag
) -> SectionType:
    """Return a section made from command-line options.

    Args:
        spelled: function from a field's name to the option as the user typed it.

    Raises:
        UserError: an option's value is invalid; the message names the option.
    """
    try:
        return section(**options)
    except ValidationError as error:
        message = first_problem(error, section)
        field, colon, problem = message.partition(": ")
        name, *keys = field.split(".")
        if colon and name.isidentifier():  # one option gives a whole list, so the index in it is dropped
            message = ".".join([spelled(name), *(key for key in keys if not key.isdigit())]) + f": {problem}"
        raise UserError(message) from error
