"""The pictures: a few of each model with their inputs, and those that fooled most and least."""

from pathlib import Path

import numpy as np
import pandas as pd

from gan_eval.report.metrics.holes import hole_text
from gan_eval.report.parts.blocks import Block, Gallery, Lines, PictureTable, Section, Shown
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, proportion_cell, table_of
from gan_eval.report.parts.thumbnails import Picture, thumbnail
from gan_eval.report.parts.words import Record, listed, missing, percent, plural, text, whole
from gan_eval.tables.names import RAW

PER_MODEL = 5
"""Items of each model on each data set."""
MOST_RANKED = 6
LEAST_ANSWERS = 3
"""A picture with fewer answers is not ranked."""
_FOOLED, _DOUBTED = "called real (95\u202f%)", "called fake (95\u202f%)"


def pictures_section(folder: StudyFolder) -> Section:
    """Return a few items of each model on each data set."""
    return Section("pictures", "What was shown", samples(folder))


def samples(folder: StudyFolder) -> list[PictureTable]:
    """Return for each model on each data set a few items, evenly spaced over the set.

    Pictures are input, generated, ground truth; of filled holes: original, masked, generated, composite. An item whose
    generated picture cannot be read is left out.
    """
    judged = folder.scope("stimulus").set_index("id")
    tables = []
    for name, stimuli in folder.stimuli.items():
        base = folder.places[name]
        fakes = stimuli[(stimuli["kind"] == "fake") & stimuli["model"].notna()]
        for (model, dataset), rows in fakes.groupby(["model", "dataset"], sort=True):
            places = np.linspace(0, len(rows) - 1, min(PER_MODEL, len(rows))).round().astype(int)
            shown = {}
            for row in rows.iloc[places].to_dict("records"):
                if (pictures := _stages(row, base))["generated"] is None:
                    continue
                hole = hole_text(row["mask_kind"], row["mask_area"])
                remarks = [hole] if hole else []
                if row["stimulus"] in judged.index and (count := judged.loc[row["stimulus"]])["n_fake"]:
                    remarks.append(f"called real in {int(count['misses'])} of {plural(int(count['n_fake']), 'answer')}")
                shown[f"{row['item']}{': ' * bool(remarks)}{'; '.join(remarks)}"] = pictures
            stages = dict.fromkeys(stage for pictures in shown.values() for stage in pictures)
            kept = [stage for stage in stages if any(pictures.get(stage) for pictures in shown.values())]
            cells = [(label, [pictures.get(stage) for stage in kept]) for label, pictures in shown.items()]
            note = ""
            if "whole output" in kept:
                note = (
                    "Generated: the generated pixels in the hole, the original's around it; participants saw this one."
                )
            if cells:
                tables.append(PictureTable(f"{model} on {dataset}", ["item", *kept], cells, note))
    return tables


def _stages(row: Record, base: Path) -> dict[str, Picture | None]:
    """Return the small pictures of a generated picture by what they show.

    Args:
        row: of a stimulus table.
        base: its folder.
    """
    files = {"input": (base, "input_file"), "generated": (base, "file"), "ground truth": (base, "reference_file")}
    if hole_text(row["mask_kind"], row["mask_area"]):
        files["whole output"] = (base / RAW, "file")
    return {
        stage: thumbnail(
            None if missing(row[column]) else place / str(row[column]),
            f"{stage.capitalize()} of {row['item']}",
            below=place,
        )
        for stage, (place, column) in files.items()
    }


def extremes_section(folder: StudyFolder) -> Section:
    """Return how often each ranked picture fooled, with intervals, and the real pictures that were doubted."""
    judged, ranked = folder.scope("stimulus"), rankings(folder)
    counts = [
        plural(count, f"{noun} picture")
        for noun, name in (("generated", "n_fake"), ("real", "n_real"))
        if (count := int((judged[name] >= LEAST_ANSWERS).sum())) > 1
    ]
    note = (
        f"Of {listed(counts)} with {LEAST_ANSWERS} answers or more. Ranked by the end of the 95 % Wilson interval "
        "nearer to the middle, so that few answers do not win by chance. The best of many are better than they would "
        "be in a second study."
    )
    blocks: list[Block] = [Lines([note] if ranked else [])]
    files = picture_files(folder)
    for title, rows in ranked.items():
        kind = rows["kind"].iloc[0]
        if kind == "real":
            blocks.append(_gallery(title, rows, files))
        column = _FOOLED if kind == "fake" else _DOUBTED
        columns = {
            "picture": cell(text, "id"),
            column: proportion_cell("share", "low", "high"),
            "answers": cell(whole, "n"),
        }
        blocks += table_of(title, rows, columns, source="rates")
    return Section("extremes", "Which pictures fooled most and least?", blocks)


def fooling_galleries(folder: StudyFolder) -> list[Gallery]:
    """Return for the first page the generated pictures that fooled most and least, where they can be shown."""
    files = picture_files(folder)
    galleries = [_gallery(title, rows, files) for title, rows in rankings(folder).items() if "enerated" in title]
    return [gallery for gallery in galleries if gallery]


def rankings(folder: StudyFolder) -> dict[str, pd.DataFrame]:
    """Return up to three rankings by title: id, kind, n, share, low, high; none of pictures with too few answers.

    Ranked by the end of the Wilson interval nearer to the middle, so that few answers do not win by chance.
    """
    judged = folder.scope("stimulus")
    ranked = {}
    for kind in ("fake", "real"):
        rows = judged[judged[f"n_{kind}"] >= LEAST_ANSWERS]
        share, low, high = (1 - rows[f"{kind}_{name}"] for name in ("correct", "high", "low"))
        ranked[kind] = rows[["id"]].assign(kind=kind, n=rows[f"n_{kind}"], share=share, low=low, high=high)
    fakes, reals = ranked["fake"], ranked["real"]
    both = len(fakes) >= 2 * MOST_RANKED
    most = fakes.sort_values(["low", "id"], ascending=[False, True])
    found = {"Generated pictures that fooled most" if both else "Generated pictures by how often they fooled": most}
    if both:
        found["Generated pictures that fooled least"] = fakes.sort_values(["high", "id"])
    found["Real pictures most often called fake"] = reals.sort_values(["low", "id"], ascending=[False, True])
    return {title: rows.head(MOST_RANKED) for title, rows in found.items() if len(rows) >= 2}


def picture_files(folder: StudyFolder) -> dict[str, Picture | None]:
    """Return the small picture of each ranked stimulus."""
    ranked = {str(name) for rows in rankings(folder).values() for name in rows["id"]}
    files: dict[str, Picture | None] = {}
    for name, stimuli in folder.stimuli.items():
        base = folder.places[name]
        for row in stimuli[stimuli["stimulus"].isin(ranked) & stimuli["file"].notna()].to_dict("records"):
            stimulus = str(row["stimulus"])
            files.setdefault(stimulus, thumbnail(base / str(row["file"]), stimulus, below=base))
    return files


def _gallery(title: str, rows: pd.DataFrame, files: dict[str, Picture | None]) -> Gallery:
    entries = []
    for row in rows.to_dict("records"):
        called = "called real" if row["kind"] == "fake" else "called fake"
        caption = f"{called}: {percent(row['share'], digits=0)} of {row['n']:.0f}"
        entries.append(Shown([files.get(str(row["id"]))], [caption, str(row["id"])]))
    return Gallery(entries if any(any(entry.pictures) for entry in entries) else [], title, is_ranked=True)
