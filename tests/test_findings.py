"""The form of the scripts in findings/, which are not run here."""

import os
import re
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

FINDINGS = Path(__file__).resolve().parents[1] / "findings"
CHECK = FINDINGS / "check"
SCRIPTS = sorted(FINDINGS.glob("*.sh"))
ROWS = re.findall(r"^\| \[([\w-]+)\].*\| (.*) \|$", (FINDINGS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
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


def test_the_table_has_a_row_for_each_script_and_no_other() -> None:
    assert [name for name, _ in ROWS] == [script.stem for script in SCRIPTS]


PLACES = [row for row in ROWS if row[1] != "–"]  # gan_eval has no counterpart of some


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_the_place_where_gan_eval_is_right_exists_and_has_the_words(name: str, place: str) -> None:
    file, words = re.fullmatch(r"\[[\w.]+\]\((\S+)\): (.+)", place).groups()
    assert words in (FINDINGS / file).read_text(encoding="utf-8")


def check(*arguments: str, script: Path = CHECK) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


def test_check_refuses_a_name_that_is_no_script() -> None:
    found = check("power-above-one")
    assert (found.returncode, "power-above-one; see findings/README.md" in found.stderr) == (2, True)


def test_check_names_changed_scripts_leaves_torch_out_and_says_how_many(tmp_path: Path) -> None:
    shutil.copy(CHECK, tmp_path)
    (tmp_path / "README.md").write_text("")
    (tmp_path / "as-ever.sh").write_text("exit 0\n")
    (tmp_path / "moved.sh").write_text("echo changed: expected 1, found 2\nexit 1\n")
    (tmp_path / "large.sh").write_text("# pip install --quiet torch==0.0.0\nexit 1\n")
    found = check("--no-torch", script=tmp_path / "check")
    lines = ["as described  as-ever", "changed  moved: exit status 1", "changed: expected 1, found 2"]
    assert (found.returncode, [line for line in found.stdout.splitlines() if line]) == (
        1,
        [*lines, "2 scripts, 1 changed"],
    )
    assert check("--no-torch", "as-ever", script=tmp_path / "check").returncode == 0


def test_check_compares_the_programs_of_the_row_with_their_newest_release(tmp_path: Path) -> None:
    """A stand-in for npm says the newest release, so that no registry is asked."""
    shutil.copy(CHECK, tmp_path)
    (tmp_path / "README.md").write_text("| [old](old.sh) | jsPsych 8.3.0 | moves |\n")
    (tmp_path / "old.sh").write_text("# npm install --silent jspsych@8.3.0 jsdom@29.1.1\nexit 0\n")
    (tmp_path / "npm").write_text("#!/bin/sh\necho 9.0.1\n")
    (tmp_path / "npm").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, tmp_path / "check", "--no-run"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.stdout.splitlines() == ["newer release  old: jspsych 8.3.0, now 9.0.1", "1 scripts, not run"]
