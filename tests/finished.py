"""A small study of imported pictures, whose results several tests read."""

from pathlib import Path

import numpy as np
from made_sets import write_items

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
    items_of = {
        str(number): {
            kind: np.random.default_rng([number, kind == "real", len(folder.name)]).integers(
                0, 256, (16, 16, 3), dtype=np.uint8
            )
            for kind in kinds
        }
        for number in range(items)
    }
    write_items(folder, items_of, dataset=folder.name)
