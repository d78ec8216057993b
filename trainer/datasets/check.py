"""What there is to know about a data set before hours are spent on it.

What a look at a data set finds.

What there is to know about a set of single photographs before hours are spent on it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import Picture, decode_rgb, list_pictures, read_file
from trainer.datasets.photograph_presets import PHOTOGRAPH_PRESETS, PhotographPreset, any_preset_of
from trainer.datasets.presets import PRESETS, Preset, preset_of
from trainer.datasets.sources import (
    FEW,
    Side,
    direction_from,
    double_width_remark,
    drawn_side,
    each,
    flatness,
    has_usual_splits,
    list_splits,
    name_clashes,
    narrow_halves,
    photographs_by_split,
    require_halves,
    require_size,
    shared_stems,
    walk,
)

LISTED = 20
"""Of the findings of one kind, so many are told to people; JSON has all."""

Kind = Literal["unusable", "duplicate", "count", "sides", "sizes", "shape", "split", "stem", "few"]


@dataclass(frozen=True)
class Finding:
    """Something that the user should know."""

    kind: Kind
    line: str


class Seen(Protocol):
    """A picture that can be used."""

    @property
    def split(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


def count_splits(pictures: Iterable[Seen]) -> dict[str, int]:
    """Pictures in each split."""
    return dict(Counter(one.split for one in pictures))


def count_sizes(pictures: Iterable[Seen]) -> dict[str, int]:
    """Pictures of each size, most frequent first."""
    return dict(Counter(f"{one.width}x{one.height}" for one in pictures).most_common())


def as_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """The findings for `--json`."""
    return [{"kind": finding.kind, "line": finding.line} for finding in findings]


def told(findings: Sequence[Finding]) -> Iterable[str]:
    """The lines for people: how many there are, then LISTED of each kind."""
    yield f"findings  {len(findings) or 'none'}"
    counts: Counter[Kind] = Counter()
    for finding in findings:
        counts[finding.kind] += 1
        if counts[finding.kind] <= LISTED:
            yield f"  {finding.kind}: {finding.line}"
    for kind, count in counts.items():
        if count > LISTED:
            yield f"  {kind}: and {count - LISTED} more; --json tells all"


def hash_pixels(picture: Picture) -> str:
    """A hash of the decoded pixels and their shape: equal pictures are found whatever their files are like."""
    return hashlib.blake2b(repr(picture.shape).encode() + picture.tobytes(), digest_size=16).hexdigest()


def equal_ones(things: Iterable[Any], key: Callable[[Any], Hashable]) -> list[list[Any]]:
    """The groups of two or more with the same key, in order of their first."""
    groups: dict[Hashable, list[Any]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return [group for group in groups.values() if len(group) > 1]


def duplicate(what: str, splits: Iterable[str], files: Iterable[str]) -> Finding:
    """Equal pictures: what is equal, and the split and the name of each."""
    across = " across splits" if len(set(splits)) > 1 else ""
    return Finding("duplicate", f"{what}{across}: {', '.join(files)}")


OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class PairFacts:
    """One picture that can be used."""

    split: str
    path: Path
    width: int
    """Of both halves together."""
    height: int
    flat_a: float
    """Share of nearly equal neighbours in A (see `sources.flatness`)."""
    flat_b: float
    pixels: tuple[str, str]
    """A hash of the decoded pixels of A, and of B."""


@dataclass(frozen=True)
class Report:
    """What `check` found."""

    folder: Path
    preset: str | None
    """The preset that the set was compared with."""
    pairs: list[PairFacts]
    unusable: dict[Path, str]
    """The reason for each picture that cannot be used."""
    drawn: Side | None
    """The half that looks drawn: labels, a map, edges."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def splits(self) -> dict[str, int]:
        """Usable pictures in each split."""
        return count_splits(self.pairs)

    @property
    def sizes(self) -> dict[str, int]:
        """Pictures of each size, most frequent first."""
        return count_sizes(self.pairs)

    @property
    def direction(self) -> Direction | None:
        """From what looks drawn to what looks photographed."""
        return direction_from(self.drawn) if self.drawn else None

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "folder": str(self.folder),
            "preset": self.preset,
            "splits": self.splits,
            "sizes": self.sizes,
            "drawn_side": self.drawn,
            "direction_drawn_to_photograph": self.direction,
            "unusable": {str(path): reason for path, reason in self.unusable.items()},
            "findings": as_json(self.findings),
        }

    def lines(self) -> list[str]:
        """For people: what there is, then the findings."""
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        sizes = ", ".join(f"{size} ({count})" for size, count in self.sizes.items())
        sides = f"{self.drawn} (--direction {self.direction} makes photographs)" if self.drawn else "no half"
        flat_a, flat_b = (
            sum(getattr(pair, side) for pair in self.pairs) / len(self.pairs) for side in ("flat_a", "flat_b")
        )
        return [
            f"folder    {self.folder}{f', compared with {self.preset}' if self.preset else ''}",
            f"pictures  {splits}",
            f"pixels    {sizes}",
            f"drawn     {sides}; flat areas: A {flat_a:.0%}, B {flat_b:.0%}",
            *told(self.findings),
        ]

    def rows(self) -> list[dict[str, Any]]:
        """The table `pairs`, one row for each picture."""
        usable = [
            {
                "split": pair.split,
                "file": f"{pair.split}/{pair.path.name}",
                "width": pair.width,
                "height": pair.height,
                "flat_a": round(pair.flat_a, 4),
                "flat_b": round(pair.flat_b, 4),
                "pixels_a": pair.pixels[0],
                "pixels_b": pair.pixels[1],
            }
            for pair in self.pairs
        ]
        unusable = [
            {"split": path.parent.name, "file": f"{path.parent.name}/{path.name}", "reason": reason}
            for path, reason in self.unusable.items()
        ]
        return usable + unusable


