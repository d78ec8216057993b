#!/usr/bin/env bash
# Expected: save_image and to_pil_image of torchvision make the same 8-bit picture of one tensor in 0..1, and a photograph that is
# normalised and brought back is saved as it was.
# What happens: in torchvision 0.29.2 one rounds and the other cuts off. to_pil_image of a photograph that went to -1..1 and back is
# one level darker in 63 of the 256 levels (in float32), and of generated floats in half of the values; save_image is exact.
# Who meets it: whoever saves real and generated pictures in two ways, or wonders about 54 dB of a photograph with itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check torchvision==0.29.2 torch==2.15.0 numpy==2.4.6 pillow==13.0.0
"$work/venv/bin/python" - "$work" <<'PYTHON'
import sys

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms.functional import to_pil_image, to_tensor
from torchvision.utils import save_image

EXPECTED = {"save_image": 0, "to_pil_image": 63}
"""Levels of 256 that a photograph loses on its way to -1..1 and back."""
photograph = np.arange(256, dtype=np.uint8).reshape(16, 16)
back = (to_tensor(photograph) - 0.5) / 0.5 * 0.5 + 0.5


def saved(tensor: torch.Tensor) -> dict[str, np.ndarray]:
    save_image(tensor, f"{sys.argv[1]}/a.png")
    of_file = np.asarray(Image.open(f"{sys.argv[1]}/a.png"))
    pictures = {"save_image": of_file[..., 0], "to_pil_image": np.asarray(to_pil_image(tensor))}
    return {name: picture.astype(int) for name, picture in pictures.items()}


print("torchvision", torchvision.__version__, "torch", torch.__version__)
seen = {}
for name, picture in saved(back).items():
    seen[name] = int((picture != photograph).sum())
    print(f"all 256 levels, to -1..1 and back, {name}: {seen[name]} changed, by {sorted({*(picture - photograph).ravel()})}")
floats = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))
first, second = saved(floats).values()
print(f"generated floats: {(first != second).mean():.0%} of the values differ, by {(first - second).mean():.2f} levels on average")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
