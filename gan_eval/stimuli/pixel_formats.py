"""Pixel formats: the channels and the depth of pictures, all of their samples read and written, and how they are shown.

A screen cannot show a picture that is not 8-bit grey or RGB. The mapping to a screen is recorded in its file
(`Display`): the same mapping for all pictures of a set, never one of each picture's own.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from gan_eval.errors import UserError

Samples = NDArray[Any]
"""(H, W, channels) uint8 or uint16: every stored sample."""
Bits = Literal[8, 16]

MOST_PIXELS = 89_478_485
"""Limit of pixels in a picture: a quarter of a gigabyte, decoded. Pillow warns from there."""
MOST_CHANNELS = 64
"""More are hardly meant as channels of one picture."""


@dataclass(frozen=True)
class Display:
    """Linear mapping of samples to grey levels or colours of a screen: up to low black, from high white.

    >>> Display.parse("0..4095:1,2,3")
    Display(low=0, high=4095, channels=(1, 2, 3))
    >>> str(Display(100, 900, (2,)))
    '100..900:2'
    """

    low: int
    high: int
    channels: tuple[int, ...]
    """Counted from 1: that of the greys, or those of red, green and blue."""

    def __str__(self) -> str:
        return f"{self.low}..{self.high}:{','.join(map(str, self.channels))}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `LOW..HIGH:CHANNEL` or `LOW..HIGH:RED,GREEN,BLUE`, as a file records it.

        Raises:
            UserError: the text is not a display.
        """
        match = re.fullmatch(r"(\d{1,5})\.\.(\d{1,5}):([1-9]\d?(?:,[1-9]\d?,[1-9]\d?)?)", text)
        if match is None or int(match[1]) >= int(match[2]):
            raise UserError(f"display {text}: wanted the samples shown black and white, and channels: 0..4095:1,2,3")
        return cls(int(match[1]), int(match[2]), tuple(map(int, match[3].split(","))))


def shown_channels(channels: int) -> tuple[int, ...]:
    """The channels that are shown by default: the first three as red, green and blue, of fewer the first as grey."""
    return (1, 2, 3) if channels >= 3 else (1,)


@dataclass(frozen=True)
class PixelFormat:
    """Channels and depth that all pictures of a set share, and how they are shown.

    >>> str(PixelFormat()), str(PixelFormat(1, 16)), str(PixelFormat(5, 16))
    ('8-bit RGB', '16-bit grey', '16 bits, 5 channels')
    """

    channels: int = 3
    bits: Bits = 8
    limits: tuple[int, int] | None = None
    """The samples that are -1 and 1 for a network; None: the least and the largest of the depth."""
    display: Display | None = None
    """None for 8-bit grey and RGB, which need none, and where nothing is recorded."""

    def __str__(self) -> str:
        names = {1: f"{self.bits}-bit grey", 3: f"{self.bits}-bit RGB"}
        return names.get(self.channels, f"{self.bits} bits, {self.channels} channels")

    @property
    def levels(self) -> int:
        """The largest sample: 255 or 65535."""
        return 2**self.bits - 1

    @property
    def dtype(self) -> type[np.unsignedinteger[Any]]:
        """Type of its samples."""
        return np.uint8 if self.bits == 8 else np.uint16

    @property
    def is_plain(self) -> bool:
        """True for 8-bit grey or RGB, which are shown unchanged."""
        return self.bits == 8 and self.channels in (1, 3)

    @property
    def is_rgb8(self) -> bool:
        """True for 8-bit RGB, the common format of mixed sets."""
        return (self.channels, self.bits) == (3, 8)

    @property
    def suffix(self) -> str:
        """Suffix of written files: PNG for grey and RGB; TIFF for others, because PNG takes the last channel for
        alpha."""
        return ".png" if self.channels in (1, 3) else ".tif"

    def as_dict(self) -> dict[str, Any]:
        """For a run's configuration."""
        limits, display = self.limits and list(self.limits), self.display and str(self.display)
        return {"channels": self.channels, "bits": self.bits, "limits": limits, "display": display}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Self:
        """Read from a run's configuration.

        Raises:
            UserError, KeyError, TypeError: the facts are not a pixel format.
        """
        channels, bits, limits, display = facts["channels"], facts["bits"], facts["limits"], facts["display"]
        if bits not in (8, 16) or not isinstance(channels, int) or not 1 <= channels <= MOST_CHANNELS:
            raise TypeError(f"pixel format {facts}")
        if limits is not None:
            low, high = limits
            if not (isinstance(low, int) and isinstance(high, int) and 0 <= low < high < 2**bits):
                raise TypeError(f"pixel format {facts}")
            limits = low, high
        shown_by = Display.parse(display) if display else None
        if shown_by is not None and max(shown_by.channels) > channels:
            raise TypeError(f"pixel format {facts}")
        return cls(channels, bits, limits, shown_by)


RGB8 = PixelFormat()


