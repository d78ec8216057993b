#!/usr/bin/env bash
# Expected: the order q of a Vendi score weights rare and frequent modes, so scores of q = 1, 2 and infinity differ.
# What happens: in vendi-score 0.0.3 score_X(X, q=...) takes q and drops it: it returns the score of q = 1 for every q. score_K of the
# same similarities, and score_dual of the same X, use q (here 4.6, 4.2 and 3.1).
# Who meets it: whoever reports the diversity of generated pictures by a Vendi score of another order, from features.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check vendi-score==0.0.3 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from vendi_score import vendi

ORDERS, EXPECTED_SPREAD = (1, 2, "inf"), 0.0
features = np.random.default_rng(0).normal(size=(30, 5))
unit = features / np.linalg.norm(features, axis=1, keepdims=True)
print("vendi-score", importlib.metadata.version("vendi-score"))
for order in ORDERS:
    from_features, from_kernel = vendi.score_X(features, q=order), vendi.score_K(unit @ unit.T, q=order)
    print(f"q = {order}: score_X {from_features:.3f}, score_K {from_kernel:.3f}, score_dual {vendi.score_dual(features, q=order):.3f}")
spread = float(np.ptp([vendi.score_X(features, q=order) for order in ORDERS]))
sys.exit(None if spread == EXPECTED_SPREAD else f"changed: expected a spread of {EXPECTED_SPREAD} over q")
PYTHON
