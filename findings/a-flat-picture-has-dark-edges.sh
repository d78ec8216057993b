#!/usr/bin/env bash
# Expected: a flat picture stays flat when it is resized, whatever the filter.
# What happens: resize-right 0.0.2 (MATLAB's imresize for NumPy and PyTorch) takes everything beyond the picture for black unless `pad_mode` says
# otherwise: of a picture with 200 everywhere, the outer pixels are 187 at half the size, 159 at twice and 127 at 4.7 times, as for Inception's 299.
# Who meets it: whoever halves photographs to train or test super-resolution, or resizes small samples for FID: a dark frame on one side only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check resize-right==0.0.2 numpy==2.4.6 pillow==13.0.0
"$work/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np
from PIL import Image

warnings.simplefilter("ignore")  # it says that PyTorch is not there
from resize_right import resize  # noqa: E402

EXPECTED = {32: 187, 128: 159, 299: 127}
"""The outer pixels of a picture of 64x64 with 200 everywhere, by the new side."""
flat = np.full((64, 64, 3), 200.0)
print("resize-right", version("resize-right"), "Pillow", version("pillow"))
found = {}
for side in EXPECTED:
    resized = resize(flat, out_shape=(side, side, 3))
    found[side] = round(float(resized[0, side // 2, 0]))
    mirrored = resize(flat, out_shape=(side, side, 3), pad_mode="reflect")
    pillow = np.asarray(Image.fromarray(flat.astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC))
    rows = " ".join(f"{level:.0f}" for level in resized[:5, side // 2, 0])
    print(f"{side}x{side}: rows from the edge {rows}; pad_mode='reflect' {mirrored.min():.0f}, Pillow {pillow.min()}")
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
