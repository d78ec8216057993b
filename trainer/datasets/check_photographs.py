"""What there is to know about a set of single photographs before hours are spent on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import decode_rgb, read_file
from trainer.datasets.check import OnProgress
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
from trainer.datasets.layout import each
from trainer.datasets.photograph_presets import PHOTOGRAPH_PRESETS, PhotographPreset, any_preset_of
from trainer.datasets.photograph_remarks import FEW, double_width_remark
from trainer.datasets.sources import has_usual_splits, name_clashes, photographs_by_split, require_size, walk

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
