"""What is measured: the rows of stimulus sets or of a frame, with the files they name."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.stimuli.sets import StimulusSet, read_set

if TYPE_CHECKING:
    import pandas as pd

NO_INPUT = "no input_file: the label map that the picture was generated from; a stimulus set with input/ has it"
"""Why there is no input, where there is none."""
NO_MASK = "no mask_file: the picture of the hole, white is hole; `gan-eval stimuli import --masks DIR` adds it"
"""Why there is no mask, where there is none."""
_NEEDED = ("stimulus", "kind", "model", "dataset", "file", "reference_file")


@dataclass(frozen=True)
class Stimulus:
    """One picture to measure."""

    stimulus: str
    item: str
    kind: str
    model: str | None
    dataset: str
    file: Path
    reference: Path | None
    """The ground truth of a generated picture."""
    fraction: float | None
    input: Path | None = None
    """What the generator was given."""
    problem: str | None = None
    """Why the picture is not to be measured, where that is known before its file is read."""
    no_reference: str = "no reference_file"
    """Why there is no reference, where there is none; of a real picture: why it has no partner, where it wants one."""
    mask: Path | None = None
    """The picture of the hole that was filled: white is hole."""
    mask_kind: str | None = None
    """How that hole was made."""
    mask_area: float | None = None
    """Its share of the picture."""

    @property
    def is_fake(self) -> bool:
        return self.kind == "fake"

    @property
    def has_pair_metrics(self) -> bool:
        """Whether pair metrics have a row on it: a generated picture, or a real one that nothing was generated for."""
        return self.is_fake or self.no_reference != Stimulus.no_reference


def stimuli_of_sets(sets: Iterable[StimulusSet | Path]) -> list[Stimulus]:
    """The stimuli of one or several sets; a real picture that several sets share counts once, from a file that exists.

    Raises:
        UserError: a folder is not a stimulus set, or two sets name one stimulus but hold different pictures.
    """
    found: list[Stimulus] = []
    for entry in sets:
        stimuli = entry if isinstance(entry, StimulusSet) else read_set(entry, files_must_exist=False)
        found += _stimuli(stimuli.rows, stimuli.folder)
    return _distinct(found)


def named_twice(sets: Iterable[StimulusSet | Path]) -> list[str]:
    """A line for each stimulus set that is named more than once."""
    folders = Counter(Path(entry).resolve() for entry in sets if not isinstance(entry, StimulusSet))
    return [f"{folder}: named {count} times, measured once" for folder, count in folders.items() if count > 1]


def stimuli_of_frame(frame: "pd.DataFrame", root: Path | None) -> list[Stimulus]:
    """The stimuli of a frame with the columns of the table `stimuli`; files are relative to `root`.

    Raises:
        UserError: a column or a cell is missing, or a stimulus stands twice with different pictures.
    """
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise UserError(f"stimuli: column {', '.join(missing)} is missing; see the table stimuli in docs/tables.md")
    cells = frame.astype(object).where(frame.notna(), None)
    rows = [{str(name): value for name, value in row.items()} for row in cells.to_dict("records")]
    return _distinct(_stimuli(rows, root or Path()))


def _stimuli(rows: Sequence[Mapping[str, Any]], root: Path) -> list[Stimulus]:
    return [_stimulus(row, root, number) for number, row in enumerate(rows, start=1)]


def _stimulus(row: Mapping[str, Any], root: Path, number: int) -> Stimulus:
    for name in ("stimulus", "kind", "dataset", "file"):
        if not row[name]:
            raise UserError(f"stimuli: row {number}, column {name}: found nothing, wanted a value")
    kind, model = row["kind"], row["model"]
    if kind not in ("real", "fake") or (kind == "fake") != bool(model):
        raise UserError(
            f"stimuli: row {number}: kind {kind!r} with model {model!r}; a fake names its model, a real none"
        )
    reference = row["reference_file"]
    return Stimulus(
        stimulus=row["stimulus"],
        item=row.get("item") or row["stimulus"],
        kind=kind,
        model=model or None,
        dataset=row["dataset"],
        file=root / row["file"],
        reference=root / reference if reference else None,
        fraction=row.get("fraction"),
        input=root / row["input_file"] if row.get("input_file") else None,
        problem=row.get("problem"),
        no_reference=row.get("no_reference") or Stimulus.no_reference,
        mask=root / row["mask_file"] if row.get("mask_file") else None,
        mask_kind=row.get("mask_kind") or None,
        mask_area=row.get("mask_area"),
    )


def _distinct(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """Each stimulus once: of several copies the first whose file can be read.

    Raises:
        UserError: two copies are different pictures, or the holes of two copies are.
    """
    kept: dict[str, Stimulus] = {}
    hash_of = lru_cache(maxsize=None)(_hash)
    for stimulus in stimuli:
        first = kept.setdefault(stimulus.stimulus, stimulus)
        if first.file == stimulus.file:
            continue
        known, found = hash_of(first.file), hash_of(stimulus.file)
        if known is None and found is not None:
            kept[stimulus.stimulus] = stimulus
        elif found is not None and known != found:
            raise UserError(
                f"{stimulus.file}: stimulus {stimulus.stimulus!r} is another picture in {first.file}; "
                "measure these sets one by one"
            )
        elif stimulus.is_fake and first.mask and stimulus.mask and hash_of(first.mask) != hash_of(stimulus.mask):
            raise UserError(
                f"{stimulus.mask}: the hole of stimulus {stimulus.stimulus!r} is another in {first.mask}; "
                "measure these sets one by one"
            )
    return list(kept.values())


def _hash(file: Path) -> str | None:
    """SHA-256 of a file, or None where it cannot be read."""
    try:
        return sha256_file(file)
    except UserError:
        return None
