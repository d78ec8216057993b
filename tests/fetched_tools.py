"""Real tools that npm and pip fetch, for nightly tests."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def fetched(command: list[str], **options: Any) -> None:
    """Run npm or pip; skip the test where they reach nothing."""
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
