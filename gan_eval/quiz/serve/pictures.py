"""The pictures of a session as the browser gets them: one format, and sizes and times that give nothing away.

Every picture is decoded and encoded again as PNG without compression and without metadata, so that the length of a
response follows from height and width alone; compressed, a smooth generated picture would be shorter than a photograph.
Pictures are prepared before a page learns their addresses: how long a file takes to decode is not seen from outside.
"""

import base64
import hashlib
import hmac
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gan_eval.quiz.draw.order import generator
from gan_eval.quiz.library import RESAMPLING, Library, mask
from gan_eval.settings.quiz import MaskKind
from gan_eval.stimuli.pictures import Picture, decode_rgb, read_file, resize

CACHE_BYTES = 512 * 2**20
"""Encoded pictures that are kept in memory."""
THREADS = 2
"""Number of pictures that are encoded at a time; more would keep the thread that answers from running."""


def keyed_hash(secret: bytes, *parts: str) -> str:
    """Return 22 characters that nobody without the secret can guess (128 bits of HMAC-SHA-256, safe in an address).

    >>> len(keyed_hash(b"secret", "session", "stimulus"))
    22
    """
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def plain_png(picture: Picture) -> bytes:
    """Encode a picture, (H, W, 3) uint8, as PNG of a length, and in a time, that follow from H and W.

    >>> len(plain_png(np.zeros((2, 3, 3), np.uint8))) == len(plain_png(np.full((2, 3, 3), 9, np.uint8)))
    True
    """
    height, width = picture.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))
        for name, content in parts
    )


Making = Callable[[], "Future[bytes]"]
"""Returns an encoded picture that is being made, or is made already."""


class EncodedPictures:
    """Encoded stimuli and masks, made in threads of their own, the last used kept in memory."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._sizes = {row["stimulus"]: (row["width"], row["height"]) for row in library.rows}
        self._kept: OrderedDict[object, tuple[Future[bytes], int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")

    def size(self, stimulus: str, width: int | None) -> tuple[int, int]:
        """Width and height in pixels at which a stimulus is shown; `width` None: at its own size."""
        own_width, own_height = self._sizes[stimulus]
        if width is None:
            return own_width, own_height
        return width, max(1, (2 * own_height * width + own_width) // (2 * own_width))

    def stimulus(self, stimulus: str, width: int | None) -> "Future[bytes]":
        """Return an encoded stimulus; its error is a UserError where the picture is missing or broken."""
        return self._made((stimulus, width), lambda: self._pixels(stimulus, width), self.size(stimulus, width))

    def mask(
        self, shown: tuple[str, ...], place: int, width: int | None, kind: MaskKind, *, of: tuple[str, int]
    ) -> "Future[bytes]":
        """Return an encoded mask: of the picture at `place` among all that a trial shows, of = (session, trial)."""
        assert kind != "none"

        def make() -> Picture:
            random = generator("mask", *of)
            for stimulus in shown[:place]:
                mask(self._pixels(stimulus, width), kind, random)
            return mask(self._pixels(shown[place], width), kind, random)

        return self._made((*of, place, width), make, self.size(shown[place], width))

    def file(self, path: Path) -> "Future[bytes]":
        """Return any picture file, such as a generator's input; its error is a UserError where it is broken."""
        return self._threads.submit(lambda: plain_png(decode_rgb(read_file(path), path)))

    def close(self) -> None:
        """Make no more pictures."""
        self._threads.shutdown(cancel_futures=True)

    def _made(self, key: object, make: Callable[[], Picture], size: tuple[int, int]) -> "Future[bytes]":
        """Return the picture of a key, from memory or from a thread that makes it."""
        with self._lock:
            future, length = self._kept.pop(key, (None, 0))
            if future is None or (future.done() and future.exception() is not None):
                self._bytes -= length
                length = 3 * size[0] * size[1]
                future = self._threads.submit(lambda: plain_png(make()))
                self._bytes += length
            self._kept[key] = future, length
            while self._bytes > CACHE_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1][1]
            return future

    def _pixels(self, stimulus: str, width: int | None) -> Picture:
        width, height = self.size(stimulus, width)
        return resize(self._library.decoded(stimulus), (height, width), resampling=RESAMPLING)
