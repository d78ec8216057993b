#!/usr/bin/env bash
# Expected: a loss has its least value, and a gradient of 0 or near it, where the generated picture equals the real one.
# What happens: in piq 0.8.0 the gradient of GMSD, MS-GMSD and MDSI is NaN there (the root of a variance of 0); of SSIM, MS-SSIM, FSIM,
# VSI, HaarPSI and VIF it is finite. One such picture in a batch of two makes every weight NaN at the next step.
# Who meets it: whoever trains with these losses where a model copies a picture exactly, such as a blank one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check piq==0.8.0 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import piq
import torch

EXPECTED = {"gmsd", "multi_scale_gmsd", "mdsi"}
"""Losses whose step leaves no number."""
SCORES = ("ssim", "multi_scale_ssim", "fsim", "vsi", "haarpsi", "vif_p")
y, x = np.mgrid[:192, :192]
planes = [0.5 + 0.3 * np.sin(x / 5), 0.5 + 0.3 * np.cos(y / 7), 0.5 + 0.2 * np.sin((x + y) / 9)]
real = torch.tensor(np.stack(planes), dtype=torch.float32)[None].repeat(2, 1, 1, 1)
noise = torch.tensor(np.random.default_rng(0).normal(0, 0.05, real[0].shape), dtype=torch.float32)
print("piq", version("piq"), "torch", torch.__version__)
seen = set()
for name in (*sorted(EXPECTED), *SCORES):
    contrast = torch.ones(1, requires_grad=True)
    fake = torch.stack([(real[0] + noise).clamp(0, 1), real[1]]) * contrast
    value = getattr(piq, name)(fake.clamp(0, 1), real, data_range=1.0)
    (1 - value if name in SCORES else value).backward()
    after = (contrast - 0.01 * contrast.grad).item()
    seen |= {name} if np.isnan(after) else set()
    print(f"{name}: value {value.item():.4f}, the weight after a step {after:.4f}")
sys.exit(None if seen == EXPECTED else f"changed: expected NaN of {sorted(EXPECTED)}")
PYTHON
