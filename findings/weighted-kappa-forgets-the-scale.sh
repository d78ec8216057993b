#!/usr/bin/env bash
# Expected: linearly weighted kappa measures how far two grades are apart, so that grades 0, 10 and 100 differ from 0, 50 and 100.
# What happens: scikit-learn 1.9.1 sorts the values that occur and counts places between them: both scales give the same kappa, and a
# grade of a 1-to-5 scale that nobody used shortens the distance of its neighbours (0.645 becomes 0.623 unless labels= names it).
# Who meets it: whoever reports agreement on grades or a slider of realism; quadratic weights have the same trap.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import sklearn
from sklearn.metrics import cohen_kappa_score

EXPECTED_DIFFERENCE = 0.0
rng = np.random.default_rng(5)
a = rng.integers(0, 3, 80)
b = (a + rng.integers(-1, 2, 80)).clip(0, 2)
even, uneven = np.array([0, 50, 100]), np.array([0, 10, 100])
grades_a = rng.choice([1, 2, 4, 5], 80)
grades_b = np.where(rng.random(80) < 0.6, grades_a, rng.choice([1, 2, 4, 5], 80))


def by_values(x, y):
    chance = np.abs(x[:, None] - y[None, :]).mean()
    return 1 - np.abs(x - y).mean() / chance


print("scikit-learn", sklearn.__version__)
kappas = [cohen_kappa_score(scale[a], scale[b], weights="linear") for scale in (even, uneven)]
print(f"scale 0, 50, 100: {kappas[0]:.3f} (by the values {by_values(even[a], even[b]):.3f})")
print(f"scale 0, 10, 100: {kappas[1]:.3f} (by the values {by_values(uneven[a], uneven[b]):.3f})")
used, named = (cohen_kappa_score(grades_a, grades_b, weights="linear", labels=labels) for labels in (None, [1, 2, 3, 4, 5]))
print(f"grades 1 to 5 without a 3: {used:.3f}; with labels=[1, 2, 3, 4, 5]: {named:.3f}")
difference = abs(kappas[0] - kappas[1])
sys.exit(None if difference == EXPECTED_DIFFERENCE and abs(used - named) > 1e-3 else f"changed: expected {EXPECTED_DIFFERENCE}")
PYTHON
