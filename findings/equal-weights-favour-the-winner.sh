#!/usr/bin/env bash
# Expected: weights that are equal for both models of a vote change nothing, or change both alike; a weight of 2 counts more than one of 0.5.
# What happens: with any weights (1 and 1, 2 and 2, 0.5 and 0.5, 2 and 1) openskill 6.2.0 gives the winner of a vote between two new models 5.27 points and takes
# 1.32 from the loser; without weights it gives and takes 2.64. The weight of a single player is always scaled to 2: gains are doubled, losses halved.
# Who meets it: whoever weights votes (by confidence, by rater) in an arena of generators: the weights do nothing, and ratings rise with each vote.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check openskill==6.2.0
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from openskill.models import PlackettLuce

EXPECTED = {"none": (2.64, -2.64), (1, 1): (5.27, -1.32), (2, 2): (5.27, -1.32), (0.5, 0.5): (5.27, -1.32), (2, 1): (5.27, -1.32)}
model = PlackettLuce()


def changes(weights):
    new, old = model.rating(), model.rating()
    pair = None if weights == "none" else [[float(weight)] for weight in weights]
    rated = model.rate([[new], [old]], ranks=[1, 2], weights=pair)
    return tuple(round(after.mu - before.mu, 2) for (after,), before in zip(rated, (new, old), strict=True))


print("openskill", version("openskill"))
seen = {weights: changes(weights) for weights in EXPECTED}
for weights, (won, lost) in seen.items():
    print(f"weights of winner and loser {weights}: {won:+} and {lost:+}, together {won + lost:+.2f}")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
