"""A small study of imported pictures, whose results tests of the commands, the report and the statistics read."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from made_sets import write_items

STUDY = """
[study]
name = "s"
title = "First words"
[stimuli]
sets = ["main"]
[quiz]
real = 4
fake = 4
participants = 3
[metrics]
names = ["psnr"]
"""


def make_set(folder: Path, items: int, kinds: tuple[str, ...] = ("real", "fake")) -> None:
    """A stimulus set of tiny pictures of the model m; the data set has the folder's name."""
    items_of = {
        str(number): {
            kind: np.random.default_rng([number, kind == "real", len(folder.name)]).integers(
                0, 256, (16, 16, 3), dtype=np.uint8
            )
            for kind in kinds
        }
        for number in range(items)
    }
    write_items(folder, items_of, dataset=folder.name)


@contextmanager
def protected(folder: Path) -> Iterator[None]:
    """Forbid changes in a folder. Root may write everywhere, so what has changed is also looked for at the end."""

    def files() -> dict[Path, tuple[int, int]]:
        found = (path for path in folder.rglob("*") if path.is_file())
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in found}

    before = files()
    permit(folder, 0o500)
    yield
    permit(folder, 0o700)
    changed = {path.name for path, _ in before.items() ^ files().items()}
    assert not changed, "a test has changed the finished study: let it use copy_study"


def copy_study(study: Path, folder: Path) -> Path:
    """Copy a study into a folder, which may be there already, for a test that changes it."""
    shutil.copytree(study, folder, dirs_exist_ok=True)
    permit(folder, 0o700)
    return folder


def permit(folder: Path, mode: int) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(mode)