def check(data: Path, *, preset: str | None = None, on_progress: OnProgress | None = None) -> Report:
    """Look at every picture of a data set.

    Args:
        data: the folder, with a folder for each split.
        preset: the preset to compare with; default: the one that is called like the folder, if there is one.
        on_progress: called with the pictures done.

    Raises:
        UserError: no such folder or preset, or not one usable picture.
    """
    data = Path(data)
    known = preset_of(preset) if preset else PRESETS.get(data.resolve().name)
    splits = list_splits(data)
    if not splits:
        raise UserError(f"{data}: no pictures in folders below it; wanted {data.name}/<split>/*.jpg, such as train")
    paths = [path for split in splits for path in list_pictures(data / split)]
    looked = each(paths, _facts, on_progress=on_progress)
    pairs = [found for found in looked if not isinstance(found, UserError)]
    unusable = {path: str(found) for path, found in zip(paths, looked, strict=True) if isinstance(found, UserError)}
    if not pairs:
        raise UserError(
            f"{data}: none of {len(paths)} pictures can be used; the first: {next(iter(unusable.values()))}"
        )
    drawn = drawn_side([pair.flat_a for pair in pairs], [pair.flat_b for pair in pairs])
    report = Report(data, known.name if known else None, pairs, unusable, drawn)
    report.findings.extend(_findings(report, known))
    return report


