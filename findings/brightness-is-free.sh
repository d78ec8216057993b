#!/usr/bin/env bash
# Expected: the gradient-based SSIM (Chen, Yang and Xie 2006) has SSIM's factor for brightness, so that a picture 128 levels brighter has a low score.
# What happens: compimg 0.2.2's `GSSIM` is exactly 1.0 for a photograph and a copy 128 levels brighter, and for a black and a nearly white picture:
# it compares the brightness of the first picture with itself. `SSIM` of the same package gives 0.6 and 0.1.
# Who meets it: whoever scores inpainted or colourised pictures by GSSIM: a wrong brightness, one of their usual faults, costs nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check compimg==0.2.2 numpy==1.26.4 scipy==1.11.4
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from compimg.similarity import GSSIM, SSIM

EXPECTED = {"photograph": (1.0, 0.6), "flat": (1.0, 0.1)}
rows, columns = numpy.mgrid[:128, :128]
dark = numpy.round(60 + 30 * numpy.sin(columns / 9) + 30 * numpy.sin(rows * columns / 3000)).astype(numpy.uint8)
pairs = {"photograph": (dark, dark + 128), "flat": (numpy.full_like(dark, 10), numpy.full_like(dark, 250))}
print("compimg", version("compimg"))
seen = {name: tuple(round(float(metric().compare(*pair)), 1) for metric in (GSSIM, SSIM)) for name, pair in pairs.items()}
print("GSSIM and SSIM of a picture and a brighter one:", seen)
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
