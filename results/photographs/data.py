"""The data of shown.toml: 128-pixel crops of the photographs in photographs.csv, which come with four Debian packages.

apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds plasma-workspace-wallpapers
for package in *.deb; do dpkg-deb -x "$package" EXTRACTED; done
python results/photographs/data.py EXTRACTED DATA
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.base.digests import sha256_bytes
from gan_eval.pictures.decode import Picture, centre_square, read_rgb, resize, write_png
from trainer.datasets.make import pair_edges

SHARE = "usr/share"
CROPS = {"train": 100, "val": 20, "test": 40}
"""Number of crops of each photograph."""
SIZE = 128


def main(extracted: Path, data: Path) -> None:
    """Write DATA/holes, the crops; DATA/edges2photo, edges | crop; DATA/grey2colour, grey | crop."""
    with Path(__file__).with_name("photographs.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            photograph = data / "photographs" / row["split"] / row["name"]
            photograph.parent.mkdir(parents=True, exist_ok=True)
            photograph.write_bytes((extracted / SHARE / row["file"]).read_bytes())
    for path in sorted((data / "photographs").glob("*/*")):
        split = path.parent.name
        for number, crop in enumerate(crops(read_rgb(path), CROPS[split], f"{split}/{path.name}")):
            write_png(data / "holes" / split / f"{split}-{path.stem}-{number}.png", crop)
    pair_edges(data / "holes", data / "edges2photo", sigma=1.0)
    for path in sorted((data / "holes").glob("*/*.png")):
        crop = read_rgb(path)
        grey = np.asarray(Image.fromarray(crop).convert("L"))
        write_png(
            data / "grey2colour" / path.parent.name / path.name,
            np.concatenate([np.repeat(grey[..., None], 3, axis=2), crop], axis=1),
        )


def crops(photograph: Picture, count: int, key: str) -> Iterator[Picture]:
    """Yield the centre square, then squares whose sides and places are random by `key`, all of SIZE pixels."""
    rng = np.random.default_rng([0, int(sha256_bytes(key.encode()), 16)])
    height, width = photograph.shape[:2]
    shorter = min(height, width)
    yield resize(centre_square(photograph), (SIZE, SIZE))
    for _ in range(count - 1):
        side = int(rng.integers(round(shorter / 2), shorter, endpoint=True))
        top, left = (int(rng.integers(0, rest, endpoint=True)) for rest in (height - side, width - side))
        yield resize(photograph[top : top + side, left : left + side], (SIZE, SIZE))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extracted", type=Path)
    parser.add_argument("data", type=Path)
    main(**vars(parser.parse_args()))
