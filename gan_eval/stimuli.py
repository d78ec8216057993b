"""Stimulus sets: a folder with pictures and a `stimuli.csv`; read, checked, and imported from other tools' folders."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gan_eval import images, tables
from gan_eval.errors import UserError
from gan_eval.files import claim_output_folder, sha256_file, write_json
from gan_eval.tabular import Row, read_rows, write_rows

FileColumn = Literal["file", "input_file", "reference_file", "mask_file"]
FILE_COLUMNS: tuple[FileColumn, ...] = ("file", "input_file", "reference_file", "mask_file")
TABLE_NAME = "stimuli.csv"


@dataclass(frozen=True)
class StimulusSet:
    """The rows of a `stimuli.csv` and the folder that their files are relative to."""

    folder: Path
    rows: tuple[Row, ...]

    def path(self, row: Row, column: FileColumn = "file") -> Path | None:
        """The file a row names in `column`, or None where it names none."""
        name = row[column]
        return None if name is None else self.folder / name


def read_set(folder: Path, *, files_must_exist: bool = True) -> StimulusSet:
    """Read and check a stimulus set.

    Args:
        folder: with a `stimuli.csv`.
        files_must_exist: refuse a set of which a file is absent; without, whoever decodes the file finds out.

    Raises:
        UserError: no `stimuli.csv`, no rows, a bad cell, a file outside the folder or absent, or a fake without model.
    """
    folder = Path(folder)
    table = folder / TABLE_NAME
    if not table.is_file():
        raise UserError(f"{folder}: not a stimulus set (no {TABLE_NAME}); make one with `gan-eval stimuli import`")
    stimuli = StimulusSet(folder, tuple(read_rows(table, tables.STIMULI)))
    if not stimuli.rows:
        raise UserError(f"{table}: no rows; a stimulus set needs real and fake pictures")
    for number, row in enumerate(stimuli.rows, start=1):
        for column in FILE_COLUMNS:
            _check_file(stimuli, row, column, f"{table}: row {number}, column {column}", must_exist=files_must_exist)
        if (row["kind"] == "fake") != (row["model"] is not None):
            raise UserError(f"{table}: row {number}, column model: a fake names its model, a real picture has none")
    return stimuli


def read_sets(folders: Iterable[Path]) -> StimulusSet:
    """Several sets as one, their files as absolute paths; models of one data set share its real pictures.

    Raises:
        UserError: a set is broken, or two sets hold different pictures of one name.
    """
    merged: dict[str, Row] = {}
    for stimuli in map(read_set, folders):
        for row in stimuli.rows:
            known = merged.get(row["stimulus"])
            if known is None:
                absolute = dict(row)
                for column in FILE_COLUMNS:
                    if (path := stimuli.path(row, column)) is not None:
                        absolute[column] = str(path.absolute())
                merged[row["stimulus"]] = absolute
            elif known["sha256"] != row["sha256"]:
                raise UserError(
                    f"{stimuli.folder / TABLE_NAME}: {row['stimulus']} is another picture than in {known['file']}; "
                    "sets of one data set share their real pictures, or give one of them another data set name"
                )
    return StimulusSet(Path(), tuple(merged.values()))


def write_set(folder: Path, rows: Iterable[Row]) -> None:
    """Write a set's `stimuli.csv`, whole or not at all; its pictures must be there already."""
    write_rows(rows, Path(folder) / TABLE_NAME, tables.STIMULI)


def stimulus_row(
    folder: Path,
    file: Path,
    *,
    kind: Literal["real", "fake"],
    dataset: str,
    stem: str,
    size: tuple[int, int],
    model: str | None = None,
    **more: Any,
) -> Row:
    """A stimulus' row: identifiers made from data set, model and stem, and the file's hash.

    Args:
        folder: the set's folder.
        file: the picture, below `folder`.
        kind: the truth.
        dataset: the data set's name.
        stem: the item's name within the data set.
        size: (height, width) in pixels.
        model: the generator's name, for a fake.
        **more: further columns (`split`, `input_file`, `reference_file`, `fraction`, ...).
    """
    height, width = size
    return {
        "stimulus": f"{dataset}/{model if kind == 'fake' else 'real'}/{stem}",
        "item": f"{dataset}/{stem}",
        "kind": kind,
        "model": model,
        "dataset": dataset,
        "file": file.relative_to(folder).as_posix(),
        "width": width,
        "height": height,
        "sha256": sha256_file(file),
        **more,
    }


@dataclass(frozen=True)
class Imported:
    """What an import gave."""

    folder: Path
    items: int
    problems: tuple[str, ...]
    """One line for each picture that was left out."""


