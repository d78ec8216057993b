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
from trainer.datasets.dataset import OnProgress

TIMEOUT_S = 30.0
"""Seconds without a byte after which a connection counts as broken."""
TRIES = 3
"""Connections in a row that may break off without bringing anything new."""

READ_AT_ONCE = 1 << 18
"""Bytes."""

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
    part = Part(target.with_name(target.name + ".part"))
    barren, reason = 0, ""
    while barren < TRIES:
        before = part.size
        try:
            whole = continue_part(url, part, on_progress, timeout_s)
        except urllib.error.URLError as error:  # no connection, or an answer that is an error
            mend = "download the archive elsewhere, then --from FILE"
            if isinstance(error, urllib.error.HTTPError):
                raise UserError(f"{url}: answered {error.code} {error.reason}; {mend}") from error
            raise UserError(f"{url}: cannot be reached ({error.reason}); check the network, or {mend}") from error
        except (OSError, http.client.HTTPException) as error:  # a connection that broke
            whole, reason = False, f" ({str(error) or type(error).__name__})"
        if whole:
            part.path.replace(target)
            part.notes.unlink(missing_ok=True)
            return
        barren = barren + 1 if part.size <= before else 0
    raise UserError(f"{url}: broke off after {part.size:,} bytes{reason}; the same command goes on from there")


@dataclass(frozen=True)
class Part:
    """What has arrived of a file."""

    path: Path

    @property
    def notes(self) -> Path:
        """The file that remembers its version."""
        return self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self, url: str) -> Version | None:
        """Of which file it is a part; None where it is not of this address, or there is none."""
        with suppress(UserError, TypeError):
            version = Version(**read_json(self.notes))
            if version.url == url and self.path.is_file():
                return version
        return None

    def discard(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)


def continue_part(url: str, part: Part, on_progress: OnProgress | None, timeout_s: float) -> bool:
    """Bring what one connection brings; returns whether the file is whole.

    Raises:
        URLError, OSError, HTTPException: there is no connection, or it broke.
        UserError: the disk cannot be written.
    """
    version = part.version(url)
    start = part.size if version is not None else 0
    request = urllib.request.Request(url, headers={"User-Agent": "gan-eval", "Accept-Encoding": "identity"})
    if start and version is not None:
        request.add_header("Range", f"bytes={start}-")
        if version.validator:
            request.add_header("If-Range", version.validator)
    response: Response
    try:
        response = urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        response = error  # type: ignore[assignment]  # it is a response too
    with response:
        if response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            if version is not None and start == version.size:
                return True
            part.discard()
            return False
        if response.status == http.client.PARTIAL_CONTENT:  # it has to go on exactly where the part ends
            unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
            span, _, total = rest.partition("/")
            continues = unit == "bytes" and span.startswith(f"{start}-")
            if version is None or not continues or (version.size is not None and total not in ("*", str(version.size))):
                part.discard()
                return False
        else:
            length = response.headers.get("Content-Length", "")
            size = int(length) if length.isdigit() else None
            version = Version(url, size, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
            start = 0
            part.discard()
            write_json(part.notes, asdict(version))
        try:
            file: IO[bytes] = part.path.open("r+b" if start else "wb")
        except OSError as error:
            raise write_error(part.path, error) from error
        with file:
            file.seek(start)
            while chunk := response.read(READ_AT_ONCE):
                try:
                    file.write(chunk)
                except OSError as error:
                    raise write_error(part.path, error) from error
                if on_progress is not None:
                    on_progress(file.tell(), version.size or 0)
    return version.size is None or part.size == version.size
