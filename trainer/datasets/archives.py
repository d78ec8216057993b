"""Taking the pictures out of an archive from elsewhere: nothing outside the folder, no links, no devices."""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from gan_eval.errors import UserError
from gan_eval.files import write_error
from gan_eval.stimuli.pictures import names_a_picture

OnProgress = Callable[[int, int], None]
"""Called with (done, total); total is 0 where it is not known."""

KINDS = ".tar.gz, .tgz, .tar or .zip"

_CHUNK = 1 << 20


class BadArchiveError(UserError):
    """The archive itself is at fault: getting the same one again does not help."""


# What reading a damaged archive raises. gzip's error is an OSError, but not one of writing; NotImplementedError is
# zipfile's answer to a compression that it does not know.
_DAMAGED = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError, NotImplementedError
)  # fmt: skip


def extract_pictures(archive: Path, folder: Path, *, on_progress: OnProgress | None = None) -> int:
    """Write the pictures of an archive below `folder`, which exists and is empty; other files are left out.

    Args:
        archive: a .tar.gz, .tgz, .tar or .zip file, told by its content.
        folder: where the archive's folders appear.
        on_progress: called with the bytes of the archive read so far.

    Returns:
        The number of pictures.

    Raises:
        BadArchiveError: the archive is damaged or none, or holds a path that leads elsewhere, a link or a device, or
            the same file twice.
        UserError: the folder cannot be written.
    """
    found = 0
    try:
        if zipfile.is_zipfile(archive):
            members = _zip_members(archive, on_progress)
        elif tarfile.is_tarfile(archive):
            members = _tar_members(archive, on_progress)
        else:
            raise BadArchiveError(f"{archive}: not an archive that can be read; wanted {KINDS}")
        for name, content in members:
            parts = _safe_parts(name, archive)
            if _is_a_picture(parts):
                _copy(content, folder.joinpath(*parts), archive)
                found += 1
    except _DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise BadArchiveError(f"{archive}: damaged or incomplete ({reason}); get it again") from error
    except RuntimeError as error:  # zipfile's answer to a missing password
        raise BadArchiveError(f"{archive}: cannot be unpacked ({error}); give one without a password") from error
    except OSError as error:
        raise write_error(folder, error) from error
    return found


def _tar_members(archive: Path, on_progress: OnProgress | None) -> Iterator[tuple[str, IO[bytes]]]:
    total = archive.stat().st_size
    with archive.open("rb") as file, tarfile.open(fileobj=file, mode="r:*") as tarred:
        for member in tarred:
            if on_progress is not None:
                on_progress(file.tell(), total)
            if member.isdir():
                _safe_parts(member.name, archive)
                continue
            content = tarred.extractfile(member) if member.isreg() else None
            if content is None:
                raise _refused(archive, member.name, "is a link or a device")
            with content:
                yield member.name, content
        if tarred.fileobj is file:  # tarfile takes a cut for the end; in a compressed one the decoder sees it
            file.seek(tarred.offset)
            if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                raise EOFError("the end is missing")


def _zip_members(archive: Path, on_progress: OnProgress | None) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as zipped:
        entries = zipped.infolist()
        for number, entry in enumerate(entries, start=1):
            if on_progress is not None:
                on_progress(number, len(entries))
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(archive, entry.filename, "is a link or a device")
            if entry.is_dir():
                _safe_parts(entry.filename, archive)
                continue
            with zipped.open(entry) as content:
                yield entry.filename, content


def _safe_parts(name: str, archive: Path) -> tuple[str, ...]:
    """The folders and the file of a member's name.

    Raises:
        BadArchiveError: the name leads out of the folder, on this system or another.
    """
    parts = tuple(part for part in PurePosixPath(name).parts if part != ".")
    bad = name.startswith("/") or ".." in parts or any(mark in name for mark in ("\\", ":", "\0"))
    if bad:
        raise _refused(archive, name, "leads out of the folder")
    return parts


def _is_a_picture(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return bool(parts) and not hidden and names_a_picture(Path(parts[-1]))


def _copy(content: IO[bytes], target: Path, archive: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
    except FileExistsError as error:
        raise _refused(archive, target.name, "is in it twice") from error


def _refused(archive: Path, name: str, why: str) -> BadArchiveError:
    return BadArchiveError(f"{archive}: {name!r} {why}; nothing was taken from this archive")
