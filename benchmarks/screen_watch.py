"""Watches a patch of an X screen from outside, and presses keys: what was shown when, by nobody's own account.

    python benchmarks/screen_watch.py --patch 672,432,16,16 --out seen.csv
    python benchmarks/screen_watch.py --patch 672,432,16,16 --out seen.csv --keys f,j --after-ms 300,500,700

A process of its own that shares nothing with the watched program but the screen. It reads the patch about two thousand
times a second. A showing begins when the patch turns from plain grey into a picture and ends when it is plain again;
one row each, with the clock that the quiz uses too (CLOCK_MONOTONIC). With `--keys` it presses one of them, taken by
turns, a while after each onset. It ends on SIGTERM. Needs libX11 and, for keys, libXtst.
"""

import argparse
import csv
import ctypes
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

GREY = 128
TOLERANCE = 2
PAUSE_S = 0.0001
_ALL_PLANES = 0xFFFFFFFF
_Z_PIXMAP = 2


@dataclass
class Showing:
    """One picture as seen. A change lies between the last look before it and the first after: `gap` apart."""

    onset_ns: int
    onset_gap_ns: int
    offset_ns: int = 0
    offset_gap_ns: int = 0
    key: str = ""
    pressed_ns: int = 0
    press_took_ns: int = 0
    """Seconds until the server acknowledged the press."""


class _Image(ctypes.Structure):
    """The first fields of Xlib's XImage."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("xoffset", ctypes.c_int),
        ("format", ctypes.c_int),
        ("data", ctypes.POINTER(ctypes.c_char)),
        ("byte_order", ctypes.c_int),
        ("bitmap_unit", ctypes.c_int),
        ("bitmap_bit_order", ctypes.c_int),
        ("bitmap_pad", ctypes.c_int),
        ("depth", ctypes.c_int),
        ("bytes_per_line", ctypes.c_int),
    )


class Screen:
    """The screen of $DISPLAY."""

    def __init__(self) -> None:
        self._x = _prototyped(ctypes.CDLL("libX11.so.6"))
        self._display = self._x.XOpenDisplay(None)
        if not self._display:
            raise SystemExit("screen_watch: the display cannot be opened")
        self._root = self._x.XDefaultRootWindow(self._display)
        self._test: Any = None

    def look(self, patch: tuple[int, int, int, int]) -> bytes:
        """The pixels of a patch, four bytes each: blue, green, red and one without meaning."""
        image = self._x.XGetImage(self._display, self._root, *patch, _ALL_PLANES, _Z_PIXMAP)
        found = image.contents
        pixels = found.data[: found.bytes_per_line * found.height]
        self._x.XDestroyImage(image)
        return pixels

    def press(self, key: str) -> tuple[int, int]:
        """Press a key and release it 20 ms later; the moments before and after the server took the press."""
        if self._test is None:
            self._test = ctypes.CDLL("libXtst.so.6")
            self._test.XTestFakeKeyEvent.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong]
        code = self._x.XKeysymToKeycode(self._display, self._x.XStringToKeysym(key.encode()))
        before = time.monotonic_ns()
        self._test.XTestFakeKeyEvent(self._display, code, 1, 0)
        self._x.XSync(self._display, 0)
        after = time.monotonic_ns()
        time.sleep(0.02)
        self._test.XTestFakeKeyEvent(self._display, code, 0, 0)
        self._x.XSync(self._display, 0)
        return before, after


def _prototyped(x: Any) -> Any:
    pointer, whole, count, number = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_ulong
    x.XOpenDisplay.restype, x.XOpenDisplay.argtypes = pointer, [ctypes.c_char_p]
    x.XDefaultRootWindow.restype, x.XDefaultRootWindow.argtypes = number, [pointer]
    x.XGetImage.restype = ctypes.POINTER(_Image)
    x.XGetImage.argtypes = [pointer, number, whole, whole, count, count, number, whole]
    x.XDestroyImage.argtypes = [ctypes.POINTER(_Image)]
    x.XStringToKeysym.restype, x.XStringToKeysym.argtypes = number, [ctypes.c_char_p]
    x.XKeysymToKeycode.restype, x.XKeysymToKeycode.argtypes = ctypes.c_ubyte, [pointer, number]
    x.XSync.argtypes = [pointer, whole]
    return x


def is_grey(pixels: bytes) -> bool:
    """The patch is the plain ground between pictures."""
    return all(abs(level - GREY) <= TOLERANCE for channel in range(3) for level in set(pixels[channel::4]))


def is_plain(pixels: bytes) -> bool:
    """The patch has one colour: no picture."""
    return all(len(set(pixels[channel::4])) == 1 for channel in range(3))


def changes(screen: Screen, patch: tuple[int, int, int, int], stopped: list[bool]) -> Iterator[tuple[str, int, int]]:
    """The patch's new state (grey, picture or other), the middle of the time in which it did, and that time."""
    state, last, looked = "", b"", time.monotonic_ns()
    while not stopped:
        before = time.monotonic_ns()
        pixels = screen.look(patch)
        after = time.monotonic_ns()
        if pixels != last:
            now = "grey" if is_grey(pixels) else "other" if is_plain(pixels) else "picture"
            if now != state:
                yield now, (looked + after) // 2, after - looked
            state, last = now, pixels
        looked = before
        time.sleep(PAUSE_S)


def watch(
    screen: Screen, patch: tuple[int, int, int, int], out: Path, *, keys: list[str], after_ms: list[float]
) -> None:
    """Write a row for each showing that was seen to begin and to end."""
    stopped: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    jitter, turn = random.Random(1), 0
    showing: Showing | None = None
    was = ""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Showing)])
        writer.writeheader()
        for now, moment, gap in changes(screen, patch, stopped):
            if showing is not None and now != "picture":
                showing.offset_ns, showing.offset_gap_ns = moment, gap
                writer.writerow(asdict(showing))
                file.flush()
                showing = None
            elif now == "picture" and was == "grey":
                showing = Showing(moment, gap)
                if keys:
                    wait = after_ms[turn % len(after_ms)] + jitter.uniform(0, 20)
                    _sleep_until(moment + round(wait * 1e6))
                    showing.key = keys[jitter.randrange(len(keys))]
                    before, after = screen.press(showing.key)
                    showing.pressed_ns, showing.press_took_ns = (before + after) // 2, after - before
                    turn += 1
            was = now


def _sleep_until(moment: int) -> None:
    time.sleep(max(0, moment - time.monotonic_ns()) / 1e9)


def main() -> None:
    """Read the options and watch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patch", required=True, help="X,Y,WIDTH,HEIGHT on the screen")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--keys", default="", help="names such as f,j")
    parser.add_argument("--after-ms", default="300,500,700", help="from onset to the press, by turns")
    options = parser.parse_args()
    x, y, width, height = map(int, options.patch.split(","))
    keys = [key for key in options.keys.split(",") if key]
    after_ms = [float(each) for each in options.after_ms.split(",")]
    watch(Screen(), (x, y, width, height), options.out, keys=keys, after_ms=after_ms)


if __name__ == "__main__":
    main()
