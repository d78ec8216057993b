"""Signs that pictures are not what their folder says: too dark, badly fitted, with masks that do not fit."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple, TypeVar, get_args
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.machine.threads import usable_cores
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Fit, Picture
from gan_eval.pictures.holes import Hole

T = TypeVar("T")
HoleColour = Literal["white", "black"]

MAX_LOOKED_AT = 100
"""Maximum number of pictures of a folder that are looked at."""
DARK = {255: 8, 65535: 4}
"""A folder is dark where no picture reaches this part, 1/8, of its peak: a photograph by night has lights above it.
With 16 bits 1/4, so that 14 bits are noticed, too."""
BLOCK = 8
"""Side of the blocks, in pixels, whose mean differences are compared."""


def evenly_spread(things: Sequence[T], most: int = MAX_LOOKED_AT) -> list[T]:
    """Return at most `most` things, spread evenly, the first and the last included."""
    return [things[place] for place in np.linspace(0, len(things) - 1, min(most, len(things))).round().astype(int)]


def dark_folders(folders: Mapping[str, Sequence[Path]], *, white: int | None = None, fix: str = "") -> list[str]:
    """Return a message for each folder in which no picture reaches 1/8 of its peak, such as 12 bits in 16, or 0 and 1.

    Args:
        folders: the pictures of each, by its name for the message; those that cannot be decoded are skipped.
        white: level that is stretched to the peak before.
        fix: what to do; default: `--white`, where it fits all of these folders.
    """
    ranges: dict[str, tuple[int, int]] = {}
    """The highest level, up to the first picture that is not dark, and its peak, 255 or 65535."""
    for name, paths in folders.items():
        for path in evenly_spread(paths):
            with suppress(UserError):
                samples = images.open_picture(path, white, keep=True).samples()
                level, peak = int(samples.max()), int(np.iinfo(samples.dtype).max)
                highest, known_peak = ranges.get(name, (-1, peak))
                if level * known_peak > highest * peak:
                    ranges[name] = level, peak
                if level * DARK[peak] >= peak:
                    break
    dark = {name: found for name, found in ranges.items() if found[0] * DARK[found[1]] < found[1]}
    likely_white = (1 << max((highest for highest, _ in dark.values()), default=0).bit_length()) - 1
    fits_all = all(name in dark or peak <= likely_white for name, (_, peak) in ranges.items())
    fix = fix or (f"give --white {likely_white}" if fits_all else "multiply the levels, so that white is the peak")
    return [
        f"{name}: no picture has a level above {highest} of {peak}: all are dark, or use only part of the range; if "
        f"white is {likely_white}, {fix}"
        if highest
        else f"{name}: all pictures are black"
        for name, (highest, peak) in dark.items()
    ]


MAX_RATIO, MAX_RATIO_OF_CENTRE = 0.95, 0.8
"""A fit agrees clearly better if it has less than this part of the other's difference; chance favours the centre, where
a wrong scale does least."""


def better_fit(pairs: Iterable[tuple[Picture, Picture]], fit: Fit | None) -> Fit | None:
    """Return the fit by which real and generated pictures of different sizes agree clearly better; None if none does.

    What agrees is the better half of their blocks, as what was filled in differs anyway. On 92 pictures padded to a
    multiple of 8, 32 or 64 the cut at the corner had 0.01 to 0.7 times the difference of scaled ones; with unrelated
    pictures the ratio was 0.98 to 1.02; with pictures that were scaled, 1.02 and more.

    Args:
        pairs: real and generated pictures.
        fit: what the others are compared with; None: stretching, compared with cuts alone.
    """
    fits: tuple[Fit, ...] = ("corner", "centre", fit) if fit in ("crop", "stretch") else get_args(Fit)
    differing = [pair for pair in pairs if pair[0].shape[:2] != pair[1].shape[:2]]
    if not differing:
        return None
    differences = np.array([[_difference_of(real, fake, each) + 0.1 for each in fits] for real, fake in differing])
    ratios = np.median(differences / differences[:, [fits.index(fit or "stretch")]], axis=0)
    best = fits[int(ratios.argmin())]
    is_clear = ratios.min() < (MAX_RATIO_OF_CENTRE if best == "centre" else MAX_RATIO)
    return best if is_clear and (best in images.UNSCALED or fit in images.UNSCALED) else None


MAX_FITTED = 24
"""Maximum number of pairs, or pictures of a folder, that are decoded and compared."""


def fit_remark(pairs: Sequence[Sequence[Path]], fit: Fit | None) -> tuple[Fit | None, str]:
    """Return the better fit of real and generated pictures (see `better_fit`) and a message; None and "" if none is.

    Args:
        pairs: the files of real and generated pictures; those that cannot be decoded are skipped.
        fit: the user's choice.
    """
    read: list[tuple[Picture, Picture]] = []
    for real, fake in evenly_spread(pairs, MAX_FITTED):
        with suppress(UserError):
            read.append((images.read_rgb(real), images.read_rgb(fake)))
    for each in read:
        if advice := montage_advice(*((picture.shape[1], picture.shape[0]) for picture in each)):
            return None, advice
    better = better_fit(read, fit)
    if better is None:
        return None, ""
    cuts = {"corner": "cut at the top left (--fit corner)", "centre": "cut to their centre (--fit centre)"}
    return better, f"real and generated pictures agree better {cuts.get(better, f'with --fit {better}')}"


def size_advice(real: Picture, fake: Picture) -> str:
    """Return what pictures of two sizes look like, to end a message: side by side, or padded; "" if neither."""
    sizes: list[images.Size] = [(picture.shape[1], picture.shape[0]) for picture in (real, fake)]
    if advice := montage_advice(*sizes):
        return f"; {advice}"
    if (multiple := padding_multiple(*sizes)) is None:
        return ""
    said = f"; one is the other rounded to a multiple of {multiple}, as networks pad or cut"
    corner, centre = (_difference_of(real, fake, fit) for fit in images.UNSCALED)
    if centre < MAX_RATIO_OF_CENTRE * corner:
        return f"{said}, here on all sides: `gan-eval stimuli import --fit centre` cuts both to their centre"
    return f"{said} at the right and below: `gan-eval stimuli import --fit corner` cuts both at the top left"


def montage_advice(real: images.Size, fake: images.Size) -> str:
    """Return a remark if one picture has two or three times the other's aspect ratio; else "".

    >>> montage_advice((256, 256), (512, 256))
    'the generated one looks like 2 pictures side by side (A|B): save the part to compare as a picture of its own'
    """
    for name, (width, height), other in (("generated", fake, real), ("real", real, fake)):
        ratio = width * other[1] / (height * other[0])
        for parts, side, where in ((ratio, width, "side by side (A|B)"), (1 / ratio, height, "one below the other")):
            if round(parts) in (2, 3) and abs(parts - round(parts)) < 0.01 * parts and side > max(other):
                return (
                    f"the {name} one looks like {round(parts)} pictures {where}: save the part to compare as a "
                    "picture of its own"
                )
    return ""


def padding_multiple(first: images.Size, second: images.Size) -> int | None:
    """Return the multiple to which both sides of one size were rounded up (4 to 64) or down (4 to 16) to the other."""
    for multiple in (4, 8, 16, 32, 64):
        for sides, others in ((first, second), (second, first)):
            up = tuple(-(-side // multiple) * multiple for side in sides)
            down = tuple(side // multiple * multiple for side in sides)
            if others == up or (others == down and multiple <= 16):
                return multiple
    return None


MIN_COMPARED = 8
"""Minimum number of pairs that show whether partners are more alike than other pictures."""
MIN_ALIKE = 0.65
"""Share of comparisons in which partners are more alike; chance is 1/2, with an SD of 0.06 for 24 pairs."""


def partners_doubt(pairs: Sequence[Sequence[Path]]) -> str:
    """Return a message if pictures of one stem are no more alike than those of different stems; "" if they are.

    Running numbers match by chance. What is compared is the correlation of the pictures' grey levels in 16 x 16 fields.

    Args:
        pairs: the files of real and generated pictures; those that cannot be decoded, and flat ones, are skipped.
    """
    looked = looks([path for pair in evenly_spread(pairs, MAX_FITTED) for path in pair])
    found = zip(looked[::2], looked[1::2], strict=True)
    fields = [(a.fields, b.fields) for a, b in found if a and b and a.fields.any() and b.fields.any()]
    if len(fields) < MIN_COMPARED:
        return ""
    reals, fakes = np.array(fields).transpose(1, 0, 2)
    alike = reals @ fakes.T
    partners, others = np.diag(alike)[:, None], ~np.eye(len(alike), dtype=bool)
    if np.concatenate([(partners > alike)[others], (partners > alike.T)[others]]).mean() > MIN_ALIKE:
        return ""
    return (
        f"pictures of one file stem are no more alike than others ({len(fields)} pairs looked at): if their names "
        "match by chance, as running numbers do, they are no partners"
    )


MAX_CHANGED, MAX_RESCALED = 0.7, 0.3
"""Maximum ratio of the differences with and without a change, for the conclusion that pictures have it; the second is
for levels. Of 24 pictures each of five data sets, blurred, brightened, tinted or replaced by one colour, the ratios
were 0.92 and more, for levels 0.27 and more; of pictures that were saved so 0.01 to 0.15."""
MIN_LIKENESS = 0.5
"""Minimum correlation of the colours after the change."""
_CHANGES: Mapping[str, tuple[float, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "if red and blue are exchanged, as OpenCV reads and writes them (BGR)": (
        MAX_CHANGED,
        lambda real: real[:, :, ::-1],
    ),
    "if they are mirrored": (MAX_CHANGED, lambda real: real[:, ::-1]),
    "if they are turned upside down": (MAX_CHANGED, lambda real: real[::-1]),
    "if they are turned by 90 degrees": (MAX_CHANGED, lambda real: np.rot90(real, 3)),
    "if they are turned by 90 degrees to the left": (MAX_CHANGED, np.rot90),
    "as negatives (255 less the level)": (MAX_CHANGED, lambda real: 255 - real),
    "in levels 128 to 255, as where -1 to 1 is brought to 0 to 1 twice": (MAX_RESCALED, lambda real: (real + 255) / 2),
    "with the darker half black, as where -1 to 1 is saved as 0 to 1": (
        MAX_RESCALED,
        lambda real: np.clip(2 * real - 255, 0, None),
    ),
    "in levels 0 to 127, half of the range": (MAX_RESCALED, lambda real: real / 2),
}
"""Mistakes of programs that save pictures: what generated pictures are like then, and the limit of the ratio."""


def changed_doubt(pairs: Sequence[Sequence[Path]]) -> str:
    """Return a message if generated pictures agree clearly better with real ones that are changed in one way.

    Args:
        pairs: the files of real and generated pictures of one model; those that cannot be decoded are skipped.
    """
    if len(pairs) < MIN_COMPARED:
        return ""
    looked = looks([path for pair in evenly_spread(pairs, MAX_FITTED) for path in pair])
    found = [(a.colours, b.colours) for a, b in zip(looked[::2], looked[1::2], strict=True) if a and b]
    if len(found) < MIN_COMPARED:
        return ""
    plain = np.array([np.abs(real - fake).mean() + 1 for real, fake in found])
    best = (MAX_CHANGED, "")
    for how, (limit, change) in _CHANGES.items():
        ratios = np.array([np.abs(change(real) - fake).mean() + 1 for real, fake in found]) / plain
        if np.median(ratios) < min(best[0], limit) and np.mean(ratios < 1) >= 0.9:
            alike = [_correlation(change(real), fake) for real, fake in found]
            if np.median(alike) > MIN_LIKENESS:
                best = (float(np.median(ratios)), how)
    if not best[1]:
        return ""
    return f"generated pictures are like their real ones {best[1]} ({len(found)} pairs looked at): save them again"


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the correlation of two pictures' levels, each channel less its mean; 0 for a flat one."""
    first, second = (levels - levels.mean((0, 1)) for levels in (first, second))
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 1 else 0.0


