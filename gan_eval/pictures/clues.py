"""The clues by name, their values in the file or the pixels of one picture, and the groups that are compared."""

import hashlib
import io
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import IO, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_eval.base.reading import require_file
from gan_eval.pictures.decode import Picture, decoding_errors, has_shape, upright_size
from gan_eval.pictures.sets import TABLE_NAME, StimulusSet
from gan_eval.settings.quiz import Giveaway
from gan_eval.tables.frames import Row

Sort = Literal["metadata", "picture"]
"""metadata: words, from the file. picture: numbers, from the pixels; they may be content."""

Value = float | str | None
"""A clue's value in one picture; None: it has none."""

Facts = Mapping[str, Value]
"""The values of one picture by clue."""


@dataclass(frozen=True)
class Clue:
    """One property that a person or a script could use."""

    name: str
    sort: Sort
    fix: str = ""
    """Advice for a picture clue that is not the content."""


IDENTICAL = "identical"
"""Name that allows generated pictures whose files are those of real ones, byte for byte."""
METADATA_CLUES = tuple(Clue(name, "metadata") for name in get_args(Giveaway) if name != IDENTICAL)
"""Clues in the file; they can stop the quiz."""

_CODING = "was one saved as JPEG? `gan-eval stimuli equalise SET --jpeg 75 --out SET2` gives all the same traces"
_TONE = "normalised or saved in another way (range, gamma)? use one way for both"
_BORDER = "padding at the edges? crop the pictures of both before you import them"
_SCALING = (
    "was only one of the two scaled? scale all with `gan-eval stimuli equalise SET --size WxH --out SET2`; take a "
    "smaller size"
)

PICTURE_CLUES: tuple[Clue, ...] = (
    Clue("brightness", "picture", fix=_TONE),
    Clue("contrast", "picture", fix=_TONE),
    Clue("border_step", "picture", fix=_BORDER),
    Clue("sharpness", "picture", fix=_SCALING),
    Clue("blockiness", "picture", fix=_CODING),
)
"""Clues in the pixels, large enough to see. They may be the content, so they never stop the quiz."""

CLUES: dict[str, Clue] = {clue.name: clue for clue in (*METADATA_CLUES, *PICTURE_CLUES)}
"""All clues by name; docs/giveaways.md describes them."""


_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_APPLICATION_KINDS = ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/x", "XMP"), (b"Photoshop", "IPTC"), (b"MPF", "MPF"))
_CHUNK_KINDS = {"eXIf": "EXIF", "tIME": "time", "pHYs": "resolution", "tEXt": "text", "zTXt": "text", "iTXt": "text"}
"""Kinds of metadata by the name of the chunk of a PNG (PNG specification, third edition, section 11)."""
_XMP = b"XML:com.adobe.xmp"
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
"""Bits per channel by Pillow's mode; other modes have 8."""

Plane = NDArray[np.float64]
"""(H, W) float64, 0..255."""

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""
BLOCK = 8
"""Side of the blocks that JPEG codes, in pixels."""
_FLOOR = 0.1
"""Grey levels added to numerator and denominator of a ratio of steps, so that flat pictures have a ratio."""


def _jpeg_facts(image: Image.Image) -> tuple[set[str], str, str]:
    """Return the kinds of metadata of a JPEG, a hash of its quantization tables, and its subsampling."""
    from PIL import JpegImagePlugin

    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    kinds = {kind for _, data in image.applist for start, kind in _APPLICATION_KINDS if data.startswith(start)}
    kinds |= {"comment" for name, _ in image.applist if name == "COM"}
    tables = _short_hash(repr(sorted(image.quantization.items())).encode())
    sampling = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image))
    factors = " ".join(f"{across}x{down}" for _, across, down, _ in image.layer)
    return kinds, tables, "grey" if image.layers == 1 else sampling or factors


def file_facts(path: Path, content: bytes | None = None) -> Facts:
    """Return the metadata clues of one picture file, from its headers; `content`: its bytes, if they were read."""
    if content is None:
        require_file(path)

    def opened() -> IO[bytes]:
        return path.open("rb") if content is None else io.BytesIO(content)

    with decoding_errors(path), opened() as file, Image.open(file) as image:
        bits = _BITS.get(image.mode, 8)
        tables = subsampling = None
        if image.format in ("JPEG", "MPO"):
            kinds, tables, subsampling = _jpeg_facts(image)
        elif image.format == "PNG":
            with opened() as again:  # Pillow reads on in its own
                bits, kinds = _png_chunks(again)
        else:
            named = (("exif", "EXIF"), ("xmp", "XMP"), ("comment", "comment"))
            kinds = {name for key, name in named if image.info.get(key)}
        return {
            "format": image.format,
            "size": "{}x{}".format(*upright_size(image)),
            "mode": f"{image.mode} {bits} bit{' with transparency' if 'transparency' in image.info else ''}",
            "profile": profile_name(image.info.get("icc_profile")),
            "metadata": ", ".join(sorted(kinds)) or "none",
            "jpeg_tables": tables,
            "jpeg_subsampling": subsampling,
        }


