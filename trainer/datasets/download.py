"""Downloads that resume: the same call continues where a broken connection stopped.

The bytes received are in `TARGET-VERSION.part`, whose name depends on the address and on the server's size, ETag and
date of the file, so that a part is only continued with the same version.
"""

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_error
from gan_eval.files.digests import sha256_json
from trainer.datasets.dataset import OnProgress

TIMEOUT_S = 30.0
"""Seconds without a byte after which a connection counts as broken."""
TRIES = 3
"""Connections in a row that may break without bringing anything new."""
CHUNK = 1 << 18
"""Bytes read at a time."""


def is_address(text: str) -> bool:
    """Return whether a text is an http(s) address.

    >>> is_address("https://example.org/a.zip"), is_address("C:/a.zip"), is_address("a.zip")
    (True, False, False)
    """
    return urlsplit(text).scheme.lower() in ("http", "https")


def download(url: str, target: Path, *, on_progress: OnProgress | None = None, timeout_s: float = TIMEOUT_S) -> None:
    """Download `url` to `target`, continuing an earlier part.

    Raises:
        UserError: the server cannot be reached, does not have the file, or breaks the connection repeatedly; or the
            disk cannot be written. The part is kept.
    """
    barren, most, reason = 0, 0, ""
    while barren < TRIES:
        try:
            received, complete = _continue(url, target, on_progress, timeout_s)
        except urllib.error.URLError as error:  # no connection, or an answer that is an error
            fix = "download the archive elsewhere, then --from FILE"
            if isinstance(error, urllib.error.HTTPError):
                raise UserError(f"{url}: answered {error.code} {error.reason}; {fix}") from error
            raise UserError(f"{url}: cannot be reached ({error.reason}); check the network, or {fix}") from error
        except (OSError, http.client.HTTPException) as error:  # a connection that broke
            received, complete, reason = most, False, f" ({str(error) or type(error).__name__})"
        if complete:
            return
        barren, most = (0, received) if received > most else (barren + 1, most)
    raise UserError(f"{url}: broke off after {most:,} bytes{reason}; rerun the command to resume")


def _continue(url: str, target: Path, on_progress: OnProgress | None, timeout_s: float) -> tuple[int, bool]:
    """Download what is missing over one connection; return the bytes received so far, and whether these are all.

    Raises:
        URLError, OSError, HTTPException: there is no connection, or it broke.
        UserError: the disk cannot be written.
    """

    def request(**headers: str) -> Any:
        named = {"User-Agent": "gan-eval", "Accept-Encoding": "identity", **headers}
        return urllib.request.urlopen(urllib.request.Request(url, headers=named), timeout=timeout_s)

    with request() as whole:
        length = whole.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else 0
        version = sha256_json([url, size, whole.headers.get("ETag"), whole.headers.get("Last-Modified")])
        part = target.with_name(f"{target.name}-{version[:12]}.part")
        start = part.stat().st_size if part.is_file() else 0
        if not 0 < start < size:
            if start != size or not size:
                _save(whole, part, 0, size, on_progress)
        else:
            with request(Range=f"bytes={start}-") as rest:
                continues = rest.status == 206 and rest.headers.get("Content-Range", "").startswith(f"bytes {start}-")
                _save(rest if continues else whole, part, start if continues else 0, size, on_progress)
    received = part.stat().st_size
    if size and received != size:
        return received, False
    part.replace(target)
    return received, True


def _save(response: Any, part: Path, start: int, size: int, on_progress: OnProgress | None) -> None:
    """Append a response to the part's first `start` bytes.

    Raises:
        OSError, HTTPException: the connection broke.
        UserError: the disk cannot be written.
    """
    try:
        file = part.open("ab" if start else "wb")
    except OSError as error:
        raise write_error(part, error) from error
    with file:
        while chunk := response.read(CHUNK):
            try:
                file.write(chunk)
            except OSError as error:
                raise write_error(part, error) from error
            if on_progress is not None:
                on_progress(file.tell(), size)
