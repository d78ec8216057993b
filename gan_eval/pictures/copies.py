"""Find copies: the most similar training picture of each picture of a set, and duplicates inside the set.

Values are rows of the table `image_metrics`, so that they can be correlated with people: `training_copy` is the
likeness to the nearest training picture, `set_copy` the likeness to the nearest other picture of the same model (for
real pictures: the nearest other real one). The additional column `nearest` names that picture.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.pictures.decode import Picture, list_pictures, read_rgb, resize
from gan_eval.pictures.likeness import MIN_COPY_LIKENESS, SIDE, Vectors, grey_values, nearest
from gan_eval.pictures.sets import StimulusSet, require_same_stimuli
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import Row, conform

Half = Literal["left", "right"]
NO_STRUCTURE = "flat: the picture has no structure to compare"
NO_OTHER_PICTURE = "no other picture of the same model"


def find_copies(
    sets: Sequence[StimulusSet],
    training: Path | None = None,
    *,
    half: Half | None = None,
    on_progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the table `image_metrics` with `training_copy` and `set_copy`, and the column `nearest`.

    Args:
        training: folder of the pictures that the model was trained on; None: `set_copy` alone.
        half: the half with the photograph, if a training picture shows input and photograph next to each other.
        on_progress: called with (pictures read, pictures in all).

    Raises:
        UserError: no such folder, a training picture cannot be read, or two sets have different pictures of one name.
    """
    require_same_stimuli(sets)
    files = list_pictures(training) if training else []
    rows = {row["stimulus"]: (row, stimuli.folder / row["file"]) for stimuli in sets for row in stimuli.rows}
    total, done = len(files) + len(rows), 0

    def vector(file: Path, of: Half | None = None) -> np.ndarray:
        nonlocal done
        done += 1
        if on_progress:
            on_progress(done, total)
        return grey_values(resize(select_half(read_rgb(file), of), (SIDE, SIDE)))

    trained = {file.name: vector(file, half) for file in files}
    models: dict[tuple[str, str | None], dict[str, tuple[Row, np.ndarray]]] = {}
    copies: list[Row] = []
    for stimulus, (row, file) in rows.items():
        try:
            models.setdefault((row["dataset"], row["model"]), {})[stimulus] = row, vector(file)
        except UserError as error:
            copies += [_row(row, "training_copy", reason=str(error)), _row(row, "set_copy", reason=str(error))]
    for pictures in models.values():
        members, vectors = zip(*pictures.values(), strict=True)
        if trained:
            copies += _rows(members, "training_copy", np.stack(vectors), np.stack([*trained.values()]), [*trained])
        copies += _rows(members, "set_copy", np.stack(vectors), None, [*pictures])
    return conform(pd.DataFrame(copies), IMAGE_METRICS, where="copies")


def select_half(picture: Picture, half: Half | None) -> Picture:
    """Return the left or right half of a picture (H, W, 3); None: the whole picture."""
    middle = picture.shape[1] // 2
    return picture[:, :middle] if half == "left" else picture[:, middle:] if half == "right" else picture


def _rows(
    members: Sequence[Row], metric: str, vectors: Vectors, others: Vectors | None, names: Sequence[str]
) -> list[Row]:
    """Return a row for each picture of one model."""
    nearest_to, likeness = nearest(vectors, others)
    is_flat = [not vector.any() for vector in vectors]
    reasons = [
        NO_STRUCTURE if flat else NO_OTHER_PICTURE if len(names) < 2 and others is None else None for flat in is_flat
    ]
    return [
        _row(row, metric, reason=reason)
        if reason
        else _row(row, metric, value=float(likeness[number]), nearest=names[nearest_to[number]])
        for number, (row, reason) in enumerate(zip(members, reasons, strict=True))
    ]


def _row(row: Row, metric: str, **cells: object) -> Row:
    facts = {name: row[name] for name in ("stimulus", "item", "kind", "model", "dataset", "sha256")}
    return facts | {"metric": metric, "value": None, "reason": None, "run": None, "nearest": None} | cells


def copy_lines(copies: pd.DataFrame) -> list[str]:
    """Return a line for each model and metric: how many pictures are copies, and the largest likeness."""
    lines = []
    generated = copies[copies["kind"] == "fake"]
    for (dataset, model, metric), part in generated.groupby(["dataset", "model", "metric"], sort=False):
        values = part["value"].dropna()
        if values.empty:
            continue
        of = "training pictures" if metric == "training_copy" else "other pictures of the same model"
        count = f"{int((values >= MIN_COPY_LIKENESS).sum())} of {len(values)} generated pictures"
        line = f"{dataset}, {model}: {count} are copies of {of} (likeness {MIN_COPY_LIKENESS} or more); "
        line += f"the largest likeness is {values.max():.3f}, the median {values.median():.3f}"
        reals = copies[(copies["kind"] == "real") & (copies["dataset"] == dataset) & (copies["metric"] == metric)]
        if reals["value"].notna().any():
            line += f", that of the real pictures {reals['value'].median():.3f}"
        lines.append(line)
    return lines
