"""A small study of imported pictures, whose results several tests read."""

from pathlib import Path

import numpy as np

from gan_eval.stimuli import pictures
from gan_eval.stimuli.sets import stimulus_row, write_set

STUDY = """
[study]
name = "s"
title = "First words"
[stimuli]
sets = ["main"]
[quiz]
real = 4
fake = 4
participants = 3
[metrics]
names = ["psnr"]
"""


def make_set(folder: Path, items: int, kinds: tuple[str, ...] = ("real", "fake")) -> None:
    """A stimulus set of tiny pictures of the model m; the data set has the folder's name."""
    rows = []
    for number in range(items):
        for kind in kinds:
            path = folder / kind / f"{number}.png"
            generator = np.random.default_rng([number, kind == "real", len(folder.name)])
            pictures.write_png(path, generator.integers(0, 256, (16, 16, 3), dtype=np.uint8))
            model = "m" if kind == "fake" else None
            dataset = folder.name
            rows.append(
                stimulus_row(folder, path, kind=kind, dataset=dataset, stem=str(number), size=(16, 16), model=model)  # type: ignore[arg-type]
            )
    write_set(folder, rows)
