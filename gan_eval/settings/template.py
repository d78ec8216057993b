"""Values, default and meaning of each setting, and the study file that `study new` writes from them."""

import inspect
import json
import os
import re
import textwrap
import types
import typing
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic.fields import FieldInfo

from gan_eval.base.atomic import write_text
from gan_eval.base.commands import as_typed
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import check_output_file, relative_path
from gan_eval.settings.declared import Declaration, declarations
from gan_eval.settings.examples import Values
from gan_eval.settings.sections import Section, Short, mark_of
from gan_eval.settings.study import Study

Shape = Literal["one", "optional", "list", "by_name"]
"""Shape of a section within a section: always present, optional, a list, a table by name."""


@dataclass(frozen=True)
class Setting:
    """One key of a section."""

    name: str
    field: FieldInfo
    declared: Declaration
    section: type[Section] | None
    """The section that the key is or contains; None for a plain key."""
    shape: Shape = "one"

    @property
    def is_short(self) -> bool:
        """True if a new study file has the key without `--all`."""
        return mark_of(self.field, Short) is not None

    @property
    def default(self) -> Any:
        """The default value; None if there is none."""
        return None if self.field.is_required() else self.field.default

    @property
    def example(self) -> Any:
        """A value for a setting that has no default."""
        return (self.field.examples or [None])[0]


def settings_of(section: type[Section]) -> list[Setting]:
    """Return the keys of a section in the order of a study file."""
    declared = declarations(section)
    return [
        Setting(name, info, declared[name], *_section_of(info.annotation))
        for name, info in section.model_fields.items()
    ]


def description_of(section: type[Section]) -> str:
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


OF_TRAINING = ("data", "models", "training", "generate")
"""Sections that a study without training does not use; they come last there."""
WIDTH = 100

_HEAD = """\
A study of gan_eval. Every key is in docs/study_file.md; `gan-eval study new --all` writes them all.

A line such as `#break_every = 50` is a key that is off: remove the # to set it. Remove the # of its [header], too.
A key that is not in the file has its default.
"""


def write_study(file: Path, values: Values, *, sets: Sequence[Path] = (), every_key: bool = False) -> None:
    """Write a study file.

    Args:
        sets: stimulus sets that the study shows; their paths are written relative to the file.
        every_key: write every key, not only those that people set.

    Raises:
        UserError: the file exists already, or cannot be written.
    """
    check_output_file(file)
    if os.path.lexists(file):
        raise UserError(f"--out {file}: the file exists already; name another, or remove it")
    if sets:
        values = {**values, "stimuli": {"sets": [relative_path(path, file.parent) for path in sets]}}
    write_text(file, study_text(values, every_key=every_key))


def study_name(text: str) -> str:
    """Return a valid name of a study, made from the name of a file or folder.

    >>> study_name("my first try!"), study_name("Häuser")
    ('my-first-try', 'Hauser')
    """
    plain = re.sub(r"[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text))  # without accents
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-._") or "study"


def study_text(values: Values, *, every_key: bool = False) -> str:
    """Return the text of a study file with these values (`study.name` is required) and other keys' defaults."""
    trains = "models" in values
    sections = sorted(settings_of(Study), key=lambda setting: not trains and setting.name in OF_TRAINING)
    lines = [*_comment(_HEAD)]
    for setting in sections:
        if not trains and setting.name in OF_TRAINING:
            if not every_key:
                continue
            if setting.name == OF_TRAINING[0]:
                lines += ["", *_comment(f"What follows is for studies that train models.\n{'-' * 46}")]
        lines += _section_lines(setting, setting.name, values.get(setting.name), every_key=every_key)
    return "\n".join([*lines, ""])


def _section_lines(setting: Setting, path: str, content: Any, *, every_key: bool) -> Iterator[str]:
    """Yield a section, its keys and inner sections, commented out if it has no content and no default."""
    assert setting.section is not None
    if not every_key and content is None and not any(each.is_short for each in settings_of(setting.section)):
        return
    off = not content if setting.shape in ("by_name", "list") else setting.shape == "optional" and content is None
    for header, values in _tables_of(setting, path, content):
        yield from ["", *_comment(description_of(setting.section)), ("#" if off else "") + header]
        shown = [each for each in settings_of(setting.section) if every_key or each.name in values or each.is_short]
        for each in sorted(shown, key=lambda each: each.section is not None):
            if each.section is None:
                yield from _key_lines(each, values, off=off)
            else:
                yield from _section_lines(each, f"{path}.{each.name}", values.get(each.name), every_key=every_key)


def _tables_of(setting: Setting, path: str, content: Any) -> list[tuple[str, Values]]:
    """Return the header and the values of each table of a section."""
    if setting.shape == "by_name":
        return [(f"[{path}.{name}]", values) for name, values in (content or {str(setting.example): {}}).items()]
    if setting.shape == "list":
        return [(f"[[{path}]]", values) for values in content or [{}]]
    return [(f"[{path}]", content or {})]


def _key_lines(setting: Setting, values: Values, *, off: bool) -> Iterator[str]:
    name = setting.name
    # for such a key, no value in the file means the same as its absence
    has_no_default = setting.default is None or (setting.field.examples and not setting.default)
    is_off = name not in values and not setting.field.is_required() and has_no_default
    value = values.get(name, setting.example if is_off or setting.default is None else setting.default)
    yield from ["", *_comment(setting.declared.comment), ("#" if off or is_off else "") + f"{name} = {toml(value)}"]


def _comment(text: str) -> Iterator[str]:
    for line in as_typed(text, in_file=True).splitlines():
        yield from (f"# {part}".rstrip() for part in textwrap.wrap(line, WIDTH, break_on_hyphens=False) or [""])


def toml(value: Any) -> str:
    """Return a value as TOML.

    >>> toml({"sets": ("a", "b"), "share": 0.5, "on": True})
    '{ sets = ["a", "b"], share = 0.5, on = true }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        plain = re.compile("[A-Za-z0-9_-]+")
        pairs = (f"{name if plain.fullmatch(name) else toml(name)} = {toml(one)}" for name, one in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value)
