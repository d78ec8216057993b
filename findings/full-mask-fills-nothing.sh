#!/usr/bin/env bash
# Expected: when a mask covers the whole picture, a filling fails, or gives one grey or black: nothing is known.
# What happens: cv2.inpaint (OpenCV 5.0.0) returns the picture that was to be hidden, unchanged. With one known pixel it fills all others.
# Who meets it: whoever draws random masks for an inpainting baseline, or inverts them: a mask of 100 % scores as a perfect filling.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

EXPECTED_CHANGED = 0.0
y, x = np.mgrid[:64, :80]
grey = (127 + 60 * np.sin(x / 9) + 50 * np.cos((x + y) / 14)).clip(0, 255).astype(np.uint8)
everything = np.full_like(grey, 255)
all_but_one = everything.copy()
all_but_one[0, 0] = 0
print("OpenCV", cv2.__version__)
changed = {}
for name, method in (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)):
    changed[name] = float((cv2.inpaint(grey, everything, 3, method) != grey).mean())
    one_known = float((cv2.inpaint(grey, all_but_one, 3, method) != grey).mean())
    print(f"{name}: mask of 100 %: {changed[name]:.1%} of the pixels changed; all but one pixel masked: {one_known:.1%}")
sys.exit(None if set(changed.values()) == {EXPECTED_CHANGED} else f"changed: expected {EXPECTED_CHANGED}")
PYTHON
