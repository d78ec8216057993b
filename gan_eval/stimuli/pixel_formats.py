"""Pixel formats: the channels and the depth of pictures, and every sample of their files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from gan_eval.errors import UserError

Samples = NDArray[Any]
"""(H, W, channels) uint8 or uint16: every stored sample."""

MOST_PIXELS = 89_478_485
"""Limit of pixels in a picture: a quarter of a gigabyte, decoded. Pillow warns from there."""

_BITS, _PHOTOMETRIC, _PLANES, _EXTRA = 258, 262, 284, 338
"""Tags of TIFF."""
_NO_PAGE = 0b101
"""Bits of the subfile type: a thumbnail, a mask of another page."""


def is_read_whole(image: Image.Image) -> bool:
    """Return False for a TIFF of which Pillow does not read every sample: of several pages, with planes apart or
    channels without a name, or of more than 8 bits, except for grey of 16."""
    if image.format != "TIFF":
        return True
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = tags.get(_BITS, (8,))
    is_deep = 8 < max(bits) <= 16 and not (tuple(bits) == (16,) and tags.get(_PHOTOMETRIC) == 1)
    pages = getattr(image, "n_frames", 1)
    return pages == 1 and not is_deep and tags.get(_PLANES, 1) == 1 and 0 not in np.atleast_1d(tags.get(_EXTRA, 1))


def tiff_samples(content: bytes) -> tuple[Samples, bool]:
    """Any TIFF of one page of 8 or 16 bits, whose channels are samples of a pixel, or planes apart.

    Returns:
        All samples, and whether the last channel is alpha.

    Raises:
        ValueError: a stack of pages, of another depth, with black and white exchanged, or in a palette.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        if page.imagewidth * page.imagelength * page.samplesperpixel > 3 * MOST_PIXELS:
            raise Image.DecompressionBombError
        whole = sum(not int(getattr(each.keyframe, "subfiletype", 0)) & _NO_PAGE for each in file.pages)
        if whole > 1:
            raise ValueError(f"a stack of {whole} pages: save the page that is meant as a file of its own")
        samples = np.asarray(page.asarray())
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        if page.photometric not in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB):
            raise ValueError(
                f"colours stored in a way (photometric {int(page.photometric)}) that has no exact reading here"
            )
        extra = tuple(page.extrasamples)
        bits = page.bitspersample
    samples = samples if samples.ndim == 3 else samples[..., None]
    if samples.dtype not in (np.uint8, np.uint16) or bits not in (8, 16):
        raise ValueError(f"samples of {samples.dtype} ({bits} bits); wanted whole numbers of 8 or 16 bits without sign")
    samples = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
    alpha = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
    return samples, bool(extra) and extra[-1] in alpha


def stored_of(image: Image.Image, content: bytes, path: Path) -> tuple[Samples, bool]:
    """All samples of an opened picture, and whether the last channel is alpha.

    Raises:
        UserError: in colours without a reading here.
    """
    layout = deep_colours(image)
    image.load()
    if layout or image.mode.startswith("I;16"):
        levels = _deep_levels(image, layout, content)
        if (transparent := image.info.get("transparency")) is not None:
            is_opaque = (levels != transparent).any(axis=2, keepdims=True)
            levels = np.concatenate([levels, np.where(is_opaque, np.uint16(65535), np.uint16(0))], axis=2)
        return levels, levels.shape[2] in (2, 4)
    if image.mode == "PA" or (image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info):
        image = image.convert("RGBA")
    if image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise UserError(
            f"{path}: colour mode {image.mode} has no exact 8-bit RGB reading; convert the picture to sRGB first"
        )
    samples = np.array(image)
    return samples if samples.ndim == 3 else samples[..., None], image.mode in ("LA", "RGBA")


_GREY_AND_ALPHA = "LA;16B"
_SWAPPED = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
"""Pillow's names of the layouts of 16-bit colour in PNG, with that of the bytes of each channel the other way round."""


def deep_colours(image: Image.Image) -> str:
    """Return Pillow's name of the layout of a PNG of 16-bit colour, or grey and alpha; empty for other pictures.

    Of these Pillow keeps the high byte of each channel, which is off by up to a level of 255.

    Args:
        image: as it was opened, before it is loaded.
    """
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) and image.format == "PNG" else []
    layout = str(tiles[0].args) if tiles else ""
    return layout if layout == _GREY_AND_ALPHA or layout in _SWAPPED else ""


def _deep_levels(image: Image.Image, layout: str, content: bytes) -> NDArray[np.uint16]:
    """(H, W, channels), 0..65535, of a loaded picture of 16 bits; a PNG in colour is decoded a second time."""
    if not layout:
        return np.asarray(image).astype(np.uint16)[..., None]
    with Image.open(io.BytesIO(content), formats=["PNG"]) as again:
        assert isinstance(again, ImageFile.ImageFile)
        again.tile = [tile._replace(args=_SWAPPED.get(layout, "RGBA")) for tile in again.tile]
        again.load()
        second = np.asarray(again).astype(np.uint16)
    if layout == _GREY_AND_ALPHA:  # read as four channels: the bytes of both, in order
        return second[..., ::2] * np.uint16(256) + second[..., 1::2]
    return np.asarray(image).astype(np.uint16) * np.uint16(256) + second


def rounded(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return round(level * 255 / 65535).

    >>> rounded(np.array([0, 128, 129, 385, 65535]))
    array([  0,   0,   1,   1, 255], dtype=uint8)
    """
    return ((levels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
