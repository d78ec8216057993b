"""Pictures on disk: decoding to 8-bit RGB, writing PNG, listing folders, pairing by file stem."""

import io
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from gan_eval.errors import UserError
from gan_eval.files import atomic_path, require_file
from gan_eval.stimuli.deep_images import deep_layout, read_levels, rounded

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, 0..255, RGB."""

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
            _require_bounded(image, path)
            layout = deep_layout(image)
            image.load()
            rgb = _as_rgb(image, path) if layout is None else _from_deep(image, layout, content, path)
            turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            return np.array(rgb if turn is None else rgb.transpose(turn), dtype=np.uint8)
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: not a readable picture (of no known kind); replace or remove it") from error
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        reason = str(error) or type(error).__name__
        raise UserError(f"{path}: not a readable picture ({reason}); replace or remove it") from error


def _require_bounded(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(path)


def _too_large(path: Path) -> UserError:
    return UserError(f"{path}: too large to decode safely (more than {MOST_PIXELS:,} pixels); scale it down")


def _as_rgb(image: Image.Image, path: Path) -> Image.Image:
    if image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA")  # one colour, or some of the palette's, is transparent
    if image.mode in ("LA", "PA"):
        image = image.convert("RGBA")
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] != 255:
        raise _transparent(path)
    if image.mode in ("1", "L", "P", "RGBA"):
        image = image.convert("RGB")
    if image.mode != "RGB":
        raise UserError(
            f"{path}: colour mode {image.mode} has no exact 8-bit RGB reading; convert the picture to sRGB first"
        )
    return image


def _from_deep(image: Image.Image, layout: str, content: bytes, path: Path) -> Image.Image:
    levels = read_levels(image, layout, content)
    colours = levels.shape[2] if levels.shape[2] in (1, 3) else levels.shape[2] - 1
    see_through = image.info.get("transparency")
    if (levels[..., colours:] != 65535).any() or (
        see_through is not None and (levels[..., :colours] == see_through).all(axis=2).any()
    ):
        raise _transparent(path)
    return Image.fromarray(np.broadcast_to(rounded(levels[..., :colours]), (*levels.shape[:2], 3)))


def _transparent(path: Path) -> UserError:
    return UserError(f"{path}: the picture is transparent in places; flatten it onto a background first")


def write_png(path: Path, picture: Picture) -> None:
    """Write (H, W, 3) or (H, W) uint8 as PNG without metadata, whole or not at all."""
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resize (H, W, 3) uint8 to `size` = (height, width) by Pillow's bicubic rule (antialiased when shrinking)."""
    height, width = size
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


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
            paths = [
                folder / entry.name for entry in entries if names_a_picture(Path(entry.name)) and may_be_a_file(entry)
            ]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"{folder}: no such folder") from error
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror or error}); mend its permissions") from error
    if not paths:
        raise UserError(f"{folder}: no pictures in this folder (wanted {', '.join(sorted(SUFFIXES))})")
    return sorted(paths, key=lambda path: natural_key(path.name))


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
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for character in name + "\0":
        if character.isascii() and character.isdigit():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), digits))
            digits = ""
        parts.append((1, 0, character))
    return parts


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
