#!/usr/bin/env bash
# Expected: a score of which its page says "1.0 means identical" is far below 1 for a photograph and its negative, or for black and white.
# What happens: blazediff-ssim 6.1.1's `hitchhikers-ssim` is exactly 1.0 for both, and 0.84 for a slightly blurred copy. It is 1 less the spread of the local values
# divided by their mean: equally bad everywhere is no spread, and a negative mean is cut to the best value. With `cov_pooling=False` it gives -0.6 and 0.0.
# Who meets it: whoever takes this metric, the cheapest for each window, to find bad generated pictures, or ranks generators by it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check blazediff-ssim==6.1.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import blazediff_ssim
import numpy

EXPECTED = {"negative": 1.0, "black and white": 1.0, "blurred": 0.84}
SIDE = 256
rows, columns = numpy.mgrid[:SIDE, :SIDE]
waves = 127.5 + 60 * numpy.sin(columns / 9) + 60 * numpy.sin(rows * columns / 3000)
grain = numpy.random.default_rng(0).normal(0, 10, waves.shape)
picture = numpy.clip(numpy.round(waves + grain), 0, 255).astype(numpy.uint8)
wide = numpy.pad(picture.astype(float), 2, mode="edge")
blurred = numpy.round(sum(wide[y : y + SIDE, x : x + SIDE] for y in range(5) for x in range(5)) / 25).astype(numpy.uint8)


def score(first, second, **options):
    rgba = [numpy.stack([grey, grey, grey, numpy.full_like(grey, 255)], axis=-1).tobytes() for grey in (first, second)]
    return round(blazediff_ssim.compare_rgba(*rgba, SIDE, SIDE, metric="hitchhikers-ssim", **options).score, 2)


pairs = {
    "negative": (picture, 255 - picture),
    "black and white": (numpy.zeros_like(picture), numpy.full_like(picture, 255)),
    "blurred": (picture, blurred),
}
print("blazediff-ssim", version("blazediff-ssim"))
seen = {name: score(*pair) for name, pair in pairs.items()}
print(seen, "without cov_pooling:", {name: score(*pair, cov_pooling=False) for name, pair in pairs.items()})
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
