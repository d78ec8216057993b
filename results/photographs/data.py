"""The data of shown.toml: 128-pixel crops of the photographs in photographs.csv, which come with four Debian packages.

apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds plasma-workspace-wallpapers
for package in *.deb; do dpkg-deb -x "$package" EXTRACTED; done
python results/photographs/data.py EXTRACTED DATA
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from trainer.datasets.crops import Cut, make_crops

from gan_eval.pictures.decode import read_rgb, write_png
from trainer.datasets.make import pair_edges

SHARE = "usr/share"
CROPS = {"train": 100, "val": 20, "test": 40}
"""Facts of each photograph."""
SIZE = 128


def main(extracted: Path, data: Path) -> None:
    """Write DATA/holes, the crops; DATA/edges2photo, edges | crop; DATA/grey2colour, grey | crop."""
    with Path(__file__).with_name("photographs.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            photograph = data / "photographs" / row["split"] / row["name"]
            photograph.parent.mkdir(parents=True, exist_ok=True)
            photograph.write_bytes((extracted / SHARE / row["file"]).read_bytes())
    for split, number in CROPS.items():
        cut = Cut(SIZE, per_picture=number, split=split)
        print("\n".join(make_crops([data / "photographs" / split], data / "holes", cut).lines()))
    pair_edges(data / "holes", data / "edges2photo", sigma=1.0)
    for path in sorted((data / "holes").glob("*/*.png")):
        crop = read_rgb(path)
        grey = np.asarray(Image.fromarray(crop).convert("L"))
        write_png(
            data / "grey2colour" / path.parent.name / path.name,
            np.concatenate([np.repeat(grey[..., None], 3, axis=2), crop], axis=1),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
