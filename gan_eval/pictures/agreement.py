"""Checks that pictures are what they are taken for: agreement of pairs, masks and halves, contents of a folder.

The signs and their thresholds are the rows of `gan_eval.pictures.checks`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple, TypeVar, get_args
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_eval.base.errors import UserError
from gan_eval.base.threads import usable_cores
from gan_eval.pictures import decode as images
from gan_eval.pictures.checks import CHANGES, CHECKS, Pixels
from gan_eval.pictures.decode import Fit, Picture
from gan_eval.pictures.holes import Hole

T = TypeVar("T")
Floats = NDArray[np.float64]
HoleColour = Literal["white", "black"]

MAX_LOOKED_AT = 100
"""Maximum number of pictures of a folder that are looked at."""
MAX_PAIRS = 24
"""Maximum number of pairs that are decoded and compared."""
MIN_CHANGED = 2
"""Minimum number of pictures with a change."""
MIN_COMPARED = 8
"""Minimum number of pictures for the conclusion that nothing is alike."""
GRID = 128
"""Side of the grid of pixels that is compared."""
MOVES = 8
"""Largest move in pixels."""
BLOCK = 8
"""Side of a block in pixels."""


def evenly_spread(things: Sequence[T], most: int = MAX_LOOKED_AT) -> list[T]:
    """Return at most `most` things, spread evenly, the first and the last included."""
    return [things[at] for at in np.linspace(0, len(things) - 1, min(most, len(things))).round().astype(int)]


def spread_neighbours(things: Sequence[T]) -> list[T]:
    """Return at most 24 things: all, or neighbours at indices that are spread evenly, as names may be wrong by one."""
    starts = np.linspace(0, max(0, len(things) - 2), MAX_PAIRS // 2).round().astype(int)
    return [things[at] for at in sorted({*starts, *(starts + 1)})] if len(things) > MAX_PAIRS else [*things]


class Look(NamedTuple):
    """Facts about a picture."""

    pixels: Pixels
    """(128, 128, 3) every n-th pixel."""
    profiles: tuple[Floats, Floats]
    """(W,) and (H,) mean grey levels of the columns and of the rows, less their mean."""
    size: tuple[int, ...]
    digest: int
    """Equal for equal pictures."""
    is_flat: bool
    """True if all pixels are the same."""
    lowest: int
    """The lowest level of a channel."""
    black: float
    """The share of levels that are 0."""
    margins: list[int]
    """Numbers of tiles across and down between margins of 2 pixels in one colour; else 0."""
    tiles: list[int]
    """Numbers of pictures across and down, without margins, that it seems to consist of; else 0."""


def look_at(picture: Picture) -> Look:
    """Return the facts about a picture."""
    grey = _grey(picture)
    columns_mean, rows_mean = (grey.mean(axis=axis) for axis in (0, 1))
    return Look(
        pixels=_sampled(picture),
        profiles=(columns_mean - columns_mean.mean(), rows_mean - rows_mean.mean()),
        size=grey.shape,
        digest=crc32(picture.tobytes()),
        is_flat=bool((picture[0] == picture[0, 0]).all() and (picture == picture[0, 0]).all()),
        lowest=int(picture.min()),
        black=float(1 - np.count_nonzero(picture) / picture.size),
        margins=_between_margins(picture),
        tiles=[_between_jumps(grey, axis) for axis in (1, 0)],
    )


def _sampled(picture: Picture) -> Pixels:
    """Return (128, 128, 3) every n-th pixel."""
    rows, columns = (((np.arange(GRID) + 0.5) * side / GRID).astype(int) for side in picture.shape[:2])
    return picture[rows[:, None], columns]


def _grey(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(picture).convert("L"))


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
        if key not in _looks:
            samples = images.open_picture(path, keep=True).samples()
            if len(_looks) > 4 * MAX_PAIRS:
                _looks.clear()
            _looks[key] = look_at(samples if samples.dtype == np.uint8 else images.rgb_of(samples))
        return _looks[key]
    except (OSError, UserError, KeyError):
        return None


# real pictures and generated ones


def changed_line(pairs: Sequence[Sequence[Path]]) -> str:
    """Return a line if generated pictures agree better with changed real ones, or with those of others; else "".

    Args:
        pairs: the files of real and generated pictures of one model; those that cannot be decoded are skipped.
    """
    looked = _looked(pairs)
    best = [_best_change(real.pixels, fake.pixels) for _, (real, fake) in looked if not fake.is_flat]
    changes = [
        (best.count(each.id), each.name)
        for each in CHANGES
        if best.count(each.id) >= max(MIN_CHANGED, each.share * len(looked))
    ]
    if changes:
        count, how = max(changes)
        return CHECKS["changed"].line(count=count, n=len(looked), how=how)
    return _moved_line(looked) or _other_partner_line(looked)


Looked = list[tuple[Sequence[Path], tuple[Look, Look]]]
"""Pairs of files, and what was seen in them."""


def _looked(pairs: Sequence[Sequence[Path]]) -> Looked:
    """Look at pairs: all, or neighbours."""
    chosen = spread_neighbours(pairs)
    seen = looks([path for pair in chosen for path in pair])
    return [(pair, (a, b)) for pair, a, b in zip(chosen, seen[::2], seen[1::2], strict=True) if a and b]


def _best_change(real: Pixels, fake: Pixels) -> str:
    """Return the change after which a pair agrees better, by its threshold; "" if none."""
    there = _fields(fake)
    groups = np.array_split(_fields(real).argsort(axis=None), 8)
    is_grey = np.abs(there - there.mean(axis=2, keepdims=True)).mean() < 1

    def difference(changed: Pixels, of: str) -> float:
        apart = _fields(changed) - there
        if of == "levels":
            return float(np.mean([abs(apart.ravel()[group].mean()) for group in groups])) + 1
        if of == "colours":
            apart = apart - apart.mean(axis=2, keepdims=True)
            apart = apart - apart.mean(axis=(0, 1))
        return float(np.abs(apart).mean()) + (1 if of == "colours" else 2)

    plain = {of: difference(real, of) for of in ("places", "colours", "levels")}
    ratios = {
        each.id: difference(each.apply(real), each.of) / plain[each.of] / each.threshold
        for each in CHANGES
        if not (is_grey and each.of == "colours")
    }
    best = min(ratios, key=lambda name: ratios[name])
    return best if ratios[best] < 1 else ""


def _fields(pixels: Pixels) -> Floats:
    """Return (32, 32, 3) mean levels of 4 x 4 pixels each."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).reduce(4), np.float64)


