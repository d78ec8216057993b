"""The generated pictures that fooled most and least, and the real ones most often called fake.

A few pictures of each model with what they were made from, small and inline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.report.metrics.holes import hole_words
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import COMPOSITE, GENERATED, MASKED, ORIGINAL, thumbnail
from gan_eval.report.parts.words import Record, View, missing, plural, share_interval
from gan_eval.stimuli.sets import RAW

PER_MODEL = 4


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


SHOWN = 6
LEAST_ANSWERS = 3
"""A picture with fewer answers is not ranked."""


@dataclass(frozen=True)
class Ranked:
    """One picture with what people said of it."""

    stimulus: str
    said: str
    uri: str
    """Empty where there is no picture."""
    masked: str = ""
    """Of a filled picture: what the generator was given, the hole in grey; else empty."""


class _Files(NamedTuple):
    """Where a stimulus's pictures are."""

    base: Path
    file: str
    masked: str | None
    """Of a filled picture: the one with the hole."""


@dataclass(frozen=True)
class Ranking:
    """Pictures in order."""

    title: str
    pictures: Sequence[Ranked]


def rankings(folder: StudyFolder) -> list[Ranking]:
    """Up to three rankings; none where too few answers were given to single pictures.

    Ranked by the end of the Wilson interval nearer to the middle, so that few answers do not win by chance.
    """
    judged = folder.scope("stimulus")
    fakes, reals = (judged[judged[name] >= LEAST_ANSWERS] for name in ("n_fake", "n_real"))
    places = _places(folder)
    most = fakes.assign(rank=1 - fakes["fake_high"]).sort_values(["rank", "id"], ascending=[False, True])
    least = fakes.assign(rank=1 - fakes["fake_low"]).sort_values(["rank", "id"])
    doubted = reals.assign(rank=1 - reals["real_high"]).sort_values(["rank", "id"], ascending=[False, True])
    both = len(fakes) >= 2 * SHOWN
    found = [
        (
            "Generated pictures that fooled most" if both else "Generated pictures by how often they fooled",
            most,
            "fake",
        ),
        *([("Generated pictures that fooled least", least, "fake")] if both else []),
        ("Real pictures most often called fake", doubted, "real"),
    ]
    return [
        Ranking(title, [_ranked(row, kind, places) for row in rows.head(SHOWN).to_dict("records")])
        for title, rows, kind in found
        if len(rows) >= 2
    ]


def ranking_views(found: Sequence[Ranking]) -> list[View]:
    """The rankings as tables, for where there is no picture to show."""
    return [
        View(
            ranking.title,
            ["picture", "answers (95\u202f%)"],
            [[picture.stimulus, picture.said] for picture in ranking.pictures],
            last_is_text=True,
            source=("rates",),
        )
        for ranking in found
    ]


def pictured(found: Sequence[Ranking]) -> bool:
    """There is a picture to show."""
    return any(picture.uri for ranking in found for picture in ranking.pictures)


def _ranked(row: Record, kind: str, places: Mapping[str, _Files]) -> Ranked:
    share, low, high = (1 - float(row[f"{kind}_{name}"]) for name in ("correct", "high", "low"))
    count = plural(int(row[f"n_{kind}"]), "answer")
    called = "called real" if kind == "fake" else "called fake"
    stimulus = str(row["id"])
    said = f"{called}: {share_interval(share, low, high)} of {count}"
    files = places.get(stimulus)
    if files is None:
        return Ranked(stimulus, said, "")
    masked = thumbnail(files.base, files.masked) if files.masked else ""
    return Ranked(stimulus, said, thumbnail(files.base, files.file), masked)


def _places(folder: StudyFolder) -> dict[str, _Files]:
    """The files of each stimulus."""
    found: dict[str, _Files] = {}
    for name, stimuli in folder.stimuli.items():
        known = stimuli[stimuli["file"].notna()]
        for row in known.to_dict("records"):
            is_filled = row["kind"] == "fake" and hole_words(row["mask_kind"], row["mask_area"])
            masked = str(row["input_file"]) if is_filled and not missing(row["input_file"]) else None
            found.setdefault(str(row["stimulus"]), _Files(folder.places[name], str(row["file"]), masked))
    return found


def ranking_note(folder: StudyFolder, found: Sequence[Ranking]) -> str:
    """How the pictures were ranked; empty where none are."""
    if not found:
        return ""
    judged: pd.DataFrame = folder.scope("stimulus")
    count = int((judged["n_fake"] >= LEAST_ANSWERS).sum())
    masked = any(picture.masked for ranking in found for picture in ranking.pictures)
    beside = " Left the picture with its hole, right the filled one that was shown." if masked else ""
    return (
        f"Of {plural(count, 'generated picture')} with {LEAST_ANSWERS} answers or more. Ranked by the end of the 95 % "
        "Wilson interval nearer to the middle, so that few answers do not win by chance; the best of many are better "
        f"than they would be again.{beside}"
    )
