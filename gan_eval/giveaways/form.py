"""The one form that pictures are brought to: colours in sRGB, one size, the same traces of JPEG."""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import Fit, Picture, Size, decode_rgb, has_shape
from gan_eval.stimuli.pixel_formats import MOST_PIXELS
from gan_eval.tables.frames import Row


@dataclass(frozen=True)
class Form:
    """The common form of all pictures of a set, which are 8-bit RGB PNG without metadata."""

    size: Size | None = None
    """Width and height; default: the smallest width and the smallest height that there are."""
    fit: Fit | None = None
    """For a picture of another shape: keep its centre, or stretch it."""
    jpeg: int | None = None
    """Quality, 1..95, of the JPEG (4:2:0) that real and generated pictures are sent through; default: none."""
    seed: int = 0
    """Random seed for the neutral file names."""


def parse_size(text: str) -> Size:
    """Width and height.

    >>> parse_size("256x192")
    (256, 192)

    Raises:
        UserError: the text is not a size, or the size exceeds that of any picture.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if not match:
        raise UserError(f"--size {text}: wanted width x height in pixels, such as 256x256")
    width, height = int(match[1]), int(match[2])
    if width * height > MOST_PIXELS:
        raise UserError(f"--size {text}: {width * height:,} pixels; choose at most {MOST_PIXELS:,}")
    return width, height


def decode_srgb(content: bytes, path: Path) -> Picture:
    """Decode to (H, W, 3) uint8 in sRGB: as `pictures.decode_rgb` does, with the embedded colour profile applied.

    Raises:
        UserError: the picture has no exact 8-bit RGB reading, or its profile is damaged or for other colours.
    """
    picture = decode_rgb(content, path)
    try:
        with Image.open(io.BytesIO(content)) as image:
            profile = image.info.get("icc_profile")
    except UnidentifiedImageError:  # channels that are no colours
        return picture
    if not profile:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return picture
        grey = source.profile.xcolor_space.strip() == "GRAY"
        converted = ImageCms.profileToProfile(
            Image.fromarray(picture[..., 0] if grey else picture),
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise UserError(
            f"{path}: its colour profile cannot be applied ({error}); convert the picture to sRGB"
        ) from error
    return np.asarray(converted)


def equalise_command(folder: Path, rows: Iterable[Row]) -> str:
    """The command that brings a set to one form; `--fit` is in it where its rows name several shapes."""
    sizes = [(row["width"], row["height"]) for row in rows if row["width"] and row["height"]]
    smallest = tuple(map(min, zip(*sizes, strict=True)))
    fit = "" if all(has_shape(size, smallest) for size in sizes) else " --fit crop"
    return f"gan-eval stimuli equalise {quote(str(folder))} --out {quote(f'{folder}-equal')}{fit}"


def through_jpeg(picture: Picture, quality: int) -> Picture:
    """Return (H, W, 3) uint8 after JPEG of that quality with 4:2:0 chroma subsampling."""
    coded = io.BytesIO()
    Image.fromarray(picture).save(coded, format="JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(coded) as image:
        return np.asarray(image.convert("RGB"))