def _moved_line(looked: Looked) -> str:
    check = CHECKS["moved"]
    moves = [move for _, (real, fake) in looked if real.size == fake.size and (move := _move(real, fake))]
    least = max(MIN_CHANGED, min(check.n, len(looked)), check.share * len(looked))
    common = [Counter(of_axis).most_common(1)[0] for of_axis in zip(*moves, strict=True)]
    (y, x), count = [move for move, _ in common] or (0, 0), min([count for _, count in common], default=0)
    return check.line(count=count, n=len(looked), x=x, y=y) if count >= least and (y or x) else ""


def _move(real: Look, fake: Look) -> tuple[int, ...] | None:
    """Return the move down and right after which a pair agrees better, one of them by the threshold; else None."""
    moves, is_better = [], False
    for before, after in zip(real.profiles[::-1], fake.profiles[::-1], strict=True):
        end = len(before) - MOVES
        if end < 5 * MOVES:  # a small picture agrees by chance
            return None
        costs = [
            0.25 + float(np.median(np.abs(before[MOVES - move : end - move] - after[MOVES:end])))
            for move in range(-MOVES, MOVES + 1)
        ]
        moves.append(int(np.argmin(costs)) - MOVES)
        is_better |= min(costs) < CHECKS["moved"].threshold * costs[MOVES]
    return tuple(moves) if is_better else None


