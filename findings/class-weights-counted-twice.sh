#!/usr/bin/env bash
# Expected: equal class weights change nothing, as in the reduction `weighted`: the weighted mean of equal weights is the plain mean.
# What happens: the reduction `weighted-imagewise` of segmentation-models-pytorch 0.6.0 makes the weights sum to one and then still takes the
# mean over the classes: an IoU of 0.67 with three classes becomes 0.22, with 19 classes it would be 19 times too small.
# Who meets it: whoever scores photographs made from label maps by segmenting them again, with weights for rare classes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check torch==2.13.0 numpy==2.4.6
# The metrics need torch alone; the package's encoders would bring timm and torchvision.
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps segmentation-models-pytorch==0.6.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import importlib.util
import sys

import torch

EXPECTED = {"macro-imagewise": 0.666, "weighted": 0.666, "weighted-imagewise": 0.222}
package = importlib.metadata.distribution("segmentation-models-pytorch")
spec = importlib.util.spec_from_file_location("metrics", package.locate_file("segmentation_models_pytorch/metrics/functional.py"))
metrics = importlib.util.module_from_spec(spec)
spec.loader.exec_module(metrics)

generator = torch.Generator().manual_seed(0)
truth = torch.randint(0, 3, (4, 64, 64), generator=generator)
guess = torch.randint(0, 3, truth.shape, generator=generator)
prediction = torch.where(torch.rand(truth.shape, generator=generator) < 0.7, truth, guess)
counts = metrics.get_stats(prediction, truth, mode="multiclass", num_classes=3)
seen = {}
for reduction in EXPECTED:
    weights = [1.0, 1.0, 1.0] if reduction.startswith("weighted") else None
    seen[reduction] = round(float(metrics.iou_score(*counts, reduction=reduction, class_weights=weights)), 3)
print("segmentation-models-pytorch", package.version, "torch", torch.__version__)
for reduction, value in seen.items():
    print(f"{reduction}: IoU {value}")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
