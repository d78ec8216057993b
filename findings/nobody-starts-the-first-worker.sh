#!/usr/bin/env bash
# Expected: a cluster that scales itself from 0 to 8 starts a worker for a program that waits for one.
# What happens: distributed 2026.8.0 starts workers for waiting tasks only. `wait_for_workers(1)` before the first task waits for ever, and no
# job is ever submitted; the first task, even one that does nothing, starts a worker. Each of the two is right by itself.
# Who meets it: whoever trains or measures on Slurm or PBS by dask-jobqueue's `adapt`, and looks at the workers before the work begins.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check distributed==2026.8.0
cat > "$work/adaptive.py" <<'PYTHON'
import sys

import distributed

EXPECTED = {"workers for a program that waits": 0, "workers for a task that waits": 1}

if __name__ == "__main__":
    where = {"host": "127.0.0.1", "scheduler_port": 0, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=0, threads_per_worker=1, **where) as cluster:
        cluster.adapt(minimum=0, maximum=8, interval="200ms")
        with distributed.Client(cluster) as client:
            seen = {}
            try:
                client.wait_for_workers(1, timeout=20)
            except TimeoutError as error:
                print("after 20 s:", error)
            seen["workers for a program that waits"] = len(client.scheduler_info()["workers"])
            assert client.submit(abs, -1).result(timeout=60) == 1
            seen["workers for a task that waits"] = len(client.scheduler_info()["workers"])
    print("distributed", distributed.__version__)
    for name, number in seen.items():
        print(f"{name}: {number}")
    sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
"$work/venv/bin/python" "$work/adaptive.py"
