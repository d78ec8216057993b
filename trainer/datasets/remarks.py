"""What a few pictures tell before hours are spent on them: told to the user, and nothing is refused."""

from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import list_pictures
from trainer.datasets.layout import each, list_splits, narrow_halves, read_halves, shared_stems, spread
from trainer.datasets.sides import doubt, drawn_side, flatness

LOOKED_AT = 8
"""Pictures that are judged."""


def remarks(data: Path, paths: list[Path], direction: Direction, *, train_split: str) -> list[str]:
    """What speaks against a training, one line each: a doubtful direction or shape, names that generation will refuse.

    Args:
        data: the data set's folder.
        paths: the pictures to train on, of `train_split`; broken ones are passed over here.
    """
    others = [split for split in list_splits(data) if split != train_split]
    stems = [shared_stems(list_pictures(data / split)) for split in others]
    return [line for line in (_doubt(paths, direction), *stems) if line is not None]


def _doubt(paths: list[Path], direction: Direction) -> str | None:
    looked = spread(paths, LOOKED_AT)
    read = zip(looked, each(looked, read_halves), strict=True)
    halves = {path: found for path, found in read if not isinstance(found, UserError)}
    if narrow := narrow_halves({path: (2 * a.shape[1], a.shape[0]) for path, (a, _) in halves.items()}):
        return narrow  # their halves are of one photograph each
    drawn = drawn_side([flatness(a) for a, _ in halves.values()], [flatness(b) for _, b in halves.values()])
    line = doubt(drawn, direction)
    return line and f"{line}; gan-eval data preview shows it"
