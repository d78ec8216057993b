#!/usr/bin/env bash
# Expected: the chances that A wins, that B wins and that they draw sum to 1.
# What happens: openskill 6.2.0 shares out the whole 1 between the wins and then gives the draw 0.24 (two new players) on top: 1.24 in all,
# although predict_draw is not 0. Raising one rating changes the sum.
# Who meets it: whoever compares predicted with observed shares of A, B and "no preference" in pairs of pictures.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check openskill==6.2.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

from openskill.models import PlackettLuce

EXPECTED_SUM = 1.237
model = PlackettLuce()
new, strong = model.rating(), model.rating(mu=35)
print("openskill", importlib.metadata.version("openskill"))
sums = []
for name, teams in (("two new players", [[new], [model.rating()]]), ("a strong and a new player", [[strong], [new]])):
    wins, draw = model.predict_win(teams), model.predict_draw(teams)
    sums.append(round(sum(wins) + draw, 3))
    print(f"{name}: wins {[round(win, 3) for win in wins]}, draw {draw:.3f}, sum {sums[-1]}")
sys.exit(None if sums[0] == EXPECTED_SUM else f"changed: expected {EXPECTED_SUM}")
PYTHON
