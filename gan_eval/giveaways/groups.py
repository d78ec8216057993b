"""Who is compared with whom: the pictures of one model with the real pictures of its data set."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gan_eval.stimuli.sets import TABLE_NAME, StimulusSet
from gan_eval.tabular import Row


@dataclass(frozen=True)
class Group:
    """The stimuli of one model and of its data set, by identifier."""

    dataset: str
    model: str
    real: tuple[str, ...]
    fake: tuple[str, ...]


def groups_of(rows: Iterable[Row]) -> list[Group]:
    """One group for each model on each data set, in order of appearance; a stimulus that stands twice counts once."""
    real: dict[str, dict[str, None]] = {}
    fake: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row["kind"] == "real":
            real.setdefault(row["dataset"], {})[row["stimulus"]] = None
        else:
            fake.setdefault((row["dataset"], row["model"]), {})[row["stimulus"]] = None
    return [
        Group(dataset, model, tuple(real.get(dataset, ())), tuple(stimuli))
        for (dataset, model), stimuli in fake.items()
    ]


def files_of(sets: Iterable[StimulusSet]) -> dict[str, Path]:
    """The file of each stimulus."""
    return {row["stimulus"]: stimuli.folder / row["file"] for stimuli in sets for row in stimuli.rows}


def folder_of(file: Path) -> Path:
    """The stimulus set that a file belongs to: the nearest folder above it with a table of stimuli, else its own."""
    return next((folder for folder in file.parents if (folder / TABLE_NAME).is_file()), file.parent)
