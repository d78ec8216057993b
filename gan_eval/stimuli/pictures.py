"""Pictures on disk: decoding to 8-bit RGB, writing PNG, bringing to a size, listing folders, pairing by file stem.

Pictures of 16 bits a channel are rounded to 8 from all their bits. Pillow itself keeps all bits of grey alone; of
colour it keeps each channel's high byte, which is off by up to a level. So a deep colour picture is decoded a second
time, as if the bytes of each channel stood the other way round.
"""

import io
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from gan_eval.errors import UserError
from gan_eval.files import atomic_path, require_file

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, 0..255, RGB."""
Size = tuple[int, int]
"""Width and height in pixels."""
Fit = Literal["crop", "stretch"]
"""How a picture of another shape is brought to a size: by keeping its centre, or by stretching it."""

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm"})

MOST_PIXELS = 89_478_485
"""Larger pictures are refused: decoded, one of so many pixels is a quarter of a gigabyte. Pillow warns from there."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by its EXIF orientation."""


def read_rgb(path: Path) -> Picture:
    """Decode a picture to (H, W, 3) uint8 RGB, as `decode_rgb` does.

    Raises:
        UserError: the file is missing, or it is no picture with an exact 8-bit RGB reading.
    """
    return decode_rgb(read_file(path), path)


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    require_file(path)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        if Path(path).is_symlink():
            raise UserError(f"{path}: no such picture: the link leads nowhere; mend or remove it") from error
        raise UserError(f"{path}: no such picture") from error
    except PermissionError as error:
        raise UserError(f"{path}: no permission to read this picture; mend its permissions") from error
    except OSError as error:
        raise UserError(f"{path}: not a readable picture ({error.strerror or error}); replace or remove it") from error


def decode_rgb(content: bytes, path: Path) -> Picture:
    """Decode a picture file's bytes to (H, W, 3) uint8 RGB; `path` is the name for messages.

    | stored as | becomes |
    | --- | --- |
    | 8-bit RGB | itself |
    | 1-bit and 8-bit grey | three equal channels |
    | palette | the palette's colours |
    | 16-bit grey or colour | round(level * 255 / 65535) of each channel |
    | alpha channel or transparent colour | dropped where every pixel is opaque |
    | EXIF orientation | applied |
    | several frames or pages | the first |

    Colour profiles are not applied.

    Raises:
        UserError: the picture is broken, truncated, too large, transparent, or of a mode that has no exact 8-bit RGB
            reading (CMYK, Lab, YCbCr in TIFF, 32-bit).
    """
    try:
        if not content:
            raise UserError(f"{path}: not a readable picture (the file is empty); replace or remove it")
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            layout = deep_layout(image)
            image.load()
            rgb = _as_rgb(image) if layout is None else _from_deep(image, layout, content)
            if rgb is None:
                raise UserError(f"{path}: the picture is transparent in places; flatten it onto a background first")
            if rgb.mode != "RGB":
                raise UserError(
                    f"{path}: colour mode {rgb.mode} has no exact 8-bit RGB reading; convert the picture to sRGB first"
                )
            turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            return np.array(rgb if turn is None else rgb.transpose(turn), dtype=np.uint8)
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        limit = f"more than {MOST_PIXELS:,} pixels"
        raise UserError(f"{path}: too large to decode safely ({limit}); scale it down") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: not a readable picture (of no known kind); replace or remove it") from error
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        reason = str(error) or type(error).__name__
        raise UserError(f"{path}: not a readable picture ({reason}); replace or remove it") from error


def _as_rgb(image: Image.Image) -> Image.Image | None:
    """The picture in RGB, or in its own mode where that has no exact RGB; None where a pixel is transparent."""
    if image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA")  # one colour, or some of the palette's, is transparent
    if image.mode in ("LA", "PA"):
        image = image.convert("RGBA")
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] != 255:
        return None
    return image.convert("RGB") if image.mode in ("1", "L", "P", "RGBA") else image


