"""Small pictures for a page: thumbnails as data URIs, each once, and the names of a filled picture's stages."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import read_rgb

ORIGINAL, MASKED, GENERATED, COMPOSITE = "original", "masked", "generated", "composite"
"""The stages of a filled picture."""
SIDE = 176
"""Longest side of a stimulus's thumbnail in pixels."""
ALBUM_SIDE = 144
"""Longest side of a thumbnail that several lists show."""


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of the page."""

    name: str
    """Its identifier in the page."""
    uri: str
    width: int
    height: int


class Album:
    """The thumbnails of a page by their files, however many lists show them."""

    def __init__(self) -> None:
        self._by_path: dict[Path, Thumbnail | None] = {}
        self.thumbnails: list[Thumbnail] = []
        """Those that could be read, in the order in which they were first asked for."""

    def thumbnail(self, path: Path | None) -> Thumbnail | None:
        """The thumbnail of a file; None where it could not be read."""
        if path is None:
            return None
        if path not in self._by_path:
            try:
                picture = Image.fromarray(np.ascontiguousarray(read_rgb(path)))
            except UserError:
                self._by_path[path] = None
                return None
            scale = min(1.0, ALBUM_SIDE / max(picture.size))
            width, height = (max(1, round(length * scale)) for length in picture.size)
            name = f"p{len(self.thumbnails)}"
            self.thumbnails.append(Thumbnail(name, small_picture(picture, side=ALBUM_SIDE), width, height))
            self._by_path[path] = self.thumbnails[-1]
        return self._by_path[path]


def thumbnail_uri(base: Path, file: object) -> str:
    """A picture as a data URI; empty where there is none, where it lies outside `base`, or where it is broken."""
    picture = picture_below(base, file)
    return "" if picture is None else small_picture(picture, side=SIDE)


def picture_below(base: Path, file: object) -> Image.Image | None:
    """A picture; None where there is none, where it lies outside `base`, or where it is broken."""
    if not isinstance(file, str):
        return None
    path = (base / file).resolve()
    if not path.is_relative_to(base.resolve()):
        return None
    try:
        return Image.fromarray(read_rgb(path))
    except UserError:
        return None


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
