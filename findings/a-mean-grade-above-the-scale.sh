#!/usr/bin/env bash
# Expected: a weighted mean of grades of 1 to 5 is between 1 and 5, and who contradicts the others counts little.
# What happens: the evaluator weighted estimator of audpsychometric 0.1.1 weighs a person by the correlation with the mean of the others, and divides by
# the sum of the weights. One of five people who took the scale for its reverse has a negative weight, and the scores go from -0.4 to 6.1. With two
# of five all weights are negative, those two have the largest share, and the best picture has the lowest score.
# Who meets it: whoever makes gold standards of opinion scores, where somebody may take 1 for the best grade.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check audpsychometric==0.1.1 numpy==2.0.2
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import audpsychometric
import numpy

EXPECTED = {0: (1.0, 4.8, 0.99), 1: (-0.4, 6.1, 1.0), 2: (1.7, 4.3, -0.99)}  # lowest, highest, correlation with the truth
picture = numpy.arange(12)
truth = 1 + 4 * picture / 11
right = [numpy.clip(truth + 0.4 * numpy.sin(picture * k), 1, 5) for k in (1, 2, 3, 5)]
reversed_scale = [numpy.clip(6 - truth + 0.3 * numpy.cos(picture * k), 1, 5) for k in (1, 2)]
print("audpsychometric", version("audpsychometric"))
seen = {}
for number, people in ((0, right), (1, right + reversed_scale[:1]), (2, right[:3] + reversed_scale)):
    grades = numpy.stack(people, axis=1)
    scores = audpsychometric.evaluator_weighted_estimator(grades)
    agreement = numpy.corrcoef(scores, truth)[0, 1]
    seen[number] = (round(float(scores.min()), 1), round(float(scores.max()), 1), round(float(agreement), 2))
    weights = numpy.round(audpsychometric.rater_agreement(grades), 2)
    print(f"{number} of {len(people)} on the reversed scale: grades {grades.min():.1f} to {grades.max():.1f}, weights {weights}")
    print("   lowest and highest score, correlation with the truth:", seen[number], "; of the plain mean:", round(float(numpy.corrcoef(grades.mean(axis=1), truth)[0, 1]), 2))
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
