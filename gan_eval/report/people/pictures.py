"""The pictures: a few of each model with what they were made from; which fooled most and least, and which real ones
were called fake most often, on the page and as contact sheets for slides."""

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from gan_eval.report.metrics.holes import hole_text
from gan_eval.report.parts.blocks import (
    Block,
    Lines,
    RankedPicture,
    Ranking,
    Sample,
    Samples,
    SampleSheets,
    Section,
    Table,
)
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import COMPOSITE, GENERATED, MASKED, ORIGINAL, picture_below, thumbnail_uri
from gan_eval.report.parts.words import NARROW, NBSP, clean, listed, missing, percent, plural, proportion_interval
from gan_eval.tables.names import RAW

PER_MODEL = 5
"""As many as the appendix of `pix2pix_capability` shows of each data set."""
MOST_RANKED = 6
LEAST_ANSWERS = 3
"""A picture with fewer answers is not ranked."""
_IN_A_ROW = 3
_SIDE = 512
"""Pixels of a picture's longer side on a contact sheet: three in a row fill a slide."""
_MARGIN, _TITLE, _CAPTION = 36, 34, 26
"""Pixels around and between pictures; size of the letters above and below."""


def pictures_section(folder: StudyFolder) -> Section:
    """For each model on each data set a few items."""
    return Section("pictures", "What was shown", [SampleSheets(samples(folder))])


def samples(folder: StudyFolder) -> dict[str, Samples]:
    """For each model on each data set a few items, evenly spaced over the set.

    Pictures are input, generated, ground truth; of filled holes: original, masked, generated, composite. An item whose
    generated picture cannot be read is left out.
    """
    judged = folder.scope("stimulus").set_index("id")
    by_model: dict[str, Samples] = {}
    for name, stimuli in folder.stimuli.items():
        base = folder.places[name]
        fakes = stimuli[(stimuli["kind"] == "fake") & stimuli["model"].notna()]
        for (model, dataset), rows in fakes.groupby(["model", "dataset"], sort=True):
            places = np.linspace(0, len(rows) - 1, min(PER_MODEL, len(rows))).round().astype(int)
            items = []
            for _, row in rows.iloc[places].iterrows():
                hole = hole_text(row["mask_kind"], row["mask_area"])
                fake, given, real = (
                    thumbnail_uri(base, row[name]) for name in ("file", "input_file", "reference_file")
                )
                if not fake:
                    continue
                pictures = [("input", given), ("generated", fake), ("ground truth", real)]
                if hole:
                    generated = thumbnail_uri(base / RAW, row["file"])
                    pictures = [(ORIGINAL, real), (MASKED, given), (GENERATED, generated), (COMPOSITE, fake)]
                remarks = [hole] if hole else []
                if row["stimulus"] in judged.index and (count := judged.loc[row["stimulus"]])["n_fake"]:
                    answers = plural(int(count["n_fake"]), "answer")
                    remarks.append(f"called real in {int(count['misses'])} of {answers}")
                items.append(Sample(str(row["item"]), pictures, remarks))
            if items:
                by_model[f"{model} on {dataset}"] = _with_note(items)
    return by_model


def _with_note(items: list[Sample]) -> Samples:
    """The rows, without columns of which no item has a picture; what the generator gave is one where that is nowhere a
    picture of its own."""
    names = [name for name, _ in items[0].pictures]
    if COMPOSITE not in names:
        return _samples(items)
    note = "Composite: the generated pixels in the hole, the original's around it; people are shown this one."
    if any(uri for item in items for name, uri in item.pictures if name == GENERATED):
        note = f"Generated: the whole picture that the generator gave. {note}"
    return _samples(items, note)


def _samples(items: list[Sample], note: str = "") -> Samples:
    names = list(dict.fromkeys(name for item in items for name, uri in item.pictures if uri))
    names = [name for name, _ in items[0].pictures if name in names]
    items = [replace(item, pictures=[pair for pair in item.pictures if pair[0] in names]) for item in items]
    return Samples(names, items, note)


def extremes_section(folder: StudyFolder) -> Section:
    """How often each ranked picture fooled, with intervals, and the real pictures that were doubted."""
    ranked = rankings(folder)
    judged = folder.scope("stimulus")
    counts = [
        plural(count, f"{noun} picture")
        for noun, name in (("generated", "n_fake"), ("real", "n_real"))
        if (count := int((judged[name] >= LEAST_ANSWERS).sum())) > 1
    ]
    note = (
        f"Of {listed(counts)} with {LEAST_ANSWERS} answers or more. Ranked by the end of the 95 % Wilson interval "
        "nearer to the middle, so that few answers do not win by chance; the best of many are better than they would "
        "be again."
    )
    blocks: list[Block] = [Lines([note] if ranked else [])]
    head = ["picture", "answers (95\u202f%)"]
    for ranking in ranked:
        if ranking.of_reals and has_pictures(ranking):
            blocks.append(ranking)
        rows = [[picture.stimulus, picture.details] for picture in ranking.pictures]
        blocks.append(Table(ranking.title, head, rows, last_is_text=True, source=("rates",), folded=False))
    return Section("extremes", "Which pictures fooled most and least?", blocks)


def fooling_rankings(folder: StudyFolder) -> list[Ranking]:
    """For the first page: the generated pictures that fooled most and least, where they can be shown."""
    return [ranking for ranking in rankings(folder) if not ranking.of_reals and has_pictures(ranking)]


