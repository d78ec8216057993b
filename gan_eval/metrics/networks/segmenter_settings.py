"""Settings of a user's segmenter, its input and its classes: the file `NETWORK.toml` next to it."""

import difflib
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, field_validator

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file, sha256_json
from gan_eval.files.reading import read_toml
from gan_eval.metrics.definitions.segmentation import CLASSES, VOID

PALETTE = Path("palette")
"""Stands for a network's file where the pictures are label maps themselves."""

VOID_NAME = "void"
"""The name, among `classes`, of an output that stands for nothing that is evaluated."""

ClassNumber = Annotated[int, Field(ge=0, le=255)]


class SegmenterSettings(BaseModel):
    """The keys of the file; each may be left out.

    The network is given (level * scale - mean) / std of each channel, with levels 0 to 255.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    scale: PositiveFloat = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Mean of each channel, after scaling, in the order of `channels`."""
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (1.0, 1.0, 1.0)
    channels: Literal["rgb", "bgr"] = "rgb"
    size: tuple[PositiveInt, PositiveInt] | None = None
    """Height and width that the network wants; default: those of the label map."""
    classes: tuple[ClassNumber, ...] = tuple(range(len(CLASSES)))
    """The training number of each output: 0..18, or 255 for what is not evaluated. In the file also names."""

    @field_validator("classes", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        """Names to training numbers; others are unchanged."""
        if not isinstance(value, list):
            return value
        numbers = {name: number for number, name in enumerate(CLASSES)} | {VOID_NAME: VOID}
        for entry in value:
            if isinstance(entry, str) and entry not in numbers:
                near = difflib.get_close_matches(entry, numbers, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(numbers)}"
                raise ValueError(f"{entry!r} is no class of Cityscapes; {hint}")
        return [numbers[entry] if isinstance(entry, str) else entry for entry in value]

    @field_validator("classes")
    @classmethod
    def _known_numbers(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        for number in value:
            if number >= len(CLASSES) and number != VOID:
                raise ValueError(f"{number} is no class; wanted 0 to {len(CLASSES) - 1}, or {VOID} for what is not one")
        if all(number == VOID for number in value):
            raise ValueError("no output stands for an evaluated class")
        return value


def read_settings(network: Path) -> SegmenterSettings:
    """The settings in `NETWORK.toml`, or the defaults if that file does not exist.

    Raises:
        UserError: the file cannot be read, or a key in it is unknown or has a bad value.
    """
    path = network.with_name(f"{network.name}.toml")
    if not os.path.lexists(path):
        return SegmenterSettings()
    values = read_toml(path)
    try:
        return SegmenterSettings(**values)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"no such key; known: {', '.join(SegmenterSettings.model_fields)}"
        elif problem["type"] != "value_error":
            message += f", found {problem['input']!r}"
        raise UserError(f"{path}: {field}: {message}") from error


def segmenter_key(file: Path) -> str:
    """Return what a segmenter's output depends on, other than the pictures: its file's hash and its settings'.

    Raises:
        UserError: a file cannot be read, or a setting is bad.
    """
    if file == PALETTE:
        return "segmenter/palette/cityscapes19"
    settings = sha256_json(read_settings(file).model_dump(mode="json"))
    return f"segmenter/{sha256_file(file)}/{settings}/cityscapes19"
