"""The published data sets and their trainings, from `presets.toml`: sides, sizes, archives, terms, settings."""

import tomllib
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_eval.base.errors import UserError
from gan_eval.settings.choices import Direction


@dataclass(frozen=True)
class Preset:
    """A data set of A|B pictures or photographs, and a training on it."""

    name: str
    terms: str
    citation: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of `TrainingSettings`; for photographs the changes to `trained`."""
    splits: dict[str, int] = field(default_factory=dict)
    """Number of pictures in each split; empty if the user decides or it is not known exactly."""
    pictures: str = ""  # number of pictures as text, if `splits` is empty
    url: str | None = None
    """The official archive; None if users must register or bring the pictures."""
    archive_note: str = "no archive"
    origin: str = ""  # origin of the pictures, and how the user gets them; only without `url`

    # For A|B pictures:
    a: str = ""  # content of the left half
    b: str = ""  # content of the right half
    direction: Direction = "AtoB"
    """Published direction: from labels, map or edges to the photograph; from day to night. A photograph is both."""

    # For photographs:
    holds: str = ""  # content of the pictures
    trained: str = ""  # name in `TRAININGS`; empty for A|B pictures

    @property
    def has_photographs(self) -> bool:
        """True for single photographs."""
        return bool(self.trained)

    def training(self) -> dict[str, Any]:
        """Return the training as keys of `TrainingSettings`, without a length if none is published."""
        settings = deepcopy(TRAININGS[self.trained]) if self.trained else {}
        inpainting = settings.get("inpainting", {}) | self.settings.get("inpainting", {})
        return settings | self.settings | ({"inpainting": inpainting} if inpainting else {})


_DATA = tomllib.loads(Path(__file__).with_name("presets.toml").read_text(encoding="utf-8"))
PRESETS = {name: Preset(name, **values) for name, values in (_DATA["pairs"] | _DATA["photographs"]).items()}
TRAININGS: dict[str, dict[str, Any]] = _DATA["trainings"]
"""Trainings of generators that fill holes, without a length; `train --preset` accepts their names, too."""


def preset_of(name: str, *, also: Iterable[str] = ()) -> Preset:
    """Return the preset of this name, of A|B pictures or of photographs; `also` are other names for the message."""
    if name not in PRESETS:
        raise UserError(f"preset {name!r}: unknown name; choose from {', '.join([*PRESETS, *also])}")
    return PRESETS[name]
