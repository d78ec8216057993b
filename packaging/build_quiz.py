"""python packaging/build_quiz.py --out DIR: the quiz as one folder, for desktops without Python (or ./run build-quiz).

The folder runs on the operating system and processor that it was made on, and on Linux wherever the C library is as new
as here: build on the oldest system that is to run it. It holds the program `gan-eval` with the commands of
`quiz_program.py`, and `licences/` with the texts of all that is in it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from licences import write_licences  # noqa: E402

from gan_eval.errors import UserError  # noqa: E402
from gan_eval.files import OWN_FOLDER, claim_output_folder  # noqa: E402
from gan_eval.launch import setup_command  # noqa: E402

LARGEST = 220_000_000
"""Bytes: more means that something slipped in which the quiz does not need."""

UNCHANGED = ("PySide6", "shiboken6", "psycopg_binary")
"""Under the LGPL, which asks of changed files that the changes are told."""


def main(arguments: Sequence[str]) -> int:
    """Build, say where the program is, and return the exit status."""
    parser = argparse.ArgumentParser(prog="build-quiz", description="The quiz as one folder, without Python.")
    parser.add_argument("--out", type=Path, required=True, help="Folder for it; must be empty or ours.")
    try:
        print(build(parser.parse_args(arguments).out))
    except UserError as error:
        print(f"build-quiz: {error}", file=sys.stderr)
        return 2
    return 0


def build(out: Path) -> Path:
    """Make the folder, in place of an earlier one of ours, and return the program in it.

    Raises:
        UserError: `out` is somebody else's, PyInstaller is missing or fails, a licence text is missing, or the folder
            is larger than `LARGEST`.
    """
    if find_spec("PyInstaller") is None:
        raise UserError(f"PyInstaller is missing; install it with: {setup_command('packaging')}")
    claim_output_folder(out)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=out) as scratch:
        folder = _run_pyinstaller(Path(scratch))
        _strip(folder)
        bundled = json.loads((Path(scratch) / "work" / "quiz" / "bundled.json").read_text(encoding="utf-8"))
        write_licences(bundled["modules"], map(Path, bundled["libraries"]), folder / "licences")
        size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
        if size > LARGEST:
            raise UserError(
                f"{size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}; see what is new in packaging/quiz.spec"
            )
        _replace(folder, out, keep=(OWN_FOLDER, Path(scratch).name))
    print(f"{size / 1e6:.0f} MB", file=sys.stderr)
    return out / ("gan-eval.exe" if os.name == "nt" else "gan-eval")


def _run_pyinstaller(scratch: Path) -> Path:
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(scratch / "dist"), "--workpath", str(scratch / "work")]
    done = subprocess.run(
        [*command, str(ROOT / "packaging" / "quiz.spec")],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-15:]
        raise UserError("PyInstaller failed; its last lines:\n" + "\n".join(last))
    return scratch / "dist" / "gan-eval"


def _strip(folder: Path) -> None:
    """Take the debuggers' symbols out of Linux libraries, a seventh of the whole, where `strip` is at hand.

    Not out of `UNCHANGED`, nor of libraries that were rewritten for a wheel (numpy.libs): they do not survive it.
    """
    strip = shutil.which("strip")
    if strip is None or not sys.platform.startswith("linux"):
        return
    files = [path for path in folder.rglob("*.so*") if path.is_file() and not path.is_symlink()]
    ours = [path for path in files if not any(p.endswith(".libs") or p in UNCHANGED for p in path.parts)]
    subprocess.run([strip, "--strip-unneeded", *map(str, ours)], check=False, capture_output=True)


def _replace(folder: Path, out: Path, *, keep: Sequence[str]) -> None:
    """Move what is in `folder` into `out`, in place of what was there."""
    for old in out.iterdir():
        if old.name in keep:
            continue
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    for new in folder.iterdir():
        new.rename(out / new.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
