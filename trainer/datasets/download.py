"""Downloading a large file so that a broken connection costs nothing: the same call goes on where it stopped.

What has arrived is `FILE.part`; beside it `FILE.part.json` remembers which version of the file on the server it is a
part of (RFC 9110, sections 13.1.5 and 14): a part is continued only when the server still has that version.
"""

import http.client
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TypeAlias
from urllib.parse import urlsplit

from gan_eval.errors import UserError
from gan_eval.files import read_json, write_error, write_json
from trainer.datasets.archives import OnProgress

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
