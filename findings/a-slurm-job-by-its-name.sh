#!/usr/bin/env bash
# Expected: a program that asks Lightning Fabric for one device is one process, in whatever batch job it runs.
# What happens: in a Slurm job with `--ntasks=8`, lightning-fabric 2.6.6 raises RuntimeError before it has made one. In the same job with
# `--ntasks-per-node=8`, or with the name `bash`, the same program trains alone.
# Who meets it: whoever trains several generators side by side, each by one task of a Slurm job on one device.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check lightning-fabric==2.6.6 torch==2.13.0 numpy==2.4.6
cat >"$work/one_device.py" <<'PYTHON'
import lightning_fabric

try:
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    print(f"process {fabric.global_rank} of {fabric.world_size}")
except (RuntimeError, ValueError) as error:
    print(type(error).__name__)
PYTHON
"$work/venv/bin/python" -c 'import lightning_fabric, torch
print("lightning-fabric", lightning_fabric.__version__, "torch", torch.__version__)' 2>/dev/null
task=(SLURM_JOB_ID=7 SLURM_PROCID=3 SLURM_LOCALID=3 SLURM_NODEID=0 SLURM_NNODES=1 SLURM_NTASKS=8)
seen=""
for job in SLURM_JOB_NAME=none "SLURM_JOB_NAME=study" "SLURM_JOB_NAME=study SLURM_NTASKS_PER_NODE=8" "SLURM_JOB_NAME=bash"; do
    variables=()
    [ "$job" = SLURM_JOB_NAME=none ] || read -ra variables <<<"$job ${task[*]}"
    answer=$(env "${variables[@]}" "$work/venv/bin/python" "$work/one_device.py" 2>/dev/null | tail -n 1)
    echo "${job#SLURM_JOB_NAME=}: $answer"
    seen+="$answer; "
done
expected="process 0 of 1; RuntimeError; process 0 of 1; process 0 of 1; "
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
