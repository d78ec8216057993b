"""Downloading a large file so that a broken connection costs nothing: the same call goes on where it stopped.

What has arrived is `FILE.part`; beside it `FILE.part.json` remembers which version of the file on the server it is a
part of (RFC 9110, sections 13.1.5 and 14): a part is continued only when the server still has that version.

Taking the pictures out of an archive from elsewhere: nothing outside the folder, no links, no devices.

How the pictures of an archive are arranged: A|B pictures or photographs, by split.
"""

import gzip
import http.client
import lzma
import shutil
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TypeAlias
from urllib.parse import urlsplit

from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files import read_json, write_error, write_json
from gan_eval.stimuli.pictures import list_pictures, names_a_picture
from trainer.datasets.sources import has_usual_splits, list_splits, photographs_by_split, require_halves, require_size

OnProgress = Callable[[int, int], None]
"""Called with (done, total); total is 0 where it is not known."""

KINDS = ".tar.gz, .tgz, .tar or .zip"

_ARCHIVE_CHUNK = 1 << 20


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
            shutil.copyfileobj(content, file, _ARCHIVE_CHUNK)
    except FileExistsError as error:
        raise _refused(archive, target.name, "is in it twice") from error


def _refused(archive: Path, name: str, why: str) -> BadArchiveError:
    return BadArchiveError(f"{archive}: {name!r} {why}; nothing was taken from this archive")


TIMEOUT_S = 30.0
"""Seconds without a byte after which a connection counts as broken."""
TRIES = 3
"""Connections in a row that may break off without bringing anything new."""

_CHUNK = 1 << 18

Response: TypeAlias = "http.client.HTTPResponse"


@dataclass(frozen=True)
class Version:
    """Which file a part belongs to; what the server does not tell is empty."""

    url: str
    size: int | None
    etag: str
    modified: str

    @property
    def validator(self) -> str:
        """For `If-Range`, which takes no weak ETag."""
        return self.modified if self.etag.startswith("W/") or not self.etag else self.etag


def is_address(text: str) -> bool:
    """Whether a text is an address that can be downloaded from.

    >>> is_address("https://example.org/a.zip"), is_address("C:/a.zip"), is_address("a.zip")
    (True, False, False)
    """
    return urlsplit(text).scheme.lower() in ("http", "https")


def download(url: str, target: Path, *, on_progress: OnProgress | None = None, timeout_s: float = TIMEOUT_S) -> None:
    """Download `url` to `target`, going on with an earlier part.

    Raises:
        UserError: the server cannot be reached, does not have the file, or breaks off again and again; or the disk
            cannot be written. The part is kept.
    """
    part = target.with_name(target.name + ".part")
    barren, reason = 0, ""
    while barren < TRIES:
        before = _size(part)
        try:
            whole = _one_connection(url, part, on_progress, timeout_s)
        except urllib.error.URLError as error:  # no connection, or an answer that is an error
            raise _unreachable(url, error) from error
        except (OSError, http.client.HTTPException) as error:  # a connection that broke
            whole, reason = False, f" ({str(error) or type(error).__name__})"
        if whole:
            part.replace(target)
            _notes(part).unlink(missing_ok=True)
            return
        barren = barren + 1 if _size(part) <= before else 0
    raise UserError(f"{url}: broke off after {_size(part):,} bytes{reason}; the same command goes on from there")


def _one_connection(url: str, part: Path, on_progress: OnProgress | None, timeout_s: float) -> bool:
    """Bring what one connection brings; returns whether the file is whole."""
    known = _version_of(part, url)
    start = _size(part) if known is not None else 0
    with _open(url, start, known, timeout_s) as response:
        if response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            if known is not None and start == known.size:
                return True
            _forget(part)
            return False
        if response.status == http.client.PARTIAL_CONTENT:
            if known is None or not _continues(response, start, known):
                _forget(part)
                return False
            version = known
        else:
            start, version = 0, _version(url, response)
            _forget(part)
            write_json(_notes(part), asdict(version))
        _append(response, part, start, version.size, on_progress)
    return version.size is None or _size(part) == version.size


def _open(url: str, start: int, known: Version | None, timeout_s: float) -> Response:
    request = urllib.request.Request(url, headers={"User-Agent": "gan-eval", "Accept-Encoding": "identity"})
    if start and known is not None:
        request.add_header("Range", f"bytes={start}-")
        if known.validator:
            request.add_header("If-Range", known.validator)
    try:
        response: Response = urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return error  # type: ignore[return-value]  # it is a response too
    return response


def _continues(response: Response, start: int, known: Version) -> bool:
    """Whether a partial answer goes on exactly where the part ends, in a file of the same size."""
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    same_size = known.size is None or total in ("*", str(known.size))
    return unit == "bytes" and span.startswith(f"{start}-") and same_size


def _version(url: str, response: Response) -> Version:
    length = response.headers.get("Content-Length", "")
    size = int(length) if length.isdigit() else None
    return Version(url, size, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))


def _append(response: Response, part: Path, start: int, size: int | None, on_progress: OnProgress | None) -> None:
    """Write what arrives behind the first `start` bytes."""
    try:
        file: IO[bytes] = part.open("r+b" if start else "wb")
    except OSError as error:
        raise write_error(part, error) from error
    with file:
        file.seek(start)
        done = start
        while chunk := response.read(_CHUNK):
            try:
                file.write(chunk)
            except OSError as error:
                raise write_error(part, error) from error
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, size or 0)


def _version_of(part: Path, url: str) -> Version | None:
    """What is known of an earlier part of this address; None where there is none that can be continued."""
    with suppress(UserError, TypeError):
        version = Version(**read_json(_notes(part)))
        if version.url == url and part.is_file():
            return version
    return None


def _notes(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _unreachable(url: str, error: urllib.error.URLError) -> UserError:
    mend = "download the archive elsewhere, then --from FILE"
    if isinstance(error, urllib.error.HTTPError):
        return UserError(f"{url}: answered {error.code} {error.reason}; {mend}")
    return UserError(f"{url}: cannot be reached ({error.reason}); check the network, or {mend}")


@dataclass(frozen=True)
class Arrangement:
    """Where the pictures lie, and what each must be."""

    name: str
    wanted: str
    """The pattern of their paths, for people."""
    by_split: Callable[[Path], dict[str, list[Path]]]
    """The pictures below a folder of splits; none where it is another folder."""
    require: Callable[[Path], None]
    """Raises UserError for a file of which a look at its header tells that it cannot be used."""


def _pairs(folder: Path) -> dict[str, list[Path]]:
    return {split: list_pictures(folder / split) for split in list_splits(folder)}


def _photographs(folder: Path) -> dict[str, list[Path]]:
    return photographs_by_split(folder) if has_usual_splits(folder) else {}


def _picture_size(path: Path) -> tuple[int, int]:
    """The header alone: whether every picture decodes is asked by `data check`, and when training starts."""
    try:
        with Image.open(path) as image:
            return image.size
    except Exception as error:  # decoders raise whatever the damaged bytes lead to
        reason = str(error) or type(error).__name__
        raise UserError(f"{path}: not a readable picture ({reason}); get it again") from error


PAIRS = Arrangement(
    "the A|B layout", "NAME/<split>/*.jpg", _pairs, require=lambda path: require_halves(path, *_picture_size(path))
)
PHOTOGRAPHS = Arrangement(
    "folders train, val, test",
    "NAME/<split>/**/*.jpg",
    _photographs,
    require=lambda path: require_size(path, *_picture_size(path)),
)
