"""The pictures that every metric likes best and least, and those that two metrics differ on.

Each picture file is put into the page once, however many lists show it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.report.metrics.agreement import Dispute, disputes
from gan_eval.report.metrics.data import Measured, arrow, decimals, higher_is_better, unit_of
from gan_eval.report.parts.thumbnails import small_picture
from gan_eval.report.parts.words import NARROW, number, plural, whole
from gan_eval.stimuli.pictures import read_rgb

MOST_LISTED = 10
"""Best and worst pictures of a metric."""
BYTES = 4_000_000
"""The thumbnails of a page stay below it: many are smaller, and of very many fewer are listed."""
_SIDE, _LEAST_SIDE = 144, 64
"""Longest side of a thumbnail, and the least that still shows something."""
_BYTES_PER_PIXEL = 0.6
"""Of a photograph as JPEG in base64, to begin with."""


@dataclass(frozen=True)
class Shown:
    """A generated picture beside its real one."""

    item: str
    model: str
    lines: Sequence[str]
    """What is said below it."""
    fake: Path | None
    real: Path | None


@dataclass(frozen=True)
class Extremes:
    """The pictures at both ends of one metric."""

    title: str
    lists: Sequence[tuple[str, Sequence[Shown]]]
    """Heading and pictures."""
    note: str


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of the page."""

    name: str
    """Its identifier in the page."""
    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Album:
    """All thumbnails of a page by their files."""

    thumbnails: Mapping[Path, Thumbnail] = field(default_factory=dict)

    def get(self, path: Path | None) -> Thumbnail | None:
        """The thumbnail of a file; None where it could not be read."""
        return None if path is None else self.thumbnails.get(path)


def how_many(metrics: int) -> int:
    """Pictures at each end of each metric that a page of so many metrics has room for.

    >>> how_many(1), how_many(12), how_many(400)
    (10, 10, 3)
    """
    room = BYTES / (_LEAST_SIDE**2 * _BYTES_PER_PIXEL)
    return int(min(MOST_LISTED, max(3, room / (4 * max(metrics, 1)))))


def extremes(measured: Measured, dataset: str, *, most: int) -> list[Extremes]:
    """Best and worst generated pictures of each picture metric over all models of a data set."""
    return [
        found for metric in measured.picture_metrics(dataset) if (found := _extremes(measured, dataset, metric, most))
    ]


def _extremes(measured: Measured, dataset: str, metric: str, most: int) -> Extremes | None:
    rows = [measured.rows(dataset, metric, model) for model in measured.models(dataset)]
    table = pd.concat(rows).dropna(subset="value").sort_values(["value", "stimulus"], kind="stable")
    if table.empty:
        return None
    better = higher_is_better(metric)
    low, high = ("worst", "best") if better else ("lowest", "highest") if better is None else ("best", "worst")
    count = min(most, max(len(table) // 2, 1))
    places = decimals(list(table["value"]))
    ends = [(high, table.iloc[::-1].head(count))]
    if len(table) > 1:
        ends.append((low, table.head(count)))
    if better is False:
        ends.reverse()
    return Extremes(
        title=f"{metric} {arrow(metric)}".strip(),
        lists=[
            (
                _heading(word, len(part), len(table)),
                [_shown(measured, metric, row, places) for _, row in part.iterrows()],
            )
            for word, part in ends
        ],
        note=f"Of {plural(len(table), 'generated picture')} of "
        f"{plural(int(table['model'].nunique()), 'model')}, each beside its real one.",
    )


def _heading(word: str, count: int, total: int) -> str:
    if total == 1:
        return "The only picture"
    return f"The {word} {whole(count)}" if count > 1 else f"The {word}"


def _shown(measured: Measured, metric: str, row: pd.Series, places: int) -> Shown:
    unit = unit_of(metric)
    value = number(row["value"], digits=places) + (f"{NARROW}{unit}" if unit and len(unit) < 5 else "")
    return _picture(measured, str(row["stimulus"]), str(row["item"]), str(row["model"]), [value])


def _picture(measured: Measured, stimulus: str, item: str, model: str, lines: Sequence[str]) -> Shown:
    return Shown(item, model, lines, *measured.files(stimulus))


def disputed(measured: Measured, dataset: str) -> list[Shown]:
    """The pictures that two metrics differ on most, with what each says."""
    rows = measured.images.drop_duplicates("stimulus").set_index("stimulus")
    return [
        _picture(
            measured,
            one.stimulus,
            str(rows.loc[one.stimulus, "item"]),
            str(rows.loc[one.stimulus, "model"]),
            _verdicts(one),
        )
        for one in disputes(measured, dataset)
    ]


def _verdicts(one: Dispute) -> list[str]:
    return [
        f"{one.praising}: among the best {_share(one.from_best)}",
        f"{one.blaming}: among the worst {_share(one.from_worst)}",
    ]


def _share(share: float) -> str:
    return f"{max(math.ceil(100 * share - 1e-9), 1)}{NARROW}%"


def album(shown: Iterable[Shown]) -> Album:
    """The thumbnails of all pictures, each once, small enough to stay below BYTES together."""
    paths = list(dict.fromkeys(path for one in shown for path in (one.fake, one.real) if path is not None))
    side = _first_side(len(paths))
    while True:
        found = _thumbnails(paths, side)
        size = sum(len(one.uri) for one in found.values())
        if size <= BYTES or side <= _LEAST_SIDE:
            return Album(found)
        side = max(_LEAST_SIDE, int(side * 0.95 * math.sqrt(BYTES / size)))


def _first_side(count: int) -> int:
    """The side at which so many photographs take up about BYTES.

    >>> _first_side(10), _first_side(600), _first_side(100_000)
    (144, 105, 64)
    """
    fitting = math.sqrt(BYTES / (max(count, 1) * _BYTES_PER_PIXEL))
    return int(min(_SIDE, max(_LEAST_SIDE, fitting)))


def _thumbnails(paths: Sequence[Path], side: int) -> dict[Path, Thumbnail]:
    found: dict[Path, Thumbnail] = {}
    for path in paths:
        try:
            picture = Image.fromarray(np.ascontiguousarray(read_rgb(path)))
        except UserError:
            continue
        scale = min(1.0, side / max(picture.size))
        width, height = (max(1, round(length * scale)) for length in picture.size)
        found[path] = Thumbnail(f"p{len(found)}", small_picture(picture, side=side), width, height)
    return found
