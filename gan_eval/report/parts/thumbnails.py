"""Small pictures for a page: thumbnails as data URIs, and the names of a filled picture's stages."""

import base64
import io
from pathlib import Path

from PIL import Image

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import read_rgb

ORIGINAL, MASKED, GENERATED, COMPOSITE = "original", "masked", "generated", "composite"
"""The stages of a filled picture."""
SIDE = 176
"""Longest side of a thumbnail in pixels."""


def thumbnail(base: Path, file: object) -> str:
    """A picture as a data URI; empty where there is none, where it lies outside `base`, or where it is broken."""
    if not isinstance(file, str):
        return ""
    path = (base / file).resolve()
    if not path.is_relative_to(base.resolve()):
        return ""
    try:
        picture = Image.fromarray(read_rgb(path))
    except UserError:
        return ""
    return small_picture(picture, side=SIDE)


def small_picture(picture: Image.Image, *, side: int) -> str:
    """A picture as a data URI, its longer side at most `side` pixels."""
    picture = picture.copy()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return data_uri(buffer.getvalue(), "image/jpeg")


def data_uri(data: bytes, kind: str) -> str:
    """The bytes of a file of this media type, inline."""
    return f"data:{kind};base64," + base64.b64encode(data).decode()
