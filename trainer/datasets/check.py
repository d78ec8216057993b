"""What there is to know about a data set before hours are spent on it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import decode_rgb, list_pictures, read_file
from trainer.datasets.findings import (
    Finding,
    as_json,
    count_sizes,
    count_splits,
    duplicate,
    equal_ones,
    hash_pixels,
    told,
)
from trainer.datasets.layout import each, list_splits, narrow_halves, require_halves, shared_stems
from trainer.datasets.presets import PRESETS, Preset, preset_of
from trainer.datasets.sides import Side, direction_from, drawn_side, flatness

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
    """Share of nearly equal neighbours in A (see `sides.flatness`)."""
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
    yield from _against_preset(report, preset) if preset else ()


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


def _against_preset(report: Report, preset: Preset) -> Iterable[Finding]:
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
