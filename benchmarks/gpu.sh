#!/bin/bash
# All that is measured on a GPU, within 8 minutes: parity, steps a second, features a second, the tests that need one.
#
#     benchmarks/gpu.sh [FILE]               # also writes the tables to FILE (default: results/gpu.md)
#     benchmarks/gpu.sh --dry-run [FILE]     # the same, tiny, on the CPU
#
# `$PYTHON` is the interpreter (default: that of `./run setup --extras all`).
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
export PYTHONPATH=$PWD:$PWD/benchmarks
step=(--device cuda --batch 1 16 --rounds 2 --steps 60)
dry=()
if [ "${1:-}" = --dry-run ]; then
    dry=(--dry-run) step=(--device cpu --size 32 --batch 1 2 --rounds 1 --steps 2)
    shift
fi
file=${1:-$([ "${#dry[@]}" = 0 ] && echo results/gpu.md || echo /dev/null)}

tables() {
    local status=0
    "$python" benchmarks/gpu.py "${dry[@]}" || status=1
    printf '\n## The training step of the facades\n\n'
    "$python" benchmarks/train_step.py "${step[@]}" --precision fp32 tf32 bf16 nchw || status=1
    printf '\n## Tests\n\n'
    "$python" -m pytest -q -p no:cacheprovider -m gpu tests/trainer/test_recorded_step.py \
        tests/gan_eval/metrics/networks/test_extractors.py | tail -n 1 || status=1
    return $status
}

tables | tee "$file"
