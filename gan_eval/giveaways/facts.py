"""The facts of one picture by clue: of its file, which is not decoded, and of its pixels."""

import hashlib
import io
import re
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, JpegImagePlugin, UnidentifiedImageError

from gan_eval.errors import UserError, reason_of
from gan_eval.files.reading import require_file
from gan_eval.giveaways.clues import Facts, Value
from gan_eval.stimuli.pictures import Picture, read_stored
from gan_eval.stimuli.pixel_formats import format_of

_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_APPLICATION_KINDS = ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/x", "XMP"), (b"Photoshop", "IPTC"), (b"MPF", "MPF"))
_CHUNK_KINDS = {"eXIf": "EXIF", "tIME": "time", "pHYs": "resolution", "tEXt": "text", "zTXt": "text", "iTXt": "text"}
"""Kinds of metadata by the name of the chunk of a PNG (PNG specification, third edition, section 11)."""
_XMP = b"XML:com.adobe.xmp"
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
"""Bits a channel by Pillow's mode; 8 in the others."""
_WORD = re.compile(r"[^\W\d_]+")

Plane = NDArray[np.float64]
"""(H, W) float64, 0..255."""

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""
BLOCK = 8
"""Side of the blocks that JPEG codes, in pixels."""
_FLOOR = 0.1
"""Grey levels added to both sides of a ratio of steps, so that flat pictures have one."""


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
        tables = _short_hash(repr(sorted(image.quantization.items())).encode())
        subsampling = _subsampling(image)
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


def _subsampling(image: JpegImagePlugin.JpegImageFile) -> str:
    if image.layers == 1:
        return "grey"
    known = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image))
    return known or " ".join(f"{across}x{down}" for _, across, down, _ in image.layer)


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _png_chunks(path: Path) -> tuple[int, set[str]]:
    """Return the bits a channel (or an index of a palette) and the kinds of metadata of a PNG."""
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


def pixel_facts(picture: Picture) -> Facts:
    """Return the picture clues of one picture.

    Args:
        picture: (H, W, 3) uint8, 0..255.

    Returns:
        The values by clue; None where the picture is too small for one.
    """
    luma = picture @ LUMA
    large = min(luma.shape) >= 3
    return {
        "brightness": float(luma.mean()),
        "contrast": float(luma.std()),
        "saturation": saturation(picture),
        "border_step": border_step(luma) if large else None,
        "sharpness": float(laplacian(luma).var()) if large else None,
        "blockiness": blockiness(luma) if max(luma.shape) > BLOCK else None,
    }


def saturation(picture: Picture) -> float:
    """Mean of (largest - smallest channel) / largest channel over (H, W, 3) uint8; black has none."""
    largest = picture.max(axis=2).astype(np.float64)
    smallest = picture.min(axis=2)
    return float(((largest - smallest) / np.maximum(largest, 1)).mean())


def laplacian(luma: Plane) -> Plane:
    """The sum of a pixel's 4 neighbours less 4 times itself, for the (H - 2, W - 2) pixels inside."""
    inside = luma[1:-1, 1:-1]
    return luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inside


def border_step(luma: Plane) -> float:
    """The largest of the four steps onto the border, relative to the steps inside: about 1 without a border.

    A step is the mean absolute difference between two neighbouring rows (or columns).
    """
    ratios = []
    for steps in (_row_steps(luma), _row_steps(luma.T)):
        inside = (steps[1:-1].mean() if len(steps) > 2 else 0.0) + _FLOOR
        ratios += [(steps[0] + _FLOOR) / inside, (steps[-1] + _FLOOR) / inside]
    return float(max(ratios))


def blockiness(luma: Plane) -> float:
    """Mean step across the edges of 8x8 blocks, relative to the mean step elsewhere: about 1 without blocks.

    The grid is that of a JPEG whose first block is the picture's corner (after Wang, Sheikh and Bovik, No-reference
    perceptual quality assessment of JPEG compressed images, ICIP 2002).
    """
    at_edges, elsewhere = [], []
    for steps in (_row_steps(luma), _row_steps(luma.T)):
        edge = np.arange(1, len(steps) + 1) % BLOCK == 0
        at_edges.append(steps[edge])
        elsewhere.append(steps[~edge])
    return float((np.concatenate(at_edges).mean() + _FLOOR) / (np.concatenate(elsewhere).mean() + _FLOOR))


def _row_steps(luma: Plane) -> NDArray[np.float64]:
    """Mean absolute difference of each row to the next: (H - 1,)."""
    return np.abs(np.diff(luma, axis=0)).mean(axis=1)