def _from_deep(image: Image.Image, layout: str, content: bytes) -> Image.Image | None:
    """A picture of 16 bits a channel, rounded to RGB; None where a pixel is transparent."""
    levels = read_levels(image, layout, content)
    colours = levels.shape[2] if levels.shape[2] in (1, 3) else levels.shape[2] - 1
    transparent_colour = image.info.get("transparency")
    if (levels[..., colours:] != 65535).any() or (
        transparent_colour is not None and (levels[..., :colours] == transparent_colour).all(axis=2).any()
    ):
        return None
    return Image.fromarray(np.broadcast_to(rounded(levels[..., :colours]), (*levels.shape[:2], 3)))


def write_png(path: Path, picture: Picture) -> None:
    """Write (H, W, 3) or (H, W) uint8 as PNG without metadata, whole or not at all."""
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def resize(
    picture: Picture, size: tuple[int, int], *, resampling: Image.Resampling = Image.Resampling.BICUBIC
) -> Picture:
    """Resize (H, W, 3) uint8 to `size` = (height, width) by one of Pillow's rules (antialiased when shrinking)."""
    height, width = size
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), resampling))


def scaled_to_cover(size: Size, target: Size) -> Size:
    """The size of a picture scaled, in its own shape, until it just covers `target`.

    >>> scaled_to_cover((600, 400), (200, 200))
    (300, 200)
    """
    scale = max(target[0] / size[0], target[1] / size[1])
    return max(target[0], round(size[0] * scale)), max(target[1], round(size[1] * scale))


def has_shape(size: Size, target: Size) -> bool:
    """Whether a picture has the target's shape, to the pixel that rounding may cost."""
    covering = scaled_to_cover(size, target)
    return max(covering[0] - target[0], covering[1] - target[1]) <= 1


def to_size(picture: Picture, target: Size, fit: Fit | None) -> Picture:
    """Bring (H, W, 3) or (H, W) uint8 to width and height `target`, by Pillow's bicubic rule; equal sizes stay."""
    height, width = picture.shape[:2]
    if fit == "crop" and not has_shape((width, height), target):
        covering = scaled_to_cover((width, height), target)
        picture = resize(picture, (covering[1], covering[0]))
        left, top = (covering[0] - target[0]) // 2, (covering[1] - target[1]) // 2
        return np.ascontiguousarray(picture[top : top + target[1], left : left + target[0]])
    return resize(picture, (target[1], target[0]))


def list_pictures(folder: Path) -> list[Path]:
    """The picture files directly in `folder`, in natural order of their names (2 before 10).

    Folders, pipes and devices are no pictures, whatever their names; a link that leads nowhere or to itself, and what
    the disk fails at, are pictures that cannot be read.

    Raises:
        UserError: no such folder, or no picture in it.
    """
    folder = Path(folder)
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.lower().endswith(tuple(SUFFIXES))
                and names_a_picture(Path(entry.name))
                and may_be_a_file(entry)
            ]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"{folder}: no such folder") from error
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror or error}); mend its permissions") from error
    if not names:
        raise UserError(f"{folder}: no pictures in this folder (wanted {', '.join(sorted(SUFFIXES))})")
    return [folder / name for name in sorted(names, key=natural_key)]


def may_be_a_file(entry: os.DirEntry[str]) -> bool:
    """Also where it cannot be told: a link that leads nowhere or to itself, a disk that fails."""
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:
        return True


def names_a_picture(path: Path) -> bool:
    """Whether the file's name is that of a picture; hidden files are none."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sorting key in which numbers inside names count as numbers.

    >>> sorted(["10.png", "2.png", "b.png"], key=natural_key)
    ['2.png', '10.png', 'b.png']
    """
    parts = re.findall("[0-9]+|[^0-9]+", name + "\0")  # the end of a name sorts after a digit, before a letter
    return [(0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts]


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Paths by their file stem.

    Raises:
        UserError: two files share a stem.
    """
    stems: dict[str, Path] = {}
    for path in paths:
        if path.stem in stems:
            raise UserError(
                f"{path}: the same stem as {stems[path.stem].name}; pictures are paired by stem, rename one"
            )
        stems[path.stem] = path
    return stems


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
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    args = tiles[0].args if tiles else ""
    raw_mode = args[0] if isinstance(args, tuple) and args else args
    layout = raw_mode if isinstance(raw_mode, str) else ""  # of the first part; empty where Pillow does not tell
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
        high, low = in_order[..., ::2], in_order[..., 1::2]
    else:
        high, low = np.asarray(image), _decoded(image, _SWAPPED[layout], content)
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