def _other_partner_line(looked: Looked) -> str:
    if not looked:
        return ""
    sides = zip(*(pair for _, pair in looked), strict=True)
    reals, fakes = ([field - field.mean((0, 1)) for look in side for field in [_fields(look.pixels)]] for side in sides)
    apart = np.array([[np.abs(real - fake).mean() + 2 for fake in fakes] for real in reals])
    ratios = apart / np.minimum(np.diag(apart)[None, :], np.diag(apart)[:, None])
    check, others = CHECKS["other_partner"], ratios.argmin(axis=0)
    wrong = np.flatnonzero(ratios.min(axis=0) < check.threshold)
    if len(wrong) < max(MIN_CHANGED, check.share * len(looked)):
        return ""
    real, fake = looked[others[wrong[0]]][0][0], looked[wrong[0]][0][1]
    return check.line(count=len(wrong), n=len(looked), fake=fake.name, real=real.name)


def partners_line(pairs: Sequence[Sequence[Path]]) -> str:
    """Return a line if pictures of one stem are no more alike than those of different stems; "" if they are."""
    pixels = [(a.pixels, b.pixels) for _, (a, b) in _looked(pairs) if not (a.is_flat or b.is_flat)]
    return _unrelated_line(pixels, "pictures of one file stem")


def _unrelated_line(pairs: Sequence[tuple[Pixels, Pixels]], what: str) -> str:
    """Return a line if the pictures of pairs, also a drawing and a photograph, share no more than those of others.

    Args:
        pairs: pairs in the order of their names, as those behind a missing file have a neighbour's partner.
    """
    if len(pairs) < MIN_COMPARED:
        return ""
    shared, check = _shared(pairs), CHECKS["no_partners"]
    if _partners_lead(shared) <= check.threshold:
        return check.line(what=what, n=len(pairs))
    check, first = CHECKS["neighbour"], _first_of_a_neighbour(shared)
    return "" if first is None else check.line(what=what, n=len(pairs), first=first + 1)


def _partners_lead(shared: Floats) -> float:
    """Return the share of comparisons in which partners share more than others."""
    partners, others = np.diag(shared)[:, None], ~np.eye(len(shared), dtype=bool)
    return float(np.concatenate([(partners > shared)[others], (partners > shared.T)[others]]).mean())


def _first_of_a_neighbour(shared: Floats) -> int | None:
    """Return the index of the pair from which on a neighbour's partner shares more, by the threshold; None if none."""
    own, check = np.diag(shared), CHECKS["neighbour"]
    for start, more in enumerate([np.diag(shared, -1) - own[:-1], np.diag(shared, 1) - own[1:]]):
        signs = (more > check.share).astype(int) - (more < -check.share)
        sums = signs[::-1].cumsum()[::-1]
        if sums.max() >= check.threshold:
            return start + int(sums.argmax())
    return None


def _shared(pairs: Sequence[tuple[Pixels, Pixels]]) -> Floats:
    """Return (N, N) what first and second pictures share, in SD.

    It is the sum of the mutual information of the grey levels in 8 steps and the correlation of the strength of edges.
    """
    greys = [[pixels.mean(axis=2) for pixels in side] for side in zip(*pairs, strict=True)]
    first, second = ([*map(_steps, side)] for side in greys)
    edges = [np.array([*map(_edges, side)]) for side in greys]
    kinds = (np.array([[_information(a, b) for b in second] for a in first]), edges[0] @ edges[1].T)
    return np.sum([(each - each.mean()) / max(float(each.std()), 1e-9) for each in kinds], axis=0)


def _steps(grey: Floats) -> NDArray[np.int_]:
    """Return the means of 4 x 4 pixels of (128, 128) in 8 steps, from the lowest to the highest."""
    fields = grey.reshape(32, 4, 32, 4).mean(axis=(1, 3)).ravel()
    return (8 * (fields - fields.min()) / (np.ptp(fields) + 1)).astype(int)


