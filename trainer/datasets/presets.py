"""The data sets of the publications and their trainings, from `presets.toml`: sides, sizes, archives, terms, settings.

`docs/data.md` shows them as tables, made by `python -m trainer.datasets.presets` (A|B pictures) and
`python -m trainer.datasets.presets photographs`.
"""

import sys
import tomllib
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction


@dataclass(frozen=True)
class InpaintingTraining:
    """A training of a generator that fills holes."""

    settings: dict[str, Any]
    """Keys of `TrainingSettings`, without a length."""
    source: str
    """Source of the training."""


@dataclass(frozen=True)
class Preset:
    """One data set, of A|B pictures or of single photographs, and a training on it."""

    name: str
    terms: str
    citation: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of `TrainingSettings`; of photographs what is changed in `trained`."""
    splits: dict[str, int] = field(default_factory=dict)
    """Pictures in each split; none where that is left to the user, or not known exactly."""
    pictures: str = ""
    """Number of pictures as text, where `splits` is empty."""
    url: str | None = None
    """The official archive; None where its terms ask each user to register, or to bring the pictures."""
    archive_note: str = "no archive"
    sha256: str | None = None
    """Hash of the archive; None where none is published."""

    # Of A|B pictures:
    a: str = ""
    """Content of the left half."""
    b: str = ""
    """Content of the right half."""
    direction: Direction = "AtoB"
    """As published: from labels, map or edges to the photograph; from day to night. A photograph is both."""
    width: int = 0
    """Width in pixels of a whole picture (both halves)."""
    height: int = 0
    length_from: str = ""
    """Source of the training's length."""

    # Of photographs:
    holds: str = ""
    """Content of the pictures."""
    side: str = ""
    """Pixels of a picture, as the documentation says it."""
    origin: str = ""
    """Origin of the pictures, and what the user does to get them."""
    trained: str = ""
    """Name in `TRAININGS`; empty for A|B pictures."""
    after: str = ""
    """The set whose generator it starts from."""

    @property
    def has_photographs(self) -> bool:
        """True for single photographs."""
        return bool(self.trained)

    def training(self) -> dict[str, Any]:
        """The training, as keys of `TrainingSettings`; without a length where none is published."""
        settings = deepcopy(TRAININGS[self.trained].settings) if self.trained else {}
        inpainting = settings.get("inpainting", {}) | self.settings.get("inpainting", {})
        return settings | self.settings | ({"inpainting": inpainting} if inpainting else {})

    @property
    def no_address(self) -> str:
        """The message where there is nothing to download."""
        if self.has_photographs:
            return f"{self.name}: no address; {self.origin}"
        reason = self.terms.partition(";")[0]
        return (
            f"{self.name}: no address, because {reason}; give the A|B archive that you have: --from FILE or --from URL"
        )

    @property
    def length(self) -> str:
        """The length of the training, for people."""
        if "steps" in self.settings:
            return f"{self.settings['steps']:,} iterations"
        epochs = self.settings.get("epochs")
        length = "not published; `--epochs N`" if epochs is None else f"{epochs} epochs"
        return f"{length}, from the generator of {self.after} (`--init-from RUN`)" if self.after else length


_DATA = tomllib.loads(Path(__file__).with_name("presets.toml").read_text(encoding="utf-8"))
PRESETS = {name: Preset(name, **values) for name, values in _DATA["pairs"].items()}
"""Presets of A|B pictures."""
PHOTOGRAPH_PRESETS = {name: Preset(name, **values) for name, values in _DATA["photographs"].items()}
TRAININGS = {name: InpaintingTraining(**values) for name, values in _DATA["trainings"].items()}
"""Further names that `train --preset` accepts."""


def preset_of(name: str) -> Preset:
    """The preset of A|B pictures of this name.

    Raises:
        UserError: there is none.
    """
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise UserError(f"data set {name!r}: no preset of A|B pictures has this name; choose from {known}")
    return PRESETS[name]


def any_preset_of(name: str, *, also: Iterable[str] = ()) -> Preset:
    """The preset of this name, of A|B pictures or of photographs.

    Args:
        also: other names that the user could have given.

    Raises:
        UserError: there is none.
    """
    every = PRESETS | PHOTOGRAPH_PRESETS
    if name not in every:
        raise UserError(f"preset {name!r}: there is none of this name; choose from {', '.join([*every, *also])}")
    return every[name]


def pairs_table() -> str:
    """The presets of A|B pictures as two Markdown tables: what the sets are, and how they are trained."""
    rows = ["| name | A (left) | B (right) | pictures | pixels | archive | terms | cite |", "|" + " --- |" * 8]
    for preset in PRESETS.values():
        splits = ", ".join(f"{split} {count:,}" for split, count in preset.splits.items()) or preset.pictures
        archive = f"[{preset.archive_note}]({preset.url})" if preset.url else f"{preset.archive_note}, by `--from` only"
        cells = (preset.name, preset.a, preset.b, splits, f"{preset.width}×{preset.height}", archive)
        rows.append(f"| {' | '.join((*cells, preset.terms, preset.citation))} |")
    rows += ["", "| name | direction | λ (L1) | factor of D's loss | length | length from | size |", "|" + " --- |" * 7]
    for preset in PRESETS.values():
        settings = preset.settings
        rows.append(
            f"| {preset.name} | {preset.direction} | {settings['lambda_l1']:g} | {settings['d_loss_factor']:g} "
            f"| {preset.length} | {preset.length_from} | {settings['image_size']} |"
        )
    return "\n".join(rows)


def photographs_table() -> str:
    """The presets of photographs as Markdown tables: what the sets are, and how they are trained."""
    rows = ["| name | holds | pictures | side | from | terms | cite |", "|" + " --- |" * 7]
    for preset in PHOTOGRAPH_PRESETS.values():
        counts = ", ".join(f"{split} {count:,}" for split, count in preset.splits.items()) or preset.pictures
        origin = f"{preset.origin}: [{preset.archive_note}]({preset.url})" if preset.url else preset.origin
        cells = (preset.name, preset.holds, counts, preset.side, origin, preset.terms, preset.citation)
        rows.append(f"| {' | '.join(cells)} |")
    rows += ["", "| name | training | length |", "| --- | --- | --- |"]
    for preset in PHOTOGRAPH_PRESETS.values():
        own = {key: value for key, value in preset.settings.items() if key not in ("epochs", "steps")}
        rows.append(f"| {preset.name} | {', '.join([f'`{preset.trained}`', *_in_words(own)])} | {preset.length} |")
    rows += ["", "| training | settings | from |", "| --- | --- | --- |"]
    rows += [
        f"| `{name}` | {', '.join(_in_words(training.settings))} | {training.source} |"
        for name, training in TRAININGS.items()
    ]
    return "\n".join(rows)


def _in_words(settings: dict[str, Any]) -> list[str]:
    """Each setting with its value, those of the section inpainting last."""
    inpainting = {f"inpainting.{key}": value for key, value in settings.get("inpainting", {}).items()}
    texts = []
    for key, value in ({key: value for key, value in settings.items() if key != "inpainting"} | inpainting).items():
        match value:
            case dict():
                text = ", ".join(f"{kind} {share:g}" for kind, share in value.items())
            case bool():
                text = str(value).lower()
            case str():
                text = value
            case _:
                text = f"{value:g}"
        texts.append(f"{key} {text}")
    return texts


if __name__ == "__main__":
    print(photographs_table() if "photographs" in sys.argv[1:] else pairs_table())
