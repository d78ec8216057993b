"""Malformed study files: every key of every section, as the settings declare them, with every sort of value."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from attack.attack import Attack
from attack.damage import damaged, something_else
from attack.world import World
from gan_eval.settings.sections import Section
from gan_eval.settings.study import Study
from gan_eval.settings.template import settings_of, toml

Place = tuple[str | int, ...]


def declared(section: type[Section], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every key that a study may have, and its type: a new key is attacked without anyone thinking of it."""
    for setting in settings_of(section):
        here = (*place, setting.name)
        yield here, setting.field.annotation
        if setting.section is not None:
            shapes: Mapping[str, Place] = {"by_name": ("net",), "list": (0,)}
            yield from declared(setting.section, (*here, *shapes.get(setting.shape, ())))


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
        "steps": 1, "image_size": 32, "generator_channels": 2, "discriminator_channels": 2, "receptive_field": 16,
    },
    "models": {"net": {"data": "net"}},
}  # fmt: skip

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
    """Return True if a key of this type never accepts the value; pydantic decides, without the section's settings."""
    try:
        TypeAdapter(annotation).validate_json(json.dumps(value, allow_nan=False), strict=True)
    except ValueError:
        return True
    return False


@st.composite
def _keys(draw: st.DrawFn, world: World) -> Attack:
    """One key with a value that it does not expect."""
    place, annotation = draw(st.sampled_from(KEYS))
    value = draw(st.sampled_from(VALUES))
    key = str(next(part for part in reversed(place) if isinstance(part, str)))
    what = f"{_named(place)} = {toml(value)[:24]}"
    if cannot_be(annotation, value):
        return _attack(draw, world, place, value, what, ("study.toml", key), refused=True)
    either = "|".join([key, "study.toml", "do the stage", *([str(value)] if value else [])])
    return _attack(draw, world, place, value, what, (either,), refused=None)


@st.composite
def _unknown_keys(draw: st.DrawFn, world: World) -> Attack:
    """A key that nobody declared: a slip of the pen, or one of another section."""
    place, _ = draw(st.sampled_from(KEYS))
    section = place[:-1] if isinstance(place[-1], str) else place[:-2]
    slip = draw(
        st.sampled_from(["{}s", "{}_", "_{}", "{} ", "{}.x", "", "__class__", "model_config", "x" * 2000, "\n"])
    )
    here = (*section, slip.format(place[-1]))
    what = f"unknown key {_named(here)[:40]}"
    if section[-1:] == ("net",):
        return _attack(draw, world, here, 1, what, (f"{here[-1] or 'net'}|study.toml|do the stage",), refused=None)
    in_names = section in (("data",), ("models",))
    return _attack(
        draw, world, here, 1, what, ("study.toml", "net" if in_names else here[-1].strip()[:20]), refused=True
    )


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
        "no study": text.partition("\n")[2].encode(),
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
    draw: st.DrawFn, world: World, place: Place, value: object, what: str, names: tuple[str, ...], refused: bool | None
) -> Attack:
    """A study with a value at a place, and a command that uses this section."""
    study = _with(TRAINED if place[0] in ("data", "training", "models", "generate") else BASE, place, value)
    command = draw(st.sampled_from(_OF_SECTIONS.get(str(place[0]), (_RUN,))))
    files = {**world.set, **world.tables, **world.data, "study.toml": toml_file(study).encode()}
    return Attack(
        f"study, {command[0]}: {what}", command, files, names=names, refused=refused, keeps=command[0] == "run",
        changes=("out*",),
    )  # fmt: skip


_OF_LISTS: Mapping[str | int, Any] = {
    "questions": {"id": "age", "text": "How old are you?"},
    "checks": {"text": "Which?", "choices": ["x", "y"], "answer": "x"},
}
"""A section of each list of sections."""


def _with(study: Any, place: Place, value: Any) -> Any:
    """A study with a value at a place; sections on the way are made."""
    if not place:
        return value
    first, *rest = place
    if isinstance(first, int):
        return [_with(study, tuple(rest), value)]
    inner = dict(study) if isinstance(study, Mapping) else {}
    return {**inner, first: _with(inner.get(first, _OF_LISTS.get(first, {})), tuple(rest), value)}


def _named(place: Place) -> str:
    return ".".join(map(str, place))


def toml_file(study: Mapping[str, Any]) -> str:
    """A study as TOML, with one line for each section."""
    return "".join(f"{toml(name)} = {toml(section)}\n" for name, section in study.items())
