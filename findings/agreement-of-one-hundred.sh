#!/usr/bin/env bash
# Expected: Kendall's W is between 0 (no agreement) and 1 (all the same order), whatever the scale of the grades: it compares ranks.
# What happens: kendall-w 1.0.0 takes the grades for the ranks: three people who agree on 10, 20, 30 have a W of 100, on 1, 2, 3 of 1, and grades of 1 to 5
# have 2.8 or 0.15. Its manual calls its input "a list of rating lists"; it says nothing.
# Who meets it: whoever states how far people agree on the order of models or pictures from their grades.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check kendall-w==1.0.0 numpy==2.3.5 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from kendall_w import compute_w
from scipy.stats import rankdata

EXPECTED = [1.0, 100.0, 2.81, 0.15]
TABLES = [  # a row for each of three models, a column for each of three people
    [[1, 1, 1], [2, 2, 2], [3, 3, 3]],
    [[10, 10, 10], [20, 20, 20], [30, 30, 30]],
    [[5, 4, 5], [3, 3, 4], [1, 2, 1]],
    [[5, 4, 5], [4, 4, 4], [5, 5, 4]],
]
print("kendall-w", version("kendall-w"))
seen = []
for table in TABLES:
    seen.append(round(compute_w(table), 2))
    ranks = rankdata(table, axis=0)
    spread = ((ranks.sum(axis=1) - ranks.sum(axis=1).mean()) ** 2).sum()
    ties = sum((number**3 - number) for person in ranks.T for number in numpy.unique(person, return_counts=True)[1])
    w = 12 * spread / (3**2 * (3**3 - 3) - 3 * ties)
    print("grades", table, "W of kendall-w:", seen[-1], "of the ranks, with ties:", round(float(w), 2))
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
