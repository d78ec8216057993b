#!/usr/bin/env bash
# Expected: an averaged generator is there to make samples: `ema(noise)` after `generator.eval()` gives the same pictures for the same noise, and changes nothing.
# What happens: ema-pytorch 0.8.3 leaves its copy in the mode that the generator had when the copy was made, which is training, whatever the generator's mode is later.
# Dropout stays on, batch normalisation takes the statistics of the batch, so that a picture depends on those made with it, and each sample moves the averaged
# statistics. `ema.ema_model.eval()` ends it.
# Who meets it: whoever reports FID or shows pictures of averaged weights of a network with batch normalisation or dropout.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check ema-pytorch==0.8.3 torch==2.13.0 numpy==2.3.5
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import torch
from ema_pytorch import EMA

EXPECTED = {"as made": (True, True, True), "after ema.ema_model.eval()": (False, False, False)}
torch.manual_seed(0)
generator = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 3))
ema = EMA(generator, beta=0.99)
for _ in range(200):
    generator(torch.randn(16, 8))
    ema.update()
generator.eval()
print("ema-pytorch", version("ema-pytorch"), "torch", torch.__version__)
seen = {}
noise = torch.randn(16, 8)
for state in EXPECTED:
    if state != "as made":
        ema.ema_model.eval()
    before = ema.ema_model[1].running_mean.clone()
    first, second, alone = ema(noise), ema(noise), ema(noise[:4])
    moved = not torch.equal(before, ema.ema_model[1].running_mean)
    seen[state] = (not torch.allclose(first, second, atol=1e-4), not torch.allclose(first[:4], alone, atol=1e-4), moved)
    print(f"{state}: training {ema.ema_model.training}; twice the same noise differs, fewer at a time differ, average moved:", seen[state])
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
