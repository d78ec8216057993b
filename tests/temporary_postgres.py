"""A PostgreSQL server of one's own in a temporary folder, run by an ordinary user, for tests and benchmarks."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

NOBODY = 65534
PASSWORD = "hun/ter 2@lab%"
"""Signs that a URL has to spell otherwise."""


def find_binaries() -> Path | None:
    """The folder with initdb and pg_ctl, where Debian keeps it or on the PATH; None where there is none."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


class TemporaryPostgres:
    """A server on a free port of this computer. It refuses root, so root starts it as nobody."""

    def __init__(self, binaries: Path, *, settings: str = "") -> None:
        self._binaries = binaries
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="gan-eval-postgres-"))
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(self._folder, NOBODY, NOBODY)
            self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": ()}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", "data", "-U", "lab", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 {self._settings}"
        self._start = ("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")
        self._run(*self._start)

    @property
    def url(self) -> str:
        """The URL of the server's first database."""
        return f"postgresql://lab:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/postgres"

    def empty_database(self) -> str:
        """The server's first database, emptied; its URL. Quicker than a new one."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url

    def restart(self) -> None:
        """End the server as a power cut would, and start it again."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        self._run(*self._start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, cwd=self._folder, check=True, timeout=60, **quiet, **self._user)
