"""Pictures on disk: decode to 8-bit RGB or to every sample, write, resize, list folders, pair by file stem.

Pillow keeps all 16 bits only of grey pictures. PNG in 16-bit colour is therefore decoded twice (`stored_samples`), and
tifffile reads the TIFFs of which Pillow does not read every sample.
"""

import hashlib
import io
import logging
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from gan_eval.base.atomic import atomic_path
from gan_eval.base.errors import UserError, reason_of
from gan_eval.base.reading import no_folder, read_bytes

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, 0..255, RGB."""
Samples = NDArray[Any]
"""(H, W, channels) uint8 or uint16: every stored sample."""
Size = tuple[int, int]
"""Width and height in pixels."""
Fit = Literal["crop", "stretch", "corner", "centre"]
"""For a picture of another shape: scale it and keep its centre, stretch it, or cut it unscaled, at its top left corner
or to its centre."""
UNSCALED: tuple[Fit, ...] = ("corner", "centre")

MAX_PIXELS = 89_478_485
"""Maximum number of pixels in a picture, a quarter of a gigabyte when decoded; Pillow warns above it."""
MAX_FOLDERS = 8
"""Maximum number of folders that a message names."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
UNREAD_SUFFIXES = frozenset(
    {".avif", ".heic", ".heif", ".jxl", ".gif", ".jp2", ".jfif", ".jpe", ".tga", ".ppm", ".pgm", ".exr", ".dng", ".npy"}
    | {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}
)
"""Endings of pictures in formats that are not read, and of videos."""

_ORIENTATIONS: dict[int, Callable[[Samples], Samples]] = {
    2: np.fliplr,
    3: lambda samples: np.rot90(samples, 2),
    4: np.flipud,
    5: lambda samples: np.swapaxes(samples, 0, 1),
    6: lambda samples: np.rot90(samples, -1),
    7: lambda samples: np.rot90(np.swapaxes(samples, 0, 1), 2),
    8: np.rot90,
}
"""Function that turns (H, W, channels) upright, by EXIF orientation."""


def read_rgb(path: Path) -> Picture:
    """Decode a picture to (H, W, 3) uint8 RGB, as `decode_rgb` does.

    Raises:
        UserError: the file is missing, or cannot be decoded exactly to 8-bit RGB.
    """
    return decode_rgb(read_file(path), path)


def read_file(path: Path) -> bytes:
    """Return the bytes of a picture's file; errors as for `gan_eval.base.reading.read_bytes`."""
    if path.is_file():
        with suppress(OSError):
            return path.read_bytes()
    return read_bytes(path, what="picture")  # raises the reason


@dataclass(eq=False)
class PictureFile:
    """A file that was read and hashed, and its picture once it is decoded."""

    path: Path
    content: bytes
    """Empty once the picture is decoded."""
    digest: bytes
    """SHA-256 of its bytes."""
    white: int | None = None
    """Level of white (see `whitened`)."""
    shown: str = ""
    """Its name in messages, if not its path."""
    decoded: Samples | None = None
    problem: str = ""
    """Reason why it cannot be decoded."""

    def samples(self) -> Samples:
        """Return the picture as `decode_measured` does; decoded once."""
        if self.decoded is None:
            try:
                if self.problem:
                    raise UserError(self.problem)
                self.decoded = decode_measured(self.content, Path(self.shown or self.path), white=self.white)
            except UserError as error:
                self.problem = str(error)
                raise
            self.content = b""
        return self.decoded


_KEPT_BYTES = 64 * 2**20
_kept: dict[tuple[object, ...], PictureFile] = {}
"""Decoded pictures of folders that were looked at, and that are soon measured."""


