#!/bin/bash
# A study in one PBS job: qsub -v study=study.toml,out=/shared/out,data=/shared/data pbs.sh
# Each chunk is one worker. The same command continues a study that the time limit ended.
#PBS -N gan-eval
#PBS -l select=8:ncpus=4:mem=16gb
#PBS -l walltime=24:00:00
# With GPUs: select=8:ncpus=4:mem=16gb:ngpus=1, and below: --resources GPU=1
set -eu
cd "$PBS_O_WORKDIR"
export PATH=$PBS_O_PATH # that of qsub: a job has only what its login shell sets
private=$(mktemp -d "$PWD/gan-eval-$PBS_JOBID-XXXXXX") # all nodes see it, and only you may enter it
trap 'rm -rf "$private"; kill $(jobs -p)' EXIT
python -m gan_eval.study.certificate "$private" # whoever does not have it is refused
export DASK_CONFIG=$private
contact=$private/scheduler.json
dask scheduler --port 0 --no-dashboard --dashboard-address 127.0.0.1:0 --scheduler-file "$contact" &
until [ -s "$contact" ]; do kill -0 $!; sleep 1; done # ends the job if there is no scheduler
# pbsdsh passes no environment on
pbsdsh -- bash -lc "cd '$PWD'; export PATH='$PATH' DASK_CONFIG='$private'
    dask worker --scheduler-file '$contact' --nthreads 1 --memory-limit 0 --no-dashboard --local-directory /tmp" &
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$contact" | head -n 1)
gan-eval run "$study" --out "$out" --data-root "$data" --cluster "$address" --threads "${NCPUS:-4}"
