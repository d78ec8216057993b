#!/usr/bin/env bash
# Expected: 25 wrong pixels of 10,000 cost a little, and classes that the truth does not have stay out of the mean IoU.
# What happens: cityscapesScripts 2.3.0 leaves out a class only if it is in neither: 25 pixels of a bus where there is none add a class with an
# IoU of 0, and the mean of three classes falls from 1.00 to 0.75. The same 25 pixels left void cost 0.001.
# And train ids (road = 0) are taken for label ids without a word: every class then has an IoU of 0.
# Who meets it: whoever segments generated street scenes and averages over a test set too small to hold every class.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check cityscapesscripts==2.3.0 numpy==2.4.6 matplotlib==3.11.2 pillow==13.0.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(tempfile.mkdtemp(dir=sys.prefix))
os.environ["CITYSCAPES_RESULTS"] = str(folder)
import cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling as evaluation
from cityscapesscripts.helpers.labels import id2label, name2label

EXPECTED = {"as the truth": 1.0, "25 pixels of a bus": 0.749, "25 pixels void": 0.999, "train ids": 0.0}
evaluation.args.quiet, evaluation.args.JSONOutput, evaluation.args.evalInstLevelScore = True, False, False
truth = np.full((100, 100), name2label["road"].id, np.uint8)
truth[:30] = name2label["sky"].id
truth[80:, :20] = name2label["car"].id


def mean_iou(prediction):
    files = [folder / "truth_gtFine_labelIds.png", folder / "prediction.png"]
    for file, labels in zip(files, (truth, prediction), strict=True):
        Image.fromarray(labels).save(file)
    results = evaluation.evaluateImgLists([str(files[1])], [str(files[0])], evaluation.args)
    return round(float(results["averageScoreClasses"]), 3)


bus, void = truth.copy(), truth.copy()
bus[40:45, 40:45], void[40:45, 40:45] = name2label["bus"].id, 0
train_ids = np.vectorize(lambda label: id2label[label].trainId)(truth.astype(int)).astype(np.uint8)
predictions = dict(zip(EXPECTED, (truth, bus, void, train_ids), strict=True))
seen = {name: mean_iou(prediction) for name, prediction in predictions.items()}
print("cityscapesScripts", importlib.metadata.version("cityscapesscripts"))
for name, value in seen.items():
    print(f"{name}: mean IoU {value}")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
