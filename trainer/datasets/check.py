"""Inspect a data set before training: a check of every picture, and a contact sheet of A|B pictures."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, ImageOps

from gan_eval.base.atomic import atomic_path
from gan_eval.base.digests import sha256_bytes
from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.pictures.agreement import dark_folders, evenly_spread, halves_line, spread_neighbours
from gan_eval.pictures.decode import Picture, read_rgb, unread_pictures
from gan_eval.settings.choices import Direction
from trainer.datasets.dataset import try_pictures
from trainer.datasets.pairs import PairedSet, Side, direction_from, doubtful_halves, drawn_side, flatness, list_splits
from trainer.datasets.photographs import PhotographSet, has_usual_splits, walk
from trainer.datasets.presets import PRESETS

SIZES_LISTED = 5  # number of sizes in the printed list


@dataclass(frozen=True)
class DataFinding:
    """A finding for the user."""

    kind: Literal["unusable", "duplicate", "sizes", "split", "levels", "unread", "halves"]
    line: str


@dataclass(frozen=True)
class PictureFacts:
    """A usable picture."""

    split: str
    name: str  # path below the data set's folder
    size: str  # width and height in pixels; for a pair, of both halves together
    pixels: tuple[str, ...]  # A hash of the decoded pixels of A and of B, or of the photograph
    flat: tuple[float, ...] = ()  # proportion of nearly equal neighbours in A, and in B (see `pairs.flatness`)


@dataclass(frozen=True)
class DataReport:
    """The result of `check`."""

    folder: Path
    splits: dict[str, int]  # usable pictures in each split
    sizes: dict[str, int]  # pictures of each size, most frequent first
    unusable: dict[Path, str]  # the reason of each picture that cannot be used
    findings: list[DataFinding]
    by_hash: bool = False  # photographs are split by a hash of their path, as there are no folders of splits
    drawn: Side | None = None  # the half that looks drawn: labels, a map, edges
    are_pairs: bool = True  # False for photographs

    @property
    def direction(self) -> Direction | None:
        """Direction from the drawn half to the photograph."""
        return direction_from(self.drawn) if self.drawn else None

    def lines(self) -> list[str]:
        """Return the facts and the findings, by kind, as lines of text."""
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        sizes = [f"{size} ({count})" for size, count in self.sizes.items()]
        more = f" and {len(sizes) - SIZES_LISTED} more sizes" if len(sizes) > SIZES_LISTED else ""
        lines = [
            f"folder    {self.folder}",
            f"pictures  {splits}{' (by hash of the path)' if self.by_hash else ''}",
            f"pixels    {', '.join(sizes[:SIZES_LISTED])}{more}",
        ]
        if self.are_pairs:
            sides = f"{self.drawn} (--direction {self.direction} makes photographs)" if self.drawn else "no half"
            lines.append(f"drawn     {sides}")
        lines.append(f"findings  {len(self.findings) or 'none'}")
        for kind in dict.fromkeys(finding.kind for finding in self.findings):
            lines += [f"  {kind}: {finding.line}" for finding in self.findings if finding.kind == kind]
        return lines


def check(data: Path, *, photographs: bool = False, on_progress: Progress | None = None) -> DataReport:
    """Check every picture of a data set of A|B pictures or photographs.

    A folder without a usable picture is refused.
    """
    data = Path(data)
    data_set = PhotographSet(data) if photographs else PairedSet(data)
    by_split = data_set.by_split()
    if not by_split:
        raise UserError(f"{data}: no pictures below it; expected {data.name}/{data_set.pattern}, such as train")
    split_of = {path: split for split, paths in by_split.items() for path in paths}
    pictures, unusable = _looked_at(data_set, split_of, on_progress)
    splits = dict(Counter(picture.split for picture in pictures))
    sizes = dict(Counter(picture.size for picture in pictures).most_common())
    usable = [path for path in split_of if path not in unusable]
    findings = [DataFinding("unusable", reason) for reason in unusable.values()]
    findings += _of_folders(data, list(split_of), usable)
    if "train" not in splits:
        findings.append(DataFinding("split", f"no train split; there are: {', '.join(splits)}"))
    equal = duplicates(pictures, "the same picture", lambda pixels: pixels)
    if isinstance(data_set, PhotographSet):
        by_hash = not has_usual_splits(data)
        findings += [*([] if by_hash else _of_other_splits(data, split_of)), *equal]
        return DataReport(data, splits, sizes, unusable, findings, by_hash=by_hash, are_pairs=False)
    findings += [*_of_sizes(sizes), *equal]
    findings += duplicates(pictures, "the same A half", lambda pixels: pixels[0], whole=False)
    findings += duplicates(pictures, "the same B half", lambda pixels: pixels[1], whole=False)
    lines, drawn = _of_halves(data_set, pictures, usable)
    findings += [DataFinding("halves", line) for line in lines]
    return DataReport(data, splits, sizes, unusable, findings, drawn=drawn)


def _looked_at(
    data_set: PairedSet | PhotographSet, split_of: Mapping[Path, str], on_progress: Progress | None
) -> tuple[list[PictureFacts], dict[Path, str]]:
    """Return the facts of the usable pictures, and the reasons of the others; refuse a set without a usable one."""
    facts = try_pictures(list(split_of), lambda path: _facts(data_set, path, split_of[path]), on_progress=on_progress)
    results = dict(zip(split_of, facts, strict=True))
    pictures = [result for result in results.values() if not isinstance(result, UserError)]
    unusable = {path: str(result) for path, result in results.items() if isinstance(result, UserError)}
    if not pictures:
        first = next(iter(unusable.values()))
        raise UserError(f"{data_set.folder}: none of {len(split_of)} pictures can be used; the first: {first}")
    return pictures, unusable


def _of_sizes(sizes: Mapping[str, int]) -> Iterator[DataFinding]:
    """Yield a finding on pairs of several sizes, from the number of pairs of each size."""
    if len(sizes) > 1:
        listed = ", ".join(f"{size} ({count})" for size, count in sizes.items())
        yield DataFinding("sizes", f"pictures of several sizes: {listed}; training resizes each half to a square")


def _of_folders(data: Path, paths: Sequence[Path], usable: Sequence[Path]) -> Iterator[DataFinding]:
    """Yield findings on dark pictures, and on files next to the pictures that cannot be read."""
    for line in dark_folders({data.name: usable}, fix="stretch the levels before you train on the pictures"):
        yield DataFinding("levels", line)
    for folder in sorted({path.parent for path in paths}):
        if unread := unread_pictures(folder):
            yield DataFinding("unread", f"{folder.relative_to(data).as_posix()}: {unread}")


def _of_other_splits(data: Path, split_of: Mapping[Path, str]) -> Iterator[DataFinding]:
    """Yield a finding if there are photographs outside the usual splits."""
    if others := [path for path in walk(data) if path not in split_of]:
        such_as = others[0].relative_to(data).as_posix()
        line = f"pictures: {len(others)} outside train, val and test not looked at, such as {such_as}"
        yield DataFinding("split", line)


def _of_halves(
    data_set: PairedSet, pictures: Sequence[PictureFacts], usable: Sequence[Path]
) -> tuple[list[str], Side | None]:
    """Return what is doubtful about the halves of the pairs, and the half that looks drawn."""
    flat_a, flat_b = zip(*(picture.flat for picture in pictures), strict=True)
    halves = [(width // 2, height) for width, height in (map(int, picture.size.split("x")) for picture in pictures)]
    lines = [*doubtful_halves(halves, flat_a, flat_b)]
    read = try_pictures(spread_neighbours(usable), data_set.sides)
    lines = lines or list(filter(None, [halves_line([sides for sides in read if not isinstance(sides, UserError)])]))
    return lines, drawn_side(flat_a, flat_b)


def _facts(data_set: PairedSet | PhotographSet, path: Path, split: str) -> PictureFacts:
    """Return the facts about a picture; a `UserError`: it cannot be used."""
    flat: tuple[float, ...] = ()
    sides: tuple[Picture, ...]
    if isinstance(data_set, PairedSet):
        sides = data_set.sides(path)
        flat = tuple(map(flatness, sides))
    else:
        sides = (read_rgb(path),)
        data_set.require_shape(path, sides[0].shape[1], sides[0].shape[0])
    size = f"{len(sides) * sides[0].shape[1]}x{sides[0].shape[0]}"
    name = path.relative_to(data_set.folder).as_posix()
    pixels = tuple(sha256_bytes(repr(side.shape).encode() + side.tobytes()) for side in sides)
    return PictureFacts(split, name, size, pixels, flat)


def duplicates(
    pictures: list[PictureFacts], what: str, key: Callable[[tuple[str, ...]], object], *, whole: bool = True
) -> Iterator[DataFinding]:
    """Yield the groups of equal pictures, those across splits first; `key` takes a picture's hashes and returns what
    is compared.

    Without `whole`, groups of pictures that are equal as a whole are skipped.
    """
    groups: dict[object, list[PictureFacts]] = defaultdict(list)
    for picture in pictures:
        groups[key(picture.pixels)].append(picture)
    for group in sorted(groups.values(), key=lambda group: not _is_across_splits(group)):
        if len(group) > 1 and (whole or len({picture.pixels for picture in group}) > 1):
            across = " across splits" * _is_across_splits(group)
            yield DataFinding("duplicate", f"{what}{across}: {', '.join(picture.name for picture in group)}")


def _is_across_splits(pictures: list[PictureFacts]) -> bool:
    return len({picture.split for picture in pictures}) > 1


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
PAIRS = 12  # maximum number of pairs on a sheet
COLUMNS = 3  # pairs in a row
CELL = 192  # longest side of a half on the sheet, in pixels
MARGIN = 24  # margin around and between pairs, in pixels
LABEL = 24  # height of a line of text in pixels
PAPER = (250, 250, 248)
INK = (32, 33, 36)
INPUT = (0, 92, 175)
"""Blue, which differs from `TARGET` for any colour vision."""
TARGET = (178, 72, 0)
"""Orange."""


def preview(
    data: Path,
    out: Path,
    *,
    direction: Direction | None = None,
    split: str | None = None,
    on_message: Callable[[str], None] = lambda _line: None,
) -> Path:
    """Draw pairs, spread evenly over a split, with each half marked as input or target.

    Args:
        direction: AtoB: the left half is the input; default: that of the preset called like the folder, else AtoB.
        split: default: train where there is one, else the first.
    """
    out = Path(out)
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {out}: expected a picture's name, ending in {', '.join(SUFFIXES)}")
    name = Path(data).resolve().name
    direction = direction or (PRESETS[name].direction if name in PRESETS else "AtoB")
    data_set = PairedSet(data, direction)
    split = split or next(iter(list_splits(data)), "train")  # train comes first
    paths = data_set.paths(split)
    examined = evenly_spread(paths, PAIRS)
    results = dict(zip(examined, try_pictures(examined, data_set.sides), strict=True))
    pairs = {path: halves for path, halves in results.items() if not isinstance(halves, UserError)}
    errors = [error for error in results.values() if isinstance(error, UserError)]
    if not pairs:
        raise errors[0]
    for line in (*(f"{error} (not on the sheet)" for error in errors), *data_set.remarks(paths)):
        on_message(line)
    sheet = contact_sheet(pairs, f"{name} / {split}: {len(pairs)} of {len(paths)} pairs, {direction}", direction)
    with atomic_path(out) as temporary:
        sheet.save(temporary)
    return out


def contact_sheet(pairs: dict[Path, tuple[Picture, Picture]], title: str, direction: Direction) -> Image.Image:
    """Return the pairs as in their files, A left and B right, with a coloured and labelled bar over each half."""
    roles = (("A = input", INPUT), ("B = target", TARGET))
    if direction == "BtoA":
        roles = (("A = target", TARGET), ("B = input", INPUT))
    font = ImageFont.load_default(15)
    wide, high = 2 * CELL + MARGIN, CELL + 2 * LABEL + MARGIN
    columns = min(COLUMNS, len(pairs))
    size = MARGIN + columns * wide, LABEL + 2 * MARGIN + -(-len(pairs) // columns) * high
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, fill=INK, font=font)
    for number, (path, halves) in enumerate(pairs.items()):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * wide, LABEL + 2 * MARGIN + row * high
        for index, (half, (label, colour)) in enumerate(zip(halves, roles, strict=True)):
            shown = ImageOps.contain(Image.fromarray(half), (CELL, CELL))
            x = left + index * shown.width
            draw.rectangle((x, top, x + shown.width - 1, top + LABEL - 1), fill=colour)
            draw.text((x + 4, top + 3), label, fill=PAPER, font=font)
            sheet.paste(shown, (x, top + LABEL))
        draw.text((left, top + LABEL + shown.height + 3), path.name[-48:], fill=INK, font=font)
    return sheet
