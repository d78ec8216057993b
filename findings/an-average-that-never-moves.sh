#!/usr/bin/env bash
# Expected: with a decay of 0.9999 the averaged weights are 95 % of the way to the new ones after 30,000 steps, in any precision that can train.
# What happens: where the weights are in bfloat16 or float16, the average of torch-ema 0.3, of diffusers 0.42.1 and of torch 2.13.0's AveragedModel never moves: a weight of 1
# whose new value is 2 stays 1, as a step of 0.0001 is below half of the distance of two numbers. In float32 it is 1.95. Nothing is said.
# Who meets it: whoever trains a generator in half precision and makes samples, or computes FID, with averaged weights: they are those of the first step.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check torch-ema==0.3 diffusers==0.42.1 torch==2.13.0 numpy==2.3.5
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import torch
from diffusers.training_utils import EMAModel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch_ema import ExponentialMovingAverage

STEPS, DECAY = 30_000, 0.9999
EXPECTED = {"float32": (1.95, 1.95, 1.95), "bfloat16": (1.0, 1.0, 1.0), "float16": (1.0, 1.0, 1.0)}
torch.set_num_threads(1)
print("torch-ema", version("torch-ema"), "diffusers", version("diffusers"), "torch", torch.__version__)
seen = {}
for name in EXPECTED:
    network = torch.nn.Linear(1, 1, bias=False).to(getattr(torch, name))
    with torch.no_grad():
        network.weight.fill_(1)
    small = ExponentialMovingAverage(network.parameters(), decay=DECAY, use_num_updates=False)
    large = EMAModel(network.parameters(), decay=DECAY, min_decay=DECAY)
    own = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(DECAY))
    own.update_parameters(network)
    large.step(network.parameters())
    with torch.no_grad():
        network.weight.fill_(2)
    for _ in range(STEPS):
        small.update()
        large.step(network.parameters())
        own.update_parameters(network)
    averages = (small.shadow_params[0], large.shadow_params[0], own.module.weight)
    seen[name] = tuple(round(float(each.detach()), 2) for each in averages)
    print(f"{name}: average of torch-ema, diffusers, torch after {STEPS} steps from 1 to 2:", seen[name])
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
