"""The files of `packaging/server` that a server's administrator copies."""

import re
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


def test_a_server_is_started_again_whatever_ended_it() -> None:
    """Status 2 is also a full disk or a database that cannot be reached; podman-restart starts what is `always`."""
    unit, compose = ((SERVER / name).read_text() for name in ("gan-eval.service", "compose.yaml"))
    assert ("RestartPreventExitStatus" in unit, "\nStartLimitIntervalSec=0\n" in unit) == (False, True)
    assert compose.count("\n    restart: always") == compose.count("\n  study:") + 2


def test_the_public_address_is_one_word_of_the_command() -> None:
    """podman-compose 1.3 splits a command before it replaces variables: a message in `${PUBLIC:?}` became words."""
    compose = (SERVER / "compose.yaml").read_text()
    assert '--public-url, "https://${PUBLIC:?}"]' in compose
    assert not re.search(r"\$\{[^}]* ", compose)


def test_the_proxy_does_not_log_addresses_next_to_codes() -> None:
    """Caddy 2.6.2 writes address and code of each request that fails into this log, as while the study restarts."""
    page = (SERVER.parent.parent / "docs" / "proxy.md").read_text(encoding="utf-8")
    assert all("exclude http.log.error" in text for text in ((SERVER / "Caddyfile").read_text(), page))
