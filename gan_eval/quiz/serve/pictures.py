"""Pictures as the browser gets them: format, size and timing do not show which ones are real.

Every picture is encoded as PNG without compression or metadata, so that its length depends on height and width only.
Compressed, a smooth generated picture would be shorter than a photograph. Pictures are prepared before a page gets
their addresses, so that the time to decode a file cannot be observed.
"""

import base64
import hmac
import struct
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO
from weakref import finalize

import numpy as np

from gan_eval.base.threads import usable_cores
from gan_eval.pictures.decode import Picture, decode_rgb, read_file, resize
from gan_eval.quiz.draw.order import generator
from gan_eval.quiz.library import RESAMPLING, Library, mask, size_at
from gan_eval.settings.quiz import MaskKind

CACHE_BYTES = 256 * 2**20
"""Maximum size of the encoded stimuli in temporary files that no session is about to show."""
FILE_BYTES = 512 * 2**10
"""Size as which a smaller picture counts: at most 512 of these files are open, where a process may have 1,024."""
THREADS = 2
"""Maximum number of pictures that are encoded at a time; more would block the thread that answers requests."""


def keyed_hash(secret: bytes, *parts: str) -> str:
    """Return 128 bits of an HMAC-SHA-256 as 22 URL-safe characters, which cannot be guessed without the secret.

    >>> len(keyed_hash(b"secret", "session", "stimulus"))
    22
    """
    digest = hmac.digest(secret, "\0".join(parts).encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def plain_png(picture: Picture) -> bytes:
    """Encode a picture, uint8 (H, W, 3) or grey (H, W), as a PNG; length and encoding time depend on H and W only.

    >>> len(plain_png(np.zeros((2, 3, 3), np.uint8))) == len(plain_png(np.full((2, 3, 3), 9, np.uint8)))
    True
    """
    height, width = picture.shape[:2]
    color_type, channels = (2, 3) if picture.ndim == 3 else (0, 1)
    rows = np.zeros((height, 1 + channels * width), np.uint8)  # each row begins with its filter type, 0 for none
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 0)), (b"IEND", b"")):
        parts += struct.pack(">I", len(content)), name, content
        parts += [struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))]
    return b"".join(parts)


Reader = Callable[[], bytes]
"""Function that reads an encoded picture."""
Making = Callable[[], "Future[Reader]"]
"""Function that returns an encoded picture, starting to make it if necessary."""


def kept(make: Making) -> Making:
    """Start to make a picture; return a function that keeps it. A picture that failed is made again."""
    made = [make()]

    def get() -> "Future[Reader]":
        if _failed(made[0]):
            made[0] = make()
        return made[0]

    return get


def _failed(future: "Future[Reader]") -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)


def filed(content: bytes) -> Reader:
    """Write a picture to a temporary file, which the system caches; return the function that reads it.

    The file has no name and is gone with the function, or with the process. If it cannot be written, because the disk
    is full or too many files are open, the function keeps the picture in memory.
    """
    with suppress(OSError):
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - as long as the picture is kept
        if file.write(content) == len(content):
            read = partial(_whole, file)
            finalize(read, file.close)
            return read
        file.close()
    return partial(bytes, content)


def _whole(file: IO[bytes]) -> bytes:
    """Read a whole file; two threads must not read one at the same time."""
    file.seek(0)
    return file.read()


class EncodedPictures:
    """Encoded stimuli, which sessions share, and masks, each for one trial of one session; made in threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._sizes = {row["stimulus"]: (row["width"], row["height"]) for row in library.rows}
        self._last: OrderedDict[object, tuple[Future[Reader], int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        threads = max(1, min(THREADS, usable_cores() - 1))  # a core is left for the thread that answers requests
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pictures")

    def size(self, stimulus: str, width: int | None) -> tuple[int, int]:
        """Return width and height in pixels at which a stimulus is shown; `width` None: its own size."""
        own_width, own_height = self._sizes[stimulus]
        height, width = size_at((own_height, own_width), width)
        return width, height

    def stimulus(self, stimulus: str, width: int | None) -> "Future[Reader]":
        """Return an encoded stimulus; the future raises UserError if the picture is missing or broken."""
        key, (own_width, own_height) = (stimulus, width), self.size(stimulus, width)
        length = max(3 * own_width * own_height, FILE_BYTES)
        with self._lock:
            future, counted = self._last.pop(key, (None, 0))
            if future is None or _failed(future):
                future = self._made(lambda: self._pixels(stimulus, width))
            self._last[key] = future, length
            self._bytes += length - counted
            while self._bytes > CACHE_BYTES and len(self._last) > 1:
                self._bytes -= self._last.popitem(last=False)[1][1]
            return future

    def mask(
        self, shown: tuple[str, ...], index: int, width: int | None, kind: MaskKind, *, of: tuple[str, int]
    ) -> "Future[Reader]":
        """Return the encoded mask of the picture `shown[index]`; `of` is (session, trial)."""
        assert kind != "none"

        def source(stimulus: str) -> Picture:
            if kind == "scramble":
                return self._pixels(stimulus, width)
            return np.zeros((*self.size(stimulus, width)[::-1], 3), np.uint8)  # only its size counts

        def make() -> Picture:
            random = generator("mask", *of)
            made = [mask(source(stimulus), kind, random) for stimulus in shown[: index + 1]][-1]
            return made[..., 0] if kind == "noise" else made  # grey

        return self._made(make)

    def file(self, path: Path) -> "Future[Reader]":
        """Return any picture file encoded; the future raises UserError if it is missing or broken."""
        return self._made(lambda: decode_rgb(read_file(path), path))

    def close(self) -> None:
        """Stop making pictures."""
        self._threads.shutdown(cancel_futures=True)

    def _made(self, make: Callable[[], Picture]) -> "Future[Reader]":
        return self._threads.submit(lambda: filed(plain_png(make())))

    def _pixels(self, stimulus: str, width: int | None) -> Picture:
        width, height = self.size(stimulus, width)
        return resize(self._library.decoded(stimulus), (height, width), resampling=RESAMPLING)
