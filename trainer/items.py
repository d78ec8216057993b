"""The items of a stimulus set that is generated: read, translated, written, told of in rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import nn

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes
from gan_eval.images import Picture, read_rgb, resize, write_png
from gan_eval.stimuli import stimulus_row
from gan_eval.tabular import Row
from gan_eval.training_settings import Direction
from trainer.data import read_pair
from trainer.inference import LUMA, translate_batch
from trainer.memory import memory_for
from trainer.padding import crop_back, pad_to_multiple
from trainer.randomness import Purpose

Size = int | Literal["native"]
"""The side of the pictures; native is each picture's own size."""


@dataclass(frozen=True)
class Names:
    """The names in the identifiers of a set."""

    dataset: str
    model: str
    split: str

    def __post_init__(self) -> None:
        if self.model == "real":
            raise UserError("model name 'real': is kept for the ground truth; give another with --model")
        for field in ("dataset", "model"):
            if "/" in (name := getattr(self, field)) or not name:
                raise UserError(f"{field} name {name!r}: a name is wanted, without '/'; give one with --{field}")


@dataclass(frozen=True)
class Item:
    """A source picture at the size of the set."""

    stem: str
    condition: Picture
    target: Picture


def read_item(stem: str, path: Path, direction: Direction, size: Size, *, grey: bool) -> Item:
    """An item from its A|B picture; its halves are resized only where their size is not the wanted one.

    Args:
        grey: whether the generator gives grey pictures, so that the ground truth has to be grey too.

    Raises:
        UserError: the picture is broken or cannot be halved.
    """
    condition, target = read_pair(path, direction)
    if size != "native":
        condition, target = (resize(half, (size, size)) for half in (condition, target))
    return Item(stem, condition, as_grey(target) if grey else target)


def write_items(net: nn.Module, multiple: int, out: Path, batch: list[Item], *, seed: int) -> None:
    """Write the three pictures of each item that are not there already.

    Args:
        net: inside `inference`.
        multiple: of what the network's sides must be multiples.
        out: the set's folder.
        batch: translated together where their sizes are equal. Where one is missing all of that size are computed
            again: another batch would round differently.
        seed: decides dropout, with each item's name, so that it does not depend on the rest of the set.

    Raises:
        UserError: not enough memory, or the disk is full.
    """
    missing = {item.stem for item in batch if not _is_written(out, item)}
    for shape in {item.condition.shape: None for item in batch if item.stem in missing}:
        alike = [item for item in batch if item.condition.shape == shape]
        padded = [pad_to_multiple(item.condition, multiple) for item in alike]
        numbers = [int(sha256_bytes(item.stem.encode())[:16], 16) for item in alike]
        height, width = padded[0].shape[:2]
        mend = "lower --batch-size" if len(alike) > 1 else "lower --image-size"
        with memory_for(f"a batch of {len(alike)} at {width}x{height}", mend):
            fakes = translate_batch(net, padded, purpose=Purpose.GENERATE, seed=seed, numbers=numbers)
        for item, fake in zip(alike, fakes, strict=True):
            if item.stem in missing:
                write_png(_file(out, "fake", item.stem), crop_back(fake, item.condition))
                write_png(_file(out, "input", item.stem), item.condition)
                write_png(_file(out, "real", item.stem), item.target)


def as_grey(picture: Picture) -> Picture:
    """The luma of (H, W, 3) uint8 in three equal channels, for generators of grey pictures."""
    luma = np.rint(picture @ np.array(LUMA)).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)


def item_rows(out: Path, item: Item, names: Names, fraction: float) -> list[Row]:
    """The rows of the real and of the fake picture of an item."""
    shared: dict[str, Any] = {
        "dataset": names.dataset, "stem": item.stem, "size": item.target.shape[:2],
        "split": None if names.split == "." else names.split, "input_file": f"input/{item.stem}.png",
        "fraction": fraction,
    }  # fmt: skip
    real, fake = (_file(out, kind, item.stem) for kind in ("real", "fake"))
    reference = f"real/{item.stem}.png"
    return [
        stimulus_row(out, real, kind="real", **shared),
        stimulus_row(out, fake, kind="fake", model=names.model, reference_file=reference, **shared),
    ]


def _file(out: Path, kind: str, stem: str) -> Path:
    return out / kind / f"{stem}.png"


def _is_written(out: Path, item: Item) -> bool:
    same_source = holds(_file(out, "input", item.stem), item.condition) and holds(
        _file(out, "real", item.stem), item.target
    )
    return same_source and _decoded_shape(_file(out, "fake", item.stem)) == item.target.shape


def holds(file: Path, picture: Picture) -> bool:
    """Whether `file` is there and decodes to exactly this picture."""
    return _decoded_shape(file) == picture.shape and np.array_equal(read_rgb(file), picture)


def _decoded_shape(file: Path) -> tuple[int, ...] | None:
    """Shape of a picture that decodes to the end, else None."""
    try:
        return read_rgb(file).shape
    except UserError:
        return None
