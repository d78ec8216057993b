#!/usr/bin/env bash
# Expected: polygons of a mask, filled again, are the mask to within a pixel at its border.
# What happens: supervision 0.31.2's `mask_to_polygons` leaves out every part that is one pixel wide in a straight line (two points are no polygon), and gives a hole
# as one more polygon, so that it is filled: a lamp post and a wire vanish without a word, a window frame comes back as a full window (400 pixels for 144).
# Who meets it: whoever keeps a segmenter's labels as polygons and makes label maps, or masks of holes to inpaint, of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check supervision==0.31.2 numpy==2.2.6 opencv-python-headless==4.11.0.86
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from supervision import mask_to_polygons, polygon_to_mask

EXPECTED = {"post": (60, 0), "wire": (60, 0), "frame": (144, 400), "block": (400, 400)}  # pixels of the mask, and of its polygons
SIDE = 64
masks = {name: numpy.zeros((SIDE, SIDE), bool) for name in EXPECTED}
masks["post"][2:62, 30] = True
masks["wire"][30, 2:62] = True
masks["frame"][10:30, 10:30] = True
masks["frame"][12:28, 12:28] = False
masks["block"][10:30, 10:30] = True
print("supervision", version("supervision"))
seen = {}
for name, mask in masks.items():
    polygons = mask_to_polygons(mask)
    filled = numpy.zeros_like(mask)
    for polygon in polygons:
        filled |= polygon_to_mask(polygon, resolution_wh=(SIDE, SIDE)).astype(bool)
    seen[name] = int(mask.sum()), int(filled.sum())
    print(f"{name}: {seen[name][0]} pixels, {len(polygons)} polygons, filled again {seen[name][1]} pixels")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
