"""What a file tells before it is decoded: format, size, JPEG tables and subsampling, metadata, profile, name."""

import hashlib
import io
import re
from pathlib import Path

from PIL import ExifTags, Image, JpegImagePlugin

from gan_eval.errors import UserError
from gan_eval.files import require_file
from gan_eval.giveaways.clues import Facts, Value
from gan_eval.giveaways.png_chunks import png_facts

_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_APPLICATION_KINDS = ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/x", "XMP"), (b"Photoshop", "IPTC"), (b"MPF", "MPF"))
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
"""Bits a channel by Pillow's mode; 8 in the others."""
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
            facts = {**name_facts(path), **_general(image), **_jpeg(image)}
            facts |= _png(image, path) if image.format == "PNG" else {"png_encoding": None}
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such picture; restore it") from error
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        raise UserError(f"{path}: not a readable picture ({error}); replace or remove it") from error
    return {**facts, "file_bytes": float(size), "bytes_per_pixel": size / float(str(facts["area"]))}


def name_facts(path: Path) -> Facts:
    """What the file's own name tells.

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
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return dict.fromkeys(("jpeg_tables", "jpeg_step", "jpeg_subsampling", "jpeg_encoding"))
    first = image.quantization[min(image.quantization)]
    marks = {name for key, name in (("jfif", "JFIF"), ("adobe", "Adobe")) if key in image.info}
    kinds = {kind for _, data in image.applist for start, kind in _APPLICATION_KINDS if data.startswith(start)}
    kinds |= {"comment" for name, _ in image.applist if name == "COM"}
    return {
        "jpeg_tables": tables_hash(image),
        "jpeg_step": sum(first) / len(first),
        "jpeg_subsampling": _subsampling(image),
        "jpeg_encoding": " ".join(["progressive" if "progressive" in image.info else "baseline", *sorted(marks)]),
        "metadata": _joined(kinds),
    }


def tables_hash(image: JpegImagePlugin.JpegImageFile) -> str:
    """A short name for a JPEG's quantisation tables: equal in equal tables."""
    return _short_hash(repr(sorted(image.quantization.items())).encode())


def _subsampling(image: JpegImagePlugin.JpegImageFile) -> str:
    if image.layers == 1:
        return "grey"
    known = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image))
    return known or " ".join(f"{across}x{down}" for _, across, down, _ in image.layer)


def _png(image: Image.Image, path: Path) -> dict[str, Value]:
    png = png_facts(path)
    own = {"software": png.software} if png.software else {}
    return {
        "mode": _mode(image, png.bits),
        "metadata": _joined(png.kinds),
        "png_encoding": png.encoding,
        **own,
    }


def _mode(image: Image.Image, bits: int) -> str:
    return f"{image.mode} {bits} bit{' with transparency' if 'transparency' in image.info else ''}"


def _joined(kinds: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(kinds)) or "none"


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
