"""The generated pictures that fooled most and least, and the real ones most often called fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gan_eval.report.metrics.holes import hole_words
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import Record, View, missing, plural, share_interval
from gan_eval.report.people.pictures_ import thumbnail

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
