"""Colour profiles: bring pictures to sRGB, and report those that have another profile."""

import io
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from gan_eval.base.errors import UserError, shortened
from gan_eval.pictures.decode import Picture, decode_rgb

MAX_SRGB_ERROR = 2
"""Maximum change, in levels, by a profile of sRGB itself, which has many names; such a profile is not applied."""
_COLOURS = np.stack(np.meshgrid(*3 * [np.arange(0, 256, 51, dtype=np.uint8)]), axis=-1).reshape(1, -1, 3)


def decode_srgb(content: bytes, path: Path) -> Picture:
    """Decode to (H, W, 3) uint8 in sRGB, like `pictures.decode_rgb`, and apply the embedded colour profile.

    Raises:
        UserError: the picture cannot be decoded exactly to 8-bit RGB, or its profile is damaged or does not match it.
    """
    return to_srgb(decode_rgb(content, path), content, path)[0]


def to_srgb(picture: Picture, content: bytes, path: Path) -> tuple[Picture, str]:
    """Return a decoded picture in sRGB, and the name of the profile that was applied; "" for none and for sRGB itself.

    Args:
        picture: (H, W, 3) uint8.
        content: the bytes of its file, with the profile.
        path: the file's name for messages.

    Raises:
        UserError: the profile is damaged or does not match the picture.
    """
    with Image.open(io.BytesIO(content)) as file:
        content_profile = file.info.get("icc_profile")
    if not content_profile:
        return picture, ""
    try:
        profile = _read_profile(content_profile)
        if profile.is_grey and (picture != picture[..., :1]).any():
            raise ValueError("it is for grey pictures")
        if profile.transform is None:
            return picture, ""
        image = Image.fromarray(picture[..., 0] if profile.is_grey else picture)
        return np.asarray(ImageCms.applyTransform(image, profile.transform)), profile.name
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise UserError(f"{path}: its colour profile cannot be applied ({error}); convert it to sRGB") from error


class _Profile(NamedTuple):
    name: str
    is_grey: bool
    transform: ImageCms.ImageCmsTransform | None  # to sRGB; None for a profile of sRGB itself


@lru_cache(16)
def _read_profile(content: bytes) -> _Profile:
    source = ImageCms.ImageCmsProfile(io.BytesIO(content))
    name = shortened(" ".join(ImageCms.getProfileDescription(source).split()), 40)
    is_grey = source.profile.xcolor_space.strip() == "GRAY"
    mode = "L" if is_grey else "RGB"
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", renderingIntent=intent)
    colours = _COLOURS[:, :6, :1].repeat(3, axis=2) if is_grey else _COLOURS
    converted = ImageCms.applyTransform(Image.fromarray(colours[..., 0] if is_grey else colours), transform)
    change = np.abs(np.asarray(converted).astype(int) - colours).max()
    return _Profile(name, is_grey, transform if change > MAX_SRGB_ERROR else None)


def profile_names(paths: Sequence[Path]) -> Counter[str]:
    """Return how many pictures have a profile other than sRGB, by its name; unreadable files are not counted."""
    names: Counter[str] = Counter()
    for path in paths:
        try:
            with Image.open(path) as image:
                content = image.info.get("icc_profile")
            profile = _read_profile(content) if content else None
        except (ImageCms.PyCMSError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        if profile is not None and profile.transform is not None:
            names[profile.name] += 1
    return names