def _edges(grey: Floats) -> Floats:
    """Return the strength of edges in fields of 9 x 9 pixels of (128, 128), less its mean, with length 1."""
    rises = (np.abs(np.diff(grey, axis=0))[:, 1:] + np.abs(np.diff(grey, axis=1))[1:])[:126, :126]
    strengths = np.sqrt(np.minimum(rises, 60)).reshape(14, 9, 14, 9).mean(axis=(1, 3)).ravel()
    centred = strengths - strengths.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-9)


def _information(first: NDArray[np.int_], second: NDArray[np.int_]) -> float:
    """Return the mutual information of two lists of steps 0 to 7, in nats."""
    joint = np.bincount(8 * first + second, minlength=64).reshape(8, 8) / len(first)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    return float((joint[joint > 0] * np.log(joint[joint > 0] / apart[joint > 0])).sum())


# sizes


def better_fit(pairs: Iterable[tuple[Picture, Picture]], fit: Fit | None) -> Fit | None:
    """Return the fit by which real and generated pictures of different sizes agree clearly better; None if none does.

    What agrees is the better half of their blocks, as what was filled in differs anyway.

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
    is_cut = best in images.UNSCALED or fit in images.UNSCALED
    return best if ratios.min() < CHECKS["fit"].threshold and is_cut else None


def _difference_of(real: Picture, fake: Picture, fit: Fit) -> float:
    """Return the mean absolute difference of two sizes of pictures in the half of the blocks that agree better."""
    sizes: list[images.Size] = [(picture.shape[1], picture.shape[0]) for picture in (real, fake)]
    first, second = (images.to_size(picture, images.smallest(sizes, fit), fit) for picture in (real, fake))
    blocks = np.sort(_block_means(np.abs(first.astype(np.int32) - second).mean(axis=2)), axis=None)
    return float(blocks[: max(1, len(blocks) // 2)].mean())


def fit_remark(pairs: Sequence[Sequence[Path]], fit: Fit | None) -> tuple[Fit | None, str]:
    """Return the better fit of real and generated pictures (see `better_fit`) and a line; None and "" if none is.

    Args:
        pairs: the files of real and generated pictures; those that cannot be decoded are skipped.
        fit: the user's choice.
    """
    read: list[tuple[Picture, Picture]] = []
    for real, fake in evenly_spread(pairs, MAX_PAIRS):
        with suppress(UserError):
            read.append((images.read_rgb(real), images.read_rgb(fake)))
    if advice := next(filter(None, (_montage_advice(*pair) for pair in read)), ""):
        return None, advice
    better = better_fit(read, fit)
    return better, CHECKS["fit"].line(fit=_FIT_NAMES[better]) if better else ""


_FIT_NAMES: Mapping[Fit, str] = {
    "corner": "cut at the top left (--fit corner), as where networks pad or cut at the right and below",
    "centre": "cut to their centre (--fit centre), as where networks pad or cut on all sides",
    "crop": "with --fit crop",
    "stretch": "with --fit stretch",
}


def size_advice(real: Picture, fake: Picture) -> str:
    """Return what pictures of two sizes look like, to end a message: side by side, or padded; "" if neither."""
    advice = _montage_advice(real, fake)
    if not advice and (fit := better_fit([(real, fake)], None)):
        advice = f"they agree better {_FIT_NAMES[fit]}, which `gan-eval stimuli import` does"
    return f"; {advice}" if advice else ""


def _montage_advice(real: Picture, fake: Picture) -> str:
    """Return a line if one picture has two or three times the other's aspect ratio; else ""."""
    check = CHECKS["side_by_side"]
    for role, (height, width), (h, w) in (
        ("generated", fake.shape[:2], real.shape[:2]),
        ("real", real.shape[:2], fake.shape[:2]),
    ):
        ratio = width * h / (height * w)
        for parts, side, where in ((ratio, width, "side by side (A|B)"), (1 / ratio, height, "one below the other")):
            if round(parts) in (2, 3) and abs(parts / round(parts) - 1) < check.threshold and side > max(h, w):
                return check.line(role=role, parts=round(parts), where=where)
    return ""


