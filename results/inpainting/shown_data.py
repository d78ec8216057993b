"""Inputs of README.md other than data sets: the mask of the centre, and photographs that may be shown.

    python results/inpainting/shown_data.py SHOWN

writes SHOWN/centre/centre.png, 32x32 of 128x128, and five photographs that come with scikit-image to SHOWN/photos.
"""

import argparse
from pathlib import Path

import numpy as np
from skimage import data

from gan_eval.pictures.decode import write_png

SIDE, HOLE = 128, 32


def main(out: Path) -> None:
    """Write both."""
    mask = np.zeros((SIDE, SIDE, 3), np.uint8)
    mask[(SIDE - HOLE) // 2 : (SIDE + HOLE) // 2, (SIDE - HOLE) // 2 : (SIDE + HOLE) // 2] = 255
    write_png(out / "centre" / "centre.png", mask)
    photographs = {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    for name, photograph in (photographs | {"motorcycle": data.stereo_motorcycle()[0]}).items():
        write_png(out / "photos" / f"{name}.png", photograph)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    main(**vars(parser.parse_args()))
