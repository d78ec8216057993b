"""Malformed study files: every key of every section, as the settings declare them, with every sort of value."""

import json
import math
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from hypothesis import strategies as st
from pydantic import BaseModel

from attack.attack import Attack
from attack.damage import damaged, something_else
from attack.world import World
from gan_eval.settings.study import Study
from gan_eval.settings.template import toml

Place = tuple[str | int, ...]


def declared(model: type[BaseModel], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every key that a study may have, and its type: a new key is attacked without anyone thinking of it."""
    for name, known in model.model_fields.items():
        here = (*place, name)
        yield here, known.annotation
        for section, more in _sections(known.annotation):
            yield from declared(section, (*here, *more))


def _sections(annotation: Any) -> Iterator[tuple[type[BaseModel], Place]]:
    """The sections that a type holds: itself, by a name, or the first of a list."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        for each in arguments:
            yield from _sections(each)
    elif origin is dict:
        yield from ((section, ("net", *more)) for section, more in _sections(arguments[1]))
    elif origin is tuple:
        yield from ((section, (0, *more)) for section, more in _sections(arguments[0]))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ()


KEYS = tuple(declared(Study))

BASE: Mapping[str, Any] = {
    "study": {"name": "tiny"},
    "stimuli": {"sets": ["set"]},
    "quiz": {"real": 3, "fake": 3, "participants": 2},
    "metrics": {"names": ["psnr"]},
    "power": {"participants": [2], "simulations": 10},
}
TRAINED: Mapping[str, Any] = {
    **BASE,
    "data": {"net": {"folder": "data"}},
    "training": {
        "steps": 1,
        "image_size": 32,
        "generator_channels": 2,
        "discriminator_channels": 2,
        "receptive_field": 16,
    },
    "models": {"net": {"data": "net"}},
}

VALUES: tuple[Any, ...] = (
    True, False, 0, 1, -1, 2, 3, 10**6, 10**9, 10**18, 2**63 - 1, 0.0, -0.0, 0.5, 1.5, -0.5, 1e-320, 1e308, -1e308,
    math.nan, math.inf, -math.inf, "", " ", "x", "true", "3", "nan", "none", "x" * 5000, "\0", "a\nb", "\x1b[31m",
    "../..", "/etc/passwd", "/dev/zero", "a|b", "a/b", "..", "real", "=1+1", "[bold]", "{0}", "%s", "\u202e", "é",
    "correct<1", "psnr", "set", "fake", [], [""], ["x"], ["x", "x"], ["x"] * 10_000, [0], [-1], [1.5], [10**18],
    [True], [[]], [{}], [math.nan], ["a", "b"], [["a", "b"]], [["a", "a"]], ["set"], ["set", "set"], ["../.."], {},
    {"x": 1}, {"": 1}, {"x": "y"}, {"x": -1}, {"x": {}}, {"x" * 5000: 1}, {"real": "j", "fake": "j"},
    {"real": 1, "fake": 2}, {"real": "", "fake": "\n"},
)  # fmt: skip
"""Values to try for any key."""


def attacks(world: World) -> st.SearchStrategy[Attack]:
    """Every family of this topic."""
    return st.one_of(_keys(world), _keys(world), _keys(world), _keys(world), _unknown_keys(world), _files(world))


def cannot_be(annotation: Any, value: Any) -> bool:
    """Return True if a key of this type never accepts a value of that type; ranges are not checked."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return cannot_be(arguments[0], value)
    if origin in (types.UnionType, typing.Union):
        return all(cannot_be(each, value) for each in arguments)
    if origin is Literal:
        return value not in arguments or isinstance(value, bool)
    if origin is tuple:
        return not isinstance(value, list) or any(cannot_be(arguments[0], each) for each in value)
    if origin is dict:
        return not isinstance(value, dict) or any(cannot_be(arguments[1], each) for each in value.values())
    if annotation is bool:
        return not isinstance(value, bool)
    if annotation is int:
        whole = isinstance(value, int | float) and not isinstance(value, bool)
        return not whole or not math.isfinite(value) or value != int(value)
    if annotation is float:
        return not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value)
    if annotation is str:
        return not isinstance(value, str)
    if annotation is type(None):
        return True
    return isinstance(annotation, type) and issubclass(annotation, BaseModel) and not isinstance(value, dict)


@st.composite
def _keys(draw: st.DrawFn, world: World) -> Attack:
    """One key with a value that it does not expect."""
    place, annotation = draw(st.sampled_from(KEYS))
    value = draw(st.sampled_from(VALUES))
    study = _with(TRAINED if place[0] in ("data", "training", "models", "generate") else BASE, place, value)
    key = str(next(part for part in reversed(place) if isinstance(part, str)))
    return _attack(
        draw, world, study, place, f"{_named(place)} = {toml(value)[:24]}", key,
        refused=True if cannot_be(annotation, value) else None, value=value or None,
    )  # fmt: skip


@st.composite
def _unknown_keys(draw: st.DrawFn, world: World) -> Attack:
    """A key that nobody declared: a slip of the pen, or one of another section."""
    place, _ = draw(st.sampled_from(KEYS))
    section = place[:-1] if isinstance(place[-1], str) else place[:-2]
    slip = draw(
        st.sampled_from(["{}s", "{}_", "_{}", "{} ", "{}.x", "", "__class__", "model_config", "x" * 2000, "\n"])
    )
    key = slip.format(place[-1])
    study = _with(TRAINED if place[0] in ("data", "training", "models", "generate") else BASE, (*section, key), 1)
    names = "net" if section[-1:] in (("data",), ("models",)) or section in (("data", "net"),) else key.strip()[:20]
    return _attack(
        draw, world, study, place, f"unknown key {_named((*section, key))[:40]}", names or "study.toml",
        refused=None if section and section[-1] == "net" else True,
    )  # fmt: skip


@st.composite
def _files(draw: st.DrawFn, world: World) -> Attack:
    """A file that cannot be read as a study file."""
    text = toml_file(BASE)
    ways = {
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "Latin 1": (text + '[quiz.consent]\ntext = "é"\n').encode("latin-1", "replace"),
        "key twice": text.encode() + b'[study]\nname = "again"\n',
        "nested": b"a = " + b"[" * 100_000 + b"]" * 100_000,
        "nested tables": b"a = " + b"{a = " * 5000 + b"1" + b"}" * 5000,
        "dotted": b"a" + b".a" * 1000 + b" = 1\n",
        "long number": b"a = 1" + b"0" * 10_000,
        "JSON": json.dumps(BASE).encode(),
        "dates": text.replace('"tiny"', "2026-01-01T00:00:00Z").encode(),
        "no name": text.replace('name = "tiny"', "").encode(),
        "no study": text.partition("[stimuli]")[2].encode(),
        "nothing": b"\n",
    }
    what = draw(st.sampled_from([*sorted(ways), "damaged", "else"]))
    if what in ways:
        data = ways[what]
    else:
        what, data = draw(damaged(text.encode()) if what == "damaged" else something_else())
    files = {**world.set, **world.tables, "study.toml": data}
    command = draw(st.sampled_from([_RUN, _POWER, _PLAN]))
    return Attack(f"study file, {command[0]}: {what}", command, files, names=("study.toml",), keeps=command is _RUN)


_QUIZ = ("run", "study.toml", "--out", "out", "--only", "quiz", "--simulate", "default", "--data-root", ".")
_RUN = ("run", "study.toml", "--out", "out", "--only", "metrics", "--data-root", ".")
_POWER = ("power", "study.toml", "--out", "out", "--workers", "1")
_PLAN = ("analyze", "trials.csv", "--plan", "study.toml", "--out", "out")
_ESTIMATE = ("train", "study.toml", "--model", "net", "--data-root", ".", "--estimate")
_OF_SECTIONS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "study": (_QUIZ, _PLAN),
    "quiz": (_QUIZ, _QUIZ, _QUIZ, _POWER),
    "stimuli": (_QUIZ, _RUN, _POWER),
    "power": (_POWER,),
    "analysis": (_PLAN, _PLAN, _POWER),
    "metrics": (_RUN,),
    "data": (_RUN,),
    "models": (_RUN, _ESTIMATE),
    "training": (_RUN, _RUN, _RUN, _ESTIMATE),
    "generate": (_RUN,),
}
"""The commands that use a section."""


def _attack(
    draw: st.DrawFn,
    world: World,
    study: Any,
    place: Place,
    what: str,
    key: str,
    *,
    refused: bool | None,
    value: object = None,
) -> Attack:
    command = draw(st.sampled_from(_OF_SECTIONS.get(str(place[0]), (_RUN,))))
    files = {**world.set, **world.tables, **world.data, "study.toml": toml_file(study).encode()}
    names = (
        ("study.toml", key)
        if refused
        else ("|".join([key, "study.toml", "do the stage", *([str(value)] if value else [])]),)
    )
    return Attack(
        f"study, {command[0]}: {what}", command, files, names=names, refused=refused, keeps=command[0] == "run",
        changes=("out*",),
    )  # fmt: skip


def _with(study: Any, place: Place, value: Any) -> Any:
    """A study with a value at a place; sections on the way are made."""
    if not place:
        return value
    first, *rest = place
    if isinstance(first, int):
        return [_with(_SECTION_OF_A_LIST, tuple(rest), value)]
    inner = dict(study) if isinstance(study, Mapping) else {}
    return {**inner, first: _with(inner.get(first, {}), tuple(rest), value)}


_SECTION_OF_A_LIST: Mapping[str, Any] = {"id": "age", "text": "How old are you?"}


def _named(place: Place) -> str:
    return ".".join(map(str, place))


def toml_file(study: Mapping[str, Any]) -> str:
    """A study as TOML: a section for each table, tables within it in one line."""
    lines: list[str] = []
    for name, section in study.items():
        if isinstance(section, Mapping):
            lines += [f"[{toml(name)}]", *(f"{toml(key)} = {toml(value)}" for key, value in section.items()), ""]
        else:
            lines.insert(0, f"{toml(name)} = {toml(section)}")
    return "\n".join(lines)