def _facts(path: Path) -> PairFacts:
    picture = decode_rgb(read_file(path), path)
    height, width = picture.shape[:2]
    require_halves(path, width, height)
    a, b = picture[:, : width // 2], picture[:, width // 2 :]
    hashes = (hash_pixels(a), hash_pixels(b))
    return PairFacts(path.parent.name, path, width, height, flatness(a), flatness(b), hashes)


def _findings(report: Report, preset: Preset | None) -> Iterable[Finding]:
    for reason in report.unusable.values():
        yield Finding("unusable", reason)
    if "train" not in report.splits:
        yield Finding("split", f"no train split; there are: {', '.join(report.splits)}")
    if len(report.sizes) > 1:
        listed = ", ".join(f"{size} ({count})" for size, count in report.sizes.items())
        yield Finding("sizes", f"pictures of several sizes: {listed}; training resizes each half to a square")
    if narrow := narrow_halves({pair.path: (pair.width, pair.height) for pair in report.pairs}):
        yield Finding("shape", narrow)
    for split in list_splits(report.folder):
        if shared := shared_stems(list_pictures(report.folder / split)):
            yield Finding("stem", shared)
    yield from _duplicates(report.pairs)
    yield from _pairs_against_preset(report, preset) if preset else ()


def _duplicates(pairs: list[PairFacts]) -> Iterable[Finding]:
    """Pictures with the same pixels; halves are told of only where the whole pictures differ."""
    for what, key in (
        ("the same picture", lambda pair: pair.pixels),
        ("the same A half", lambda pair: pair.pixels[0]),
        ("the same B half", lambda pair: pair.pixels[1]),
    ):
        for group in equal_ones(pairs, key):
            if what == "the same picture" or len({pair.pixels for pair in group}) > 1:
                splits = [pair.split for pair in group]
                yield duplicate(what, splits, [f"{pair.split}/{pair.path.name}" for pair in group])


def _pairs_against_preset(report: Report, preset: Preset) -> Iterable[Finding]:
    for split, wanted in preset.splits:
        found = report.splits.get(split, 0)
        if found != wanted:
            yield Finding("count", f"{split}: {found} pictures; the official {preset.name} has {wanted}")
    size = f"{preset.width}x{preset.height}"
    if size not in report.sizes:
        yield Finding("sizes", f"no picture of {size} pixels, the size in the official {preset.name}")
    if report.direction not in (None, preset.direction):
        yield Finding(
            "sides",
            f"the halves look exchanged: {report.drawn} looks drawn, but {preset.name} has {preset.a} left (A) and "
            f"{preset.b} right (B); train with --direction {report.direction}, not {preset.direction}",
        )


SIZES_TOLD = 5
"""Of the sizes, so many are told to people; JSON has all."""


@dataclass(frozen=True)
class PhotographFacts:
    """One photograph that can be used."""

    split: str
    path: Path
    width: int
    height: int
    pixels: str
    """A hash of the decoded pixels."""


@dataclass(frozen=True)
class PhotographReport:
    """What `check_photographs` found."""

    folder: Path
    preset: str | None
    """The preset that the set was compared with."""
    by_hash: bool
    """Whether a hash of the path decides on the split, as no folder does."""
    photographs: list[PhotographFacts]
    unusable: dict[Path, tuple[str, str]]
    """The split of each picture that cannot be used, and the reason."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def splits(self) -> dict[str, int]:
        """Usable photographs in each split."""
        return count_splits(self.photographs)

    @property
    def sizes(self) -> dict[str, int]:
        """Photographs of each size, most frequent first."""
        return count_sizes(self.photographs)

    @property
    def least_side(self) -> int:
        """The shortest side of all, in pixels."""
        return min(min(one.width, one.height) for one in self.photographs)

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "folder": str(self.folder),
            "preset": self.preset,
            "splits": self.splits,
            "split_by_hash": self.by_hash,
            "sizes": self.sizes,
            "least_side": self.least_side,
            "unusable": {str(path): reason for path, (_, reason) in self.unusable.items()},
            "findings": as_json(self.findings),
        }

    def lines(self) -> list[str]:
        """For people: what there is, then the findings."""
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        sizes = [f"{size} ({count})" for size, count in self.sizes.items()]
        more = f" and {len(sizes) - SIZES_TOLD} more sizes" if len(sizes) > SIZES_TOLD else ""
        return [
            f"folder    {self.folder}{f', compared with {self.preset}' if self.preset else ''}",
            f"pictures  {splits}{' (by hash of the path)' if self.by_hash else ''}",
            f"pixels    {', '.join(sizes[:SIZES_TOLD])}{more}; shortest side {self.least_side}",
            *told(self.findings),
        ]

    def rows(self) -> list[dict[str, Any]]:
        """The table `photographs`, one row for each picture."""
        usable = [
            {
                "split": one.split,
                "file": self._name(one.path),
                "width": one.width,
                "height": one.height,
                "pixels": one.pixels,
            }
            for one in self.photographs
        ]
        unusable = [
            {"split": split, "file": self._name(path), "reason": reason}
            for path, (split, reason) in self.unusable.items()
        ]
        return usable + unusable

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def check_photographs(
    data: Path, *, preset: str | None = None, on_progress: OnProgress | None = None
) -> PhotographReport:
    """Look at every photograph of train, val and test.

    Args:
        data: the folder; without folders train, val and test a hash of the path decides on the split.
        preset: the preset to compare with; default: the one that is called like the folder, if there is one.
        on_progress: called with the pictures done.

    Raises:
        UserError: no such folder or preset, a preset of A|B pictures, or not one usable picture.
    """
    data = Path(data)
    known = _preset(data, preset)
    found = photographs_by_split(data)
    placed = [(split, path) for split, paths in found.items() for path in paths]
    if not placed:
        raise UserError(f"{data}: no pictures below it")
    looked = each([path for _, path in placed], _look, on_progress=on_progress)
    photographs: list[PhotographFacts] = []
    unusable: dict[Path, tuple[str, str]] = {}
    for (split, path), facts in zip(placed, looked, strict=True):
        if isinstance(facts, UserError):
            unusable[path] = (split, str(facts))
        else:
            photographs.append(PhotographFacts(split, path, *facts))
    if not photographs:
        _, first = next(iter(unusable.values()))
        raise UserError(f"{data}: none of {len(placed)} pictures can be used; the first: {first}")
    compared = known.name if known and known.splits else None
    report = PhotographReport(data, compared, not has_usual_splits(data), photographs, unusable)
    report.findings.extend(_of_places(report, found))
    report.findings.extend(_of_pictures(report))
    if known is not None:
        report.findings.extend(_against_preset(report, known))
    return report


def _preset(data: Path, name: str | None) -> PhotographPreset | None:
    if name is None:
        return PHOTOGRAPH_PRESETS.get(data.resolve().name)
    preset = any_preset_of(name)
    if not isinstance(preset, PhotographPreset):
        raise UserError(f"--preset {name}: is of A|B pictures; leave --photographs out")
    return preset


def _look(path: Path) -> tuple[int, int, str]:
    picture = decode_rgb(read_file(path), path)
    height, width = picture.shape[:2]
    require_size(path, width, height)
    return width, height, hash_pixels(picture)


def _of_places(report: PhotographReport, found: Mapping[str, list[Path]]) -> Iterable[Finding]:
    """What the names and folders tell, of pictures that cannot be used too."""
    for _, reason in report.unusable.values():
        yield Finding("unusable", reason)
    if "train" not in report.splits:
        yield Finding("split", f"no train split; there are: {', '.join(report.splits)}")
    if not report.by_hash:
        placed = {path for paths in found.values() for path in paths}
        if others := [path for path in walk(report.folder) if path not in placed]:
            example = others[0].relative_to(report.folder).as_posix()
            outside = f"{len(others)} outside train, val and test not looked at, such as {example}"
            yield Finding("split", f"pictures: {outside}")
    for split, paths in found.items():
        for line in name_clashes(paths, report.folder, split):
            yield Finding("stem", line)


def _of_pictures(report: PhotographReport) -> Iterable[Finding]:
    """What the pictures themselves tell."""
    if 0 < (count := report.splits.get("train", 0)) < FEW:
        some = f"{count} photograph{'' if count == 1 else 's'}"
        yield Finding("few", f"train: only {some}; a generator learns them by heart")
    for split, count in report.splits.items():
        double = sum(one.width == 2 * one.height for one in report.photographs if one.split == split)
        if line := double_width_remark(report.folder / split, double, count):
            yield Finding("shape", line)
    equal = equal_ones(report.photographs, lambda one: one.pixels)
    for group in sorted(equal, key=lambda group: len({one.split for one in group}) == 1):  # those across splits first
        files = [one.path.relative_to(report.folder).as_posix() for one in group]
        yield duplicate("the same picture", [one.split for one in group], files)


def _against_preset(report: PhotographReport, preset: PhotographPreset) -> Iterable[Finding]:
    for split, wanted in preset.splits:
        if (count := report.splits.get(split, 0)) != wanted:
            yield Finding("count", f"{split}: {count} pictures; {preset.name} has {wanted}")
