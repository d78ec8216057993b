"""The pictures: six pairs, a few of each model with their inputs, and those that fooled most and least."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from gan_eval.pictures.compare import separation_text
from gan_eval.report.metrics.holes import hole_text
from gan_eval.report.parts.blocks import Gallery, GalleryEntry, PictureTable, ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, table_of
from gan_eval.report.parts.thumbnails import Picture, evenly_spaced, thumbnail
from gan_eval.report.parts.words import Record, missing, percent, plural, text
from gan_eval.tables import GIVEAWAYS
from gan_eval.tables.names import RAW

PER_MODEL = 5
"""Items of each model on each data set."""
MAX_RANKED = 6
PAIRS = 6
"""Pairs on the first page."""
MIN_ANSWERS = 10
"""A picture with fewer answers is not ranked."""


NOT_SHOWN = "shown to nobody"


def giveaways_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the table of the clues that separate real from generated pictures, with the number of the others."""
    frame = folder.table(GIVEAWAYS)
    clues = frame[frame["verdict"].isin(["gives_away", "look"])]
    columns = {
        "data set": cell(text, "dataset"),
        "model": cell(text, "model"),
        "clue": lambda row: str(row["clue"]).replace("_", " "),
        "real": cell(text, "real"),
        "generated": cell(text, "fake"),
        "separation": separation_text,
        "verdict": lambda row: str(row["verdict"]).replace("_", " "),
    }
    others = int(frame["auc"].notna().sum()) - len(clues)
    notes = [f"{plural(others, 'more comparison')} found no difference; the file has them. look: may be content."]
    return table_of("Clues other than the content", clues, columns, text_columns=7, notes=notes, source="giveaways")


