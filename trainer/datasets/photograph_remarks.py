"""What a few photographs tell before hours are spent on them: told to the user, and nothing is refused."""

from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import decode_rgb, read_file
from trainer.datasets.layout import each, spread
from trainer.datasets.remarks import LOOKED_AT
from trainer.datasets.sources import name_clashes, photographs_by_split

FEW = 50
"""With fewer photographs than this a generator learns them by heart."""


def photograph_remarks(data: Path, paths: list[Path], *, train_split: str) -> list[str]:
    """What speaks against a training, one line each: very few pictures, A|B pairs, names that generation will refuse.

    Args:
        data: the data set's folder.
        paths: the pictures to train on, of `train_split`; broken ones are passed over here.
    """
    few = (
        f"{data}: only {len(paths)} photographs to train on; it will learn them by heart" if len(paths) < FEW else None
    )
    others = photographs_by_split(data).items()
    clashes = [line for split, held in others if split != train_split for line in name_clashes(held, data, split)[:1]]
    return [*(line for line in (few, pairs_remark(paths)) if line is not None), *clashes]


def pairs_remark(paths: list[Path]) -> str | None:
    """The user's line where most of a few of these pictures are exactly twice as wide as high; broken ones are none."""
    looked = spread(paths, LOOKED_AT)
    shapes = [
        shape
        for shape in each(looked, lambda path: decode_rgb(read_file(path), path).shape)
        if not isinstance(shape, UserError)
    ]
    double = sum(width == 2 * height for height, width, _ in shapes)
    return double_width_remark(looked[0].parent, double, len(shapes))


def double_width_remark(folder: Path, double: int, of: int) -> str | None:
    """The user's line where so many pictures are exactly twice as wide as high that they are hardly photographs."""
    if 2 * double <= of:
        return None
    return (
        f"{folder}: {double} of {of} pictures looked at are exactly twice as wide as high: these look like A|B pairs; "
        "gan-eval data crops --half right takes one half"
    )
