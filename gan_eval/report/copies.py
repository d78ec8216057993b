"""The page of copies: each generated picture next to its most similar picture, the most similar pair first."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gan_eval.base.atomic import write_text
from gan_eval.pictures.copies import Half, copy_lines, select_half
from gan_eval.pictures.decode import read_rgb
from gan_eval.report.page import render
from gan_eval.report.parts.blocks import Gallery, GalleryEntry, Lines, Report, ReportSection
from gan_eval.report.parts.thumbnails import Picture, small_picture

MAX_PAIRS = 60
"""Maximum number of pairs for each model."""
SIDE = 128
_HEADINGS = {
    "training_copy": "Generated pictures and the nearest training pictures",
    "set_copy": "Generated pictures and the nearest other ones of the same model",
}


def write_copies_page(
    found: pd.DataFrame, files: Mapping[str, Path], training: Path | None, out: Path, *, half: Half | None = None
) -> None:
    """Write the page of `find_copies` as one HTML file.

    Args:
        files: the file of each stimulus.
        half: the half of each training picture that is the photograph.
    """

    def shown(file: Path, name: str, of: Half | None = None) -> Picture:
        return small_picture(select_half(read_rgb(file), of), name, side=SIDE)

    generated = found[(found["kind"] == "fake") & found["value"].notna()]
    sections = []
    for metric, heading in _HEADINGS.items():
        blocks, folder = [], training if metric == "training_copy" else None
        rows = generated[generated["metric"] == metric].sort_values("value", ascending=False, kind="stable")
        for (dataset, model), part in rows.groupby(["dataset", "model"], sort=False):
            entries = []
            for row in part.head(MAX_PAIRS).to_dict("records"):
                stimulus, other = str(row["stimulus"]), str(row["nearest"])
                file = folder / other if folder else files[other]
                pair = [shown(files[stimulus], stimulus), shown(file, other, half if folder else None)]
                entries.append(GalleryEntry(pair, [f"likeness {row['value']:.3f}", other, stimulus]))
            blocks.append(Gallery(entries, title=f"{dataset}, {model}: {len(entries)} of {len(part)}"))
        lines = copy_lines(found[found["metric"] == metric])
        sections.append(ReportSection(metric, heading, [Lines(lines), *blocks], on_first_page=True))
    write_text(out, render(Report("Copies", [], sections)))
