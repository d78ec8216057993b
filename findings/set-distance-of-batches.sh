#!/usr/bin/env bash
# Expected: the distance of two sets of features does not depend on how they are cut into batches.
# What happens: MaximumMeanDiscrepancy of pytorch-ignite 0.5.5 averages unbiased estimates of single batches, sets a negative sum to 0 and
# takes the root: the same 200 + 200 features give 0.122 in one batch, 0.101 in batches of 10 and exactly 0 in batches of 2.
# Who meets it: whoever watches KID or MMD of generated pictures during training, where the batch size is free.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check pytorch-ignite==0.5.5 torch==2.13.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import ignite
import torch
from ignite.metrics import MaximumMeanDiscrepancy

EXPECTED = {200: 0.122, 10: 0.101, 2: 0.0}
generator = torch.Generator().manual_seed(0)
real = torch.rand(200, 8, generator=generator)
fake = torch.rand(200, 8, generator=generator) * 0.9 + 0.1


def distance(batch):
    metric = MaximumMeanDiscrepancy(var=1.0)
    for start in range(0, len(real), batch):
        metric.update((real[start : start + batch], fake[start : start + batch]))
    return metric.compute()


seen = {batch: distance(batch) for batch in EXPECTED}
print("pytorch-ignite", ignite.__version__, "torch", torch.__version__)
for batch, value in seen.items():
    print(f"batches of {batch}: {value:.4f}")
same = all(abs(seen[batch] - value) < 1e-3 for batch, value in EXPECTED.items())
sys.exit(None if same else f"changed: expected {EXPECTED}")
PYTHON
