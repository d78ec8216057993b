"""The pairs of the sample grids: from which split, and what is said where one is not fit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_eval.settings.training import TrainingSettings
from trainer.datasets.dataset import evenly_spread
from trainer.datasets.pairs import PairedSet
from trainer.tasks import new_task
from trainer.watch.samples import COUNT, sample_examples

Pairs = Callable[..., Path]


def pairs_of(data: Path, train_split: str = "train") -> tuple[str, list[str]]:
    """The split whose pictures are shown, and what was said."""
    said: list[str] = []
    train = PairedSet(data).training_paths(train_split)
    task = new_task(TrainingSettings(steps=1, image_size=64))
    examples = sample_examples(task, task.data_set(data), train, train_split=train_split, say=said.append)
    pairs = [(example.condition, example.target) for example in examples]
    assert len(pairs) == COUNT
    for folder in data.iterdir():
        paths = evenly_spread(sorted(folder.iterdir()), COUNT)
        if b"broken" in [path.read_bytes() for path in paths]:
            continue
        halves = [PairedSet(path.parent, "AtoB").read(path) for path in paths]
        if all(np.array_equal(one, other) for one, other in zip(pairs, halves, strict=True)):
            return folder.name, said
    raise AssertionError("pictures of no split")


@pytest.mark.parametrize(
    ("splits", "train_split", "shown"),
    [
        (("train", "val", "test"), "train", "test"),
        (("train", "val"), "train", "val"),
        (("train",), "train", "train"),
        (("train", "val", "test"), "test", "val"),
        (("test",), "test", "test"),
        (("train", "val", "test"), "train+test", "val"),
    ],
)
def test_pictures_not_trained_on_come_first(
    make_pairs: Pairs, splits: tuple[str, ...], train_split: str, shown: str
) -> None:
    assert pairs_of(make_pairs(**dict.fromkeys(splits, 5)), train_split) == (shown, [])
