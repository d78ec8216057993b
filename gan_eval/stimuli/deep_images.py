"""Pictures of 16 bits a channel: all their bits, rounded to 8.

Pillow keeps all 16 bits of grey alone. Of colour it keeps each channel's high byte, which is off by up to a level; so
it is asked a second time, as if the bytes of each channel stood the other way round.
"""

import io
import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

Levels = NDArray[np.uint32]
"""(H, W, channels), 0..65535: grey, grey and alpha, RGB, or RGB and alpha."""

# How 16-bit channels are stored, in Pillow's names: its raw modes.
_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_GREY_AND_ALPHA = "LA;16B"
_NATIVE_SWAPPED = "16B" if sys.byteorder == "little" else "16L"
_SWAPPED = {
    f"{channels};{order}": f"{channels};{swapped}"
    for channels in ("RGB", "RGBA")
    for order, swapped in (("16B", "16L"), ("16L", "16B"), ("16N", _NATIVE_SWAPPED))
}
"""For each layout of colour, that with the bytes of each channel the other way round."""

_BITS, _PHOTOMETRIC, _PLANES = 258, 262, 284
_INVERTED, _APART = 0, 2


def deep_layout(image: Image.Image) -> str | None:
    """How a picture of more than 8 bits a channel is stored; None for any other.

    Args:
        image: as it was opened, before it is loaded.

    Raises:
        ValueError: what is stored in this way cannot be read whole (12 bits, premultiplied, inverted, planes apart).
    """
    if image.mode not in ("RGB", "RGBA") and not image.mode.startswith("I;16"):
        return None
    layout = _raw_mode(image)
    tags = getattr(image, "tag_v2", {})
    if not (";16" in layout and layout != "BGR;16") and max(tags.get(_BITS, (8,))) <= 8:
        return None
    known = layout in _GREY or layout == _GREY_AND_ALPHA or layout in _SWAPPED
    if not known or tags.get(_PHOTOMETRIC) == _INVERTED or tags.get(_PLANES) == _APART:
        raise ValueError("more than 8 bits a channel, stored in a way that has no exact reading here; save it as PNG")
    return layout


def read_levels(image: Image.Image, layout: str, content: bytes) -> Levels:
    """All bits of a deep picture that has been loaded.

    Args:
        image: the picture.
        layout: from `deep_layout`.
        content: the file's bytes.
    """
    if layout in _GREY:
        return np.asarray(image).astype(np.uint32)[..., None]
    if layout == _GREY_AND_ALPHA:
        in_order = _decoded(image, "RGBA", content)
        return _joined(in_order[..., ::2], in_order[..., 1::2])
    return _joined(np.asarray(image), _decoded(image, _SWAPPED[layout], content))


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> Levels:
    return high.astype(np.uint32) * np.uint32(256) + low.astype(np.uint32)


def rounded(levels: Levels) -> NDArray[np.uint8]:
    """round(level * 255 / 65535).

    >>> rounded(np.array([0, 128, 129, 385, 65535]))
    array([  0,   0,   1,   1, 255], dtype=uint8)
    """
    return ((levels * 255 + 32767) // 65535).astype(np.uint8)


def _decoded(image: Image.Image, layout: str, content: bytes) -> NDArray[np.uint8]:
    """The picture again, as if it were stored in another layout of equally many bytes."""
    with Image.open(io.BytesIO(content), formats=[image.format or "PNG"]) as again:
        if isinstance(again, ImageFile.ImageFile):
            again.tile = [
                tile._replace(args=layout if isinstance(tile.args, str) else (layout, *(tile.args or ())[1:]))
                for tile in again.tile
            ]
        again.load()
        return np.asarray(again)


def _raw_mode(image: Image.Image) -> str:
    """How the first part of the picture is stored; empty where Pillow does not tell."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    args = tiles[0].args if tiles else ""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""
