#!/usr/bin/env bash
# Expected: a picture without a grade is left out of a polychoric correlation, or the missing grade is refused.
# What happens: ordinalcorr 0.9.0 takes NaN for a grade above the best one. Of 300 pictures, of which the 60 worst have no grade from the second person, the correlation
# of two people's grades falls from 0.76 to -0.05; without the 60 it is 0.65. Its `hetcor` of a table does the same, without a warning.
# Who meets it: whoever correlates people's grades with each other or with a metric, in a study with missed pictures.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check ordinalcorr==0.9.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from ordinalcorr import polychoric

EXPECTED = {"all graded": 0.76, "60 missing": -0.05, "60 left out": 0.65}
random = numpy.random.default_rng(0)
quality = random.normal(size=300)
first, second = (numpy.digitize(quality + random.normal(0, 0.6, 300), [-1.0, -0.3, 0.3, 1.0]) + 1.0 for _ in range(2))
missing = second.copy()
missing[numpy.argsort(quality)[:60]] = numpy.nan
graded = ~numpy.isnan(missing)
pairs = {"all graded": (first, second), "60 missing": (first, missing), "60 left out": (first[graded], missing[graded])}
seen = {name: round(float(polychoric(*pair)), 2) for name, pair in pairs.items()}
print("ordinalcorr", version("ordinalcorr"), seen)
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
