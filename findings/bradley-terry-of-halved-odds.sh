#!/usr/bin/env bash
# Expected: Bradley-Terry weights make the answers as likely as can be: where a beats b in 70 of 100 votes and all other votes agree, its odds are 2.4.
# What happens: bwsample 0.7.0's `rank(method="btl")` converges to other weights: odds of 1.6 between a and b, and of 3.5 between a and c where 85 of 100
# votes say 5.6, the maximum-likelihood value. More iterations or a smaller tolerance do not change it. choix 0.4.1 gives 2.4 and 5.6 from the same votes.
# Who meets it: whoever reports how much better one generator is, or how likely it wins, from these weights.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check bwsample==0.7.0 choix==0.4.1 numpy==1.26.4 scipy==1.17.1 scikit-learn==1.9.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import bwsample
import choix
import numpy

EXPECTED = {"bwsample": (1.6, 3.5), "choix": (2.4, 5.6)}  # odds of a against b, and against c
votes = {("a", "b"): 70, ("b", "a"): 30, ("b", "c"): 70, ("c", "b"): 30, ("a", "c"): 85, ("c", "a"): 15}
_, names, weights, *_ = bwsample.rank(votes, method="btl", max_iter=5000, tol=1e-12)
of_bwsample = dict(zip(names, weights, strict=True))
pairs = [("abc".index(winner), "abc".index(loser)) for (winner, loser), number in votes.items() for _ in range(number)]
of_choix = dict(zip("abc", numpy.exp(choix.ilsr_pairwise(3, pairs)), strict=True))
seen = {}
for program, weight in (("bwsample", of_bwsample), ("choix", of_choix)):
    seen[program] = tuple(round(float(weight["a"] / weight[other]), 1) for other in "bc")
    print(program, version(program), "odds of a against b and c:", seen[program], "of the votes: 2.3 and 5.7")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
