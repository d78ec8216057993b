#!/usr/bin/env bash
# Expected: a picture with one more error is farther from the real one: a noisy picture that is also brighter has the larger loss.
# What happens: focal-frequency-loss 0.3.0 divides the weights of all frequencies by that of the worst one. If the picture is brighter
# by 0.01, that is the mean, the noise counts less, and the loss falls to a third, though the squared error grows.
# Who meets it: whoever compares models, epochs or ablations by the logged loss, or chooses a checkpoint by it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check focal-frequency-loss==0.3.0 torch==2.15.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import torch
from focal_frequency_loss import FocalFrequencyLoss

EXPECTED = {0.0: 1.0, 0.01: 0.30}
y, x = np.mgrid[:64, :64]
planes = [0.5 + 0.3 * np.sin(x / 5), 0.5 + 0.3 * np.cos(y / 7), 0.5 + 0.2 * np.sin((x + y) / 9)]
real = torch.tensor(np.stack(planes), dtype=torch.float32)[None]
noisy = real + torch.tensor(np.random.default_rng(0).normal(0, 0.05, real.shape), dtype=torch.float32)
loss = FocalFrequencyLoss()
print("focal-frequency-loss", version("focal-frequency-loss"), "torch", torch.__version__)
first = loss(noisy, real)
seen = {}
for brighter in (0.0, 0.01, 0.02, 0.05):
    fake = noisy + brighter
    seen[brighter] = (loss(fake, real) / first).item()
    error = (fake - real).square().mean().item()
    print(f"noise, brighter by {brighter}: squared error {error:.5f}, loss {loss(fake, real).item():.5f}, of the first {seen[brighter]:.2f}")
same = all(abs(seen[brighter] - share) < 0.05 for brighter, share in EXPECTED.items())
sys.exit(None if same else f"changed: expected {EXPECTED}")
PYTHON