class Look(NamedTuple):
    """Facts about a picture that the doubts about a folder need."""

    fields: NDArray[np.float64]
    """(256,) the grey levels of 16 x 16 fields, less their mean and in unit length; zeros for a flat picture."""
    is_grid: bool
    """True if it has tiles of one size between margins of 2 pixels in one colour."""
    colours: NDArray[np.float64]
    """(32, 32, 3) the mean levels of fields."""
    is_flat: bool
    """True if all pixels are the same."""
    digest: int
    """Equal for equal pictures."""
    lowest: int
    """The lowest level of a channel."""
    black: float
    """The share of levels that are 0."""
    tiles: tuple[int, int]
    """The numbers of pictures without margins between them, across and down, that it seems to consist of; else 0, 0."""


def looks(paths: Sequence[Path]) -> list[Look | None]:
    """Look at pictures, on all cores; None for one that cannot be decoded. What is known of unchanged files is kept."""
    if len(paths) == 1:
        return [_look(paths[0])]
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="looks") as pool:
        return list(pool.map(_look, paths))


_looks: dict[tuple[object, ...], Look] = {}
"""Keys are path, size and time of change."""


def _look(path: Path) -> Look | None:
    try:
        status = path.stat()
        key = path, status.st_size, status.st_mtime_ns
        if key in _looks:
            return _looks[key]
        samples = images.open_picture(path, keep=True).samples()
    except (OSError, UserError):
        return None
    picture = samples if samples.dtype == np.uint8 else images.rgb_of(samples)
    grey = Image.fromarray(picture).convert("L")
    levels = np.asarray(grey.resize((16, 16), Image.Resampling.BOX), np.float64).ravel()
    levels = levels - levels.mean()
    colours = np.asarray(Image.fromarray(picture).resize((32, 32), Image.Resampling.BOX), np.float64)
    (across, down), jumps = _tilings(picture, np.asarray(grey, np.int16))
    if len(_looks) > 8 * MAX_FITTED:
        _looks.clear()
    is_grid = min(across, down) >= 1 and max(across, down) >= 2
    tiles = (jumps[0], jumps[1]) if all(jumps) else (0, 0)
    black = float(1 - np.count_nonzero(picture) / picture.size)
    fields = levels / max(float(np.linalg.norm(levels)), 1.0)
    is_flat = bool((picture == picture[0, 0]).all())
    _looks[key] = Look(fields, is_grid, colours, is_flat, crc32(picture.tobytes()), int(picture.min()), black, tiles)
    return _looks[key]