def open_picture(path: Path, white: int | None = None, *, keep: bool = False) -> PictureFile:
    """Read and hash a picture, unless the last look at it was kept; `keep`: decode it for the next call.

    Raises:
        UserError: it cannot be read; with `keep`, also that it cannot be decoded.
    """
    key: tuple[object, ...] = (path, white)
    with suppress(OSError):
        status = path.stat()
        key += (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    file = _kept.get(key) if keep else _kept.pop(key, None)
    if file is None:
        content = read_file(path)
        file = PictureFile(path, content, hashlib.sha256(content).digest(), white)
    if keep:
        size = file.samples().nbytes
        if size + sum(each.decoded.nbytes for each in [*_kept.values()] if each.decoded is not None) <= _KEPT_BYTES:
            _kept[key] = file
    return file


def decode_rgb(content: bytes, path: Path, *, white: int | None = None) -> Picture:
    """Decode a picture file's bytes to (H, W, 3) uint8 RGB; `path` is the name for messages, `white` as in `whitened`.

    | stored as | becomes |
    | --- | --- |
    | 8-bit RGB | itself |
    | grey of 1, 2, 4 and 8 bits | stretched to 0..255, three equal channels |
    | palette | the palette's colours |
    | 16-bit grey or colour | round(level * 255 / 65535) of each channel |
    | alpha channel or transparent colour | dropped if every pixel is opaque |
    | EXIF orientation | applied |
    | several frames of an animation | the first |

    Colour profiles are not applied (see `gan_eval.pictures.profiles`).

    Raises:
        UserError: the picture is broken, truncated, too large, transparent, a TIFF of several pages, or cannot be
            decoded exactly to 8-bit RGB (CMYK, Lab, YCbCr in TIFF, 32-bit, other channels than grey or RGB).
    """
    colours = decode_samples(content, path)
    return rgb_of(colours if white is None else whitened(colours, white, path))


def decode_measured(content: bytes, path: Path, *, white: int | None = None) -> Samples:
    """Decode a picture for metrics: 16 bits of grey or RGB to (H, W, 1 or 3) uint16, others as `decode_rgb` does."""
    colours = decode_samples(content, path)
    colours = colours if white is None else whitened(colours, white, path)
    return colours if colours.dtype == np.uint16 or colours.shape[2] == 3 else rgb_of(colours)


def rgb_of(colours: Samples) -> Picture:
    """Return (H, W, 3) uint8 of (H, W, 1 or 3) uint8 or uint16; 16 bits are rounded."""
    levels = rounded(colours) if colours.dtype == np.uint16 else colours
    return np.array(np.broadcast_to(levels, (*levels.shape[:2], 3)))


def whitened(samples: Samples, white: int, path: Path) -> Samples:
    """Return samples whose level `white` is stretched to the peak, such as 4095 for 12 bits in 16.

    Samples whose peak is not above `white` are returned unchanged.

    Raises:
        UserError: a sample is above `white`.

    >>> whitened(np.array([0, 2048, 4095], np.uint16), 4095, Path()).tolist()
    [0, 32776, 65535]
    """
    peak = np.iinfo(samples.dtype).max
    if white >= peak:
        return samples
    if (highest := int(samples.max())) > white:
        raise UserError(f"{path}: has the level {highest}; give the highest level of all pictures as --white, or none")
    return ((samples.astype(np.uint32) * peak + white // 2) // white).astype(samples.dtype)


_TRANSPARENT = "the picture is transparent in places; flatten it onto a background first"


def decode_samples(content: bytes, path: Path, *, transparent: str = _TRANSPARENT) -> Samples:
    """Return (H, W, 1 or 3) uint8 or uint16: every sample of a picture file, upright, without alpha.

    Raises:
        UserError: it cannot be decoded exactly; `transparent` is the reason for a transparent one.
    """
    if not content:
        raise UserError(f"{path}: not a readable picture (the file is empty); replace or remove it")
    logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)  # its warnings repeat the error
    with decoding_errors(path), Image.open(io.BytesIO(content)) as image:
        if image.format == "PPM":  # Pillow rounds its 16 bits to 8
            raise UserError(f"{path}: PGM and PPM are not read here; save the picture as PNG or TIFF")
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        is_partly_read = image.format == "TIFF" and not _pillow_reads_all(image)
        samples, has_alpha = tiff_samples(content) if is_partly_read else stored_samples(image, content, path)
        turn = _ORIENTATIONS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    samples = samples if turn is None else turn(samples)
    if has_alpha and (samples[..., -1] != np.iinfo(samples.dtype).max).any():
        raise UserError(f"{path}: {transparent}")
    colours = samples[..., :-1] if has_alpha else samples
    if colours.shape[2] not in (1, 3):
        raise UserError(f"{path}: has {samples.shape[2]} channels; save the picture as grey or RGB")
    return np.ascontiguousarray(colours)


@contextmanager
def decoding_errors(path: Path) -> Iterator[None]:
    """Convert errors of decoding to `UserError`."""
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such picture; restore it") from error
    except Image.DecompressionBombError as error:
        limit = f"more than {MAX_PIXELS:,} pixels"
        raise UserError(f"{path}: too large to decode safely ({limit}); scale it down") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: not a readable picture (unknown format); replace or remove it") from error
    except Exception as error:  # damaged bytes can raise anything: struct.error, KeyError, ...
        reason = reason_of(error)
        fix = "replace or remove it"
        if "imagecodecs" in reason:
            fix = "pip install imagecodecs, or save it without this compression"
        raise UserError(f"{path}: not a readable picture ({reason}); {fix}") from error


_BITS, _PHOTOMETRIC, _PLANES, _EXTRA = 258, 262, 284, 338
"""Tags of TIFF."""
_NO_PAGE = 0b101
"""Bits of the subfile type: a thumbnail, or a mask of another page."""


def _pillow_reads_all(image: Image.Image) -> bool:
    """Return False for a TIFF that Pillow reads only in part.

    Such files have several pages, separate planes, unnamed channels, or more than 8 bits (except 16-bit grey).
    """
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = tags.get(_BITS, (8,))
    is_deep = 8 < max(bits) <= 16 and not (tuple(bits) == (16,) and tags.get(_PHOTOMETRIC) == 1)
    pages = getattr(image, "n_frames", 1)
    return pages == 1 and not is_deep and tags.get(_PLANES, 1) == 1 and 0 not in np.atleast_1d(tags.get(_EXTRA, 1))


def tiff_samples(content: bytes) -> tuple[Samples, bool]:
    """Return all samples of a one-page TIFF of 8 or 16 bits, and True if the last channel is alpha.

    Raises:
        ValueError: the TIFF has several pages, another depth, inverted grey or a palette.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        if page.imagewidth * page.imagelength * page.samplesperpixel > 3 * MAX_PIXELS:
            raise Image.DecompressionBombError
        whole = sum(not int(getattr(each.keyframe, "subfiletype", 0)) & _NO_PAGE for each in file.pages)
        if whole > 1:
            raise ValueError(f"a stack of {whole} pages: save the page to use as a file of its own")
        samples = np.asarray(page.asarray())
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        if page.photometric not in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB):
            raise ValueError(f"its photometric interpretation ({int(page.photometric)}) cannot be read exactly")
        extra = tuple(page.extrasamples)
        bits = page.bitspersample
    samples = samples if samples.ndim == 3 else samples[..., None]
    if samples.dtype not in (np.uint8, np.uint16) or bits not in (8, 16):
        raise ValueError(f"samples of {samples.dtype} ({bits} bits); expected unsigned whole numbers of 8 or 16 bits")
    samples = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
    alpha = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
    return samples, bool(extra) and extra[-1] in alpha


def stored_samples(image: Image.Image, content: bytes, path: Path) -> tuple[Samples, bool]:
    """Return all samples of an opened picture, and True if the last channel is alpha."""
    layout = _deep_layout(image)
    image.load()
    if layout or image.mode.startswith("I;16"):
        levels = _deep_levels(image, layout, content)
        if (transparent := image.info.get("transparency")) is not None:
            is_opaque = (levels != transparent).any(axis=2, keepdims=True)
            levels = np.concatenate([levels, np.where(is_opaque, np.uint16(65535), np.uint16(0))], axis=2)
        return levels, levels.shape[2] in (2, 4)
    if image.mode == "PA" or (image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info):
        image = image.convert("RGBA")
    elif image.mode in _CONVERTED:
        image = image.convert(_CONVERTED[image.mode])
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise UserError(
            f"{path}: colour mode {image.mode} has no exact 8-bit RGB reading; convert the picture to sRGB first"
        )
    samples = np.array(image)
    return samples if samples.ndim == 3 else samples[..., None], image.mode in ("LA", "RGBA")


_CONVERTED = {"1": "L", "P": "RGB"}
"""Modes of Pillow whose samples are not levels, and the mode that has them."""
_GREY_AND_ALPHA = "LA;16B"
_SWAPPED = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
"""Pillow's names of the layouts of 16-bit colour in PNG, with the name for the opposite byte order."""


def _deep_layout(image: Image.Image) -> str:
    """Return Pillow's name of the layout of 16-bit colour in a PNG; "" for other pictures.

    Pillow keeps only the high byte of each of its channels, an error of up to one level of 255.
    """
    if image.format != "PNG" or not (tiles := getattr(image, "tile", None)):
        return ""
    layout = str(tiles[0].args)
    return layout if layout == _GREY_AND_ALPHA or layout in _SWAPPED else ""


def _deep_levels(image: Image.Image, layout: str, content: bytes) -> NDArray[np.uint16]:
    """Return (H, W, channels), 0..65535, of a loaded 16-bit picture; a PNG in colour is decoded a second time."""
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


def write_png(path: Path, picture: Picture) -> None:
    """Write (H, W, 3) or (H, W) uint8 as PNG without metadata, whole or not at all."""
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def resize(
    picture: Samples, size: tuple[int, int], *, resampling: Image.Resampling = Image.Resampling.BICUBIC
) -> Picture:
    """Resize (H, W, 3) or (H, W) uint8, or (H, W, channels) uint16, to `size` = (height, width).

    The filter is one of Pillow's, antialiased when shrinking. A picture of this size is returned unchanged.
    """
    height, width = size
    if picture.shape[:2] == (height, width):
        return picture
    if picture.dtype == np.uint16:  # as floats: Pillow's rule for 16 bits is less exact
        planes = (Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(picture, 2, 0))
        resized = [np.asarray(plane.resize((width, height), resampling)) for plane in planes]
        return np.rint(np.stack(resized, axis=-1)).clip(0, 65535).astype(np.uint16)
    return np.asarray(Image.fromarray(picture).resize((width, height), resampling))


def scaled_to_cover(size: Size, target: Size) -> Size:
    """Return the smallest size of the same shape that covers `target`.

    >>> scaled_to_cover((600, 400), (200, 200))
    (300, 200)
    """
    scale = max(target[0] / size[0], target[1] / size[1])
    return max(target[0], round(size[0] * scale)), max(target[1], round(size[1] * scale))


def least_sides(sizes: Collection[Size]) -> Size:
    """Return the smallest width and the smallest height."""
    widths, heights = zip(*sizes, strict=True)
    return min(widths), min(heights)


def smallest(sizes: Collection[Size], fit: Fit | None) -> Size:
    """Return the size that pictures of several sizes are brought to: what cuts leave, or that of the fewest pixels."""
    return least_sides(sizes) if fit in UNSCALED else min(sizes, key=lambda size: (size[0] * size[1], size))


def has_shape(size: Size, target: Size) -> bool:
    """Return True if a picture has the target's shape, within a pixel of rounding."""
    covering = scaled_to_cover(size, target)
    return max(covering[0] - target[0], covering[1] - target[1]) <= 1


def to_size(picture: Picture, target: Size, fit: Fit | None) -> Picture:
    """Resize (H, W, 3) or (H, W) uint8 to width and height `target` by Pillow's bicubic filter; equal sizes stay.

    Raises:
        UserError: an intermediate picture would have more than `MAX_PIXELS`, or is too small for a cut.
    """
    height, width = picture.shape[:2]
    if fit in UNSCALED:
        if width < target[0] or height < target[1]:
            raise UserError(
                f"a picture of {width}x{height} has no {fit} of {target[0]}x{target[1]}; choose a smaller size"
            )
        left, top = (0, 0) if fit == "corner" else ((width - target[0]) // 2, (height - target[1]) // 2)
        return np.ascontiguousarray(picture[top : top + target[1], left : left + target[0]])
    is_cropped = fit == "crop" and not has_shape((width, height), target)
    covering = scaled_to_cover((width, height), target) if is_cropped else target
    if covering[0] * covering[1] > MAX_PIXELS:
        raise UserError(
            f"a picture of {width}x{height} would be scaled to {covering[0]}x{covering[1]}, more than {MAX_PIXELS:,} "
            "pixels; choose a smaller size, or remove the picture"
        )
    if is_cropped:
        picture = resize(picture, (covering[1], covering[0]))
        left, top = (covering[0] - target[0]) // 2, (covering[1] - target[1]) // 2
        return np.ascontiguousarray(picture[top : top + target[1], left : left + target[0]])
    return resize(picture, (target[1], target[0]))


def centre_square(picture: Picture) -> Picture:
    """Return the largest centred square of (H, W, 3); an odd remainder is cut at the end."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files directly in `folder`, in natural order of their names (2 before 10).

    Folders, pipes and devices are excluded. Broken links and files of a failing disk are included as unreadable.
    """
    folder = Path(folder)
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.lower().endswith(tuple(SUFFIXES))
                and not entry.name.startswith(".")
                and (entry.is_file() or may_be_a_file(entry))
            ]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(no_folder(folder)) from error
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror or error}); fix its permissions") from error
    if not names:
        raise UserError(
            f"{folder}: no pictures in this folder (expected {', '.join(sorted(SUFFIXES))}{_elsewhere(folder)})"
        )
    return [folder / name for name in (sorted(names, key=natural_key) if len(names) > 1 else names)]


