#!/usr/bin/env bash
# Expected: the Hausdorff distance of two objects is how far the farthest pixel of one is from the other, in pixels.
# What happens: miseval 1.3.0's `HD` is 0 for a band at the top of a picture and one at its bottom, 15 pixels away: it compares rows of the map as if each were a point.
# Its average distance (`AHD`) is 15. The largest possible value is the root of the width, however far objects are apart.
# Who meets it: whoever scores where an inpainting or a generator put an object, and reports this usual distance.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check miseval==1.3.0 numpy==2.2.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from miseval import evaluate

EXPECTED = {"bands": (0.0, 15.0), "corners": (1.41, 25.46)}
SIDE = 20
top, bottom, corner, opposite = (numpy.zeros((SIDE, SIDE), int) for _ in range(4))
top[:5], bottom[15:] = 1, 1
corner[:2, :2], opposite[18:, 18:] = 1, 1
pairs = {"bands": (top, bottom), "corners": (corner, opposite)}
print("miseval", version("miseval"))
seen = {name: tuple(round(float(evaluate(*pair, metric=metric)), 2) for metric in ("HD", "AHD")) for name, pair in pairs.items()}
print("HD and AHD:", seen)
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