def profile_name(profile: bytes | None) -> str:
    """Return a colour profile's name and a part of its hash; `none` without one."""
    if not profile:
        return "none"
    from PIL import ImageCms

    try:
        name = ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        name = "unreadable"
    return f"{name} ({_short_hash(profile)})"


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _png_chunks(file: IO[bytes]) -> tuple[int, set[str]]:
    """Return the bits per channel (or palette index) and the kinds of metadata of a PNG."""
    bits, kinds = 0, set()
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
    """Return the picture clues of (H, W, 3) uint8, 0..255; None where the picture is too small for one."""
    luma = picture @ LUMA
    large = min(luma.shape) >= 3
    return {
        "brightness": float(luma.mean()),
        "contrast": float(luma.std()),
        "border_step": border_step(luma) if large else None,
        "sharpness": float(laplacian(luma).var()) if large else None,
        "blockiness": blockiness(luma) if max(luma.shape) > BLOCK else None,
    }


def laplacian(luma: Plane) -> Plane:
    """Return the sum of a pixel's 4 neighbours minus 4 times the pixel, for the (H - 2, W - 2) inner pixels."""
    inside = luma[1:-1, 1:-1]
    return luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inside


def border_step(luma: Plane) -> float:
    """Return the largest of the four steps at the border, relative to the steps inside: about 1 without a border.

    A step is the mean absolute difference between two neighbouring rows (or columns).
    """
    ratios = []
    for steps in (_row_steps(luma), _row_steps(luma.T)):
        inside = (steps[1:-1].mean() if len(steps) > 2 else 0.0) + _FLOOR
        ratios += [(steps[0] + _FLOOR) / inside, (steps[-1] + _FLOOR) / inside]
    return float(max(ratios))


def blockiness(luma: Plane) -> float:
    """Return the mean step across the edges of 8x8 blocks, relative to the mean step elsewhere: about 1 without blocks.

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
    """Return the mean absolute difference of each row from the next, (H - 1,)."""
    return np.abs(np.diff(luma, axis=0)).mean(axis=1)


@dataclass(frozen=True)
class Group:
    """The stimuli of one model and of its data set, by identifier."""

    dataset: str
    model: str
    real: tuple[str, ...]
    fake: tuple[str, ...]


def groups_of(rows: Iterable[Row]) -> list[Group]:
    """Return one group for each model on each data set, in order of appearance; a repeated stimulus counts once."""
    real: dict[str, dict[str, None]] = {}
    fake: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row["kind"] == "real":
            real.setdefault(row["dataset"], {})[row["stimulus"]] = None
        else:
            fake.setdefault((row["dataset"], row["model"]), {})[row["stimulus"]] = None
    return [
        Group(dataset, model, tuple(real.get(dataset, ())), tuple(stimuli))
        for (dataset, model), stimuli in fake.items()
    ]


def files_of(sets: Iterable[StimulusSet]) -> dict[str, Path]:
    """Return the file of each stimulus."""
    return {row["stimulus"]: stimuli.folder / row["file"] for stimuli in sets for row in stimuli.rows}


def folder_of(file: Path) -> Path:
    """Return the stimulus set of a file: the nearest folder above it with a table of stimuli, else its own folder."""
    return next((folder for folder in file.parents if (folder / TABLE_NAME).is_file()), file.parent)


def equalise_command(folder: Path, rows: Iterable[Row]) -> str:
    """Return the command that equalises a set, with `--fit` if its rows have several shapes."""
    sizes = [(row["width"], row["height"]) for row in rows if row["width"] and row["height"]]
    smallest = tuple(map(min, zip(*sizes, strict=True)))
    fit = "" if all(has_shape(size, smallest) for size in sizes) else " --fit crop"
    return f"gan-eval stimuli equalise {quote(str(folder))} --out {quote(f'{folder}-equal')}{fit}"