def _elsewhere(folder: Path) -> str:
    """Return the end of a message on a folder without pictures: what is in it."""
    below = picture_folders(folder)
    folders = ", ".join(below[:MAX_FOLDERS]) + f" and {len(below) - MAX_FOLDERS} more" * (len(below) > MAX_FOLDERS)
    facts = [
        "" if folders else unread_pictures(folder),
        f"its folders {folders} have some: name one, or put the pictures of all into one folder" * bool(folders),
        ".arrow files of a data set: write it with to_parquet" * any(folder.glob("*.arrow")),
    ]
    return "".join(f"; {fact}" for fact in facts if fact)


def size_of(path: Path) -> Size | None:
    """Return a picture's width and height, upright, from its head; None if it cannot be read."""
    with suppress(Exception), Image.open(path) as image:  # decoding it names the error
        return upright_size(image)
    return None


def upright_size(image: Image.Image) -> Size:
    """Return the width and height of a picture on the screen, by its EXIF orientation."""
    is_turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    return (image.height, image.width) if is_turned else image.size


def picture_folders(folder: Path) -> list[str]:
    """Return the names of the sub-folders that have pictures directly in them, in natural order."""
    names = []
    for path in Path(folder).iterdir():
        with suppress(OSError):
            if path.is_dir() and not path.name.startswith(".") and any(map(names_a_picture, path.iterdir())):
                names.append(path.name)
    return sorted(names, key=natural_key)


