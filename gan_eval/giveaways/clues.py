"""The clues by name, where each is found and how its values are compared; and the groups that are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from gan_eval.stimuli.pictures import has_shape
from gan_eval.stimuli.sets import TABLE_NAME, StimulusSet
from gan_eval.tables.frames import Row

Sort = Literal["metadata", "picture"]
"""metadata: of the file, its properties or its name. picture: of the pixels, which may be content."""

Measure = Literal["number", "category", "tokens"]
"""Comparison of values: by their order; by the class of others of the same value; by the words in a name."""

Value = float | str | frozenset[str] | None
"""A clue's value in one picture; None where the picture has none."""

Facts = Mapping[str, Value]
"""The values of one picture by clue."""


@dataclass(frozen=True)
class Clue:
    """One property that a person or a script could use."""

    name: str
    sort: Sort
    measure: Measure
    meaning: str
    shared_formats_only: bool = False
    """Compared among pictures of the file formats that both classes hold; otherwise `format` says it already."""
    fix: str = ""
    """Advice for a picture clue that is not the content."""


METADATA_CLUES: tuple[Clue, ...] = (
    Clue("format", "metadata", "category", "file format"),
    Clue("size", "metadata", "category", "width and height in pixels"),
    Clue("mode", "metadata", "category", "colour mode and bits a channel: palette, grey, alpha, 16 bit"),
    Clue("profile", "metadata", "category", "embedded colour profile"),
    Clue("metadata", "metadata", "category", "kinds of metadata: EXIF, XMP, comment, text, resolution, time"),
    Clue("jpeg_tables", "metadata", "category", "JPEG: quantisation tables"),
    Clue("jpeg_subsampling", "metadata", "category", "JPEG: chroma subsampling"),
    Clue("suffix", "metadata", "category", "ending of the file name", shared_formats_only=True),
    Clue("name_token", "metadata", "tokens", "word in the file names that separates most"),
)
"""Found in the file. These can make the quiz refuse to start."""

_CODING = "traces of another coding? `gan-eval stimuli equalise --jpeg 75` puts the same on all"
_TONE = "normalised or saved in another way (range, gamma, colours)? use one way for both"
_BORDER = "padding at the edges? crop the pictures of both before you import them"
_SCALING = "was one of the two scaled? `gan-eval stimuli equalise --size WxH`, smaller than all, scales all"

PICTURE_CLUES: tuple[Clue, ...] = (
    Clue("brightness", "picture", "number", "mean luma, 0..255", fix=_TONE),
    Clue("contrast", "picture", "number", "standard deviation of luma, 0..255", fix=_TONE),
    Clue("saturation", "picture", "number", "mean saturation (HSV), 0..1", fix=_TONE),
    Clue("border_step", "picture", "number", "largest step onto an outermost row or column", fix=_BORDER),
    Clue("sharpness", "picture", "number", "variance of the Laplacian of luma", fix=_SCALING),
    Clue("blockiness", "picture", "number", "steps at the edges of 8x8 blocks, relative to others", fix=_CODING),
)
"""Measured on the pixels, and large enough to see. They are reported and never refused: they may be the content."""

CLUES: dict[str, Clue] = {clue.name: clue for clue in (*METADATA_CLUES, *PICTURE_CLUES)}
"""Every clue by its name."""


@dataclass(frozen=True)
class Group:
    """The stimuli of one model and of its data set, by identifier."""

    dataset: str
    model: str
    real: tuple[str, ...]
    fake: tuple[str, ...]


def groups_of(rows: Iterable[Row]) -> list[Group]:
    """Return one group for each model on each data set, in order of appearance; a repeated stimulus counts once."""
    real: dict[str, dict[str, None]] = {}
    fake: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row["kind"] == "real":
            real.setdefault(row["dataset"], {})[row["stimulus"]] = None
        else:
            fake.setdefault((row["dataset"], row["model"]), {})[row["stimulus"]] = None
    return [
        Group(dataset, model, tuple(real.get(dataset, ())), tuple(stimuli))
        for (dataset, model), stimuli in fake.items()
    ]


def files_of(sets: Iterable[StimulusSet]) -> dict[str, Path]:
    """Return the file of each stimulus."""
    return {row["stimulus"]: stimuli.folder / row["file"] for stimuli in sets for row in stimuli.rows}


def folder_of(file: Path) -> Path:
    """Return the stimulus set of a file: the nearest folder above it with a table of stimuli, else its own folder."""
    return next((folder for folder in file.parents if (folder / TABLE_NAME).is_file()), file.parent)


def equalise_command(folder: Path, rows: Iterable[Row]) -> str:
    """The command that brings a set to one form; `--fit` is in it where its rows name several shapes."""
    sizes = [(row["width"], row["height"]) for row in rows if row["width"] and row["height"]]
    smallest = tuple(map(min, zip(*sizes, strict=True)))
    fit = "" if all(has_shape(size, smallest) for size in sizes) else " --fit crop"
    return f"gan-eval stimuli equalise {quote(str(folder))} --out {quote(f'{folder}-equal')}{fit}"
