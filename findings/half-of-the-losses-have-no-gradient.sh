#!/usr/bin/env bash
# Expected: a loss of 1 - MS-SSIM pulls any generated picture towards the real one; the less they have in common, the more.
# What happens: pytorch-msssim 1.0.0 takes a negative mean at any one of the five scales as 0, and multiplies: of 30 pairs of unrelated
# pictures with SSIM above 0.1, about half have MS-SSIM exactly 0, and a gradient of exactly 0 at every pixel.
# Who meets it: whoever trains with this loss alone, or averages the score: at the start, after a change of data, with inverted contrast.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check pytorch-msssim==1.0.0 torch==2.15.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import torch
from pytorch_msssim import ms_ssim, ssim

EXPECTED = (9, 19)
"""Least and most pairs without a gradient, of 30."""
y, x = np.mgrid[:192, :192]


def picture(seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    levels = sum(np.sin(x * rng.normal(0, 0.1) + y * rng.normal(0, 0.1) + rng.uniform(0, 6)) for _ in range(6))
    for _ in range(4):
        row, column = rng.uniform(0, 192, 2)
        levels[np.hypot(y - row, x - column) < rng.uniform(10, 40)] += rng.normal(0, 2)
    levels = (levels - levels.min()) / (levels.max() - levels.min())
    return torch.tensor(np.stack([levels, levels**0.8, levels**1.2]), dtype=torch.float32)[None]


print("pytorch-msssim", version("pytorch-msssim"), "torch", torch.__version__)
torch.set_num_threads(1)
scores, single, without = [], [], 0
for seed in range(30):
    real, fake = picture(seed), picture(1000 + seed).requires_grad_()
    score = ms_ssim(fake, real, data_range=1)
    (1 - score).backward()
    scores.append(score.item())
    single.append(ssim(fake.detach(), real, data_range=1).item())
    without += not fake.grad.any()
print(f"SSIM: {min(single):.2f} to {max(single):.2f}")
print(f"MS-SSIM is 0 for {scores.count(0.0)} of 30 pairs, else {min(filter(None, scores)):.2f} to {max(scores):.2f}")
print(f"no gradient at any pixel: {without} pairs")
same = EXPECTED[0] <= without == scores.count(0.0) <= EXPECTED[1] and min(single) > 0.1
sys.exit(None if same else f"changed: expected {EXPECTED[0]} to {EXPECTED[1]}")
PYTHON
