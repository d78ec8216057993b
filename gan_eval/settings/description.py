"""Each setting's values in words, its default and its meaning, from the settings' own classes."""

import ast
import inspect
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

from pydantic.fields import FieldInfo

from gan_eval.settings.sections import Section

Shape = Literal["one", "optional", "list", "by_name"]
"""Shape of a section within a section: always there, optional, any number of them, a table of them by name."""


@dataclass(frozen=True)
class Setting:
    """One key of a section."""

    name: str
    field: FieldInfo
    meaning: str
    """The text below the field, on one line."""
    section: type[Section] | None
    """The section that it is, if it is one, or that it holds several of."""
    shape: Shape = "one"

    @property
    def values(self) -> str:
        """Its values in words, with their range."""
        return _type(self.field.annotation, self.field.metadata)

    @property
    def default(self) -> Any:
        """The value of a setting that a study file does not give; None where there is none."""
        return None if self.field.is_required() else self.field.default

    @property
    def example(self) -> Any:
        """A value for a setting that has no default."""
        return (self.field.examples or [None])[0]


def settings_of(section: type[Section]) -> list[Setting]:
    """The keys of a section, in the order in which a study file has them."""
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)
    meanings = {}  # the string below each field, on one line
    for field, below in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            meanings[field.target.id] = " ".join(str(text).split())
    settings = []
    for name, info in section.model_fields.items():
        inner, shape = _section_of(info.annotation)
        settings.append(Setting(name, info, meanings[name], inner, shape))
    return settings


def about(section: type[Section]) -> str:
    """Return the description of a section: its class's docstring without the name that it begins with."""
    text = " ".join((inspect.getdoc(section) or "").split())
    text = text.partition("`: ")[2] or text
    return text[:1].upper() + text[1:]


def _section_of(annotation: Any) -> tuple[type[Section] | None, Shape]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return annotation, "one"
    shapes: dict[Any, Shape] = {types.UnionType: "optional", typing.Union: "optional", tuple: "list", dict: "by_name"}
    for inner in arguments if origin in shapes else ():
        if inspect.isclass(inner) and issubclass(inner, Section):
            return inner, shapes[origin]
    return None, "one"


def _type(annotation: Any, limits: list[Any]) -> str:
    """A type in words, with its range."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0], [*limits, *arguments[1:]])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (types.UnionType, typing.Union):
        return ", or ".join(_type(one, limits) for one in arguments if one is not type(None))
    if origin is tuple:
        most = [str(limit.max_length) for limit in limits if getattr(limit, "max_length", None) is not None]
        return f"list of {_plural(arguments)}" + "".join(f", at most {number}" for number in most)
    if origin is dict:
        return f"table of {_plural(arguments[1:])} by name"
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return "section, below"
    words = {int: "integer", float: "number", str: "text", bool: "true or false", Any: "values"}
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    ends = [  # a limit that only says what fits into 64 bits is left out
        f"{sign} {getattr(limit, name):.15g}"
        for limit in (inner for limit in limits for inner in (limit, *getattr(limit, "metadata", ())))
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None and getattr(limit, name) < 2**62
    ]
    return f"{words[annotation]} {', '.join(ends)}".rstrip()


def _plural(arguments: tuple[Any, ...]) -> str:
    annotation = arguments[0]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _plural(inner)
    if origin in (types.UnionType, typing.Union):
        return ", or ".join(_plural((one,)) for one in inner)
    if origin is tuple:
        return f"pairs of {_plural(inner)}"
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return "sections, below"
    words = {int: "integers", float: "numbers", str: "texts"}
    return words[annotation] if annotation in words else _type(annotation, [])
