"""The facts of a picture file that is not decoded: format, size, JPEG tables and subsampling, metadata, profile, name.

The chunks of a PNG file are read as in the PNG specification, third edition, sections 5 and 11.
"""

import hashlib
import io
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, JpegImagePlugin, UnidentifiedImageError

from gan_eval.errors import UserError, reason_of
from gan_eval.files.reading import require_file
from gan_eval.giveaways.clues import Facts, Value
from gan_eval.stimuli.pictures import read_stored
from gan_eval.stimuli.pixel_formats import format_of

_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_APPLICATION_KINDS = ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/x", "XMP"), (b"Photoshop", "IPTC"), (b"MPF", "MPF"))
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
"""Bits a channel by Pillow's mode; 8 in the others."""
_JPEG_CLUES = ("jpeg_tables", "jpeg_step", "jpeg_subsampling", "jpeg_encoding")
_WORD = re.compile(r"[^\W\d_]+")


def file_facts(path: Path) -> Facts:
    """The metadata clues of one picture file, from its headers alone, and its size in bytes.

    Args:
        path: the picture; only its own name counts, not its folder's.

    Raises:
        UserError: the file is missing or is no picture.
    """
    path = Path(path)
    require_file(path)
    try:
        with Image.open(path) as image:
            facts = {**name_facts(path), **_general(image), **_jpeg(image), "png_encoding": None}
            if image.format == "PNG":
                png = png_facts(path)
                facts |= {
                    "mode": _mode(image, png.bits),
                    "metadata": _joined(png.kinds),
                    "png_encoding": png.encoding,
                }
                facts |= {"software": png.software} if png.software else {}
    except UnidentifiedImageError:
        samples = read_stored(path).samples  # of channels that Pillow does not know, or the message why not
        facts = {**name_facts(path), **dict.fromkeys((*_JPEG_CLUES, "png_encoding"))}
        height, width = samples.shape[:2]
        facts |= {
            "format": "TIFF",
            "size": f"{width}x{height}",
            "area": float(width * height),
            "aspect": width / height,
        }
        facts |= {"mode": str(format_of(samples)), **dict.fromkeys(("profile", "metadata", "software"), "none")}
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such picture; restore it") from error
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        raise UserError(f"{path}: not a readable picture ({reason_of(error)}); replace or remove it") from error
    return facts


def name_facts(path: Path) -> Facts:
    """The clues in the file's own name.

    >>> name_facts(Path("fake/Oslo_07_fake_B.PNG"))["name_number"]
    7.0
    """
    stem = path.stem
    numbers = re.findall(r"[0-9]+", stem)
    return {
        "suffix": path.suffix,
        "name_token": frozenset(_WORD.findall(stem.lower())),
        "name_length": float(len(stem)),
        "name_number": float(numbers[-1]) if numbers else -1.0,
    }


def _general(image: Image.Image) -> dict[str, Value]:
    """The clues of every format."""
    exif = image.getexif() if "exif" in image.info or image.format == "TIFF" else {}
    kinds = {name for key, name in (("exif", "EXIF"), ("xmp", "XMP"), ("comment", "comment")) if image.info.get(key)}
    software = exif.get(ExifTags.Base.Software)
    return {
        "format": image.format,
        "size": f"{image.width}x{image.height}",
        "area": float(image.width * image.height),
        "aspect": image.width / image.height,
        "mode": _mode(image, _BITS.get(image.mode, 8)),
        "profile": profile_name(image.info.get("icc_profile")),
        "metadata": _joined(kinds),
        "software": str(software).strip("\0 ") if software else "none",
    }


def profile_name(profile: bytes | None) -> str:
    """A colour profile's own name and a part of its hash; `none` without one."""
    if not profile:
        return "none"
    from PIL import ImageCms

    try:
        name = ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        name = "unreadable"
    return f"{name} ({_short_hash(profile)})"


def _jpeg(image: Image.Image) -> dict[str, Value]:
    """The clues of a JPEG; None for other formats."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return dict.fromkeys(_JPEG_CLUES)
    first = image.quantization[min(image.quantization)]
    marks = {name for key, name in (("jfif", "JFIF"), ("adobe", "Adobe")) if key in image.info}
    kinds = {kind for _, data in image.applist for start, kind in _APPLICATION_KINDS if data.startswith(start)}
    kinds |= {"comment" for name, _ in image.applist if name == "COM"}
    if image.layers == 1:
        subsampling = "grey"
    else:
        known = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image))
        subsampling = known or " ".join(f"{across}x{down}" for _, across, down, _ in image.layer)
    return {
        "jpeg_tables": tables_hash(image),
        "jpeg_step": sum(first) / len(first),
        "jpeg_subsampling": subsampling,
        "jpeg_encoding": " ".join(["progressive" if "progressive" in image.info else "baseline", *sorted(marks)]),
        "metadata": _joined(kinds),
    }


def tables_hash(image: JpegImagePlugin.JpegImageFile) -> str:
    """A short name for a JPEG's quantisation tables: equal in equal tables."""
    return _short_hash(repr(sorted(image.quantization.items())).encode())


def _mode(image: Image.Image, bits: int) -> str:
    return f"{image.mode} {bits} bit{' with transparency' if 'transparency' in image.info else ''}"


def _joined(kinds: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(kinds)) or "none"


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_TEXT = 65_536
"""Bytes of a text chunk that are read; no program's name is longer."""
_KINDS = {"eXIf": "EXIF", "tIME": "time", "pHYs": "resolution"}
_COLOUR = ("gAMA", "cHRM", "sRGB", "cICP", "sBIT", "bKGD")


@dataclass(frozen=True)
class PngFacts:
    """The facts in the chunks of a PNG."""

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
    bits, interlace, level, software = 0, 0, None, None
    kinds: set[str] = set()
    colour: set[str] = set()
    with Path(path).open("rb") as file:
        if file.read(8) != SIGNATURE:
            raise ValueError("no PNG signature")
        while (header := file.read(8)) and (name := header[4:].decode("ascii")) != "IEND":
            (length,) = struct.unpack(">I", header[:4])
            end = file.tell() + length + 4  # a checksum follows the content
            if name == "IHDR":
                bits, interlace = struct.unpack(">8xB3xB", file.read(13))
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
    parts = [*(["interlaced"] if interlace else []), f"level {level}", *sorted(colour)]
    return PngFacts(bits, ", ".join(parts), frozenset(kinds), software)


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
