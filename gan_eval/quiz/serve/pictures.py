"""The pictures of a session as the browser gets them: one format, and sizes that tell nothing.

Every picture is decoded and encoded again as PNG without compression and without metadata, so that the length of a
response follows from height and width alone; compressed, a smooth generated picture would be shorter than a photograph.
"""

import base64
import hashlib
import hmac
import io
import threading
from collections import OrderedDict
from pathlib import Path

from PIL import Image

from gan_eval.quiz.draw.order import generator
from gan_eval.quiz.library import RESAMPLING, Library, mask
from gan_eval.settings.quiz import MaskKind
from gan_eval.stimuli.pictures import Picture, decode_rgb, read_file, resize

CACHE_BYTES = 256 * 2**20
"""Encoded pictures that are kept in memory."""


def keyed_hash(secret: bytes, *parts: str) -> str:
    """Return 22 characters that nobody without the secret can guess (128 bits of HMAC-SHA-256, safe in an address).

    >>> len(keyed_hash(b"secret", "session", "stimulus"))
    22
    """
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def plain_png(picture: Picture) -> bytes:
    """Encode a picture, (H, W, 3) uint8, as PNG of a length that follows from H and W."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


class EncodedPictures:
    """Encoded stimuli and masks, the last used in memory. Safe to use from several threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._sizes = {row["stimulus"]: (row["width"], row["height"]) for row in library.rows}
        self._kept: OrderedDict[tuple[str, int | None], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def size(self, stimulus: str, width: int | None) -> tuple[int, int]:
        """Width and height in pixels at which a stimulus is shown; `width` None: at its own size."""
        own_width, own_height = self._sizes[stimulus]
        if width is None:
            return own_width, own_height
        return width, max(1, (2 * own_height * width + own_width) // (2 * own_width))

    def stimulus(self, stimulus: str, width: int | None) -> bytes:
        """Return an encoded stimulus.

        Raises:
            UserError: the picture is missing or broken.
        """
        key = (stimulus, width)
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        content = plain_png(self._pixels(stimulus, width))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = content
                self._bytes += len(content)
            while self._bytes > CACHE_BYTES and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return content

    def mask(
        self, shown: tuple[str, ...], place: int, width: int | None, kind: MaskKind, *, of: tuple[str, int]
    ) -> bytes:
        """Return an encoded mask: of the picture at `place` among all that a trial shows, of = (session, trial)."""
        assert kind != "none"
        random = generator("mask", *of)
        for stimulus in shown[:place]:
            mask(self._pixels(stimulus, width), kind, random)
        return plain_png(mask(self._pixels(shown[place], width), kind, random))

    def _pixels(self, stimulus: str, width: int | None) -> Picture:
        width, height = self.size(stimulus, width)
        return resize(self._library.decoded(stimulus), (height, width), resampling=RESAMPLING)


def encoded_file(path: Path) -> bytes:
    """Return any picture file, such as a generator's input, encoded for the browser.

    Raises:
        UserError: the picture is missing or broken.
    """
    return plain_png(decode_rgb(read_file(path), path))
