"""A bound on the pixels that all threads hold at a time, so that a folder of huge pictures fits into memory."""

import io
import threading

from PIL import Image

MOST_AT_WORK = 200_000_000
"""Pixels of decoded pictures, over all threads. At 256x256 that is 1,500 pairs: they never come near it."""
_LOOKED_INTO = 2**18
"""Bytes from which a file's header is read beforehand: a smaller one is no photograph of very many pixels."""


class PixelBudget:
    """Hands out pixels to the threads; who holds some never waits, so that no two can wait for each other."""

    def __init__(self, most: int = MOST_AT_WORK) -> None:
        """
        Args:
            most: pixels at a time; who wants more than that has them alone.
        """
        self._most = most
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, pixels: int, *, wait: bool) -> None:
        """Take pixels, or first wait until there are so many, or nobody holds any."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._taken == 0 or self._taken + pixels <= self._most)
            self._taken += pixels

    def give_back(self, pixels: int) -> None:
        """Let others have them."""
        with self._changed:
            self._taken -= pixels
            self._changed.notify_all()


def pixels_of(content: memoryview | bytes) -> int:
    """Pixels that a picture's file says it has; 0 where it is small, or says nothing that can be read."""
    if len(content) < _LOOKED_INTO:
        return 0
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.width * image.height
    except Exception:  # whatever the damaged bytes lead to; decoding tells it
        return 0
