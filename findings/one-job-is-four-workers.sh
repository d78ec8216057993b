#!/usr/bin/env bash
# Expected: `SLURMCluster(cores=8, memory="16GB")` describes a worker: 8 threads that share 16 GB, and the GPU of the job if it has one.
# What happens: dask-jobqueue 0.9.0 cuts the job into about sqrt(cores) processes: four workers of 2 threads, each with a limit of 3.7 GiB, which
# share the GPU. `processes=1` is the worker that was described. Without it, `scale(4)` asks for one job and `scale(jobs=4)` for sixteen workers.
# Who meets it: whoever computes features of pictures on a cluster: four networks on one GPU, and arrays of 4 GiB that do not fit into 16.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check dask-jobqueue==0.9.0 distributed==2026.8.0
cat > "$work/jobs.py" <<'PYTHON'
import re
import sys
from importlib.metadata import version

from dask_jobqueue import SLURMCluster

EXPECTED = {"as given": (4, 2, "3.73GiB"), "processes=1": (1, 8, "14.90GiB")}
if __name__ == "__main__":
    print("dask-jobqueue", version("dask-jobqueue"), "distributed", version("distributed"))
    seen = {}
    for name, options in (("as given", {}), ("processes=1", {"processes": 1})):
        with SLURMCluster(cores=8, memory="16GB", scheduler_options={"dashboard_address": ":0"}, **options) as cluster:
            script = cluster.job_script()
            workers = re.search(r"--nworkers (\d+)", script)
            threads, limit = re.search(r"--nthreads (\d+)", script), re.search(r"--memory-limit (\S+)", script)
            seen[name] = (int(workers[1]) if workers else 1, int(threads[1]), limit[1])
            print(f"{name}: {seen[name][0]} workers a job, each of {seen[name][1]} threads and {limit[1]}")
    sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
"$work/venv/bin/python" "$work/jobs.py"
