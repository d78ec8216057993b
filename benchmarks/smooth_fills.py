"""Smooth fills without learning, of the same pictures and holes as a generator's.

    ./run generate RUN --data DATA --out SET
    python benchmarks/smooth_fills.py SET ... --out DIR
    ./run metrics SET DIR/* --metrics psnr_hole,ssim_hole,l1_hole --out METRICS

DIR/border_mean, DIR/harmonic and DIR/biharmonic are stimulus sets like any other, so that people can judge them too
(`[stimuli] sets` of a study). `./run metrics SET --baselines` makes and measures the first two.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import Picture
from gan_eval.pictures.fills import FILLS, write_fills
from gan_eval.pictures.holes import Hole


def biharmonic(picture: Picture, hole: Hole) -> NDArray[np.float64]:
    """scikit-image's: smooth slopes too (Damelin and Hoang 2018)."""
    filled = inpaint_biharmonic(picture / 255, hole, channel_axis=-1, split_into_regions=True)
    return np.asarray(255 * filled[hole])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="stimulus sets with masks")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sets")
    options = parser.parse_args()
    try:
        for folder in write_fills(options.sets, options.out, fills={**FILLS, "biharmonic": biharmonic}):
            print(folder)
    except UserError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
