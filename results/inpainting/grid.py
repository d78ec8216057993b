"""The grid of README.md: crops 0 and 1 of the photographs of shown_data.py.

python results/inpainting/grid.py SETS filled_shown.jpg          SETS: the models', and fills/
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.pictures.decode import read_rgb

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket")
COLUMNS = ("encoder/input", "fills/harmonic/fake", "encoder/fake", "reconstruction/fake", "filled/fake", "encoder/real")
"""Folders of stimuli, from the left."""
GAP = 12


def main(sets: Path, out: Path) -> None:
    """Write the grid."""
    rows = []
    for name in PHOTOGRAPHS:
        first, second = (
            np.concatenate([read_rgb(sets / folder / f"photos-{name}-{crop}.png") for folder in COLUMNS], 1)
            for crop in (0, 1)
        )
        rows.append(np.concatenate([first, np.full((len(first), GAP, 3), 255, np.uint8), second], axis=1))
    Image.fromarray(np.concatenate(rows)).save(out, quality=92, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("out", type=Path)
    main(**vars(parser.parse_args()))
