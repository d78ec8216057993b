"""Pictures on disk: decoding to 8-bit RGB, writing PNG, listing folders, pairing by file stem."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from gan_eval.errors import UserError
from gan_eval.files import atomic_path

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, 0..255, RGB."""

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm"})


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
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such picture") from error
    except OSError as error:
        raise UserError(f"{path}: not a readable picture ({error.strerror or error}); replace or remove it") from error


def decode_rgb(content: bytes, path: Path) -> Picture:
    """Decode a picture file's bytes to (H, W, 3) uint8 RGB; `path` is the name for messages.

    | stored as | becomes |
    | --- | --- |
    | 8-bit RGB | itself |
    | 1-bit and 8-bit grey | three equal channels |
    | palette | the palette's colours |
    | 16-bit grey | round(level * 255 / 65535), three equal channels |
    | 16-bit RGB or RGBA in PNG | the high byte of each channel, which is all that Pillow decodes |
    | alpha channel or transparent colour | dropped where every pixel is opaque |
    | EXIF orientation | applied |
    | several frames or pages | the first |

    Raises:
        UserError: the picture is broken, truncated, too large, transparent, or of a mode that has no exact 8-bit RGB
            reading (CMYK, Lab, 32-bit).
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return _as_rgb(ImageOps.exif_transpose(image), path)
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: the picture is too large to decode safely; scale it down") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: not a readable picture (of no known kind); replace or remove it") from error
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        reason = str(error) or type(error).__name__
        raise UserError(f"{path}: not a readable picture ({reason}); replace or remove it") from error


def _as_rgb(image: Image.Image, path: Path) -> Picture:
    if image.mode.startswith("I;16"):
        return _from_deep_grey(image, path)
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
            f"{path}: colour mode {image.mode} has no exact 8-bit RGB reading; convert the picture to RGB first"
        )
    return np.array(image, dtype=np.uint8)


def _from_deep_grey(image: Image.Image, path: Path) -> Picture:
    levels = np.asarray(image).astype(np.uint32)
    if (levels == image.info.get("transparency", -1)).any():
        raise _transparent(path)
    grey = ((levels * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


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

    Folders and links that lead nowhere are no pictures, whatever their names.

    Raises:
        UserError: no such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    paths = [path for path in folder.iterdir() if names_a_picture(path) and not path.is_dir()]
    if not paths:
        raise UserError(f"{folder}: no pictures in this folder (wanted {', '.join(sorted(SUFFIXES))})")
    return sorted(paths, key=lambda path: natural_key(path.name))


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
