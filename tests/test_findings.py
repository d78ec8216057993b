"""The form of the scripts in findings/, which are not run here."""

import os
import re
import subprocess
from itertools import takewhile
from pathlib import Path

import pytest

FINDINGS = Path(__file__).resolve().parents[1] / "findings"
SCRIPTS = sorted(FINDINGS.glob("*.sh"))
_PINNED = re.compile(r"(@[a-z]+/)?[A-Za-z][\w.-]*(==|@)\d[\w.]*$")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_finding_has_a_head_pins_its_packages_and_removes_its_folder(script: Path) -> None:
    shebang, *lines = script.read_text(encoding="utf-8").splitlines()
    head = list(takewhile(lambda line: line.startswith("# "), lines))
    installs = [line.split() for line in lines if " install --" in line]
    packages = [word for line in installs for word in line if "==" in word or "@" in word]
    assert shebang == "#!/usr/bin/env bash"
    assert 3 <= len(head) <= 6
    assert os.access(script, os.X_OK)
    assert {"work=$(mktemp -d)", "trap 'rm -rf \"$work\"' EXIT"} <= set(lines)
    assert packages
    assert all(_PINNED.match(package) for package in packages)
    assert not re.search("gan_eval|://", "\n".join(lines))
    assert f"]({script.name})" in (FINDINGS / "README.md").read_text(encoding="utf-8")
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