def has_profile(path: Path) -> bool:
    """Return True for a picture with a colour profile; only its head is read."""
    with suppress(Exception), Image.open(path) as image:  # decoding it names the error
        return bool(image.info.get("icc_profile"))
    return False


def unread_pictures(folder: Path) -> str:
    """Return a message about pictures that are not read, of formats such as .avif or in sub-folders; "" if all are."""
    lines = []
    with suppress(OSError):
        endings = [path.suffix.lower() for path in Path(folder).iterdir() if not path.name.startswith(".")]
        if unread := Counter(ending for ending in endings if ending in UNREAD_SUFFIXES):
            files = "file" if unread.total() == 1 else "files"
            lines.append(
                f"{unread.total()} {files} with other endings ({', '.join(sorted(unread))}): not read, save as PNG"
            )
        below = [path.parent.name for path in Path(folder).glob("*/**/*") if names_a_picture(path)]
        if below:
            lines.append(f"{len(below)} pictures in sub-folders, such as {below[0]}, are not read")
    return "; ".join(lines)


def unread_lines(paths: Iterable[Path]) -> list[str]:
    """Return a message about pictures that are not read for each folder of these files."""
    folders = sorted({path.parent for path in paths})
    return [f"{folder}: {line}" for folder in folders if (line := unread_pictures(folder))]


def may_be_a_file(entry: os.DirEntry[str]) -> bool:
    """Return False only if the entry is certainly not a file; return True for broken links and on a failing disk."""
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:
        return True


def names_a_picture(path: Path) -> bool:
    """Return True for the name of a picture that is not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sorting key in which numbers inside names count as numbers.

    >>> sorted(["10.png", "2.png", "b.png"], key=natural_key)
    ['2.png', '10.png', 'b.png']
    """
    parts = re.findall("[0-9]+|[^0-9]+", name + "\0")  # the end of a name sorts after a digit, before a letter
    return [(0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts]


def stem_of(path: Path) -> str:
    """Return the file stem, by which pictures are paired; letters with accents as one character, unlike in macOS."""
    return unicodedata.normalize("NFC", path.stem)


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Return paths by their file stem."""
    stems: dict[str, Path] = {}
    for path in paths:
        first = stems.setdefault(stem_of(path), path)
        if first is not path:
            raise UserError(f"{path}: the same stem as {first.name}; pictures are paired by stem, rename one")
    return stems
