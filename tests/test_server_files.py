"""The files of `packaging/server` that a server's administrator copies."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = Path(__file__).parent.parent / "packaging" / "server"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_one_that_systemd_reads(tmp_path: Path) -> None:
    unit = (SERVER / "gan-eval.service").read_text().replace("/usr/local/bin/gan-eval", sys.executable)
    (tmp_path / "gan-eval.service").write_text(unit)
    command = ["systemd-analyze", "verify", "--recursive-errors=no", str(tmp_path / "gan-eval.service")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_whoever_is_served_is_served_without_privileges() -> None:
    assert "\nUser=gan-eval\n" in (SERVER / "gan-eval.service").read_text()
    assert (SERVER / "Containerfile").read_text().index("\nUSER gan-eval\n") > 0


def test_the_proxy_does_not_log_addresses_next_to_codes() -> None:
    """Caddy 2.6.2 writes address and code of each request that fails into this log, as while the study restarts."""
    page = (SERVER.parent.parent / "docs" / "online.md").read_text(encoding="utf-8")
    assert all("exclude http.log.error" in text for text in ((SERVER / "Caddyfile").read_text(), page))
