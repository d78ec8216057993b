#!/usr/bin/env bash
# Expected: Fleiss' kappa of a table with missing answers leaves them out, or refuses.
# What happens: aggregate_raters of statsmodels 0.15.0 makes NaN a grade of its own, so two people who both skipped a picture
# "agree" about it. Here people who press at random reach a kappa of 0.41 in place of -0.04, since all of them skip the same pictures.
# Who meets it: whoever computes agreement of a study with timed-out answers, or with lists of pictures of different length.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import statsmodels
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

EXPECTED_KAPPA = 0.41
grades = np.random.default_rng(1).integers(0, 2, (200, 3)).astype(float)
answered = grades[:150]
grades[150:] = np.nan  # fifty pictures that nobody answered
table, categories = aggregate_raters(grades)
kappa = fleiss_kappa(table)
print("statsmodels", statsmodels.__version__)
print("grades found:", categories, "; counts of an unanswered picture:", table[-1])
print(f"kappa with 50 unanswered pictures: {kappa:.2f}; of the 150 answered ones: {fleiss_kappa(aggregate_raters(answered)[0]):.2f}")
sys.exit(None if round(kappa, 2) == EXPECTED_KAPPA else f"changed: expected {EXPECTED_KAPPA}")
PYTHON
