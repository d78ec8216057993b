#!/usr/bin/env bash
# Expected: an image quality function of floats in 0..1 gives about the score of the same picture in 0..255, or refuses it.
# What happens: cv2.quality of OpenCV 5.0.0 keeps the constants of 8 bits for every type: SSIM of a noisy picture is 0.55 in uint8 and
# 0.99995 in float32, GMSD 0.07 and 0.000003; for uint16 PSNR is -22 dB. Only PSNR has an argument for the range.
# Who meets it: whoever feeds a generator's float output to these functions: any picture looks perfect, without a warning.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check opencv-contrib-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

EXPECTED = {"uint8": 0.55, "float32": 1.0}
rng = np.random.default_rng(0)
y, x = np.mgrid[:192, :256]
real = (127 + 60 * np.sin(x / 9) + 50 * np.cos((x + y) / 14)).clip(0, 255).astype(np.uint8)
real[np.hypot(y - 90, x - 120) < 40] = 200
fake = (real + rng.normal(0, 12, real.shape)).clip(0, 255).astype(np.uint8)
pairs = {
    "uint8": (real, fake),
    "float32": (real.astype(np.float32) / 255, fake.astype(np.float32) / 255),
    "uint16": (real.astype(np.uint16) * 257, fake.astype(np.uint16) * 257),
}
print("OpenCV", cv2.__version__)
seen = {}
for kind, (a, b) in pairs.items():
    ssim, gmsd, psnr = (getattr(cv2.quality, f"Quality{name}_compute")(a, b)[0][0] for name in ("SSIM", "GMSD", "PSNR"))
    seen[kind] = ssim
    print(f"{kind}: SSIM {ssim:.5f}, GMSD {gmsd:.6f}, PSNR {psnr:.2f} dB")
same = abs(seen["uint8"] - EXPECTED["uint8"]) < 0.02 and abs(seen["float32"] - EXPECTED["float32"]) < 1e-3
sys.exit(None if same else f"changed: expected SSIM {EXPECTED}")
PYTHON