def has_pictures(ranking: Ranking) -> bool:
    """Any of its pictures could be read."""
    return any(picture.uri for picture in ranking.pictures)


def rankings(folder: StudyFolder) -> list[Ranking]:
    """Up to three rankings; none where too few answers were given to single pictures.

    Ranked by the end of the Wilson interval nearer to the middle, so that few answers do not win by chance.
    """
    judged = folder.scope("stimulus")
    fakes, reals = (judged[judged[name] >= LEAST_ANSWERS] for name in ("n_fake", "n_real"))
    most = fakes.assign(rank=1 - fakes["fake_high"]).sort_values(["rank", "id"], ascending=[False, True])
    least = fakes.assign(rank=1 - fakes["fake_low"]).sort_values(["rank", "id"])
    doubted = reals.assign(rank=1 - reals["real_high"]).sort_values(["rank", "id"], ascending=[False, True])
    both = len(fakes) >= 2 * MOST_RANKED
    title = "Generated pictures that fooled most" if both else "Generated pictures by how often they fooled"
    candidates = [
        (title, "fooled_most", most, "fake"),
        *([("Generated pictures that fooled least", "fooled_least", least, "fake")] if both else []),
        ("Real pictures most often called fake", "doubted", doubted, "real"),
    ]
    files: dict[str, tuple[Path, str, str | None]] = {}
    for name, stimuli in folder.stimuli.items():
        for row in stimuli[stimuli["file"].notna()].to_dict("records"):
            is_filled = row["kind"] == "fake" and hole_text(row["mask_kind"], row["mask_area"])
            masked = str(row["input_file"]) if is_filled and not missing(row["input_file"]) else None
            files.setdefault(str(row["stimulus"]), (folder.places[name], str(row["file"]), masked))
    return [
        Ranking(title, _ranked(rows.head(MOST_RANKED), kind, files), name, of_reals=kind == "real")
        for title, name, rows, kind in candidates
        if len(rows) >= 2
    ]


def _ranked(rows: pd.DataFrame, kind: str, files: dict[str, tuple[Path, str, str | None]]) -> list[RankedPicture]:
    pictures = []
    for row in rows.to_dict("records"):
        stimulus = str(row["id"])
        proportion, low, high = (1 - float(row[f"{kind}_{name}"]) for name in ("correct", "high", "low"))
        called = "called real" if kind == "fake" else "called fake"
        answers = plural(int(row[f"n_{kind}"]), "answer")
        caption = f"{called}: {percent(proportion, digits=0)} of {row[f'n_{kind}']:.0f}"
        details = f"{called}: {proportion_interval(proportion, low, high)} of {answers}"
        uri, masked_uri, source = "", "", None
        if stimulus in files:
            base, file, masked = files[stimulus]
            uri, masked_uri, source = thumbnail_uri(base, file), thumbnail_uri(base, masked), (base, file)
        pictures.append(RankedPicture(stimulus, caption, uri, masked_uri, details, source))
    return pictures


def contact_sheet(ranking: Ranking) -> bytes:
    """The pictures of a ranking on white, as a PNG; equal rankings give equal bytes.

    A picture is made smaller with Lanczos' filter where it is too large, and larger by a whole number where it is
    small, each pixel becoming a square: nothing is smoothed that people saw.
    """
    tiles = [
        (picture, tile) for picture in ranking.pictures if picture.source and (tile := picture_below(*picture.source))
    ]
    scaled = [(picture, _scaled(tile)) for picture, tile in tiles]
    rows = [scaled[start : start + _IN_A_ROW] for start in range(0, len(scaled), _IN_A_ROW)]
    captions = 2 * round(1.35 * _CAPTION)
    heights = [max(tile.height for _, tile in row) + _MARGIN // 3 + captions + _MARGIN for row in rows]
    top = _MARGIN + round(1.35 * _TITLE) + _MARGIN // 2
    width = _MARGIN + _IN_A_ROW * (_SIDE + _MARGIN)
    sheet = Image.new("RGB", (width, top + sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), ranking.title, "black", _letters(_TITLE))
    for row, height in zip(rows, heights, strict=True):
        below = top + height - _MARGIN - captions
        for place, (picture, tile) in enumerate(row):
            left = _MARGIN + place * (_SIDE + _MARGIN)
            sheet.paste(tile, (left, below - _MARGIN // 3 - tile.height))
            for line, text in enumerate((f"{picture.caption} answers".replace(NARROW, NBSP), clean(picture.stimulus))):
                draw.text((left, below + line * round(1.35 * _CAPTION)), _fitted(text), "black", _letters(_CAPTION))
        top += height
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _scaled(tile: Image.Image) -> Image.Image:
    """A picture whose longer side is at most `_SIDE`, and more than half of it."""
    longer = max(tile.size)
    if longer > _SIDE:
        width, height = (max(1, round(length * _SIDE / longer)) for length in tile.size)
        return tile.resize((width, height), Image.Resampling.LANCZOS)
    times = _SIDE // longer
    return tile.resize((tile.width * times, tile.height * times), Image.Resampling.NEAREST)


def _fitted(text: str) -> str:
    """A text that is no wider than a picture: its middle left out where it is."""
    letters, half = _letters(_CAPTION), len(text) // 2
    fitted = text
    while letters.getlength(fitted) > _SIDE and half > 1:
        half -= 1
        fitted = f"{text[:half]}…{text[-half:]}"
    return fitted


@cache
def _letters(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib.font_manager import findfont

    return ImageFont.truetype(findfont("DejaVu Sans"), size)
