"""Picture metrics that another program computed, such as pyiqa (MUSIQ, CLIP-IQA, TOPIQ, ...), as rows of image_metrics.

Two layouts of CSV are read unchanged. pyiqa's `inference_iqa.py --save_file musiq.csv` writes `0001.png,71.2` in
each line (older versions with a tab) without a header: the metric's name is that of the file. A table with a header has
the picture's file in its first column, and each further column of numbers is a metric.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from gan_eval.errors import UserError, abbreviated
from gan_eval.stats.contradictions import are_single
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.cells import csv_records
from gan_eval.tables.frames import conform, read_table

_UNNAMED = ("score", "value", "result", "metric")
"""Headers that do not name the metric; the file's name is used instead."""


def read_image_metrics(files: Sequence[Path], trials: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Read the table `image_metrics` from one file or several, each ours or another program's.

    A picture of another program's file is the judged one whose identifier ends in its name, without the suffix. Where
    several do, a folder in its name, or the file's own folder, that is the model's name (or `real`) decides; else the
    generated picture is meant.

    Args:
        files: `FILE`, or `METRIC=FILE` to name the metric of another program's file.

    Returns:
        The table, and a line for each file that is not of judged pictures alone.

    Raises:
        UserError: a file cannot be read, none of its pictures was judged, a picture may be one of several models', or
            a picture has two values of one metric.
    """
    single = trials[are_single(trials)]
    judged = single[["stimulus", "item", "kind", "model", "dataset"]].dropna(subset="stimulus")
    judged = judged.drop_duplicates("stimulus").astype("object")
    frames, lines = [], []
    for given in files:
        metric, _, name = str(given).rpartition("=")
        file = given if given.exists() else Path(name)
        if file.suffix == ".parquet" or not file.is_file() or {"stimulus", "metric"} <= {*csv_records(file)[0]}:
            # the table `image_metrics`, also one with a fault, which its reader names
            frames.append(read_table(file, IMAGE_METRICS))
        else:
            frame, line = _external(file, metric if file != given else "", judged)
            frames.append(frame)
            lines += [line] if line else []
    where = ", ".join(map(str, files))
    return conform(pd.concat(frames, ignore_index=True), IMAGE_METRICS, where=where), lines


def _external(file: Path, metric: str, judged: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the rows of judged pictures, and a line on the others."""
    values = list(_values(file, metric))
    by_end: dict[str, list[int]] = {}
    for row, stimulus in enumerate(judged["stimulus"]):
        for end in {str(stimulus), PurePosixPath(str(stimulus)).stem, str(stimulus).rpartition("/")[2]}:
            by_end.setdefault(end, []).append(row)
    found = []
    for picture, name, value in values:
        place = _judged_row(file, picture, by_end, judged)
        if place is not None:
            reason = None if value == value else f"no number in {file.name}"
            found.append({**judged.iloc[place], "metric": name, "value": value, "reason": reason, "run": None})
    pictures = list(dict.fromkeys(picture for picture, _, _ in values))
    if not found:
        example = abbreviated(judged["stimulus"].iat[0]) if len(judged) else "no single picture"
        raise UserError(
            f"{file}: none of its {len(pictures)} pictures was judged: {abbreviated(pictures[0])} against {example}; "
            "give values of the pictures that were judged, under the same file names"
        )
    used = len({row["stimulus"] for row in found})
    line = f"{file}: {used} of {len(pictures)} pictures were judged; the others are not needed"
    return conform(pd.DataFrame(found), IMAGE_METRICS, where=str(file)), line if used < len(pictures) else ""


def _values(file: Path, metric: str) -> Iterator[tuple[str, str, float]]:
    header, records = csv_records(file)
    if len(header) < 2:
        raise UserError(f"{file}: one column; expected the picture's file and its value, or the table image_metrics")
    rows, names = list(enumerate(records, start=2)), header
    if _number(header[1]) is not None:
        rows, names = [(1, header), *rows], ["", file.stem, *header[2:]]
    columns = [
        place
        for place in range(1, len(names))
        if rows and all(len(cells) > place and _number(cells[place]) is not None for _, cells in rows)
    ]
    if not columns:
        raise UserError(f"{file}: no column of numbers after the picture's file; expected picture,value in each line")
    if metric and len(columns) > 1:
        raise UserError(f"--image-metrics {metric}={file}: it has {len(columns)} columns of values; give FILE alone")
    for _, cells in rows:
        for place in columns:
            unnamed = names[place].strip().casefold() in _UNNAMED
            name = metric or (file.stem if unnamed and len(columns) == 1 else names[place].strip())
            value = _number(cells[place])
            assert value is not None
            yield cells[0], name, value


def _number(cell: str) -> float | None:
    """Return a cell's number, NaN for an empty cell, None for other text."""
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        return None


def _judged_row(file: Path, picture: str, by_end: dict[str, list[int]], judged: pd.DataFrame) -> int | None:
    """Return the row number of the judged picture with this file name; None if it was not judged."""
    path = PurePosixPath(picture.replace("\\", "/"))
    for name in (str(path), str(path.with_suffix("")), path.name, path.stem):
        if rows := by_end.get(name):
            break
    else:
        return None
    folders = {*path.parts[:-1], file.resolve().parent.name}
    fakes = [row for row in rows if judged["kind"].iat[row] == "fake"]
    named = [row for row in rows if (judged["model"].iat[row] if row in fakes else "real") in folders]
    rows = named or fakes or rows
    if len(rows) > 1:
        names = " and ".join(abbreviated(judged["stimulus"].iat[row]) for row in rows[:2])
        raise UserError(
            f"{file}: {abbreviated(picture)} may be {names}; give one file for each model, in a folder of the model's "
            "name, or write the folder before the picture's name"
        )
    return rows[0]
