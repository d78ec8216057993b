#!/usr/bin/env bash
# Expected: in a Bradley-Terry ranking a model that never wins goes to the bottom (or to minus infinity); the others keep their order.
# What happens: with one model without a win, evalica 0.4.2 gives every model the same score, its tolerance of 1e-6, without a
# warning, although the others are ranked clearly by their own comparisons. With one win for the last model all is well.
# Who meets it: whoever ranks a strong set of generators together with one weak baseline.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check evalica==0.4.2 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys

import evalica

EXPECTED_SPREAD = 1.0
VOTES = [("good", "fair")] * 8 + [("fair", "good")] * 2 + [("good", "weak")] * 5 + [("fair", "weak")] * 5


def scores(votes):
    winners = [evalica.Winner.X] * len(votes)
    return evalica.bradley_terry([a for a, _ in votes], [b for _, b in votes], winners).scores


without_a_win, with_one_win, without_the_model = (scores(v) for v in (VOTES, [*VOTES, ("weak", "fair")], VOTES[:10]))
print("evalica", evalica.__version__)
for name, result in (("weak never wins", without_a_win), ("weak wins once", with_one_win), ("without weak", without_the_model)):
    print(f"{name}:", {model: float(f"{score:.4g}") for model, score in result.items()})
spread = float(without_a_win["good"] / without_a_win["fair"])
print(f"good to fair: {spread:.3f} (from their ten votes: {without_the_model['good'] / without_the_model['fair']:.3f})")
sys.exit(None if spread == EXPECTED_SPREAD else f"changed: expected {EXPECTED_SPREAD}")
PYTHON
