#!/usr/bin/env bash
# Expected: a 95 % interval of Kendall's tau covers the true tau in 95 of 100 studies.
# What happens: pingouin 0.7.0 puts tau into the formula for Pearson's r (a standard error of 1/sqrt(n - 3)), although tau varies much
# less: the interval covers the truth in more than 99 of 100 studies and is about 1.5 times as wide as with Fieller's 0.437/(n - 4).
# Who meets it: whoever reports how well a metric orders generators, with few of them: real rank correlations look undecided.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check pingouin==0.7.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
import pingouin

EXPECTED_COVERAGE, STUDIES, PICTURES, CORRELATION = 0.99, 400, 30, 0.5
rng = np.random.default_rng(0)
truth = 2 / np.pi * np.arcsin(CORRELATION)
covered, widths, fieller_covered, fieller_widths = 0, [], 0, []
for _ in range(STUDIES):
    x, y = rng.multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], PICTURES).T
    row = pingouin.corr(x, y, method="kendall").iloc[0]
    low, high = row["CI95"]
    centre, half = np.arctanh(row["r"]), 1.96 * np.sqrt(0.437 / (PICTURES - 4))
    covered += low <= truth <= high
    fieller_covered += np.tanh(centre - half) <= truth <= np.tanh(centre + half)
    widths.append(high - low)
    fieller_widths.append(np.tanh(centre + half) - np.tanh(centre - half))
print("pingouin", importlib.metadata.version("pingouin"))
print(f"true tau {truth:.3f}, {PICTURES} pictures, {STUDIES} studies")
print(f"pingouin: covers {covered / STUDIES:.3f}, mean width {np.mean(widths):.3f}")
print(f"Fieller: covers {fieller_covered / STUDIES:.3f}, mean width {np.mean(fieller_widths):.3f}")
as_designed = covered / STUDIES > EXPECTED_COVERAGE and np.mean(widths) > 1.4 * np.mean(fieller_widths)
sys.exit(None if as_designed else f"changed: expected a coverage above {EXPECTED_COVERAGE}")
PYTHON
