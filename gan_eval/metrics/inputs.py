"""What is measured: the rows of stimulus sets, of a frame, or of two folders, with the files they name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval import images
from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.stimuli import StimulusSet, read_set

if TYPE_CHECKING:
    import pandas as pd

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

    @property
    def is_fake(self) -> bool:
        return self.kind == "fake"


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


def folder_pair(real: Path, fake: Path, *, dataset: str | None = None, model: str | None = None) -> StimulusSet:
    """Two folders as a stimulus set in memory, paired by file stem. Nothing is written.

    Args:
        real: folder of the real pictures.
        fake: folder of the generated pictures.
        dataset: name of the data set; default: the real folder's name.
        model: name of the generator; default: the fake folder's name.

    Raises:
        UserError: the model is called real, a folder is missing or empty, two files share a stem, or a partner is
            missing.
    """
    dataset, model = dataset or Path(real).resolve().name, model or Path(fake).resolve().name
    if model == "real":
        raise UserError("model name 'real': is kept for the ground truth; give another with --model")
    reals, fakes = (images.by_stem(images.list_pictures(folder)) for folder in (real, fake))
    for folder, lonely in ((fake, reals.keys() - fakes.keys()), (real, fakes.keys() - reals.keys())):
        if lonely:
            first, *others = sorted(lonely, key=images.natural_key)
            more = f" nor with those of {len(others)} more" if others else ""
            raise UserError(
                f"{folder}: no picture with the stem {first!r}{more}; add what is missing or remove its partner"
            )
    rows = [_folder_row(path, "real", dataset, None, None) for path in reals.values()]
    rows += [_folder_row(fakes[stem], "fake", dataset, model, path) for stem, path in reals.items()]
    return StimulusSet(Path(), tuple(rows))


def _folder_row(path: Path, kind: str, dataset: str, model: str | None, reference: Path | None) -> dict[str, Any]:
    return {
        "stimulus": f"{dataset}/{model or 'real'}/{path.stem}",
        "item": f"{dataset}/{path.stem}",
        "kind": kind,
        "model": model,
        "dataset": dataset,
        "file": str(path.absolute()),
        "reference_file": str(reference.absolute()) if reference else None,
    }


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
    )


def _distinct(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """Each stimulus once: of several copies the first whose file exists."""
    kept: dict[str, Stimulus] = {}
    for stimulus in stimuli:
        first = kept.setdefault(stimulus.stimulus, stimulus)
        if first.file == stimulus.file or not stimulus.file.is_file():
            continue
        if not first.file.is_file():
            kept[stimulus.stimulus] = stimulus
        elif sha256_file(first.file) != sha256_file(stimulus.file):
            raise UserError(
                f"{stimulus.file}: stimulus {stimulus.stimulus!r} is another picture in {first.file}; "
                "measure these sets one by one"
            )
    return list(kept.values())
