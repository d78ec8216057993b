"""The grid of README.md: crop 0 of each test photograph under a Creative Commons licence.

python results/photographs/grid.py DIR grid.jpg          DIR: the --out of gan-eval run
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.pictures.decode import read_rgb

COLUMNS = (
    "grey2colour-colour/real",
    "grey2colour-colour/input",
    "grey2colour-colour/fake",
    "edges2photo-edges/input",
    "edges2photo-edges/fake",
    "holes-filled/input",
    "holes-reconstruction/fake",
    "holes-filled/fake",
)
"""Folders of stimuli, from the left."""


def main(study: Path, out: Path) -> None:
    """Write the grid."""
    with Path(__file__).with_name("photographs.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["split"], row["licence"][:2]) == ("test", "CC")]
    pictures = [
        np.concatenate([read_rgb(study / "stimuli" / folder / f"test-{name}-0.png") for folder in COLUMNS], axis=1)
        for name in sorted(Path(row["name"]).stem for row in rows)
    ]
    Image.fromarray(np.concatenate(pictures)).save(out, quality=88, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("out", type=Path)
    main(**vars(parser.parse_args()))
