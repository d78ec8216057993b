"""Baselines of inpainting: fill holes without learning. A generator that is not better has learnt nothing."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.atomic import write_bytes
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import claim_output_folder
from gan_eval.pictures.decode import Picture, read_file, read_rgb, write_png
from gan_eval.pictures.holes import Hole, hole_of
from gan_eval.pictures.sets import FILE_COLUMNS, StimulusSet, hashes_of, read_set, write_set
from gan_eval.tables.frames import Row

Fill = Callable[[Picture, Hole], NDArray[np.float64]]
"""Function of a picture (H, W, 3) uint8 and its hole; returns the hole's levels 0..255, (pixels, 3)."""


def border_mean(picture: Picture, hole: Hole) -> NDArray[np.float64]:
    """Fill each connected part of the hole with the mean colour of the known pixels that touch it.

    >>> picture = np.array([[[0] * 3, [9] * 3, [20] * 3]], np.uint8)
    >>> border_mean(picture, np.array([[False, True, False]]))
    array([[10., 10., 10.]])
    """
    from scipy import ndimage

    cross = ndimage.generate_binary_structure(2, 1)
    parts, _ = ndimage.label(hole)
    filled = np.empty((*hole.shape, 3))
    for part, box in enumerate(ndimage.find_objects(parts), start=1):
        around = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
        inside = parts[around] == part
        border = ndimage.binary_dilation(inside, cross) & ~hole[around]
        filled[around][inside] = picture[around][border].mean(axis=0)
    return filled[hole]


def harmonic(picture: Picture, hole: Hole) -> NDArray[np.float64]:
    """Fill the hole so that each pixel is the mean of its neighbours; known pixels stay (Laplace's equation).

    >>> picture = np.array([[[0] * 3, [9] * 3, [9] * 3, [30] * 3]], np.uint8)
    >>> harmonic(picture, np.array([[False, True, True, False]]))[:, 0].round(9).tolist()
    [10.0, 20.0]
    """
    from scipy.sparse import coo_array, csc_array
    from scipy.sparse.linalg import splu

    number = np.full(hole.shape, -1)
    number[hole] = np.arange(hole.sum())
    rows, columns = np.nonzero(hole)
    entries: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
    neighbours = np.zeros(len(rows))
    known_sums = np.zeros((len(rows), 3))
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        there = [rows + down, columns + right]
        exists = (there[0] >= 0) & (there[0] < hole.shape[0]) & (there[1] >= 0) & (there[1] < hole.shape[1])
        pixels, neighbour = np.flatnonzero(exists), (there[0][exists], there[1][exists])
        neighbours[pixels] += 1
        unknown = hole[neighbour]
        entries.append((pixels[unknown], number[neighbour][unknown], np.full(unknown.sum(), -1.0)))
        known_sums[pixels[~unknown]] += picture[neighbour][~unknown]
    every = np.arange(len(rows))
    of, to, value = (np.concatenate(part) for part in zip(*entries, (every, every, neighbours), strict=True))
    return np.asarray(splu(csc_array(coo_array((value, (of, to))))).solve(known_sums))


BASELINES = "baselines"
"""Name of the folder with the fills, next to the tables of their metrics."""
FILLS: Mapping[str, Fill] = {fill.__name__: fill for fill in (border_mean, harmonic)}
"""Fills by the name of their model."""


def write_fills(given: Sequence[StimulusSet | Path], out: Path, *, fills: Mapping[str, Fill] = FILLS) -> list[Path]:
    """Write a stimulus set for each fill, of the photographs and holes of other sets: `out/border_mean`, ...

    Generated pictures without a mask or a ground truth are left out.

    Args:
        given: stimulus sets, or their folders; models of one data set share their holes.
        fills: the fills by the name of their model.

    Raises:
        UserError: no generated picture has a mask and a ground truth, two models fill different holes of one item, a
            mask has another size than its picture or leaves no known pixel, or a folder is not gan_eval's.
    """
    sets = [entry if isinstance(entry, StimulusSet) else read_set(entry) for entry in given]
    holes = _holes(sets)
    reals = {row["item"]: (stimuli, row) for stimuli in sets for row in stimuli.rows if row["kind"] == "real"}
    folders = []
    for name, fill in fills.items():
        folder = claim_output_folder(out / name)
        rows: list[Row] = []
        for number, (item, (stimuli, row)) in enumerate(holes.items()):
            if item in reals:
                rows.append(_with_copies(folder, *reals[item]))
            copied = _with_copies(folder, stimuli, row) | {
                "stimulus": f"{row['dataset']}/{name}/{item.removeprefix(row['dataset'] + '/')}",
                "model": name,
                "file": f"fake/{number:05}.png",
                "fraction": None,
                "style_network": None,
                "seen": None,
            }
            write_png(folder / copied["file"], _filled(fill, folder / copied["reference_file"], stimuli, row))
            rows.append(copied | hashes_of(copied, folder))
        write_set(folder, rows)
        folders.append(folder)
    return folders


def _holes(sets: Sequence[StimulusSet]) -> dict[str, tuple[StimulusSet, Row]]:
    """Return the first generated picture of each item with a mask and a ground truth, with its set."""
    found: dict[str, tuple[StimulusSet, Row]] = {}
    for stimuli in sets:
        for row in stimuli.rows:
            if row["kind"] != "fake" or row["mask_file"] is None or row["reference_file"] is None:
                continue
            other, first = found.setdefault(row["item"], (stimuli, row))
            mask, earlier = stimuli.folder / row["mask_file"], other.folder / first["mask_file"]
            if earlier != mask and sha256_file(earlier) != sha256_file(mask):
                raise UserError(
                    f"{mask}: the hole of {row['item']} is another for the model {row['model']} than for "
                    f"{first['model']}; fill the holes of these sets one by one"
                )
    if not found:
        named = ", ".join(str(stimuli.folder) for stimuli in sets)
        raise UserError(
            f"{named}: no generated picture has a mask_file and a reference_file, so there are no holes to fill; "
            "`gan-eval stimuli import --masks DIR` adds masks"
        )
    return found


def _filled(fill: Fill, truth: Path, stimuli: StimulusSet, row: Row) -> Picture:
    """Return the photograph with the hole filled."""
    mask = stimuli.folder / row["mask_file"]
    picture, hole = read_rgb(truth), hole_of(read_rgb(mask))
    if hole.shape != picture.shape[:2] or hole.all():
        raise UserError(
            f"{mask}: expected a mask of the size of {stimuli.path(row, 'reference_file')} "
            f"({picture.shape[1]}x{picture.shape[0]} pixels) with some black in it"
        )
    if hole.any():
        picture = picture.copy()
        picture[hole] = np.clip(np.round(fill(picture, hole)), 0, 255)
    return picture


def _with_copies(folder: Path, stimuli: StimulusSet, row: Row) -> Row:
    """Return the row, with its files copied into the folder, each content once; a generated picture is not copied."""
    copied = dict(row)
    for column in FILE_COLUMNS:
        path = stimuli.path(row, column)
        if path is None or (column == "file" and row["kind"] == "fake"):
            continue
        copied[column] = f"given/{sha256_file(path)}{path.suffix}"
        if not (folder / copied[column]).exists():
            write_bytes(folder / copied[column], read_file(path))
    return copied
