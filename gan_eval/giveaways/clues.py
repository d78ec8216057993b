"""The clues by name, with where each is found and how its values are compared; and the groups that are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gan_eval.stimuli.sets import TABLE_NAME, StimulusSet
from gan_eval.tables.frames import Row

Sort = Literal["metadata", "picture"]
"""metadata: of the file, its properties or its name. picture: of the pixels, which may be content."""

Measure = Literal["number", "category", "tokens"]
"""How values are compared: by their order; by what others of the same value are; by the words in a name."""

Value = float | str | frozenset[str] | None
"""A clue's value in one picture; None where the picture has none."""

Facts = Mapping[str, Value]
"""The values of one picture by clue."""


@dataclass(frozen=True)
class Clue:
    """One thing that a person or a script could go by."""

    name: str
    sort: Sort
    measure: Measure
    meaning: str
    unit: str = ""
    shared_formats_only: bool = False
    """Compared among pictures of the file formats that both classes hold; otherwise `format` says it already."""
    follows: str = ""
    """The clue of which this one is another measure: where both tell, they are one thing to mend."""
    mend: str = ""
    """Of a picture clue: what evens it out, unless it is the content."""


METADATA_CLUES: tuple[Clue, ...] = (
    Clue("format", "metadata", "category", "file format"),
    Clue("size", "metadata", "category", "width and height in pixels"),
    Clue("area", "metadata", "number", "width times height", "pixel", follows="size"),
    Clue("aspect", "metadata", "number", "width divided by height", follows="size"),
    Clue("mode", "metadata", "category", "colour mode and bits a channel: palette, grey, alpha, 16 bit"),
    Clue("profile", "metadata", "category", "the embedded colour profile"),
    Clue("metadata", "metadata", "category", "which kinds there are: EXIF, XMP, comment, text, resolution, time"),
    Clue("software", "metadata", "category", "the program that the file says it was written by", follows="metadata"),
    Clue("jpeg_tables", "metadata", "category", "JPEG: the quantisation tables"),
    Clue(
        "jpeg_step",
        "metadata",
        "number",
        "JPEG: mean step of the first table; larger is coarser",
        follows="jpeg_tables",
    ),
    Clue("jpeg_subsampling", "metadata", "category", "JPEG: chroma subsampling"),
    Clue("jpeg_encoding", "metadata", "category", "JPEG: baseline or progressive, and the JFIF and Adobe marks"),
    Clue("png_encoding", "metadata", "category", "PNG: interlacing, compression level, colour chunks"),
    Clue("suffix", "metadata", "category", "the file name's ending", shared_formats_only=True),
    Clue("name_token", "metadata", "tokens", "the word in file names that tells most"),
    Clue("name_length", "metadata", "number", "characters in the file name, without its ending", follows="name_token"),
    Clue("name_number", "metadata", "number", "the last number in the file name; -1 without", follows="name_token"),
)
"""Told by the file. These can make the quiz refuse to start."""

_CODING = "traces of another coding? `gan-eval stimuli equalise --jpeg 75` puts the same on all"
_TONE = "normalised or saved in another way (range, gamma, colours)? do it alike"
_BORDER = "padding at the edges? crop the pictures of both before they are imported"
_SCALING = "was one of the two scaled? `gan-eval stimuli equalise --size WxH`, smaller than all, scales all"

PICTURE_CLUES: tuple[Clue, ...] = (
    Clue("brightness", "picture", "number", "mean luma", "0..255", mend=_TONE),
    Clue("contrast", "picture", "number", "standard deviation of luma", "0..255", mend=_TONE),
    Clue("saturation", "picture", "number", "mean saturation (HSV)", "0..1", mend=_TONE),
    Clue(
        "border_step",
        "picture",
        "number",
        "largest step between an outermost row or column and the next",
        mend=_BORDER,
    ),
    Clue("sharpness", "picture", "number", "variance of the Laplacian of luma", mend=_SCALING),
    Clue(
        "blockiness",
        "picture",
        "number",
        "steps at the edges of 8x8 blocks, relative to the other steps",
        mend=_CODING,
    ),
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
    """One group for each model on each data set, in order of appearance; a stimulus that stands twice counts once."""
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
    """The file of each stimulus."""
    return {row["stimulus"]: stimuli.folder / row["file"] for stimuli in sets for row in stimuli.rows}


def folder_of(file: Path) -> Path:
    """The stimulus set that a file belongs to: the nearest folder above it with a table of stimuli, else its own."""
    return next((folder for folder in file.parents if (folder / TABLE_NAME).is_file()), file.parent)
