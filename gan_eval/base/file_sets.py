"""Sets of files that are replaced together: a reader sees the old set or the new one.

A set has a name (`analysis`, `metrics`) and shares its folder with other files. Its new files are written into a folder
below `.gan-eval/`, then an announcement of the new set is written. Until then the old set stays as it was. From then on
the next process that opens the folder finishes an interrupted replacement.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_eval.base.atomic import OWN_FOLDER, flush_to_disk, system_lock, temporary_name, write_error, write_json
from gan_eval.base.digests import sha256_file, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import refuse_links
from gan_eval.base.read_names import leads_out
from gan_eval.base.record import read_record

PATIENCE_S = 60.0
"""Maximum wait in seconds for another process that writes into the folder."""
_RECORD = ".set.json"
_COMING = ".coming.json"
_LOCK = "sets.lock"


@dataclass(frozen=True)
class FileSet:
    """The record of a set."""

    name: str
    run: str
    """Identifier of this version of the set."""
    files: Mapping[str, str]
    """SHA-256 by path relative to the folder."""
    source: str = ""
    """The file from which the set was made, relative to the folder; empty without one."""


@dataclass
class NewSet:
    """A set while it is written; fields as in `FileSet`."""

    folder: Path
    """Write its files here; empty at first. They need not be written atomically."""
    run: str = ""
    """Default: derived from the files' hashes, so that equal files give equal sets."""
    source: str = ""
    staying: set[str] = field(default_factory=set)
    """Files of the earlier set, relative to the folder, that stay although the new set lacks them."""


@contextmanager
def replaced_set(folder: Path, name: str) -> Iterator[NewSet]:
    """Yield a folder to write to; when the block ends, its files replace the set's earlier files in `folder`.

    Files of the earlier set that the new one lacks are removed, unless they have changed. After an error in the block,
    a full disk or a kill, the earlier set stays complete.

    Raises:
        UserError: the disk is full, the folder cannot be written or contains a linked folder, or another process has
            been writing there for a minute.
    """
    folder = Path(folder)
    records = folder / OWN_FOLDER
    refuse_links(folder)
    aside = records / temporary_name(name)
    with _locked(folder):
        for leftover in records.glob(f".{name}.gan-eval-*.tmp"):  # no other process is writing
            shutil.rmtree(leftover, ignore_errors=True)
        new = NewSet(aside)
        try:
            aside.mkdir()
            yield new
            coming = _announce(folder, name, new)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise write_error(folder, error) from error
        except BaseException:
            if not (records / f"{name}{_COMING}").exists():  # otherwise the next process finishes the replacement
                shutil.rmtree(aside, ignore_errors=True)
            raise
        _finish(folder, name, coming)


@contextmanager
def settled(*folders: Path) -> Iterator[dict[Path, list[FileSet]]]:
    """Yield the sets of each folder that is gan_eval's; no set is replaced while the block runs.

    Interrupted replacements are finished first.

    Raises:
        UserError: an interrupted replacement cannot be finished, a record is damaged, or another process has been
            writing for a minute.
    """
    with ExitStack() as stack:
        sets: dict[Path, list[FileSet]] = {}
        for folder in dict.fromkeys(map(Path, folders)):
            if (folder / OWN_FOLDER).is_dir():
                stack.enter_context(_locked(folder, reading=True))
                sets[folder] = [_read(path) for path in sorted((folder / OWN_FOLDER).glob(f"*{_RECORD}"))]
        yield sets


def _announce(folder: Path, name: str, new: NewSet) -> dict[str, Any]:
    """Write the announcement, which makes the new set valid, and return it."""
    files = {path.relative_to(new.folder).as_posix(): path for path in sorted(new.folder.rglob("*")) if path.is_file()}
    hashes = {}
    for relative, path in files.items():
        with path.open("rb+") as file:
            hashes[relative] = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file)
    record = folder / OWN_FOLDER / f"{name}{_RECORD}"
    before: Mapping[str, str] = {}
    if record.exists():
        with suppress(UserError):  # damaged
            before = _read(record).files
    removed = {
        relative
        for relative, digest in before.items()
        if relative not in new.staying
        and (folder / relative).is_file()
        and sha256_file(folder / relative) == digest  # otherwise the user changed it
    }
    run = new.run or f"{name}-{sha256_json(hashes)[:12]}"
    gone = sorted(removed - set(files))
    coming: dict[str, Any] = {"run": run, "files": hashes, "aside": new.folder.name, "gone": gone}
    coming |= {"source": new.source} if new.source else {}
    try:
        for relative in files:
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    write_json(folder / OWN_FOLDER / f"{name}{_COMING}", coming)
    return coming


def _finish(folder: Path, name: str, coming: Mapping[str, Any]) -> None:
    """Move the announced files into place; files already in place stay."""
    records = folder / OWN_FOLDER
    announced = records / f"{name}{_COMING}"
    aside = records / Path(str(coming["aside"])).name
    at = folder
    try:
        for relative in coming["files"]:
            if (aside / relative).is_file():
                at = folder / relative
                (aside / relative).replace(at)
        for relative in coming["gone"]:
            at = folder / relative
            at.unlink(missing_ok=True)
        flush_to_disk(folder)
        at = records / f"{name}{_RECORD}"
        announced.replace(at)  # the announcement becomes the record, also on a full disk
    except OSError as error:
        raise UserError(
            f"{at}: cannot be replaced ({error.strerror or error}); its folder has files of two runs until you repeat "
            "the command"
        ) from error
    shutil.rmtree(aside, ignore_errors=True)


def _read(path: Path) -> FileSet:
    record = _checked(path)
    return FileSet(path.name.removesuffix(_RECORD), record["run"], record["files"], record.get("source", ""))


def _checked(path: Path) -> dict[str, Any]:
    """Read a record; check that its files are below the set's folder."""
    record = read_record(path, run=str, files=dict, aside=str, gone=list)
    names = [str(name) for name in (*record["files"], *record["gone"], record["aside"])]
    if any(leads_out(name) or not Path(name).name for name in names):
        raise UserError(f"{path}: damaged: names a file of another folder; remove it and make the set again")
    return record


@contextmanager
def _locked(folder: Path, *, reading: bool = False) -> Iterator[None]:
    """Lock the folder's sets, waiting for other processes, and finish interrupted replacements.

    A reader without write permission does not lock.
    """
    records = folder / OWN_FOLDER
    path = records / _LOCK
    busy = f"{folder}: another gan-eval has been writing there for {PATIENCE_S:.0f} s; wait for it, or end it"
    is_locking = not reading or os.access(path, os.W_OK)
    with system_lock(path, lambda: busy, patience_s=PATIENCE_S) if is_locking else nullcontext():
        for coming in sorted(records.glob(f"*{_COMING}")):
            announced = _checked(coming)
            _finish(folder, coming.name.removesuffix(_COMING), announced)
        yield
