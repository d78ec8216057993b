"""The chunks of a PNG file, read without decoding it (PNG specification, third edition, sections 5 and 11)."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_TEXT = 65_536
"""Bytes of a text chunk that are read; no program's name is longer."""
_KINDS = {"eXIf": "EXIF", "tIME": "time", "pHYs": "resolution"}
_COLOUR = ("gAMA", "cHRM", "sRGB", "cICP", "sBIT", "bKGD")


@dataclass(frozen=True)
class PngFacts:
    """What the chunks say."""

    bits: int
    """Bits a channel, or bits an index of a palette."""
    encoding: str
    """Interlacing, zlib's compression level (0 fastest .. 3 best), and chunks about colour."""
    kinds: frozenset[str]
    """Kinds of metadata."""
    software: str | None
    """The program that the file says it was written by."""


def png_facts(path: Path) -> PngFacts:
    """Read the chunks of a PNG file, those after the picture included.

    Raises:
        OSError, ValueError, struct.error: the file cannot be read, or its chunks are damaged.
    """
    bits, interlaced, level, software = 0, False, None, None
    kinds: set[str] = set()
    colour: set[str] = set()
    with Path(path).open("rb") as file:
        if file.read(8) != SIGNATURE:
            raise ValueError("no PNG signature")
        while (header := file.read(8)) and (name := header[4:].decode("ascii")) != "IEND":
            (length,) = struct.unpack(">I", header[:4])
            end = file.tell() + length + 4  # a checksum follows the content
            if name == "IHDR":
                bits, interlaced = _header(file.read(13))
            elif name == "IDAT" and level is None:
                level = file.read(2)[1] >> 6  # RFC 1950: FLEVEL, the two top bits of FLG
            elif name in ("tEXt", "zTXt", "iTXt"):
                keyword, text = _text(file, name, length)
                kinds.add("XMP" if keyword == "XML:com.adobe.xmp" else "text")
                software = text if keyword == "Software" else software
            elif name in _KINDS:
                kinds.add(_KINDS[name])
            elif name in _COLOUR:
                colour.add(name)
            file.seek(end)
    parts = [*(["interlaced"] if interlaced else []), f"level {level}", *sorted(colour)]
    return PngFacts(bits, ", ".join(parts), frozenset(kinds), software)


def _header(content: bytes) -> tuple[int, bool]:
    bits, interlace = struct.unpack(">8xB3xB", content)
    return bits, bool(interlace)


def _text(file: BinaryIO, name: str, length: int) -> tuple[str, str]:
    """Keyword and text of a text chunk; compressed text other than a program's name stays unread."""
    keyword, _, rest = file.read(min(length, _LONGEST_TEXT)).partition(b"\0")
    if keyword != b"Software":
        return keyword.decode("latin-1"), ""
    if name == "zTXt":
        rest = zlib.decompressobj().decompress(rest[1:], _LONGEST_TEXT)
    if name == "iTXt":
        compressed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        rest = zlib.decompressobj().decompress(rest, _LONGEST_TEXT) if compressed else rest
    return "Software", rest.decode("utf-8", errors="replace").strip()
