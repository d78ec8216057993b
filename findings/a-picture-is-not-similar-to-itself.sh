#!/usr/bin/env bash
# Expected: SSIM of a picture with itself is 1, and in half precision a noisy picture loses a digit of its SSIM, not its rank.
# What happens: torchmetrics 1.9.0 takes means of squares less squares of means in the precision of the pictures: in bfloat16 a picture has an SSIM of 0.94 with
# itself, a noisy copy 0.87 in place of 0.80, and a UQI of 0.24 in place of 0.72. In float16 pictures in 0..255 have -inf dB in place of 30.4.
# pytorch-msssim 1.0.0 gives the noisy copy 0.85. None of them warns.
# Who meets it: whoever logs such metrics of a network that runs in half precision, or trains with SSIM as a loss there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check torchmetrics==1.9.0 pytorch-msssim==1.0.0 torch==2.13.0 numpy==2.3.5
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import pytorch_msssim
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure, universal_image_quality_index

EXPECTED = {"float32": (1.0, 0.8, 0.8, 0.72, "30.4"), "bfloat16": (0.94, 0.87, 0.85, 0.24, "30.5"), "float16": (1.0, 0.81, 0.79, 0.48, "-inf")}
y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
planes = [0.5 + 0.3 * torch.sin(x / 5), 0.5 + 0.3 * torch.cos(y / 7), 0.5 + 0.2 * torch.sin((x + y) / 9)]
real = torch.stack(planes)[None].float()
noise = torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
noisy = (real + 0.03 * noise).clamp(0, 1)
print("torchmetrics", version("torchmetrics"), "pytorch-msssim", version("pytorch-msssim"), "torch", torch.__version__)
seen = {}
for name in EXPECTED:
    dtype = getattr(torch, name)
    a, b = noisy.to(dtype), real.to(dtype)
    levels = [(255 * each).round().to(dtype) for each in (noisy, real)]
    numbers = (
        structural_similarity_index_measure(b, b, data_range=1.0),
        structural_similarity_index_measure(a, b, data_range=1.0),
        pytorch_msssim.ssim(a, b, data_range=1.0),
        universal_image_quality_index(a, b),
    )
    decibels = peak_signal_noise_ratio(*levels, data_range=255.0)
    seen[name] = (*(round(float(each), 2) for each in numbers), f"{float(decibels):.1f}")
    print(f"{name}: SSIM with itself, of the noisy copy, pytorch-msssim's, UQI, PSNR of 0..255:", seen[name])
same = all(str(seen[name]) == str(EXPECTED[name]) for name in EXPECTED)
sys.exit(None if same else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
