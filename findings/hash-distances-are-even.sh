#!/usr/bin/env bash
# Expected: the Hamming distance of two 64-bit perceptual hashes takes every value, so a threshold of 5 finds more than one of 4.
# What happens: imagehash 4.3.2 cuts phash and whash at the median, which sets exactly 32 of 64 bits, and two words with the same number
# of ones differ in an even number of places: thresholds 4 and 5 find the same pairs. Only average_hash and dhash have odd distances.
# Who meets it: whoever searches training sets for near duplicates of generated pictures and tunes that threshold.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check ImageHash==4.3.2 numpy==2.4.6 scipy==1.17.1 pillow==13.0.0 PyWavelets==1.9.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import imagehash
import numpy as np
from PIL import Image

EXPECTED_ODD = {"phash": 0, "whash": 0}


def picture(seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:200, :240]
    waves = [120 + 60 * np.sin(x / (9 + 3 * k) + rng.uniform(0, 6)) + 50 * np.cos((x * rng.random() + y) / (14 + k)) for k in range(3)]
    image = np.stack(waves, -1)
    for _ in range(15):
        image[np.hypot(y - rng.integers(200), x - rng.integers(240)) < rng.integers(5, 55)] = rng.integers(0, 256, 3)
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


pictures = [picture(seed) for seed in range(24)]
print("ImageHash", importlib.metadata.version("ImageHash"))
odd = {}
for name in ("phash", "whash", "dhash", "average_hash"):
    hashes = [getattr(imagehash, name)(image) for image in pictures]
    distances = [int(a - b) for i, a in enumerate(hashes) for b in hashes[:i]]
    odd[name] = sum(distance % 2 for distance in distances)
    print(f"{name}: {odd[name]} of {len(distances)} distances are odd; bits set: {sorted({int(h.hash.sum()) for h in hashes})}")
same = all(odd[name] == count for name, count in EXPECTED_ODD.items()) and odd["dhash"] > 0
sys.exit(None if same else f"changed: expected {EXPECTED_ODD}")
PYTHON
