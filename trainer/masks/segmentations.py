"""Silhouettes for holes out of segmentations: PASCAL VOC's indexed PNGs, pictures like them, and masks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, remove_leftovers, write_json
from gan_eval.files.locks import hold_folder
from gan_eval.files.output_folders import check_output_folder
from gan_eval.files.reading import read_record
from gan_eval.stimuli.holes import Hole, hole_of, mask_of
from gan_eval.stimuli.pictures import read_rgb, write_png
from trainer.datasets.dataset import OnProgress, try_pictures
from trainer.datasets.photographs import first_of_each_name, joined, walk

Each = Literal["object", "picture"]

BACKGROUND, VOID = 0, 255
"""Indices that belong to no object: in PASCAL VOC the border of objects, and what is hard to tell, is void."""
MOST_INDICES = 128
"""A picture of more different levels holds no indices; PASCAL VOC's have at most some 40 objects."""
RECORD = "silhouettes.json"
"""File that records the sources of the folder."""


@dataclass(frozen=True)
class Silhouettes:
    """The result of `write_silhouettes`."""

    written: int
    segmentations: int
    """Pictures that they were taken from."""
    too_small: int
    """Silhouettes that were left out, as they take less than was asked for of their picture, or all of it."""
    broken: dict[Path, str]
    """The reason for each picture that cannot be used."""

    def lines(self) -> list[str]:
        """For people: every picture that was left out, then the counts."""
        small = [f"left out, smaller than --min-area or the whole picture: {self.too_small}"]
        total = f"silhouettes: {self.written}, pictures: {self.segmentations}"
        return [*self.broken.values(), *(small if self.too_small else []), total]


def silhouettes_of(path: Path, each: Each = "object") -> dict[str, Hole]:
    """The silhouettes that a segmentation shows, each (H, W) and True inside, by what to add to its name.

    In a picture with indices (palette or 8-bit grey) every index but 0 (background) and 255 (void) is an object, or in
    a segmentation of classes a class. A picture of black and white alone is a mask: its white is the silhouette.

    Args:
        path: the picture.
        each: one silhouette for each object, or all objects of the picture as one.

    Raises:
        UserError: it cannot be read, or is neither.
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
            "already, shapes takes its folder as it is"
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
) -> Silhouettes:
    """Write the silhouettes of all segmentations below the sources as `out/NAME.png`, white on black.

    They have the size of their picture, and the folder is what `inpainting.shapes` takes. NAME is the path below the
    source with "-" for slashes, and of one of several objects its index. The same call again writes the same.

    Args:
        sources: folders of segmentations, such as PASCAL VOC's SegmentationObject or SegmentationClass.
        out: new, empty or ours.
        each: one for each object, or for each picture.
        least: silhouettes that take less than this share of their picture are left out.
        on_progress: called with the pictures done and their number.

    Raises:
        UserError: no such folder, no pictures, two of one name, none that can be used, a share that is none, or a
            folder that is not ours or was made in another way.
    """
    if not 0 < least < 1:
        raise UserError(f"--min-area {least:g}: wanted a share of the picture between 0 and 1")
    out, folders = Path(out), [Path(source).resolve() for source in sources]
    check_output_folder(out)
    named: list[tuple[str, Path]] = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder of segmentations")
        if folder.is_relative_to(out.resolve()) or out.resolve().is_relative_to(folder):
            raise UserError(f"{folder}: this folder and --out lie in one another; name folders apart")
        found = [(joined(path.relative_to(folder)), path) for path in walk(folder)]
        if not found:
            raise UserError(f"{folder}: no pictures in this folder or below it")
        named += found
    names, clashes = first_of_each_name(named)
    if clashes:
        raise UserError(clashes[0])
    with hold_folder(out):
        record = {"sources": sorted(map(str, folders)), "each": each, "min_area": least}
        claimed = out / OWN_FOLDER / RECORD
        before = read_record(claimed) if claimed.is_file() else record
        if differs := [key for key in record if before.get(key) != record[key]]:
            key = differs[0]
            raise UserError(
                f"--out {out}: holds silhouettes of another {key}: {before.get(key)}, not {record[key]}; name an empty "
                "folder"
            )
        remove_leftovers(out)
        write_json(claimed, record)

        stems = {path: name for name, path in names.items()}

        def write(path: Path) -> tuple[list[str], int]:
            """The names that were written, and how many silhouettes were left out."""
            shapes = silhouettes_of(path, each)
            kept = {f"{stems[path]}{key}": shape for key, shape in shapes.items() if least <= shape.mean() < 1}
            for name, shape in kept.items():
                write_png(out / f"{name}.png", mask_of(shape))
            return list(kept), len(shapes) - len(kept)

        results = try_pictures(list(stems), write, on_progress=on_progress)
    broken = {path: str(result) for path, result in zip(stems, results, strict=True) if isinstance(result, UserError)}
    made = [result for result in results if not isinstance(result, UserError)]
    written = Counter(name for kept, _ in made for name in kept)
    if not written:
        reason = next(iter(broken.values()), f"no object takes --min-area {least:g} of its picture")
        raise UserError(f"{out}: no silhouettes in {len(stems)} pictures: {reason}")
    name, times = written.most_common(1)[0]
    if times > 1:
        raise UserError(f"{out}: two silhouettes would be called {name}.png; rename one of their pictures")
    return Silhouettes(len(written), len(made), sum(too_small for _, too_small in made), broken)