@dataclass(frozen=True)
class Stored:
    """All samples of a stored picture."""

    samples: Samples
    alpha: bool = False
    """True if the file declares the last channel as alpha."""

    @property
    def is_transparent(self) -> bool:
        """True if a pixel's alpha is below the maximum."""
        return self.alpha and bool((self.samples[..., -1] != np.iinfo(self.samples.dtype).max).any())

    @property
    def colours(self) -> Samples:
        """Without the alpha channel."""
        return self.samples[..., :-1] if self.alpha else self.samples


def format_of(samples: Samples) -> PixelFormat:
    """Channels and depth of (H, W, channels) uint8 or uint16."""
    return PixelFormat(samples.shape[2], 16 if samples.dtype == np.uint16 else 8)


def shown(samples: Samples, display: Display | None) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 as a screen shows it: round((sample - low) * 255 / (high - low)), cut off at 0 and 255.

    Args:
        samples: (H, W, channels) uint8 or uint16.
        display: None: all of the depth's range.

    >>> deep = np.array([[[0], [100], [500], [900], [65535]]], np.uint16)
    >>> shown(deep, Display(100, 900, (1,)))[0, :, 2]
    array([  0,   0, 128, 255, 255], dtype=uint8)
    """
    levels = np.iinfo(samples.dtype).max
    display = display or Display(0, int(levels), shown_channels(samples.shape[2]))
    span = display.high - display.low
    taken = samples[..., [channel - 1 for channel in display.channels]].astype(np.int64)
    grey = (np.clip(taken - display.low, 0, span) * 510 + span) // (2 * span)
    return np.array(np.broadcast_to(grey, (*samples.shape[:2], 3)), dtype=np.uint8)


KEYWORD = "gan_eval display"
"""Keyword of the PNG text chunk, and first words of the TIFF description, that record the display."""
TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SUBFILE_TYPE, _BITS, _PHOTOMETRIC, _ORIENTATION, _PLANES, _EXTRA = 254, 258, 262, 274, 284, 338
"""Tags of TIFF."""
_NO_PAGE = 0b101
"""Bits of the subfile type: a thumbnail, a mask of another page."""


def recorded_display(image: Image.Image) -> Display | None:
    """Return the display that is recorded in a PNG; None without one."""
    text = image.info.get(KEYWORD) if image.format == "PNG" else None
    return Display.parse(text) if isinstance(text, str) else None


def png_bytes(samples: Samples, display: Display | None) -> bytes:
    """A PNG of (H, W, 1 or 3) uint8 or uint16; Pillow writes no colour of 16 bits."""
    height, width, channels = samples.shape
    rows = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.hstack([np.full((height, 1), 2, np.uint8), rows - above])  # filter 2: less the row above
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.dtype.itemsize, {1: 0, 3: 2}[channels], 0, 0, 0)
    chunks = [(b"IHDR", header)]
    if display is not None:
        chunks.append((b"tEXt", f"{KEYWORD}\0{display}".encode("latin-1")))
    chunks += [(b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def tiff_bytes(samples: Samples, display: Display | None) -> bytes:
    """A TIFF of (H, W, channels) uint8 or uint16, none of whose channels is called alpha."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples,
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unspecified"] * (samples.shape[2] - 1),
        compression="zlib",
        description=None if display is None else f"{KEYWORD} {display}",
        metadata=None,
        software=False,
    )
    return buffer.getvalue()


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


def tiff_samples(content: bytes) -> tuple[Stored, int, Display | None]:
    """Any TIFF of one page of 8 or 16 bits, whose channels are samples of a pixel, or planes apart.

    Returns:
        All samples, the orientation as in EXIF, and the recorded display.

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
        description, extra = page.description, tuple(page.extrasamples)
        orientation, bits = page.tags.get(_ORIENTATION), page.bitspersample
    samples = samples if samples.ndim == 3 else samples[..., None]
    if samples.dtype not in (np.uint8, np.uint16) or bits not in (8, 16):
        raise ValueError(f"samples of {samples.dtype} ({bits} bits); wanted whole numbers of 8 or 16 bits without sign")
    if samples.ndim != 3 or samples.shape[2] > MOST_CHANNELS:
        raise ValueError(f"not one picture of at most {MOST_CHANNELS} channels (its shape is {samples.shape})")
    text = description.removeprefix(f"{KEYWORD} ") if description.startswith(KEYWORD) else None
    samples = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
    alpha = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
    stored = Stored(samples, bool(extra) and extra[-1] in alpha)
    return stored, orientation.value if orientation else 1, Display.parse(text) if text else None


def stored_of(image: Image.Image, content: bytes, path: Path) -> Stored:
    """All samples of an opened picture.

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
        return Stored(levels, levels.shape[2] in (2, 4))
    if image.mode == "PA" or (image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info):
        image = image.convert("RGBA")
    if image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise UserError(
            f"{path}: colour mode {image.mode} has no exact 8-bit RGB reading; convert the picture to sRGB first"
        )
    samples = np.array(image)
    return Stored(samples if samples.ndim == 3 else samples[..., None], image.mode in ("LA", "RGBA"))


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
