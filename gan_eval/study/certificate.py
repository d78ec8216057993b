"""A certificate for a Dask cluster, and Dask's settings: python -m gan_eval.study.certificate FOLDER.

With `DASK_CONFIG=FOLDER`, a scheduler, its workers and commands encrypt, and refuse who does not have the certificate.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gan_eval.base.atomic import write_error
from gan_eval.base.commands import setup_command
from gan_eval.base.errors import UserError

SETTINGS: dict[str, Any] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
}
"""Settings of Dask: no web pages; and processes are not watched, for which each would wake 150 times a second."""
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": 8 << 30, "MALLOC_MMAP_THRESHOLD_": 4 << 30}
"""Environment of workers: with Dask's own, returning memory takes about a fifth of a training step."""


def require_libraries(what: str, *names: str) -> None:
    """Raise UserError if a library of the extra `cluster` is missing; `what` begins the message."""
    for name in names:
        if find_spec(name) is None:
            raise UserError(f"{what}: {name} is missing; install it with: {setup_command('cluster')}")


def write_certificate(folder: Path) -> None:
    """Write a certificate with its key, and Dask's settings that use it, for this user alone.

    Raises:
        UserError: a library is missing, or the folder has a certificate or cannot be written.
    """
    require_libraries(str(folder), "distributed", "cryptography")
    import dask
    from distributed.security import Security

    made = Security.temporary()  # one certificate for all, valid for a year
    file, settings = folder.absolute() / "certificate.pem", dict[str, Any]()  # of the certificate and its key
    roles = {f"distributed.comm.tls.{role}.cert": str(file) for role in ("scheduler", "worker", "client")}
    secure = {"distributed.comm.require-encryption": True, "distributed.comm.tls.ca-file": str(file)}
    dask.config.set({**SETTINGS, "distributed.nanny.pre-spawn-environ": ALLOCATOR, **secure, **roles}, config=settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for new, text in (
            (file, made.tls_client_key + made.tls_client_cert),
            (folder / "dask.json", json.dumps(settings)),
        ):
            new.touch(mode=0o600, exist_ok=False)
            new.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise UserError(f"{file}: exists already; use it, or remove the folder") from error
    except OSError as error:
        raise write_error(folder, error) from error


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gan_eval.study.certificate FOLDER")
    try:
        write_certificate(Path(sys.argv[1]))
    except UserError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
