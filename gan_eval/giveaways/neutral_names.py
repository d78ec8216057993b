"""File names that tell nothing: items numbered by a seeded shuffle, one number for all versions of an item."""

from collections.abc import Iterable, Sequence

import numpy as np

from gan_eval.stimuli.sets import FILE_COLUMNS, FileColumn
from gan_eval.tabular import Row

Targets = dict[tuple[FileColumn, str], str]
"""For each column and file of the old table, the new file."""

_FOLDERS: dict[FileColumn, str] = {"input_file": "input", "reference_file": "reference", "mask_file": "mask"}


def neutral_names(items: Iterable[str], *, seed: int) -> dict[str, str]:
    """A number for each item, of equal length and in shuffled order.

    >>> sorted(neutral_names(["d/a", "d/b"], seed=0).values())
    ['1', '2']
    """
    items = list(dict.fromkeys(items))
    numbers = np.random.default_rng(seed).permutation(len(items)) + 1
    digits = len(str(len(items)))
    return {item: f"{number:0{digits}d}" for item, number in zip(items, numbers, strict=True)}


def targets_of(versions: Sequence[Row], name: str, models: Sequence[str]) -> Targets:
    """Where the files of one item go: `real/NAME.png`, `fake/NAME.png`, `input/NAME.png`.

    With several models, their pictures lie in `fake/1/`, `fake/2/`, in the order of `models`; so do further inputs of
    one item. The reference of a generated picture is the new file of the real one, where it was its file.
    """
    targets: Targets = {}
    for column in FILE_COLUMNS:
        for row in versions:
            source = row[column]
            if source is None or (column, source) in targets:
                continue
            if column == "reference_file" and ("file", source) in targets:
                targets[column, source] = targets["file", source]
                continue
            number = models.index(row["model"]) + 1 if row["model"] else 0
            folder = _FOLDERS.get(column, row["kind"])
            target = f"{folder}/{name}.png"
            if (column == "file" and number and len(models) > 1) or target in targets.values():
                target = f"{folder}/{number}/{name}.png"
            targets[column, source] = target
    return targets