def import_folder(
    source: Path,
    out: Path,
    *,
    dataset: str | None = None,
    model: str = "generated",
    on_progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Make a stimulus set from another tool's result folder.

    Two layouts are known: sub-folders `real/` and `fake/` (and, if wanted, `input/`) paired by file stem, and the
    flat result folder of pytorch-CycleGAN-and-pix2pix (`*_real_A.png` the input, `*_fake_B.png`, `*_real_B.png`).
    Pictures become 8-bit RGB PNG, so that file format gives nothing away; a picture that cannot be read is left out
    and named.

    Args:
        source: the result folder.
        out: the new set; empty or ours.
        dataset: name of the data set; default: the folder's name.
        model: name of the generator.
        on_progress: called with (items done, items in all).

    Raises:
        UserError: neither layout is found, partners are missing, no item is left, or `out` is somebody else's.
    """
    source, out = Path(source), Path(out)
    dataset = dataset or source.resolve().name
    if model == "real" or "/" in model or "/" in dataset:
        raise UserError(
            f"--model {model}, --dataset {dataset}: names without '/' are wanted, and real is the ground truth"
        )
    triples = _find_triples(source)
    claim_output_folder(out)
    (out / TABLE_NAME).unlink(missing_ok=True)  # an older table must not vouch for pictures that are being replaced
    rows: list[Row] = []
    problems: list[str] = []
    for done, (stem, files) in enumerate(triples.items(), start=1):
        try:
            pictures = _read_item(files)
        except UserError as error:
            problems.append(str(error))
        else:
            rows += _write_item(pictures, out, dataset=dataset, model=model, stem=stem)
        if on_progress:
            on_progress(done, len(triples))
    if not rows:
        raise UserError(f"{source}: no usable pair of pictures; the first problem: {problems[0]}")
    write_set(out, sorted(rows, key=lambda row: (row["kind"] == "fake", images.natural_key(row["stimulus"]))))
    write_json(out / ".gan-eval" / "import.json", {"dataset": dataset, "model": model, "problems": problems})
    return Imported(out, len(rows) // 2, tuple(problems))


def _read_item(files: Mapping[str, Path]) -> dict[str, images.Picture]:
    """The pictures of an item by role.

    Raises:
        UserError: one cannot be read, or real and fake differ in size.
    """
    pictures = {role: images.read_rgb(path) for role, path in files.items()}
    real, fake = pictures["real"], pictures["fake"]
    if real.shape != fake.shape:
        sizes = " and ".join(f"{picture.shape[1]}x{picture.shape[0]}" for picture in (real, fake))
        raise UserError(f"{files['fake']}: real and fake differ in size ({sizes}); bring both to one size")
    return pictures


def _write_item(pictures: Mapping[str, images.Picture], out: Path, *, dataset: str, model: str, stem: str) -> list[Row]:
    real = pictures["real"]
    saved: dict[str, Path] = {}
    for role, picture in pictures.items():
        saved[role] = out / role / f"{stem}.png"
        images.write_png(saved[role], picture)
    shared: dict[str, Any] = {
        "dataset": dataset,
        "stem": stem,
        "size": (real.shape[0], real.shape[1]),
        "input_file": saved["input"].relative_to(out).as_posix() if "input" in saved else None,
    }
    return [
        stimulus_row(out, saved["real"], kind="real", **shared),
        stimulus_row(
            out,
            saved["fake"],
            kind="fake",
            model=model,
            reference_file=saved["real"].relative_to(out).as_posix(),
            **shared,
        ),
    ]


def _find_triples(source: Path) -> dict[str, dict[str, Path]]:
    """For each stem, its pictures by role: real, fake and, where there is one, input."""
    if not source.is_dir():
        raise UserError(f"{source}: no such folder")
    if (source / "real").is_dir() and (source / "fake").is_dir():
        roles = {role: images.by_stem(images.list_pictures(source / role)) for role in ("real", "fake")}
        if (source / "input").is_dir():
            roles["input"] = images.by_stem(images.list_pictures(source / "input"))
    else:
        roles = _flat_roles(source, images.list_pictures(source))
    _require_partners(source, set(roles["real"]), set(roles["fake"]))
    for stem, path in roles["real"].items():
        if not stem.isprintable():
            raise UserError(f"{source}: the file name {path.name!a} cannot be written in a table; rename it")
    return {stem: {role: files[stem] for role, files in roles.items() if stem in files} for stem in roles["real"]}


def _flat_roles(source: Path, paths: Sequence[Path]) -> dict[str, dict[str, Path]]:
    suffixes = {"input": "_real_A", "fake": "_fake_B", "real": "_real_B"}
    roles = {
        role: {path.stem.removesuffix(suffix): path for path in paths if path.stem.endswith(suffix)}
        for role, suffix in suffixes.items()
    }
    if not roles["real"] or not roles["fake"]:
        raise UserError(
            f"{source}: no known layout; wanted sub-folders real/ and fake/ with equal file stems, "
            "or files named *_real_A.png, *_fake_B.png, *_real_B.png"
        )
    return roles


def _require_partners(source: Path, real: set[str], fake: set[str]) -> None:
    lonely = sorted(real ^ fake, key=images.natural_key)
    if lonely:
        missing = "fake" if lonely[0] in real else "real"
        more = f" and {len(lonely) - 1} more" if len(lonely) > 1 else ""
        raise UserError(f"{source}: {lonely[0]}{more}: no {missing} picture with this stem; add it or remove the other")


def _check_file(stimuli: StimulusSet, row: Row, column: FileColumn, where: str, *, must_exist: bool) -> None:
    path = stimuli.path(row, column)
    if path is None:
        return
    name = row[column]
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UserError(f"{where}: {name!r} is not below the table's folder; files are relative to the table")
    if must_exist and not path.is_file():
        raise UserError(f"{where}: no such file {name!r}; restore it or remove the row")
