"""A few pictures of each model: input, generated, ground truth, small and inline."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.images import read_rgb
from gan_eval.report.folder import StudyFolder
from gan_eval.report.words import plural

PER_MODEL = 4
SIDE = 176
"""Longest side of a thumbnail in pixels."""


@dataclass(frozen=True)
class Sample:
    """One generated picture with its input and ground truth; the data URI is empty where there is no picture."""

    item: str
    input: str
    fake: str
    real: str
    fooled: str
    """How many took the generated picture for real, in words; empty where nobody saw it."""


def samples(folder: StudyFolder) -> dict[str, list[Sample]]:
    """For each model on each data set a few items, evenly spaced over the set."""
    judged = folder.scope("stimulus").set_index("id")
    found: dict[str, list[Sample]] = {}
    for name, stimuli in folder.stimuli.items():
        fakes = stimuli[(stimuli["kind"] == "fake") & stimuli["model"].notna()]
        for (model, dataset), rows in fakes.groupby(["model", "dataset"], sort=True):
            place = np.linspace(0, len(rows) - 1, min(PER_MODEL, len(rows))).round().astype(int)
            chosen = rows.iloc[place]
            base = folder.path / "stimuli" / name
            shown = [_sample(base, row, judged) for _, row in chosen.iterrows()]
            shown = [sample for sample in shown if sample.fake]
            if shown:
                found[f"{model} on {dataset}"] = shown
    return found


def _sample(base: Path, row: pd.Series, judged: pd.DataFrame) -> Sample:
    fooled = ""
    if row["stimulus"] in judged.index:
        count = judged.loc[row["stimulus"]]
        if count["n_fake"]:
            fooled = f"taken for real in {int(count['misses'])} of {plural(int(count['n_fake']), 'answer')}"
    return Sample(
        item=str(row["item"]),
        input=thumbnail(base, row["input_file"]),
        fake=thumbnail(base, row["file"]),
        real=thumbnail(base, row["reference_file"]),
        fooled=fooled,
    )


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
