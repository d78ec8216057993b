#!/usr/bin/env bash
# Expected: the mean IoU of a set of pictures is that of its summed counts, as in the Cityscapes and VOC benchmarks.
# What happens: segmentation.MeanIoU of torchmetrics 1.9.0 averages the IoU of every picture and class that occurs in it, so a small object
# in one picture counts as much as half of another: 0.83 here, where JaccardIndex of the same library, from the same maps, gives 0.93.
# Who meets it: whoever scores photographs made from label maps by segmenting them again and compares with published tables.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import torch
import torchmetrics
from torchmetrics.classification import MulticlassJaccardIndex
from torchmetrics.segmentation import MeanIoU

EXPECTED = {"MeanIoU": 0.827, "JaccardIndex": 0.934}
truth = torch.zeros(2, 100, 100, dtype=torch.long)
truth[0, :, :50] = 1  # a large object
truth[1, :2, :2] = 1  # a small one
prediction = truth.clone()
prediction[0, :, :5] = 0
prediction[1, 1, :2] = 0
metrics = {"MeanIoU": MeanIoU(num_classes=2, input_format="index"), "JaccardIndex": MulticlassJaccardIndex(num_classes=2)}
seen = {name: round(float(metric(prediction, truth)), 3) for name, metric in metrics.items()}
both = [(prediction == c) & (truth == c) for c in (0, 1)]
either = [(prediction == c) | (truth == c) for c in (0, 1)]
by_class = [float(i.sum() / u.sum()) for i, u in zip(both, either, strict=True)]
print("torchmetrics", torchmetrics.__version__, "torch", torch.__version__)
print(seen, "from the counts of both pictures:", round(sum(by_class) / 2, 3))
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