def grids_of(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures that are grids of many samples, as torchvision's `save_image` writes them.

    All are looked at if one is found in 24 that are spread evenly, the last one included.
    """
    if not any(look and look.is_grid for look in looks(evenly_spread(paths, MAX_FITTED))):
        return []
    return [path for path, look in zip(paths, looks(paths), strict=True) if look and look.is_grid]


MIN_TILE = 16
"""Minimum side of a tile, in pixels."""
MIN_SEAM = 1.5
"""Minimum ratio of the smallest step across a seam and the 98% quantile of other steps, in both directions. Of 719
pictures, most of them two side by side, it was at most 1.44, of 958 single ones 0.87, of 56 grids at least 1.48."""


def _tilings(picture: Picture, grey: NDArray[np.int16]) -> tuple[list[int], list[int]]:
    """Return the numbers of tiles across and down, between margins of 2 lines and between jumps of the levels; 0: none.

    Args:
        picture: (H, W, 3) uint8; a margin has the colour of its first pixel.
        grey: (H, W) its grey levels.
    """
    is_margin = (picture == picture[0, 0]).all(axis=2)
    between_margins, between_jumps = [], []
    for axis in (1, 0):
        lines, side = is_margin.all(axis=1 - axis), picture.shape[axis]
        starts = np.flatnonzero(lines[:-1] & ~lines[1:]) + 1
        period = starts[1] - starts[0] if len(starts) > 1 else side - 2
        is_regular = len(starts) and starts[0] == 2 and period > 4 and side % period == 2
        is_regular = is_regular and (lines == (np.arange(side) % period < 2)).all()
        between_margins.append(len(starts) if is_regular else 0)
        steps, ratios = np.abs(np.diff(grey, axis=axis)).mean(axis=1 - axis), {}
        for count in (count for count in range(2, 17) if side % count == 0 and side // count >= MIN_TILE):
            jumps = np.arange(1, count) * (side // count) - 1
            ratios[count] = steps[jumps].min() / (np.quantile(np.delete(steps, jumps), 0.98) + 1)
        between_jumps.append(max((count for count, ratio in ratios.items() if ratio >= MIN_SEAM), default=0))
    return between_margins, between_jumps


MIN_LOWEST, MAX_LOWEST = 64, 32
"""Lowest level of all generated pictures, and median of that of the real ones, where the former lack the dark half."""
MIN_BLACK, MAX_BLACK = 0.25, 0.05
"""Median shares of levels that are 0, of generated and of real pictures, where the former lost their dark half."""


def content_doubts(name: str, fakes: Sequence[Path], reals: Sequence[Path]) -> list[str]:
    """Return messages on generated pictures in one colour, equal ones, and ones without dark levels or with many."""
    paths = evenly_spread(fakes, MAX_FITTED)
    looked = [(path, look) for path, look in zip(paths, looks(paths), strict=True) if look]
    if max((float(look.colours.max()) for _, look in looked), default=0) < MIN_LOWEST:
        return []  # all dark, as `dark_folders` says
    flat = [path for path, look in looked if look.is_flat]
    what, lines = f"of {len(looked)} pictures looked at are", []
    if flat and len(flat) < len(looked):
        lines.append(
            f"{name}: {len(flat)} {what} of one colour, such as {flat[0].name}: made black by a filter, or failed?"
        )
    others = [look.digest for _, look in looked if not look.is_flat]
    if (repeated := len(others) - len({*others})) >= 2:
        lines.append(f"{name}: {repeated} {what} the same as another one")
    of_reals = [look for look in looks(evenly_spread(reals, MAX_FITTED)) if look]
    if min(len(looked), len(of_reals)) < MIN_COMPARED:
        return lines
    lowest, black = min(look.lowest for _, look in looked), median(look.black for _, look in looked)
    real_black = median(look.black for look in of_reals)
    if lowest >= MIN_LOWEST and median(look.lowest for look in of_reals) < MAX_LOWEST:
        lines.append(
            f"{name}: no picture looked at has a level below {lowest}, the real ones have: was -1 to 1 brought to 0 to "
            "1 twice?"
        )
    if black > MIN_BLACK and real_black < MAX_BLACK:
        lines.append(
            f"{name}: {black:.0%} of the levels are 0, of the real ones {real_black:.0%}: was -1 to 1 saved as 0 to 1?"
        )
    return lines


_EPOCH = re.compile(r"(?i)(?<![a-z])(epochs?|ep|iter(ation)?|step)[_-]?(\d+)")


def sample_doubts(name: str, paths: Sequence[Path]) -> list[str]:
    """Return messages about pictures that are not one sample each: grids, and the same pictures in several epochs.

    >>> sample_doubts("fake", [Path(f"epoch_{epoch}_{n}.png") for epoch in (10, 20) for n in (1, 2)])
    ['fake: the names are of 2 pictures in 2 epochs (10, 20), which count as 4; keep those of one epoch']
    """
    seen = [look for look in looks(evenly_spread(paths, MAX_FITTED)) if look]
    lines, tiled = [], [look.tiles for look in seen if all(look.tiles)]
    if any(look.is_grid for look in seen):
        grids = grids_of(paths)
        lines.append(f"{name}: {len(grids)} pictures are grids of many samples, such as {grids[0].name}")
    elif 2 * len(tiled) > len(seen):
        across, down = max(tiled, key=tiled.count)
        lines.append(
            f"{name}: {len(tiled)} of {len(seen)} pictures looked at seem to be grids of {across} x {down} samples; "
            "cut them into pictures of their own"
        )
    epochs: dict[str, set[str]] = {}
    for path in paths:
        if not (found := _EPOCH.search(path.stem)):
            return lines
        epochs.setdefault(path.stem[: found.start()] + path.stem[found.end() :], set()).add(found[3])
    numbers = sorted(set().union(*epochs.values()), key=int)
    if len(epochs) > 1 and len(numbers) > 1 and 2 * len(paths) > len(epochs) * len(numbers):
        some = ", ".join(numbers[:3]) + ", ..." * (len(numbers) > 3)
        lines.append(
            f"{name}: the names are of {len(epochs)} pictures in {len(numbers)} epochs ({some}), which count as "
            f"{len(paths)}; keep those of one epoch"
        )
    return lines


def common_size(sizes: Iterable[images.Size]) -> images.Size:
    """Return the smallest width and the smallest height."""
    widths, heights = zip(*sizes, strict=True)
    return min(widths), min(heights)


def _difference_of(real: Picture, fake: Picture, fit: Fit) -> float:
    """Return the mean absolute difference of two sizes of pictures in the half of the blocks that agree better."""
    sizes: list[images.Size] = [(picture.shape[1], picture.shape[0]) for picture in (real, fake)]
    smaller = min(sizes, key=lambda size: (size[0] * size[1], size))
    target = common_size(sizes) if fit in images.UNSCALED else smaller
    first, second = (images.to_size(picture, target, fit) for picture in (real, fake))
    blocks = np.sort(_block_means(np.abs(first.astype(np.int32) - second).mean(axis=2)), axis=None)
    return float(blocks[: max(1, len(blocks) // 2)].mean())


def _block_means(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the means of (H, W) values in whole blocks; of the whole picture if it is smaller than a block."""
    height, width = (side // BLOCK for side in values.shape)
    if not height or not width:
        return values.mean(keepdims=True)
    return values[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK).mean(axis=(1, 3))


class Agreement(NamedTuple):
    """Agreement of a generated picture with its photograph, inside and outside the hole of a mask."""

    inside: float
    """Mean over the pixels of the largest difference of a channel, in levels."""
    outside: float
    drift: float
    """Mean absolute difference of the blocks' mean levels inside; near 0 after JPEG, which changes levels in blocks."""
    is_changed_outside: bool
    """True if parts outside the hole differ by much more than the rest outside it."""


def agreement(real: Picture, fake: Picture, hole: Hole) -> Agreement | None:
    """Return how far two pictures of one size agree; None if the hole is empty or the whole picture."""
    if hole.all() or not hole.any():
        return None
    difference = np.abs(real.astype(np.int16) - fake).max(axis=2)
    outside = difference[~hole]
    blocks, share = _block_means(difference.astype(np.float64)), _block_means(hole.astype(np.float64))
    changed = blocks > 3 * np.median(outside) + 12  # JPEG and networks change all parts, in proportion to their noise
    lost = int((changed & (share == 0)).sum())
    is_changed = lost > 0.1 * int(changed.sum()) and lost > 0.01 * int((share == 0).sum())
    drifts = np.abs(_block_means((real.astype(np.int16) - fake).mean(axis=2)))
    inside = float(difference[hole].mean())
    drift = float(drifts[share == 1].mean()) if (share == 1).any() else inside
    return Agreement(inside, float(outside.mean()), drift, is_changed)


MAX_JPEG_DRIFT = 1.5
"""Difference of the blocks' mean levels of a picture and its JPEG copy: 92 pictures in quality 30 to 95 had medians of
0.1 to 1.0, and blurred by 12 pixels 13."""


class MaskDoubt(NamedTuple):
    line: str
    is_certain: bool = False
    """True if the pictures are equal inside the holes, so that the masks are inverted."""


def mask_doubt(agreements: Sequence[Agreement], *, where: Path, hole: HoleColour) -> MaskDoubt | None:
    """Return a message if most masks are inverted, or do not fit what was filled.

    With the right masks, 184 pictures agreed better outside the hole in 97% of cases and more: filled in six ways,
    pasted into the photograph or not, as PNG or as JPEG of quality 50 to 95.
    """
    inverted = [each for each in agreements if each.inside < each.outside]
    other: HoleColour = "black" if hole == "white" else "white"
    if 2 * len(inverted) > len(agreements):
        is_certain = median(each.drift for each in inverted) <= MAX_JPEG_DRIFT
        agree = "equal" if is_certain else "agree better with"
        return MaskDoubt(
            f"{where}: inverted? {len(inverted)} of {len(agreements)} generated pictures {agree} their real ones "
            f"inside the hole and differ outside it, with {hole} as the hole; if {other} is the hole, give "
            f"--mask-hole {other}",
            is_certain,
        )
    changed = sum(each.is_changed_outside for each in agreements)
    is_exact = 2 * sum(each.outside == 0 for each in agreements) >= len(agreements)
    if changed and (is_exact or 2 * changed > len(agreements)):
        return MaskDoubt(
            f"{where}: {changed} of {len(agreements)} generated pictures differ from their real ones outside the hole, "
            "too: masks of other pictures, or smaller than what was filled"
        )
    return None
