"""Silhouettes for holes out of segmentations: PASCAL VOC's indexed PNGs, pictures like them, and masks."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files.atomic import remove_leftovers
from gan_eval.files.locks import hold_folder
from gan_eval.files.output_folders import check_output_folder
from gan_eval.stimuli.holes import Hole, hole_of, mask_of
from gan_eval.stimuli.pictures import read_rgb, write_png
from trainer.datasets.dataset import OnProgress, try_pictures
from trainer.datasets.photographs import first_of_each_name, joined, walk

Each = Literal["object", "picture"]

BACKGROUND, VOID = 0, 255
"""Indices that belong to no object: in PASCAL VOC the border of objects, and unclear areas are void."""
MOST_INDICES = 128
"""A picture of more different levels holds no indices; PASCAL VOC's have at most some 40 objects."""


def silhouettes_of(path: Path, each: Each = "object") -> dict[str, Hole]:
    """The silhouettes that a segmentation shows, each (H, W) and True inside, by what to add to its name.

    In a picture with indices (palette or 8-bit grey) every index but 0 (background) and 255 (void) is an object, or in
    a segmentation of classes a class. A picture of black and white alone is a mask: its white is the silhouette.
    """
    picture = read_rgb(path)
    if np.isin(picture, (0, 255)).all() and (picture == picture[..., :1]).all():
        return {"": hole_of(picture)}
    with Image.open(path) as image:
        if image.mode not in ("L", "P"):
            raise UserError(
                f"{path}: of mode {image.mode}, which holds no indices; wanted is a palette or 8-bit grey picture of "
                "classes or objects, or a mask of black and white"
            )
        indices = np.asarray(image)
    if (count := len(np.unique(indices))) > MOST_INDICES:
        raise UserError(
            f"{path}: {count} different levels are no indices of objects; a mask with grey edges is a silhouette "
            "already, so shapes takes its folder unchanged"
        )
    present = [int(index) for index in np.unique(indices) if index not in (BACKGROUND, VOID)]
    if each == "picture":
        return {"": np.isin(indices, present)} if present else {}
    return {f"-{index}": indices == index for index in present}


def write_silhouettes(
    sources: Iterable[Path],
    out: Path,
    *,
    each: Each = "object",
    least: float = 0.005,
    on_progress: OnProgress | None = None,
) -> list[str]:
    """Write the silhouettes of all segmentations below the sources as `out/NAME.png`, white on black.

    They have the size of their picture, and the folder is what `inpainting.shapes` takes. NAME is the path below the
    source with "-" for slashes, and the index of one of several objects. Silhouettes that take less than the share
    `least` of their picture, or all of it, are not written.

    Returns:
        A message for each picture that cannot be used, and the counts.
    """
    if not 0 < least < 1:
        raise UserError(f"--min-area {least:g}: wanted a share of the picture between 0 and 1")
    out = Path(out)
    check_output_folder(out)
    names = segmentations_in([Path(source).resolve() for source in sources], out.resolve())

    def write(path: Path) -> tuple[list[str], int]:
        """Return the names that were written, and the number of silhouettes that were not."""
        shapes = silhouettes_of(path, each)
        kept = {f"{names[path]}{key}": shape for key, shape in shapes.items() if least <= shape.mean() < 1}
        for name, shape in kept.items():
            write_png(out / f"{name}.png", mask_of(shape))
        return list(kept), len(shapes) - len(kept)

    with hold_folder(out):
        remove_leftovers(out)
        results = try_pictures(list(names), write, on_progress=on_progress)
    broken = [str(result) for result in results if isinstance(result, UserError)]
    made = [result for result in results if not isinstance(result, UserError)]
    written = Counter(name for kept, _ in made for name in kept)
    if not written:
        reason = next(iter(broken), f"no object takes --min-area {least:g} of its picture")
        raise UserError(f"{out}: no silhouettes in {len(names)} pictures: {reason}")
    name, times = written.most_common(1)[0]
    if times > 1:
        raise UserError(f"{out}: two silhouettes would be called {name}.png; rename one of their pictures")
    too_small = sum(count for _, count in made)
    left_out = [f"not written, smaller than --min-area or the whole picture: {too_small}"] if too_small else []
    return [*broken, *left_out, f"silhouettes: {len(written)}, pictures: {len(made)}"]


def segmentations_in(folders: list[Path], out: Path) -> dict[Path, str]:
    """Return the pictures below the folders with a name for each."""
    named: list[tuple[str, Path]] = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder of segmentations")
        if folder.is_relative_to(out) or out.is_relative_to(folder):
            raise UserError(f"{folder}: this folder and --out lie in one another; name folders apart")
        found = [(joined(path.relative_to(folder)), path) for path in walk(folder)]
        if not found:
            raise UserError(f"{folder}: no pictures in this folder or below it")
        named += found
    names, clashes = first_of_each_name(named)
    if clashes:
        raise UserError(clashes[0])
    return {path: name for name, path in names.items()}
