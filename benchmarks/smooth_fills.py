"""Smooth fills without learning, of the same pictures and holes as a generator's.

    ./run generate RUN --data DATA --out SET
    python benchmarks/smooth_fills.py SET --out DIR
    ./run metrics SET DIR/* --metrics psnr_hole,ssim_hole,l1_hole --out METRICS

A generator that does not do better than these has learnt nothing that counts. DIR/border_mean, DIR/harmonic and
DIR/biharmonic are stimulus sets like any other, so that people can judge them too (`[stimuli] sets` of a study).
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu
from skimage.restoration import inpaint_biharmonic

from gan_eval.errors import UserError
from gan_eval.files.output_folders import claim_output_folder
from gan_eval.stimuli.holes import Hole, hole_of
from gan_eval.stimuli.pictures import Picture, read_rgb, write_png
from gan_eval.stimuli.sets import StimulusSet, hashes_of, read_set, write_set
from gan_eval.tables.frames import Row

Fill = Callable[[Picture, Hole], NDArray[np.float64]]
"""A picture (H, W, 3) uint8 and its hole to the levels 0..255 of the hole's pixels, (pixels, 3)."""
_CROSS = ndimage.generate_binary_structure(2, 1)


def border_mean(picture: Picture, hole: Hole) -> NDArray[np.float64]:
    """The mean colour of the known pixels that touch each part of the hole."""
    parts, count = ndimage.label(hole)
    filled = np.empty((*hole.shape, 3))
    for part in range(1, count + 1):
        inside = parts == part
        border = ndimage.binary_dilation(inside, _CROSS) & ~hole
        filled[inside] = picture[border].mean(axis=0)
    return filled[hole]


def harmonic(picture: Picture, hole: Hole) -> NDArray[np.float64]:
    """Each pixel the mean of its neighbours, of which the known ones are given (Laplace's equation)."""
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(hole.sum())
    rows, columns = np.nonzero(hole)
    entries: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
    neighbours = np.zeros(len(rows))
    known = np.zeros((len(rows), 3))
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        there = [rows + down, columns + right]
        exists = (there[0] >= 0) & (there[0] < hole.shape[0]) & (there[1] >= 0) & (there[1] < hole.shape[1])
        own, beside = np.flatnonzero(exists), (there[0][exists], there[1][exists])
        neighbours[own] += 1
        unknown = hole[beside]
        entries.append((own[unknown], number[beside][unknown], np.full(unknown.sum(), -1.0)))
        known[own[~unknown]] += picture[beside][~unknown]
    every = np.arange(len(rows))
    of, to, value = (np.concatenate(part) for part in zip(*entries, (every, every, neighbours), strict=True))
    return np.asarray(splu(csc_array(coo_array((value, (of, to))))).solve(known))


def biharmonic(picture: Picture, hole: Hole) -> NDArray[np.float64]:
    """scikit-image's: smooth slopes too (Damelin and Hoang 2018)."""
    filled = inpaint_biharmonic(picture / 255, hole, channel_axis=-1, split_into_regions=True)
    return np.asarray(255 * filled[hole])


FILLS: dict[str, Fill] = {one.__name__: one for one in (border_mean, harmonic, biharmonic)}


def write_filled(given: StimulusSet, name: str, out: Path) -> None:
    """A stimulus set with the pictures and holes of another one, filled in that way.

    Raises:
        UserError: the set has several models, one of its generated pictures has no mask or no ground truth or a mask
            that cannot be filled, or `out` is somebody else's.
    """
    models = {str(row["model"]) for row in given.rows if row["kind"] == "fake"}
    if len(models) > 1:
        raise UserError(f"{given.folder}: has several models ({', '.join(sorted(models))}); give the set of one")
    claim_output_folder(out)
    rows: list[Row] = []
    for row in given.rows:
        files = {column: given.path(row, column) for column in ("file", "reference_file", "mask_file", "input_file")}
        copied = dict(row)
        for column, path in files.items():
            if path is not None and not (column == "file" and row["kind"] == "fake"):
                write_png(out / str(row[column]), read_rgb(path))
        if row["kind"] == "fake":
            truth, mask = files["reference_file"], files["mask_file"]
            if truth is None or mask is None:
                raise UserError(f"{given.folder}: {row['stimulus']} has no reference_file or no mask_file")
            picture, hole = read_rgb(truth), hole_of(read_rgb(mask))
            if hole.shape != picture.shape[:2] or not 0 < hole.sum() < hole.size:
                raise UserError(
                    f"{mask}: wanted is a mask of the size of {truth}, with some white in it and some black"
                )
            filled = picture.copy()
            filled[hole] = np.clip(np.round(FILLS[name](picture, hole)), 0, 255)
            write_png(out / str(row["file"]), filled)
            copied |= {
                "model": name,
                "stimulus": str(row["stimulus"]).replace(f"/{row['model']}/", f"/{name}/", 1),
                "fraction": None,
                "style_network": None,
            }
        rows.append(copied | hashes_of(copied, out))
    write_set(out, rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="a stimulus set with masks, of one model")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sets")
    options = parser.parse_args()
    try:
        given = read_set(options.set)
        for name in FILLS:
            write_filled(given, name, options.out / name)
            print(options.out / name)
    except UserError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
