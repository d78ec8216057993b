#!/usr/bin/env bash
# Expected: the memorisation-informed FID (MiFID) of pictures that are all copies of training pictures is punished the most.
# What happens: torchmetrics 1.9.0 looks for the nearest generated picture of each real one, not for the nearest real one of each generated
# one: 200 exact copies of 20 of 200 training pictures have a MiFID equal to their FID. With the two sets exchanged it is above 1e14.
# Who meets it: whoever uses MiFID to show that a generator does not repeat its training set.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys

import torch
import torchmetrics
from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance as MiFID

EXPECTED_PENALTY = 1.0


class Features(torch.nn.Module):
    def forward(self, pictures):
        return pictures.flatten(1)


def mifid(real, fake, epsilon=0.1):
    metric = MiFID(feature=Features(), cosine_distance_eps=epsilon)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return float(metric.compute())


generator = torch.Generator().manual_seed(0)
training, fresh = (torch.rand(200, 64, 1, 1, generator=generator) ** 4 for _ in range(2))
copies = training[:20].repeat(10, 1, 1, 1)
print("torchmetrics", torchmetrics.__version__, "torch", torch.__version__)
print(f"fresh pictures: FID {mifid(training, fresh, 1e-12):.3f}, MiFID {mifid(training, fresh):.3f}")
print(f"200 copies of 20 training pictures: FID {mifid(training, copies, 1e-12):.3f}, MiFID {mifid(training, copies):.3f}")
print(f"the two sets exchanged: MiFID {mifid(copies, training):.3g}")
penalty = mifid(training, copies) / mifid(training, copies, 1e-12)
sys.exit(None if penalty == EXPECTED_PENALTY else f"changed: expected a factor of {EXPECTED_PENALTY}")
PYTHON
