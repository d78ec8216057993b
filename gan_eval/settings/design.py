"""A study's design: the settings that decide what participants see, and the exclusions.

Sessions of two designs are never mixed in a store. Keys that are not in the file have their default; if a later version
changes a default, the design changes. A key belongs to the design unless its annotation has the mark `NotInDesign`.
Exclusions belong to it because they are fixed before the first answer.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gan_eval.base.digests import sha256_json
from gan_eval.base.record import differences, in_words
from gan_eval.settings.sections import NotInDesign, Section, has_effect, mark_of
from gan_eval.tables.frames import Row

_OF_PICTURES = ("stimulus", "item", "kind", "model", "dataset", "sha256")
"""Columns of a stimulus that decide what is shown and to whom."""


def keys_of_design(section: type[Section]) -> list[str]:
    """Return the keys that belong to the design, of a section or of the whole study: all that have no other mark."""
    return [name for name, field in section.model_fields.items() if mark_of(field, NotInDesign) is None]


def design_of(section: Section) -> dict[str, Any]:
    """Return the part of a design that a section decides: the values of all its keys that have an effect."""
    values = section.model_dump(mode="json")
    return {name: values[name] for name in keys_of_design(type(section)) if has_effect(section, name)}


def pictures_hash(stimuli: Iterable[Row], *, captions: bool = False) -> str:
    """Return the SHA-256 over the pictures that can be shown and their meaning, without the paths of their files.

    `captions`: and over their captions, which are shown too.
    """
    names = (*_OF_PICTURES, "caption") if captions else _OF_PICTURES
    return sha256_json(sorted({tuple(row.get(name) or "" for name in names) for row in stimuli}))


def design_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the differences between two designs, with old and new values (without values for pictures).

    >>> design_changes({"quiz": {"real": 20}, "pictures": {"shown": "0" * 64}}, {"quiz": {"real": 25}, "pictures": {}})
    'pictures.shown is gone; quiz.real was 20, is 25'
    """
    return in_words([*differences(old, new)])
