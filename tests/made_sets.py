"""Stimulus sets of pictures that tests make."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_eval.pictures.decode import Picture, write_png
from gan_eval.pictures.sets import stimulus_row, write_set
from gan_eval.tables.frames import Row


def write_items(
    folder: Path, items: Mapping[str, Mapping[str, Picture]], *, model: str = "m", dataset: str = "d", **more: Any
) -> Path:
    """Write a stimulus set: for each stem the pictures that there are of real, fake, mask and input.

    A picture of another name is that of the model of this name; `more` are further columns of the fakes.
    """
    rows: list[Row] = []
    for stem, made in items.items():
        for kind, picture in made.items():
            write_png(folder / kind / f"{stem}.png", picture)
        further = {f"{kind}_file": f"{kind}/{stem}.png" for kind in ("input", "mask") if kind in made}
        for kind in [name for name in made if name not in ("input", "mask")]:
            shared: dict[str, Any] = {"dataset": dataset, "stem": stem, "size": made[kind].shape[:2], **further}
            file = folder / kind / f"{stem}.png"
            if kind == "real":
                rows.append(stimulus_row(folder, file, kind="real", **shared))
            else:
                reference: dict[str, Any] = {"reference_file": f"real/{stem}.png"} if "real" in made else {}
                name = model if kind == "fake" else kind
                rows.append(stimulus_row(folder, file, kind="fake", model=name, **reference, **shared, **more))
    write_set(folder, rows)
    return folder