def _block_means(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the means of (H, W) values in whole blocks; of the whole picture if it is smaller than a block."""
    height, width = (side // BLOCK for side in values.shape)
    if not height or not width:
        return values.mean(keepdims=True)
    return values[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK).mean(axis=(1, 3))


# the pictures of a folder


def dark_folders(folders: Mapping[str, Sequence[Path]], *, white: int | None = None, fix: str = "") -> list[str]:
    """Return a line for each folder in which no picture reaches a part of its peak, such as 12 bits in 16, or 0 and 1.

    Args:
        folders: the pictures of each, by its name for the line; those that cannot be decoded are skipped.
        white: level that is stretched to the peak before.
        fix: what to do; default: `--white`, where it fits all of these folders.
    """
    check = CHECKS["dark"]
    ranges = {name: found for name, paths in folders.items() if (found := _highest(paths, white, check.threshold))}
    dark = {name: found for name, found in ranges.items() if found[0] < check.threshold * found[1]}
    likely = (1 << max((highest for highest, _ in dark.values()), default=0).bit_length()) - 1
    fits_all = all(name in dark or peak <= likely for name, (_, peak) in ranges.items())
    fix = fix or (f"give --white {likely}" if fits_all else "multiply the levels, so that white is the peak")
    return [
        check.line(name=name, highest=level, peak=peak, white=likely, fix=fix)
        if level
        else f"{name}: all pictures are black"
        for name, (level, peak) in dark.items()
    ]


def content_lines(name: str, fakes: Sequence[Path], reals: Sequence[Path]) -> list[str]:
    """Return lines on generated pictures in one colour, equal ones, and ones without dark levels or with many."""
    paths = evenly_spread(fakes, MAX_PAIRS)
    looked = [(path, look) for path, look in zip(paths, looks(paths), strict=True) if look]
    if max((int(look.pixels.max()) for _, look in looked), default=0) < CHECKS["dark"].threshold * 255:
        return []  # as `dark_folders` says
    flat = [path.name for path, look in looked if look.is_flat]
    digests = [look.digest for _, look in looked if not look.is_flat]
    facts: dict[str, Any] = {"name": name, "n": len(looked)}
    lines = []
    if CHECKS["one_colour"].threshold <= len(flat) < len(looked):
        lines.append(CHECKS["one_colour"].line(count=len(flat), example=flat[0], **facts))
    if (count := len(digests) - len({*digests})) >= CHECKS["repeated"].threshold:
        lines.append(CHECKS["repeated"].line(count=count, **facts))
    seen = _some_looks(reals)
    if min(len(looked), len(seen)) >= MIN_COMPARED:
        lines += _lines_on_levels([look for _, look in looked], seen, facts)
    return lines


def _some_looks(paths: Sequence[Path]) -> list[Look]:
    return [look for look in looks(evenly_spread(paths, MAX_PAIRS)) if look]


def _lines_on_levels(fakes: Sequence[Look], reals: Sequence[Look], facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines on generated pictures without dark levels, or with more black than the real ones."""
    lowest, check = min(look.lowest for look in fakes), CHECKS["no_dark_levels"]
    lower = np.mean([(look.pixels < lowest).mean() for look in reals])
    if lowest - median(look.lowest for look in reals) >= check.threshold and lower >= check.share:
        check = CHECKS["no_lower_half"] if lowest >= CHECKS["no_lower_half"].threshold else check
        yield check.line(lowest=lowest, highest=max(int(look.pixels.max()) for look in fakes), **facts)
    fake, real = (median(look.black for look in side) for side in (fakes, reals))
    if fake - real > CHECKS["black"].threshold:
        yield CHECKS["black"].line(fake=fake, real=real, **facts)


def grids_of(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures that are grids of many samples, as torchvision's `save_image` writes them.

    All are looked at if one is found in 24 that are spread evenly, the last one included.
    """
    if not any(map(_is_grid, _some_looks(paths))):
        return []
    return [path for path, look in zip(paths, looks(paths), strict=True) if look and _is_grid(look)]


def _is_grid(look: Look) -> bool:
    return min(look.margins) >= 1 and max(look.margins) >= 2


_EPOCH = re.compile(r"(?i)(?<![a-z])(epochs?|ep|iter(ation)?|step)[_-]?(\d+)")


def sample_lines(name: str, paths: Sequence[Path]) -> list[str]:
    """Return lines about pictures that are not one sample each: grids, and the same pictures in several epochs.

    >>> sample_lines("fake", [Path(f"epoch_{epoch}_{n}.png") for epoch in (10, 20) for n in (1, 2)])
    ['fake: the names are of 2 pictures in 2 epochs (10, 20), which count as 4; keep those of one epoch']
    """
    seen = _some_looks(paths)
    tiled = [look.tiles for look in seen if all(look.tiles)]
    lines = []
    if len(grids := grids_of(paths)) >= CHECKS["grid"].threshold:
        lines.append(CHECKS["grid"].line(name=name, count=len(grids), example=grids[0].name))
    elif 2 * len(tiled) > len(seen):
        across, down = max(tiled, key=tiled.count)
        lines.append(CHECKS["tiles"].line(name=name, count=len(tiled), n=len(seen), across=across, down=down))
    return [*lines, *_epochs_lines(name, paths)]


def _epochs_lines(name: str, paths: Sequence[Path]) -> Iterator[str]:
    """Yield a line if the names are of the same pictures in several epochs."""
    named = [(path.stem, _EPOCH.search(path.stem)) for path in paths]
    found = [(stem[: match.start()] + stem[match.end() :], match[3]) for stem, match in named if match]
    pictures, epochs = len({stem for stem, _ in found}), sorted({epoch for _, epoch in found}, key=int)
    is_repeated = len(found) == len(paths) > CHECKS["epochs"].threshold * pictures * len(epochs)
    if is_repeated and min(pictures, len(epochs)) > 1:
        some = ", ".join(epochs[:3]) + ", ..." * (len(epochs) > 3)
        yield CHECKS["epochs"].line(name=name, pictures=pictures, epochs=len(epochs), some=some, n=len(paths))


def _between_margins(picture: Picture) -> list[int]:
    """Return the numbers of tiles across and down between margins of 2 lines in the colour of the first pixel."""
    if not (picture[:2] == picture[0, 0]).all():
        return [0, 0]
    is_margin, counts = (picture == picture[0, 0]).all(axis=2), []
    for axis in (1, 0):
        lines, side = is_margin.all(axis=1 - axis), picture.shape[axis]
        starts = np.flatnonzero(lines[:-1] & ~lines[1:]) + 1
        period = starts[1] - starts[0] if len(starts) > 1 else side - 2
        is_regular = len(starts) and starts[0] == 2 and period > 4 and side % period == 2
        counts.append(len(starts) if is_regular and (lines == (np.arange(side) % period < 2)).all() else 0)
    return counts


def _between_jumps(grey: NDArray[np.uint8], axis: int) -> int:
    """Return the largest number of equal parts of at least 16 pixels with steps of the levels at all seams; else 0."""
    side, steps = grey.shape[axis], steps_of(grey, axis)
    counts = [count for count in range(2, 17) if side % count == 0 and side // count >= 16]
    return max((count for count in counts if seam_ratio(steps, count) >= CHECKS["tiles"].threshold), default=0)


def steps_of(grey: NDArray[np.uint8], axis: int = 1) -> Floats:
    """Return the mean steps of the levels between neighbouring columns (axis 1) or rows (0)."""
    return np.abs(np.diff(grey.astype(np.int16), axis=axis)).mean(axis=1 - axis)


def seam_ratio(steps: Floats, count: int) -> float:
    """Return the ratio of the smallest step at a seam of equal parts and the 98% quantile of other steps."""
    seams = np.arange(1, count) * (len(steps) + 1) // count - 1
    return float(steps[seams].min() / (np.quantile(np.delete(steps, seams), 0.98) + 1))


def _highest(paths: Sequence[Path], white: int | None, threshold: float) -> tuple[int, int] | None:
    """Return the highest level, up to the first picture that is not dark, and its peak; None: nothing is readable."""
    highest: tuple[int, int] | None = None
    for path in evenly_spread(paths):
        with suppress(UserError):
            samples = images.open_picture(path, white, keep=True).samples()
            level, peak = int(samples.max()), int(np.iinfo(samples.dtype).max)
            if highest is None or level / peak > highest[0] / highest[1]:
                highest = (level, peak)
            if level >= threshold * peak:
                break
    return highest


def halves_line(pairs: Sequence[tuple[Picture, Picture]]) -> str:
    """Return a line if pictures are no two halves side by side, or if their halves share nothing; else ""."""
    size = Counter(pair[0].shape for pair in pairs).most_common(1)[0][0] if pairs else (0, 0)
    wholes = [np.concatenate(pair, axis=1) for pair in pairs if pair[0].shape == size]
    if len(wholes) < CHECKS["no_seam"].n:
        return ""
    steps = np.array([steps_of(_grey(whole)) for whole in wholes])
    parts, check = max((3, 4), key=lambda parts: seam_ratio(steps.mean(axis=0), parts)), CHECKS["panels"]
    if seam_ratio(steps.mean(axis=0), parts) >= check.threshold:
        return check.line(n=len(wholes), parts=parts)
    if _are_thirds(wholes):
        return check.line(n=len(wholes), parts=3)
    middle, check = steps.shape[1] // 2, CHECKS["no_seam"]
    beside = np.median(np.c_[steps[:, middle - 4 : middle], steps[:, middle + 1 : middle + 5]], axis=1)
    is_smooth = np.median(steps[:, middle] / np.maximum(beside, 1e-9)) < check.threshold
    if np.median(beside) >= check.share and is_smooth:
        return check.line(n=len(wholes))
    return _unrelated_line([(_sampled(a), _sampled(b)) for a, b in pairs], "the halves of one picture")


def _are_thirds(wholes: Sequence[Picture]) -> bool:
    """Return True if neighbouring thirds share more than others, and clearly more often than halves do."""
    if len(wholes) < MIN_COMPARED:
        return False
    cut = {parts: [np.array_split(whole, parts, axis=1) for whole in wholes] for parts in (2, 3)}
    halves, *thirds = (
        _partners_lead(_shared([(_sampled(part[at]), _sampled(part[at + 1])) for part in cut[parts]]))
        for parts, at in ((2, 0), (3, 0), (3, 1))
    )
    return min(thirds) > max(CHECKS["panels"].share, halves + 0.05)


# masks


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


def mask_line(agreements: Sequence[Agreement], *, where: Path, hole: HoleColour) -> tuple[str, bool]:
    """Return a line if most masks are inverted, or do not fit what was filled; and if they are certainly inverted."""
    n, other = len(agreements), "black" if hole == "white" else "white"
    inverted = [each.drift for each in agreements if each.inside < each.outside]
    if len(inverted) > CHECKS["mask_inverted"].threshold * n:
        is_certain = median(inverted) <= CHECKS["mask_equal"].threshold
        agree = "equal" if is_certain else "agree better with"
        facts = {"where": where, "count": len(inverted), "n": n, "agree": agree, "hole": hole, "other": other}
        return CHECKS["mask_inverted"].line(**facts), is_certain
    changed = sum(each.is_changed_outside for each in agreements)
    is_exact = 2 * sum(each.outside == 0 for each in agreements) >= n
    if changed and (is_exact or changed > CHECKS["mask_of_other"].threshold * n):
        return CHECKS["mask_of_other"].line(where=where, count=changed, n=n), False
    return "", False
