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
contact=$PWD/scheduler-$PBS_JOBID.json
trap 'kill $(jobs -p); rm -f "$contact"' EXIT
dask scheduler --port 0 --no-dashboard --scheduler-file "$contact" &
until [ -s "$contact" ]; do kill -0 $!; sleep 1; done # ends the job if there is no scheduler
# pbsdsh passes no environment on; Dask's own values of these slow tasks down
pbsdsh -- bash -lc "cd '$PWD'; export PATH='$PATH' MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_MMAP_THRESHOLD_=4294967296
    export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False
    dask worker --scheduler-file '$contact' --nthreads 1 --memory-limit 0 --no-dashboard --local-directory /tmp" &
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$contact" | head -n 1)
gan-eval run "$study" --out "$out" --data-root "$data" --cluster "$address" --threads "${NCPUS:-4}"
