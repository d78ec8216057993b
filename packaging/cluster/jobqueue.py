"""A scheduler whose workers are jobs: python jobqueue.py, on a login node; needs `pip install dask-jobqueue`.

Before it, make a certificate in a folder that all machines share, and export DASK_CONFIG (docs/cluster.md). It prints
the address for `gan-eval run … --cluster ADDRESS`. Jobs are submitted while tasks wait, and end when none has waited
for a minute. Ctrl-C ends it.
"""

import os
import signal
import sys

from dask_jobqueue import SLURMCluster  # or PBSCluster

if __name__ == "__main__":
    if "DASK_CONFIG" not in os.environ:
        sys.exit("make a certificate: python -m gan_eval.study.certificate FOLDER; then: export DASK_CONFIG=FOLDER")
    cluster = SLURMCluster(
        cores=1,  # threads of Dask, which takes one task at a time
        processes=1,
        job_cpu=4,  # PBSCluster: resource_spec="select=1:ncpus=4:mem=16gb"
        memory="16GB",
        walltime="24:00:00",
        # job_extra_directives=["--gpus=1"], and "--resources", "GPU=1" in the next line
        worker_extra_args=["--memory-limit", "0", "--no-dashboard"],
        job_script_prologue=[
            "trap '' TERM",  # at the time limit; the worker ends when its training has saved a checkpoint
            f"export DASK_CONFIG='{os.environ['DASK_CONFIG']}'",
        ],
        protocol="tls://",  # refused without a certificate
        scheduler_options={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
    )
    cluster.adapt(maximum=8, wait_count=60)
    print(cluster.scheduler_address, flush=True)
    signal.pause()
