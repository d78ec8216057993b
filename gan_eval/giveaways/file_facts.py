"""Facts of a picture file that is not decoded: format, size, JPEG tables and subsampling, metadata, profile, name."""

import hashlib
import io
import re
import struct
from pathlib import Path

from PIL import Image, ImageCms, JpegImagePlugin, UnidentifiedImageError

from gan_eval.errors import UserError, reason_of
from gan_eval.files.reading import require_file
from gan_eval.giveaways.clues import Facts, Value
from gan_eval.stimuli.pictures import read_stored
from gan_eval.stimuli.pixel_formats import format_of

_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_APPLICATION_KINDS = ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/x", "XMP"), (b"Photoshop", "IPTC"), (b"MPF", "MPF"))
_CHUNK_KINDS = {"eXIf": "EXIF", "tIME": "time", "pHYs": "resolution", "tEXt": "text", "zTXt": "text", "iTXt": "text"}
"""Kinds of metadata by the name of the chunk of a PNG (PNG specification, third edition, section 11)."""
_XMP = b"XML:com.adobe.xmp"
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
"""Bits a channel by Pillow's mode; 8 in the others."""
_WORD = re.compile(r"[^\W\d_]+")


def file_facts(path: Path) -> Facts:
    """Return the metadata clues of one picture file, from its headers alone.

    Args:
        path: the picture; only its own name counts, not its folder's.

    Raises:
        UserError: the file is missing or not a picture.
    """
    path = Path(path)
    require_file(path)
    name: Facts = {"suffix": path.suffix, "name_token": frozenset(_WORD.findall(path.stem.lower()))}
    try:
        with Image.open(path) as image:
            return {**name, **_facts_of(image, path)}
    except UnidentifiedImageError:
        samples = read_stored(path).samples  # of channels that Pillow does not know, or the message why not
        height, width = samples.shape[:2]
        return {
            **name,
            "format": "TIFF",
            "size": f"{width}x{height}",
            "mode": str(format_of(samples)),
            "profile": "none",
            "metadata": "none",
            "jpeg_tables": None,
            "jpeg_subsampling": None,
        }
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such picture; restore it") from error
    except Exception as error:  # damaged bytes can raise anything: struct.error, KeyError, ...
        raise UserError(f"{path}: not a readable picture ({reason_of(error)}); replace or remove it") from error


def _facts_of(image: Image.Image, path: Path) -> dict[str, Value]:
    """Return the clues of an opened picture, other than those of its name."""
    bits = _BITS.get(image.mode, 8)
    tables = subsampling = None
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        kinds = {kind for _, data in image.applist for start, kind in _APPLICATION_KINDS if data.startswith(start)}
        kinds |= {"comment" for name, _ in image.applist if name == "COM"}
        tables, subsampling = tables_hash(image), _subsampling(image)
    elif image.format == "PNG":
        bits, kinds = _png_chunks(path)
    else:
        named = (("exif", "EXIF"), ("xmp", "XMP"), ("comment", "comment"))
        kinds = {name for key, name in named if image.info.get(key)}
    return {
        "format": image.format,
        "size": f"{image.width}x{image.height}",
        "mode": f"{image.mode} {bits} bit{' with transparency' if 'transparency' in image.info else ''}",
        "profile": profile_name(image.info.get("icc_profile")),
        "metadata": ", ".join(sorted(kinds)) or "none",
        "jpeg_tables": tables,
        "jpeg_subsampling": subsampling,
    }


def profile_name(profile: bytes | None) -> str:
    """Return a colour profile's own name and a part of its hash; `none` without one."""
    if not profile:
        return "none"
    try:
        name = ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        name = "unreadable"
    return f"{name} ({_short_hash(profile)})"


def tables_hash(image: JpegImagePlugin.JpegImageFile) -> str:
    """Return a short name for a JPEG's quantisation tables: equal in equal tables."""
    return _short_hash(repr(sorted(image.quantization.items())).encode())


def _subsampling(image: JpegImagePlugin.JpegImageFile) -> str:
    if image.layers == 1:
        return "grey"
    known = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image))
    return known or " ".join(f"{across}x{down}" for _, across, down, _ in image.layer)


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _png_chunks(path: Path) -> tuple[int, set[str]]:
    """Return the bits a channel (or an index of a palette) and the kinds of metadata of a PNG.

    Pillow does not report the chunks after the picture.

    Raises:
        OSError, ValueError, struct.error: the file cannot be read, or its chunks are damaged.
    """
    bits, kinds = 0, set()
    with path.open("rb") as file:
        file.seek(8)
        while (header := file.read(8)) and (name := header[4:].decode("ascii")) != "IEND":
            (length,) = struct.unpack(">I", header[:4])
            end = file.tell() + length + 4  # a checksum comes after the content
            if name == "IHDR":
                bits = file.read(9)[8]
            elif name in _CHUNK_KINDS:
                is_xmp = name == "iTXt" and file.read(min(length, len(_XMP))) == _XMP
                kinds.add("XMP" if is_xmp else _CHUNK_KINDS[name])
            file.seek(end)
    return bits, kinds
