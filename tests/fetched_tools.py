"""Real tools that npm and pip fetch, for nightly tests.

With `GAN_EVAL_TOOLS=newest` the newest versions are fetched in place of the tested ones, and a test of an older major
version is skipped: a test that fails then names a tool whose files have changed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NEWEST = os.environ.get("GAN_EVAL_TOOLS") == "newest"


def only_tested(why: str) -> None:
    """Skip a test of an older version where the newest are tried."""
    if NEWEST:
        pytest.skip(why)


def fetched(command: list[str], **options: Any) -> None:
    """Run npm or pip; skip the test where they reach nothing."""
    if NEWEST:
        command = [re.sub(r"==\d[\w.]*$", "", re.sub(r"(?<=[\w-])@\d[\w.]*$", "@latest", word)) for word in command]
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {Path(command[0]).name}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, **options)
    if done.returncode:
        pytest.skip(f"{Path(command[0]).name} cannot install the tool: {done.stderr.strip()[-200:]}")


def python_with(folder: Path, *packages: str, bare: str = "") -> str:
    """Return a Python with packages; `bare` is installed without what it requires."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    fetched([python, "-m", "pip", "install", "-q", *packages])
    if bare:
        fetched([python, "-m", "pip", "install", "-q", "--no-deps", bare])
    return python
