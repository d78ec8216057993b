#!/usr/bin/env bash
# Expected: a score of two pictures stays the same when both are turned by 90 degrees.
# What happens: ssimulacra2 0.3.0 mirrors pictures beyond their top and bottom, and puts zeros beyond left and right: the same six damaged
# rows have a score of 12 at the top and of 43 when both pictures are turned, damaged columns 74 and 50. libjxl's program of that name
# puts zeros beyond all four sides.
# Who meets it: whoever scores fills or outpaintings that reach a border, or upright pictures beside wide ones.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check ssimulacra2==0.3.0 numpy==2.4.6 scipy==1.17.1 pillow==13.0.0
"$work/venv/bin/python" - "$work" <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from PIL import Image
from ssimulacra2 import compute_ssimulacra2

EXPECTED = {"rows": (12, 43), "columns": (74, 50)}
rng = np.random.default_rng(0)
y, x = np.mgrid[:128, :256]
grey = 127 + 60 * np.sin(x / 9) + 50 * np.cos((x + y) / 14) + rng.normal(0, 25, x.shape)
real = (grey[..., None] + [10, 0, -10]).clip(0, 255).astype(np.uint8)


def score(fake, turns):
    paths = [f"{sys.argv[1]}/{name}.png" for name in ("real", "fake")]
    for path, picture in zip(paths, (real, fake)):
        Image.fromarray(np.rot90(picture, turns).copy()).save(path)
    return compute_ssimulacra2(*paths)


print("ssimulacra2", version("ssimulacra2"))
seen = {}
for name, strip in {"rows": np.s_[:6], "columns": np.s_[:, :6]}.items():
    fake = real.copy()
    fake[strip] = real[strip].mean((0, 1))
    seen[name] = [score(fake, turns) for turns in (0, 1)]
    print(f"six {name} damaged: {seen[name][0]:.2f}, both pictures turned: {seen[name][1]:.2f}")
same = all(np.allclose(seen[name], EXPECTED[name], atol=1) for name in EXPECTED)
sys.exit(None if same else f"changed: expected {EXPECTED}")
PYTHON