def six_pairs(folder: StudyFolder) -> Gallery:
    """Return generated pictures next to their real ones, evenly spaced over all models and data sets.

    Next to a picture without a partner is a real one of the same data set, which the title says.
    """
    said_of = _said_of_pictures(folder)
    parts = [stimuli.assign(set=name) for name, stimuli in folder.stimuli.items()]
    pictures = pd.concat(parts).sort_values(["dataset", "model", "item"], kind="stable") if parts else pd.DataFrame()
    fakes, reals = (pictures[pictures["kind"] == kind] if parts else pictures for kind in ("fake", "real"))
    shown, are_partners = [], True
    for number, position in enumerate(evenly_spaced(len(fakes), PAIRS)):
        row = fakes.iloc[position].to_dict()
        others = reals[(reals["dataset"] == row["dataset"]) & (reals["set"] == row["set"])]
        if missing(row["reference_file"]) and len(others):
            row["reference_file"], are_partners = others["file"].iloc[number * len(others) // PAIRS], False
        stages = _stages(row, folder.set_folders[row["set"]])
        said = ": ".join(filter(None, (str(row["model"]), said_of(row["stimulus"]))))
        if stages["generated"] is not None:
            pair = [stages["generated"], stages["ground truth"]]
            shown.append(GalleryEntry(pair, [said, str(row["item"]).rpartition("/")[2]]))
    title = "Generated (left) and real (right)" + ", not of the same item" * (not are_partners)
    return Gallery(shown, title, is_ranked=True)


def samples(folder: StudyFolder) -> list[PictureTable]:
    """Return for each model on each data set a few items, evenly spaced over the set.

    Pictures are input, generated, ground truth; of filled holes: original, masked, generated, composite. An item whose
    generated picture cannot be read is left out.
    """
    said_of, tables = _said_of_pictures(folder), []
    for name, stimuli in folder.stimuli.items():
        base = folder.set_folders[name]
        fakes = stimuli[(stimuli["kind"] == "fake") & stimuli["model"].notna()]
        for (model, dataset), rows in fakes.groupby(["model", "dataset"], sort=True):
            shown = {}
            for row in rows.iloc[evenly_spaced(len(rows), PER_MODEL)].to_dict("records"):
                if (pictures := _stages(row, base))["generated"] is None:
                    continue
                hole, said = hole_text(row["mask_kind"], row["mask_area"]), said_of(row["stimulus"])
                shown["; ".join(filter(None, (str(row["item"]), hole, said)))] = pictures
            if shown:
                tables.append(_sample_table(f"{model} on {dataset}", shown))
    return tables


def _sample_table(title: str, shown: Mapping[str, Mapping[str, Picture | None]]) -> PictureTable:
    """Return the table of pictures by label and stage, without stages of which there is no picture."""
    stages = dict.fromkeys(stage for pictures in shown.values() for stage in pictures)
    kept = [stage for stage in stages if any(pictures.get(stage) for pictures in shown.values())]
    cells = [(label, [pictures.get(stage) for stage in kept]) for label, pictures in shown.items()]
    note = "Generated: the generated pixels in the hole, the original's around it; participants saw this one."
    return PictureTable(title, ["item", *kept], cells, note if "whole output" in kept else "")


def _said_of_pictures(folder: StudyFolder) -> Callable[[str], str]:
    """Return a function from a generated stimulus to how often it was called real, or that nobody saw it, in words."""
    pictures, trials = folder.scope("stimulus"), folder.presented
    rows = pictures[pictures["n_fake"] > 0].to_dict("records")
    said = {row["id"]: f"called real {row['misses']:.0f} of {row['n_fake']:.0f}" for row in rows}
    seen = {*trials["stimulus"].dropna(), *trials["stimulus_b"].dropna(), *said} if len(trials) else set[str]()
    in_sets = {name for stimuli in folder.stimuli.values() for name in stimuli["stimulus"]}
    named_alike = not seen.isdisjoint(in_sets)  # answers of another program may name the pictures otherwise
    return lambda stimulus: said.get(stimulus, NOT_SHOWN if named_alike and stimulus not in seen else "")


def _stages(row: Record, base: Path) -> dict[str, Picture | None]:
    """Return the small pictures of a generated picture by what they show."""
    files = {"input": (base, "input_file"), "generated": (base, "file"), "ground truth": (base, "reference_file")}
    if hole_text(row["mask_kind"], row["mask_area"]):
        files["whole output"] = (base / RAW, "file")
    return {
        stage: None
        if missing(row[column])
        else thumbnail(base / str(row[column]), f"{stage.capitalize()} of {row['item']}", below=base)
        for stage, (base, column) in files.items()
    }


def fooling_galleries(folder: StudyFolder) -> list[Gallery]:
    """Return the generated pictures that fooled most and least, among those with at least MIN_ANSWERS answers.

    Ranked by the end of the Wilson interval nearer to 50%, so that pictures with few answers do not win by chance.
    """
    judged = folder.scope("stimulus")
    judged = judged[judged["n_fake"] >= MIN_ANSWERS]
    if len(judged) < 2 * MAX_RANKED or not folder.stimuli:
        return []
    ranked = {
        "Generated pictures that fooled most": judged.sort_values(["fake_high", "id"]),
        "Generated pictures that fooled least": judged.sort_values(["fake_low", "id"], ascending=[False, True]),
    }
    stimuli = [stimuli.assign(folder=str(folder.set_folders[name])) for name, stimuli in folder.stimuli.items()]
    files = pd.concat(stimuli).dropna(subset="file").drop_duplicates("stimulus").set_index("stimulus")
    galleries = []
    for title, rows in ranked.items():
        entries = []
        for row in rows.head(MAX_RANKED).to_dict("records"):
            of_set, name = files.loc[row["id"], ["folder", "file"]] if row["id"] in files.index else ("", "")
            picture = thumbnail(Path(of_set) / name, row["id"], below=Path(of_set)) if of_set else None
            caption = f"called real: {percent(1 - row['fake_correct'], digits=0)} of {row['n_fake']:.0f}"
            entries.append(GalleryEntry([picture], [caption, row["id"]]))
        if any(any(entry.pictures) for entry in entries):
            galleries.append(Gallery(entries, title, is_ranked=True))
    return galleries
