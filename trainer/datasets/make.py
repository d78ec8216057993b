"""Make a data set of A|B pictures from two folders, paired by file stem, or from photographs and their edges."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.files.locks import hold_folder
from gan_eval.files.output_folders import check_output_folder
from gan_eval.machine.progress import Progress
from gan_eval.pictures.decode import Picture, by_stem, list_pictures, read_rgb, write_png
from trainer.datasets.dataset import map_pictures
from trainer.datasets.pairs import list_splits

MAX_SIGMA = 1000.0  # pixels; the filter's window grows with it
MAX_NAMED = 20  # number of pictures without a partner that a message names, for each folder


def pair_folders(a: Path, b: Path, out: Path, *, on_progress: Progress | None = None) -> dict[str, int]:
    """Join the pictures of two folders that have the same file stem, A left and B right, as `out/<split>/STEM.png`.

    The pairs are 8-bit RGB.

    Args:
        a, b: folders of pictures, or of folders (train, val, test), the same in both. Pictures directly in them are of
            the split train.

    Returns:
        The number of pairs in each split.
    """
    out = Path(out)
    check_output_folder(out)
    left_folders, right_folders = split_folders(a), split_folders(b)
    if set(left_folders) != set(right_folders):
        raise UserError(
            f"{a} has {', '.join(left_folders)}, {b} has {', '.join(right_folders)}: the folders of pictures must be "
            "the same in both"
        )
    pairs: dict[str, list[tuple[Path, Path]]] = {}
    for name, folder in left_folders.items():
        left, right = by_stem(list_pictures(folder)), by_stem(list_pictures(right_folders[name]))
        unpaired = {
            folder: [path.name for stem, path in left.items() if stem not in right],
            right_folders[name]: [path.name for stem, path in right.items() if stem not in left],
        }
        parts = [
            f"{len(names)} only in {side}: {', '.join(names[:MAX_NAMED])}{', …' * (len(names) > MAX_NAMED)}"
            for side, names in unpaired.items()
            if names
        ]
        if parts:
            raise UserError(f"pictures are paired by file stem; {'; '.join(parts)}; rename or remove them")
        pairs[name] = [(path, right[stem]) for stem, path in left.items()]
    partners = dict(pair for several in pairs.values() for pair in several)

    def require_fit(path: Path) -> None:
        left, right = read_rgb(path).shape, read_rgb(partners[path]).shape
        if left != right:
            sizes = f"{left[1]}x{left[0]} pixels, but {right[1]}x{right[0]} in {partners[path]}"
            raise UserError(f"{path}: {sizes}; make them equal")

    map_pictures(list(partners), require_fit)

    def joined(path: Path) -> Picture:
        return np.concatenate([read_rgb(path), read_rgb(partners[path])], axis=1)

    sources = {out / name / f"{path.stem}.png": path for name, several in pairs.items() for path, _ in several}
    return write_pictures(sources, joined, out, on_progress)


def pair_edges(photos: Path, out: Path, *, sigma: float = 2.0, on_progress: Progress | None = None) -> dict[str, int]:
    """Put photographs next to their edges: A is black lines on white, B the photograph with exactly its pixels.

    The edges are Canny's (scikit-image), of the grey picture smoothed by a Gaussian of `sigma` pixels. Returns the
    number of pairs in each split.
    """
    if not 0 < sigma <= MAX_SIGMA:
        raise UserError(f"--sigma {sigma}: expected pixels above 0, at most {MAX_SIGMA:g}")
    out = Path(out)
    check_output_folder(out)
    stems_of = {name: by_stem(list_pictures(folder)) for name, folder in split_folders(photos).items()}
    for stems in stems_of.values():
        map_pictures(list(stems.values()), lambda path: read_rgb(path).shape)  # report the bad ones first

    def with_edges(path: Path) -> Picture:
        photo = read_rgb(path)
        return np.concatenate([edges(photo, sigma=sigma), photo], axis=1)

    sources = {out / name / f"{stem}.png": path for name, stems in stems_of.items() for stem, path in stems.items()}
    return write_pictures(sources, with_edges, out, on_progress)


def edges(photo: Picture, *, sigma: float = 2.0) -> Picture:
    """Return black edges on white, (H, W, 3) uint8 with the levels 0 and 255 only."""
    from skimage.color import rgb2gray
    from skimage.feature import canny

    lines = canny(rgb2gray(photo), sigma=sigma)
    return np.repeat(np.where(lines, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def split_folders(root: Path) -> dict[str, Path]:
    """Return the picture folders below `root` by split; `root` itself as train if its pictures are directly in it."""
    return {name: Path(root) / name for name in list_splits(root)} or {"train": Path(root)}


def write_pictures(
    sources: Mapping[Path, Path], make: Callable[[Path], Picture], out: Path, on_progress: Progress | None
) -> dict[str, int]:
    """Make each picture and write it; return their number in each split. A folder with other pictures is refused."""
    with hold_folder(out):
        others = [path for path in out.rglob("*.png") if path not in sources and OWN_FOLDER not in path.parts]
        if others:
            other = min(others).relative_to(out).as_posix()
            raise UserError(f"--out {out}: holds other pictures already, such as {other}; name an empty folder")
        for number, (target, source) in enumerate(sources.items(), start=1):
            write_png(target, make(source))
            if on_progress is not None:
                on_progress(number, len(sources))
    return dict(Counter(target.parent.name for target in sources))
