"""How the pictures of an archive are arranged: A|B pictures or photographs, by split."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import list_pictures
from trainer.datasets.layout import list_splits, require_halves
from trainer.datasets.sources import has_usual_splits, photographs_by_split, require_size


@dataclass(frozen=True)
class Arrangement:
    """Where the pictures lie, and what each must be."""

    name: str
    wanted: str
    """The pattern of their paths, for people."""
    by_split: Callable[[Path], dict[str, list[Path]]]
    """The pictures below a folder of splits; none where it is another folder."""
    require: Callable[[Path], None]
    """Raises UserError for a file of which a look at its header tells that it cannot be used."""


def _pairs(folder: Path) -> dict[str, list[Path]]:
    return {split: list_pictures(folder / split) for split in list_splits(folder)}


def _photographs(folder: Path) -> dict[str, list[Path]]:
    return photographs_by_split(folder) if has_usual_splits(folder) else {}


def _size(path: Path) -> tuple[int, int]:
    """The header alone: whether every picture decodes is asked by `data check`, and when training starts."""
    try:
        with Image.open(path) as image:
            return image.size
    except Exception as error:  # decoders raise whatever the damaged bytes lead to
        reason = str(error) or type(error).__name__
        raise UserError(f"{path}: not a readable picture ({reason}); get it again") from error


PAIRS = Arrangement(
    "the A|B layout", "NAME/<split>/*.jpg", _pairs, require=lambda path: require_halves(path, *_size(path))
)
PHOTOGRAPHS = Arrangement(
    "folders train, val, test",
    "NAME/<split>/**/*.jpg",
    _photographs,
    require=lambda path: require_size(path, *_size(path)),
)
