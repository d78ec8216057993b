#!/usr/bin/env bash
# Expected: a vote of weight 0 leaves Elo ratings alone, and a vote of weight 2 counts as the same vote given twice.
# What happens: evalica 0.4.2 multiplies the score won by the weight but not the score expected, so a vote of weight 0 takes
# points from both models, a vote of weight 2 gives more than two votes, and the ratings no longer have a constant sum.
# Who meets it: whoever weights votes (by confidence, by rater, for a bootstrap) before ranking generators by Elo.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check evalica==0.4.2 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys

import evalica

EXPECTED = {0: (998.0, 998.0), 1: (1002.0, 998.0), 2: (1006.0, 998.0)}


def ratings(weights):
    rows = len(weights)
    scores = evalica.elo(["new"] * rows, ["old"] * rows, [evalica.Winner.X] * rows, weights=weights, initial=1000, k=4).scores
    return round(float(scores["new"]), 3), round(float(scores["old"]), 3)


seen = {weight: ratings([float(weight)]) for weight in EXPECTED}
print("evalica", evalica.__version__)
for weight, (new, old) in seen.items():
    print(f"one vote for 'new', weight {weight}: new {new}, old {old}, sum {new + old}")
print("the vote of weight 1 given twice:", ratings([1.0, 1.0]))
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
