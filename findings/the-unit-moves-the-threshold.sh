#!/usr/bin/env bash
# Expected: the same answers give the same threshold, whether exposures are written in seconds or in milliseconds.
# What happens: psychofit 1.0.0.post0 does not look for a slope above 10 in the unit of the table, unless it is told. Exposures in
# milliseconds get a step of at most 10 ms: a threshold of 251 ms becomes one of 203 ms, lapses rise from 2 to 11 % to make up
# for it, and nothing says that the end of a range was reached.
# Who meets it: whoever fits the curve over exposures of people who tell generated pictures from photographs: they are in ms.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check psychofit==1.0.0.post0 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from psychofit import erf_psycho, mle_fit_psycho

EXPECTED = {"s": True, "ms": False}  # is the threshold of 250 ms found, within 10 ms?
EXPOSURES = np.array([50, 100, 150, 200, 300, 400, 600, 800.0])
TRIALS = np.full(8, 40)
SHARE = np.round(erf_psycho(np.array([250, 150, 0.02]), EXPOSURES) * TRIALS) / TRIALS

print("psychofit", version("psychofit"))
print("answers 'real' of 40:", *(SHARE * TRIALS).astype(int))
found = {}
for unit, size in (("s", 1000), ("ms", 1)):
    thresholds = []
    for seed in range(3):
        np.random.seed(seed)
        table = np.vstack([EXPOSURES / size, TRIALS, SHARE])
        (threshold, slope, lapses), likelihood = mle_fit_psycho(table, "erf_psycho", nfits=10)
        thresholds.append(threshold * size)
        print(f"exposures in {unit:>2}, seed {seed}: threshold {threshold * size:5.1f} ms, slope {slope * size:5.1f} ms, lapses {lapses:.3f}, log likelihood {likelihood:.1f}")
    found[unit] = all(abs(threshold - 250) < 10 for threshold in thresholds)
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
