#!/usr/bin/env bash
# Expected: the power of a test lies between 0 and 1; with too few trials for any result to be significant it is 0.
# What happens: power_binom_tost of statsmodels 0.15.0 subtracts one tail from the other, and answers -0.52 for 100 trials within
# 50 % +- 5 points, where no count can be significant. Its normal sibling power_ztost_prop answers 0.
# Who meets it: whoever plans how many judgements show that real and generated pictures cannot be told apart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import statsmodels
from statsmodels.stats.proportion import binom_tost, power_binom_tost, power_ztost_prop

EXPECTED_POWER = -0.516
warnings.simplefilter("ignore")
print("statsmodels", statsmodels.__version__)
for trials in (100, 500, 1000, 2000):
    exact, normal = power_binom_tost(0.45, 0.55, trials, p_alt=0.5), power_ztost_prop(0.45, 0.55, trials, 0.5)[0]
    significant = sum(binom_tost(count, trials, 0.45, 0.55)[0] < 0.05 for count in range(trials + 1))
    print(f"{trials} trials: power_binom_tost {exact:.3f}, power_ztost_prop {normal:.3f}, significant counts {significant}")
power = round(float(power_binom_tost(0.45, 0.55, 100, p_alt=0.5)), 3)
sys.exit(None if power == EXPECTED_POWER else f"changed: expected {EXPECTED_POWER}")
PYTHON
