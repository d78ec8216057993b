#!/usr/bin/env bash
# Expected: a model that is right on all of ten pictures, where the other one is wrong on all of them, is better, and p is far below 0.05.
# What happens: errorbars 0.2.4 gives p = 1, with an interval of the difference from 1.00 to 1.00: its standard error is zero, and p is set to 1.
# So it is where every picture has the same difference (0.25 on each). With one picture less p is 9e-6. McNemar's exact p beside it (0.002) is right.
# Who meets it: whoever compares generators or detectors on few pictures that differ clearly, or by a metric with a constant difference.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check errorbars==0.2.4 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import errorbars
import numpy
from errorbars.compare import paired_compare

EXPECTED = (1.0, 1.0, 9e-6)  # p: right against wrong on ten pictures; 0.25 more on each; right against wrong on nine of ten
new, old = numpy.ones(10), numpy.zeros(10)
old_with_one = old.copy()
old_with_one[0] = 1
cases = {"10 of 10": (new, old), "0.25 more": (numpy.arange(10) / 16 + 0.25, numpy.arange(10) / 16), "9 of 10": (new, old_with_one)}
print("errorbars", errorbars.__version__)
seen = []
for name, (scores, others) in cases.items():
    found = paired_compare(scores, others)
    print(name, found)
    seen.append(float(f"{found.p_value:.0e}"))
sys.exit(None if tuple(seen) == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
