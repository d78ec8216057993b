#!/usr/bin/env bash
# Expected: Dice and IoU say the same of a class: Dice = 2 IoU / (1 + IoU). Of a class in neither map both are 1, both 0, or both left out.
# What happens: miseval 1.3.0 gives a class that is in neither map a Dice of 1 and an IoU of 0 (and an accuracy of 1, a kappa of 0). Over three classes, of which
# one is absent, a perfect segmentation has a mean Dice of 1 and a mean IoU of 0.67.
# Who meets it: whoever scores photographs made from label maps by segmenting them again: few of a street scene's 19 classes are in every picture.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check miseval==1.3.0 numpy==2.2.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
from miseval import evaluate

EXPECTED = {"DSC": [1.0, 1.0, 1.0], "IoU": [1.0, 1.0, 0.0], "ACC": [1.0, 1.0, 1.0], "KAP": [1.0, 1.0, 0.0]}
truth = numpy.zeros((20, 20), int)
truth[:, 10:] = 1
print("miseval", version("miseval"))
found = {metric: evaluate(truth, truth.copy(), metric=metric, multi_class=True, n_classes=3) for metric in EXPECTED}
seen = {metric: [round(float(value), 2) for value in values] for metric, values in found.items()}
for metric, values in seen.items():
    print(metric, "of road, car and an absent class:", values, "mean", round(sum(values) / 3, 2))
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
