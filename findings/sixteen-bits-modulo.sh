#!/usr/bin/env bash
# Expected: a data set's column of pictures keeps arrays of 16 bits, or scales them to 8: grey ones of 16 bits are kept.
# What happens: datasets 5.2.0 takes a colour array of 16 bits modulo 256, and warns of "downcasting": a smooth ramp becomes a saw.
# WebDataset 1.0.2 decodes a grey picture of 16 bits as white, without a warning: all above 255 becomes 255.
# Who meets it: whoever brings pictures of 12 or 16 bits (cameras, microscopes, renderers) to a metric by a data set's format.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check datasets==5.2.0 webdataset==1.0.2 numpy==2.4.6 pillow==13.0.0
cd "$work"
HF_HOME="$work/home" "$work/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import datasets
import numpy as np
import webdataset
from PIL import Image

EXPECTED = {"datasets, grey": 0.0, "datasets, colour": 82.5, "webdataset, grey": 127.0}
"""Mean distance in levels of 8 bits from the picture."""
datasets.disable_progress_bars()
ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
colour = np.stack([ramp, ramp.T, ramp[::-1]], -1)


def by_datasets(array: np.ndarray) -> np.ndarray:
    rows = datasets.Dataset.from_dict({"image": [array]}, features=datasets.Features({"image": datasets.Image()}))
    return np.asarray(rows[0]["image"])


def by_webdataset(array: np.ndarray) -> np.ndarray:
    Image.fromarray(array).save("a.png")
    with webdataset.TarWriter("a.tar") as archive, open("a.png", "rb") as file:
        archive.write({"__key__": "a", "png": file.read()})
    return np.asarray(next(iter(webdataset.WebDataset("a.tar", shardshuffle=False).decode("pil")))["png"])


def distance(array: np.ndarray, picture: np.ndarray) -> float:
    levels = array / 257 if array.ndim == picture.ndim else array[..., None] / 257
    return float(np.abs(picture / (257 if picture.dtype == np.uint16 else 1) - levels).mean())


print("datasets", datasets.__version__, "webdataset", webdataset.__version__)
seen = {}
for name, array, read in (
    ("datasets, grey", ramp, by_datasets),
    ("datasets, colour", colour, by_datasets),
    ("webdataset, grey", ramp, by_webdataset),
):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        picture = read(array)
    seen[name] = distance(array, picture)
    words = "; ".join(str(each.message) for each in warned if each.category is UserWarning) or "no warning"
    print(f"{name}: {picture.dtype}, {seen[name]:.1f} levels off, mean {picture.mean():.0f}; {words}")
same = all(abs(seen[name] - value) < 2 for name, value in EXPECTED.items())
sys.exit(None if same else f"changed: expected {EXPECTED}")
PYTHON
