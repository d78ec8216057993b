#!/usr/bin/env bash
# Expected: the spectral angle of two pictures is 0 if their colours point the same way, and one black pixel hardly changes it.
# What happens: image-similarity-measures 0.3.6's `sam` of a picture and one with red and blue exchanged is 29 degrees, and 0.0, the perfect value, once a single
# pixel is black: an angle to black is no number, and no number becomes 0. Of 8-bit pictures products overflow: a picture and itself have 90 degrees.
# Who meets it: whoever compares generated or inpainted photographs (most have a black pixel) by the angle of their colours.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check numpy==1.26.4 scipy==1.11.4 opencv-python-headless==4.11.0.86 scikit-image==0.22.0 phasepack==1.5
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps image-similarity-measures==0.3.6
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from image_similarity_measures.quality_metrics import sam

EXPECTED = (29, 0.0, 90)  # degrees: colours exchanged; and one pixel black; a picture of 8 bits with itself
rows, columns = numpy.mgrid[:128, :128]
picture = numpy.stack([40 + columns, 60 + rows // 2, 250 - columns - rows // 4], axis=-1).astype(numpy.uint8)
exchanged = picture[..., ::-1].copy()
one_black = picture.astype(float)
one_black[0, 0] = 0
print("image-similarity-measures", version("image-similarity-measures"))
seen = round(float(sam(picture.astype(float), exchanged.astype(float)))), float(sam(one_black, exchanged.astype(float))), round(float(sam(picture, picture)))
print("degrees, red and blue exchanged:", seen[0], "and one pixel black:", seen[1], "8 bits, with itself:", seen[2])
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
