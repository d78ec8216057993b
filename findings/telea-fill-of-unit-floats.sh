#!/usr/bin/env bash
# Expected: a classical filling of a float picture agrees with that of the same picture in 8 bits, and stays near the values around the hole.
# What happens: Telea's method of cv2.inpaint (OpenCV 5.0.0) works in steps of whole grey levels for float32, too: on a grey picture in 0..1
# it fills values from -1.01 to 1.80 into a hole whose 8-bit filling lies in 0.17..0.54. Navier-Stokes, and floats in 0..255, are right.
# Who meets it: whoever takes cv2.inpaint as the baseline of an inpainting network and keeps pictures as floats in 0..1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

EXPECTED_RANGE = (-1.01, 1.80)
y, x = np.mgrid[:64, :80]
grey = (127 + 60 * np.sin(x / 9) + 50 * np.cos((x + y) / 14)).clip(0, 255).astype(np.uint8)
hole = np.zeros_like(grey)
hole[20:36, 30:50] = 255
print("OpenCV", cv2.__version__)
ranges = {}
for name, method in (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)):
    for kind, picture, top in (("uint8", grey, 255), ("float32 0..255", np.float32(grey), 255), ("float32 0..1", np.float32(grey) / 255, 1)):
        filled = cv2.inpaint(picture, hole, 3, method)[hole > 0] / np.float64(top)
        ranges[name, kind] = (round(float(filled.min()), 2), round(float(filled.max()), 2))
        print(f"{name}, {kind}: filled with {ranges[name, kind][0]} to {ranges[name, kind][1]} of full scale")
sys.exit(None if ranges["Telea", "float32 0..1"] == EXPECTED_RANGE else f"changed: expected {EXPECTED_RANGE}")
PYTHON
