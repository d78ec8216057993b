"""Record of `run` in a study's folder, and the command that repeats it."""

import os
import shlex
from pathlib import Path
from typing import Any

from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.output_folders import RECORD
from gan_eval.base.record import read_record


def read_run_record(folder: Path) -> dict[str, Any]:
    """Return the record of a study's folder: study, fraction, smoke, and the paths file and, if known, data_root.

    Paths are relative to the working folder if they are in it.
    """
    record = read_record(folder / OWN_FOLDER / RECORD, study=str, file=str, fraction=float, smoke=bool)
    here = Path.cwd()
    for name in ("file", "data_root"):
        if record.get(name):
            path = Path(os.path.abspath(folder.resolve() / str(record[name])))  # noqa: PTH100 - a link stays one
            record[name] = path.relative_to(here) if here.name and here in path.parents else path
    return record


def run_command(
    file: Path, folder: Path, *more: str, data_root: Path | None = None, fraction: float = 1.0, smoke: bool = False
) -> str:
    """Return the command that continues a study as it was begun; `more` words follow.

    >>> run_command(Path("study.toml"), Path("out"), "--redo", "train", fraction=0.1)
    'gan-eval run study.toml --out out --fraction 0.1 --redo train'
    """
    words = ["gan-eval", "run", str(file), "--out", str(folder)]
    words += ["--data-root", str(data_root)] if data_root else []
    words += ["--smoke"] if smoke else ["--fraction", f"{fraction:g}"] if fraction < 1 else []
    return shlex.join([*words, *more])
