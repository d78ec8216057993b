#!/bin/bash
# A study in one Slurm job: sbatch slurm.sh study.toml /shared/out --data-root /shared/data
# Each task is one worker. The same command continues a study that the time limit ended.
#SBATCH --job-name=gan-eval
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=4G
#SBATCH --time=24:00:00
# With GPUs, also: --gpus-per-task=1, and below: resources=(--resources GPU=1)
set -eu
study=$1 out=$2
shift 2
resources=()

private=$(mktemp -d "$PWD/gan-eval-$SLURM_JOB_ID-XXXXXX") # all nodes see it, and only you may enter it
# without the scheduler, workers end when trainings have saved a checkpoint; a signal to srun would kill them
trap 'rm -rf "$private"; kill ${scheduler:-}; wait' EXIT
python -m gan_eval.study.certificate "$private" # whoever does not have it is refused
export DASK_CONFIG=$private
contact=$private/scheduler.json
dask scheduler --port 0 --no-dashboard --dashboard-address 127.0.0.1:0 --scheduler-file "$contact" &
scheduler=$!
until [ -s "$contact" ]; do kill -0 $!; sleep 1; done # ends the job if there is no scheduler
# srun gets the option once more: since Slurm 22.05 it does not take it from the job, and may bind a worker to one core
# bash: at the time limit a worker gets SIGTERM twice, and the second one would end it before the checkpoint is saved
srun --cpus-per-task "$SLURM_CPUS_PER_TASK" bash -c "trap '' TERM; exec \"\$@\"" - dask worker --scheduler-file "$contact" \
    --nthreads 1 --memory-limit 0 --no-dashboard --local-directory "${TMPDIR:-/tmp}" "${resources[@]}" &
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$contact" | head -n 1)
gan-eval run "$study" --out "$out" --cluster "$address" --threads "$SLURM_CPUS_PER_TASK" "$@"
