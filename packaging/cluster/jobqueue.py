"""A scheduler whose workers are jobs: python jobqueue.py, on a login node; needs `pip install dask-jobqueue`.

It prints the address for `gan-eval run … --cluster ADDRESS`. Jobs are submitted while tasks wait, and end when none has
waited for a minute. Ctrl-C ends it.
"""

import signal

from dask_jobqueue import SLURMCluster  # or PBSCluster

if __name__ == "__main__":
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
            "export MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_MMAP_THRESHOLD_=4294967296",
            "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
        ],
        scheduler_options={"dashboard": False},
    )
    cluster.adapt(maximum=8, wait_count=60)
    print(cluster.scheduler_address, flush=True)
    signal.pause()
