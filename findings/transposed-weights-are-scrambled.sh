#!/usr/bin/env bash
# Expected: a checkpoint has the weights that were given to it, or the array is refused.
# What happens: safetensors 0.8.0 writes the memory of a NumPy array and not its values, without a word: of a transposed matrix, a Fortran-ordered one, or every
# second of ten numbers, other numbers come back, in the right shape and type. `numpy.ascontiguousarray` before saving helps; its PyTorch half refuses such a tensor.
# Who meets it: whoever turns the weights of a metric's network (Inception, LPIPS, CLIP) from another framework, which keeps them transposed, into one file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import safetensors
from safetensors.numpy import load, save

EXPECTED = {"as it is": True, "transposed": False, "Fortran order": False, "every second": False, "transposed, made contiguous": True}
weights = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
given = {
    "as it is": weights,
    "transposed": weights.T,
    "Fortran order": numpy.asfortranarray(weights),
    "every second": numpy.arange(10)[::2],
    "transposed, made contiguous": numpy.ascontiguousarray(weights.T),
}
print("safetensors", safetensors.__version__, "numpy", numpy.__version__)
found = {name: load(save({"weights": values}))["weights"] for name, values in given.items()}
for name, values in given.items():
    print(name, "given", values.tolist(), "read", found[name].tolist())
seen = {name: bool(numpy.array_equal(values, found[name])) for name, values in given.items()}
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
