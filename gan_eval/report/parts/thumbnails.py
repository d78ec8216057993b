"""Small pictures for a page, as data URIs."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from gan_eval.base.errors import UserError
from gan_eval.base.reading import resolved
from gan_eval.pictures.decode import Picture as Pixels
from gan_eval.pictures.decode import read_rgb

SIDE = 176
"""Longest side of a thumbnail in pixels."""


@dataclass(frozen=True)
class Picture:
    """A small picture with its description."""

    uri: str
    description: str


def thumbnail(path: Path, description: str, *, below: Path) -> Picture | None:
    """Return a thumbnail of a file; None if the file is damaged, or is a link to a place outside `below`."""
    if not resolved(path).is_relative_to(resolved(below)):
        return None
    try:
        return small_picture(read_rgb(path), description, side=SIDE)
    except UserError:
        return None


def small_picture(pixels: Pixels, description: str, *, side: int) -> Picture:
    """Return pixels as a picture whose longer side is at most `side` pixels."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return Picture(data_uri(buffer.getvalue(), "image/jpeg"), description)


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return at most `most` of the numbers from 0 to `count` - 1, evenly spaced.

    >>> evenly_spaced(9, 3), evenly_spaced(2, 3), evenly_spaced(0, 3)
    ([0, 4, 8], [0, 1], [])
    """
    return np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()


def data_uri(data: bytes, kind: str) -> Markup:
    """Return a data URI with the bytes of a file; `kind` is its media type. A template need not search it for marks."""
    return Markup(f"data:{kind};base64," + base64.b64encode(data).decode())
