"""A few pictures of each model with what they were made from, small and inline."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.report.metrics.holes import hole_words
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import plural
from gan_eval.stimuli.pictures import read_rgb
from gan_eval.stimuli.sets import RAW

PER_MODEL = 4
ORIGINAL, MASKED, GENERATED, COMPOSITE = "original", "masked", "generated", "composite"
"""The stages of a filled picture."""
SIDE = 176
"""Longest side of a thumbnail in pixels."""


@dataclass(frozen=True)
class Sample:
    """One generated picture with what it was made from."""

    item: str
    pictures: Sequence[tuple[str, str]]
    """Name and data URI, in reading order; the URI is empty where there is no picture.

    Input, generated, ground truth; of a filled picture: original, masked, generated, composite.
    """
    remarks: Sequence[str]
    """What is said below: the hole, and how many took the picture for real."""

    @property
    def names(self) -> list[str]:
        """The names of the pictures."""
        return [name for name, _ in self.pictures]


@dataclass(frozen=True)
class Samples:
    """What is shown of one model's pictures."""

    columns: Sequence[str]
    rows: Sequence[Sample]
    note: str = ""
    """What the columns mean, where their names do not say it."""


def samples(folder: StudyFolder) -> dict[str, Samples]:
    """For each model on each data set a few items, evenly spaced over the set."""
    judged = folder.scope("stimulus").set_index("id")
    found: dict[str, Samples] = {}
    for name, stimuli in folder.stimuli.items():
        fakes = stimuli[(stimuli["kind"] == "fake") & stimuli["model"].notna()]
        for (model, dataset), rows in fakes.groupby(["model", "dataset"], sort=True):
            place = np.linspace(0, len(rows) - 1, min(PER_MODEL, len(rows))).round().astype(int)
            chosen = rows.iloc[place]
            base = folder.places[name]
            shown = [_sample(base, row, judged) for _, row in chosen.iterrows()]
            shown = [sample for sample in shown if sample.pictures]
            if shown:
                found[f"{model} on {dataset}"] = _together(shown)
    return found


def _sample(base: Path, row: pd.Series, judged: pd.DataFrame) -> Sample:
    remarks = [words] if (words := hole_words(row["mask_kind"], row["mask_area"])) else []
    if row["stimulus"] in judged.index:
        count = judged.loc[row["stimulus"]]
        if count["n_fake"]:
            remarks.append(f"taken for real in {int(count['misses'])} of {plural(int(count['n_fake']), 'answer')}")
    return Sample(item=str(row["item"]), pictures=_pictures(base, row, filled=bool(words)), remarks=remarks)


def _pictures(base: Path, row: pd.Series, *, filled: bool) -> list[tuple[str, str]]:
    """The pictures of an item by name; none where the generated one cannot be read."""
    fake, given, real = (thumbnail(base, row[name]) for name in ("file", "input_file", "reference_file"))
    if not fake:
        return []
    if not filled:
        return [("input", given), ("generated", fake), ("ground truth", real)]
    return [(ORIGINAL, real), (MASKED, given), (GENERATED, thumbnail(base / RAW, row["file"])), (COMPOSITE, fake)]


def _together(shown: Sequence[Sample]) -> Samples:
    """The rows, without the column of what the generator gave where that is nowhere a picture of its own."""
    names = shown[0].names
    if COMPOSITE not in names:
        return Samples(names, shown)
    note = "Composite: the generated pixels in the hole, the original's around it; people are shown this one."
    if not any(uri for sample in shown for name, uri in sample.pictures if name == GENERATED):
        shown = [replace(one, pictures=[pair for pair in one.pictures if pair[0] != GENERATED]) for one in shown]
        return Samples(shown[0].names, shown, note)
    return Samples(names, shown, f"Generated: the whole picture that the generator gave. {note}")


def thumbnail(base: Path, file: object) -> str:
    """A picture as a data URI; empty where there is none, where it lies outside `base`, or where it is broken."""
    if not isinstance(file, str):
        return ""
    path = (base / file).resolve()
    if not path.is_relative_to(base.resolve()):
        return ""
    try:
        picture = Image.fromarray(read_rgb(path))
    except UserError:
        return ""
    return small_picture(picture, side=SIDE)


def small_picture(picture: Image.Image, *, side: int) -> str:
    """A picture as a data URI, its longer side at most `side` pixels."""
    picture = picture.copy()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return data_uri(buffer.getvalue(), "image/jpeg")


def data_uri(data: bytes, kind: str) -> str:
    """The bytes of a file of this media type, inline."""
    return f"data:{kind};base64," + base64.b64encode(data).decode()
