"""Claim output folders, and check them before anything is written."""

import errno
import os
from pathlib import Path

from gan_eval.base.atomic import OWN_FOLDER, permit_group, write_error
from gan_eval.base.errors import UserError
from gan_eval.base.reading import Place, resolved


def relative_path(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, so that both can be moved together; absolute if on another drive."""
    try:
        return Path(os.path.relpath(resolved(path), resolved(folder))).as_posix()
    except ValueError:
        return resolved(path).as_posix()


def check_output_folder(folder: Path, *, option: str = "--out") -> None:
    """Check before any work that `claim_output_folder` will succeed; create nothing."""
    folder = Path(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{option} {folder}: is a file; name a folder")
        if folder.is_dir() and not (folder / OWN_FOLDER).is_dir() and any(folder.iterdir()):
            raise UserError(
                f"{option} {folder}: not empty and not written by gan_eval (no {OWN_FOLDER}/ in it); name an empty "
                "folder"
            )
        refuse_links(folder, option=option)
    except OSError as error:
        raise write_error(folder, error) from error
    _check_place(folder, option, what=folder)


RECORD = "run.json"
"""Below `.gan-eval/` of a study's folder: its study, and how it is run."""


def is_study_folder(folder: Path) -> bool:
    """Return whether `run` has made this folder."""
    return (Path(folder) / OWN_FOLDER / RECORD).is_file()


STORE = "store.sqlite"
"""The results store in a study's folder."""


def study_folder_of(store: Place) -> Path | None:
    """Return the study's folder that a store belongs to; None if there is none."""
    folder = store.parent if isinstance(store, Path) and store.name == STORE else None
    return folder if folder and is_study_folder(folder) else None


def refuse_of_others(folder: Path, below: str) -> None:
    """Refuse an output folder whose tables a report would mix with the new ones, or read in their place."""
    if (folder / OWN_FOLDER / RECORD).is_file():
        raise UserError(f"--out {folder}: a study's folder, whose tables come from `run`; name another folder")
    tables = Path(folder) / below
    if any(tables.glob("*.csv")):
        raise UserError(f"--out {folder}: a report of it reads the tables in {tables}; name that folder, or a new one")


def refuse_links(folder: Path, *, option: str = "--out") -> None:
    """Refuse an output folder that contains a linked folder, because files elsewhere would be changed.

    The output folder itself may be a link, for example to a larger disk. Its files may be links, because they are
    replaced; files in `.gan-eval/` may not.
    """
    for here, folders, files in os.walk(folder):
        is_own = OWN_FOLDER in Path(here).relative_to(folder).parts
        for path in (os.path.join(here, name) for name in (*folders, *(files if is_own else ()))):  # noqa: PTH118
            if os.path.islink(path):  # noqa: PTH114
                raise UserError(
                    f"{option} {folder}: {path} is a link, and writing there would change files elsewhere; remove the "
                    "link, or name another folder"
                )


def check_output_file(file: Path, *, option: str = "--out") -> None:
    """Check before any work that a file can be written; create nothing."""
    file = Path(file)
    if os.path.isdir(file):  # noqa: PTH112 - a path's own method fails in an unreadable folder
        raise UserError(f"{option} {file}: is a folder; name a file")
    _check_place(file.parent, option, what=file)


def _check_place(folder: Path, option: str, *, what: Path) -> None:
    """Refuse a folder in which nothing can be created; it need not exist yet."""
    folder = folder.absolute()
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not os.path.isdir(existing):  # noqa: PTH112
        raise UserError(f"{option} {what}: {existing} is a file; name another place")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise write_error(what, PermissionError(errno.EACCES, ""))


def claim_output_folder(folder: Path, *, private: bool = False, option: str = "--out") -> Path:
    """Claim `folder`, create it if needed, and return it.

    A folder that contains `.gan-eval/` belongs to gan_eval; an empty folder gets one. A new `private` folder can be
    opened only by this user; otherwise the umask decides. New folders above it can be entered by the user's group.

    Raises:
        UserError: it is a file, is neither empty nor gan_eval's, contains a linked folder, or cannot be written.
    """
    folder = Path(folder)
    check_output_folder(folder, option=option)
    try:
        above = [path for path in folder.parents if not path.exists()]
        folder.mkdir(0o700 if private else 0o777, parents=True, exist_ok=True)
        for created in above:
            permit_group(created, 0o010)
        (folder / OWN_FOLDER).mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder
