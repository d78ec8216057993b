"""What was shown: a few pictures of each model with what they were made from, small and inline."""

from dataclasses import replace

import numpy as np

from gan_eval.report.metrics.holes import hole_text
from gan_eval.report.parts.blocks import Sample, Samples, SampleSheets, Section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import COMPOSITE, GENERATED, MASKED, ORIGINAL, thumbnail_uri
from gan_eval.report.parts.words import plural
from gan_eval.stimuli.sets import RAW

PER_MODEL = 4


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
                    remarks.append(f"taken for real in {int(count['misses'])} of {answers}")
                items.append(Sample(str(row["item"]), pictures, remarks))
            if items:
                by_model[f"{model} on {dataset}"] = _with_note(items)
    return by_model


def _with_note(items: list[Sample]) -> Samples:
    """The rows, without the column of what the generator gave where that is nowhere a picture of its own."""
    names = [name for name, _ in items[0].pictures]
    if COMPOSITE not in names:
        return Samples(names, items)
    note = "Composite: the generated pixels in the hole, the original's around it; people are shown this one."
    if any(uri for item in items for name, uri in item.pictures if name == GENERATED):
        return Samples(names, items, f"Generated: the whole picture that the generator gave. {note}")
    items = [replace(item, pictures=[pair for pair in item.pictures if pair[0] != GENERATED]) for item in items]
    return Samples([name for name in names if name != GENERATED], items, note)
