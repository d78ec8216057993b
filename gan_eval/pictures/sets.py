"""Stimulus sets, which are folders with pictures and a `stimuli.csv`: read, check and write them."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from gan_eval import tables
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError, abbreviated
from gan_eval.base.progress import Progress
from gan_eval.base.read_names import leads_out
from gan_eval.base.reading import no_folder
from gan_eval.base.record import FolderRecord
from gan_eval.tables.frames import Row, frame_of, read_rows, write_rows
from gan_eval.tables.names import model_cell_problem

if TYPE_CHECKING:
    import pandas as pd

    Pictures = pd.DataFrame | Sequence[Row]

FileColumn = Literal["file", "input_file", "reference_file", "mask_file"]
HASHES: Mapping[FileColumn, str] = {
    "file": "sha256",
    "input_file": "input_sha256",
    "reference_file": "reference_sha256",
    "mask_file": "mask_sha256",
}
"""Columns of files, each with the column of their SHA-256."""
FILE_COLUMNS = tuple(HASHES)
TABLE_NAME = "stimuli.csv"

_SHA256 = re.compile("[0-9a-f]{64}")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class StimulusSet:
    """The rows of a `stimuli.csv` and the folder that their files are relative to."""

    folder: Path
    rows: tuple[Row, ...]

    def path(self, row: Row, column: FileColumn = "file") -> Path | None:
        """Return the file that a row names in `column`, or None."""
        name = row[column]
        return None if name is None else self.folder / name


def caption_of(row: Row) -> str:
    """Return the caption shown with a stimulus, in one line; empty: none."""
    return " ".join((row.get("caption") or "").split())


def read_set(folder: Path, *, files_must_exist: bool = True, hash_files: bool = True) -> StimulusSet:
    """Read and check a stimulus set.

    Args:
        folder: the set's folder, with a `stimuli.csv`.
        files_must_exist: refuse a set with a missing file; otherwise decoding the file fails later.
        hash_files: refuse a set with a picture that has changed (`require_unchanged`); the quiz checks what it shows.

    Raises:
        UserError: no `stimuli.csv`, no rows, an invalid cell, a file that is outside the folder, absent or changed, a
            fake without model, or an identifier other than `dataset/real/NAME`, `dataset/model/NAME` or (an item)
            `dataset/NAME`.
    """
    folder = Path(folder)
    table = folder / TABLE_NAME
    if not table.is_file():
        if folder.is_file():
            raise UserError(no_folder(folder, "stimulus set"))
        raise UserError(f"{folder}: not a stimulus set (no {TABLE_NAME}); make one with `gan-eval stimuli import`")
    stimuli = StimulusSet(folder, tuple(read_rows(table, tables.STIMULI)))
    if not stimuli.rows:
        raise UserError(f"{table}: no rows; a stimulus set needs real and fake pictures")
    checked: set[str | None] = {None}  # several rows have one reference
    for number, row in enumerate(stimuli.rows, start=1):
        for column in FILE_COLUMNS:
            if row[column] not in checked:
                where = f"{table}: row {number}, column {column}"
                _require_file(row[column], folder, where, must_exist=files_must_exist)
                checked.add(row[column])
        _require_valid(row, folder, f"{table}: row {number}")
    if hash_files:
        require_unchanged(stimuli.rows, folder)
    return stimuli


def _require_file(name: str, folder: Path, where: str, *, must_exist: bool) -> None:
    """Refuse a file that is outside the folder, or absent."""
    if leads_out(name):
        raise UserError(f"{where}: {name!r} is not below the table's folder; files are relative to the table")
    if must_exist and not os.path.isfile(folder / name):  # noqa: PTH113 - a path's own costs twice as much
        raise UserError(f"{where}: no such file {name!r}; restore it or remove the row")


def _require_valid(row: Row, folder: Path, where: str) -> None:
    """Refuse a row whose model, identifiers or hash are not valid."""
    if (row["kind"] == "fake") != (row["model"] is not None):
        raise UserError(f"{where}, column model: a fake names its model, a real picture has none")
    if problem := model_cell_problem(row["model"]):
        raise UserError(f"{where}, column model: {problem}")
    for identifier, of in (("stimulus", f"/{row['model'] or 'real'}"), ("item", "")):
        start = f"{row['dataset']}{of}/"
        if not row[identifier].startswith(start) or row[identifier] == start:
            raise UserError(
                f"{where}, column {identifier}: found {abbreviated(row[identifier])}, expected "
                f"{start}NAME by the row's data set and model"
            )
    if not _SHA256.fullmatch(row["sha256"] or ""):
        now = ""
        with suppress(UserError):
            now = f" (now {sha256_file(folder / row['file'])})"
        raise UserError(
            f"{where}, column sha256: found {row['sha256'] or 'nothing'}, expected the SHA-256 of "
            f"{row['file']} in 64 lower-case hexadecimal digits{now}"
        )


def require_unchanged(rows: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Refuse pictures, inputs, references and masks whose files have changed since they entered the set.

    A file that is missing or unreadable is not refused here: decoding it reports it.

    Args:
        rows: with files and their hashes (`HASHES`); a file without a hash is not checked.
        folder: the folder that files are relative to.
    """
    checked: set[tuple[str, str]] = set()  # several rows have one reference
    for row in rows:
        for column, of in HASHES.items():
            name, expected = row.get(column), row.get(of)
            if not name or not expected or (name, expected) in checked:
                continue
            digest = expected
            with suppress(UserError):
                digest = sha256_file(folder / name)
            if digest != expected:
                raise picture_changed(folder / name)
            checked.add((name, expected))


def picture_changed(path: Path) -> UserError:
    """Return the error for a picture of a set whose file has another SHA-256 than its row."""
    return UserError(
        f"{path}: the picture has changed since it entered the stimulus set (SHA-256); restore it, or make the "
        "stimulus set again"
    )


def _shown_pictures(plans: "Pictures", trials: "Pictures") -> list[tuple[Any, ...]]:
    """Return the pictures of the planned trials that were done, with their hashes."""
    done = {*_cells(trials, "session", "trial")}
    dealt = _cells(plans, "session", "trial", "stimulus", "sha256", "stimulus_b", "sha256_b")
    return [pair for *of, a, sha, b, sha_b in dealt if tuple(of) in done for pair in ((a, sha), (b, sha_b))]


def require_same_pictures(
    sets: "Mapping[str, Pictures]",
    *,
    shown: "tuple[str, Pictures, Pictures] | None" = None,
    measured: "tuple[str, Pictures] | None" = None,
) -> None:
    """Refuse tables in which one identifier names different pictures.

    Rows without a hash, and planned trials that were not shown, are not checked.

    Args:
        sets: tables of stimulus sets by their name in messages.
        shown: the name of the table `plans` in messages, that table, and the table `trials`.
        measured: the name of the table `image_metrics` in messages, and that table.

    Raises:
        UserError: one stimulus has two hashes; the message names the later table. The order is shown pictures, measured
            pictures, sets.
    """
    named: dict[str, list[tuple[Any, ...]]] = {}
    if shown is not None and len(shown[1]):
        named[shown[0]] = _shown_pictures(*shown[1:])
    for where, table in (*([measured] if measured else []), *sets.items()):
        named[where] = [*_cells(table, "stimulus", "sha256")]
    first_seen: dict[str, tuple[str, str]] = {}
    for where, pictures in named.items():
        for stimulus, sha256 in pictures:
            if not (isinstance(stimulus, str) and isinstance(sha256, str)):
                continue
            digest, first = first_seen.setdefault(stimulus, (sha256, where))
            if digest != sha256:
                raise UserError(
                    f"{where}: {stimulus} is another picture here (SHA-256 {sha256[:12]}…) than in {first} "
                    f"({digest[:12]}…); restore the picture and make the table again, give tables of the same "
                    "pictures, or give one of two sets another data set name"
                )


def require_same_stimuli(sets: Iterable[StimulusSet]) -> None:
    """Refuse sets in which one identifier names different pictures; see `require_same_pictures`."""
    require_same_pictures({str(stimuli.folder / TABLE_NAME): stimuli.rows for stimuli in sets})


def _cells(table: "Pictures", *names: str) -> Iterable[tuple[Any, ...]]:
    """Return the cells of these columns, row by row; none if a frame lacks a column."""
    if isinstance(table, Sequence):
        return (tuple(row[name] for name in names) for row in table)
    return table[[*names]].itertuples(index=False, name=None) if {*names} <= {*table} else ()


def identical_pictures(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a message about generated pictures whose files equal those of real ones; empty if there are none.

    Args:
        rows: with `stimulus`, `kind` and `sha256`, of one or several sets.

    >>> rows = [("d/real/1", "real", "1"), ("d/m/1", "fake", "1"), ("d/m/2", "fake", "2")]
    >>> identical_pictures([dict(zip(("stimulus", "kind", "sha256"), row)) for row in rows])
    '1 generated picture is a real one, byte for byte: d/m/1 = d/real/1'
    """
    rows = [row for row in rows if row["sha256"]]
    reals = {row["sha256"]: row["stimulus"] for row in reversed(rows) if row["kind"] == "real"}
    fakes = {row["stimulus"]: row["sha256"] for row in rows if row["kind"] == "fake"}
    pairs = [f"{stimulus} = {reals[sha256]}" for stimulus, sha256 in fakes.items() if sha256 in reals]
    if not pairs:
        return ""
    count = f"{len(pairs)} generated pictures are real ones" if len(pairs) > 1 else "1 generated picture is a real one"
    return f"{count}, byte for byte: {', '.join(pairs[:3])}{', …' if len(pairs) > 3 else ''}"


def repeated_pictures(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a message about real pictures that are in the set under several names; empty if there are none.

    Args:
        rows: as for `identical_pictures`.

    >>> rows = [("d/real/1", "real", "1"), ("d/real/2", "real", "1"), ("d/real/3", "real", "3")]
    >>> repeated_pictures([dict(zip(("stimulus", "kind", "sha256"), row)) for row in rows])
    '1 real picture has several names and would count as several: d/real/1 = d/real/2'
    """
    names: dict[str, list[str]] = {}
    for row in rows:
        if row["kind"] == "real" and row["sha256"]:
            names.setdefault(row["sha256"], []).append(row["stimulus"])
    groups = [" = ".join(group) for group in names.values() if len(group) > 1]
    if not groups:
        return ""
    count = f"{len(groups)} real pictures have" if len(groups) > 1 else "1 real picture has"
    more = ", …" if len(groups) > 3 else ""
    return f"{count} several names and would count as several: {', '.join(groups[:3])}{more}"


def require_presented(folder: Path, stimuli: "pd.DataFrame", presented: Collection[str]) -> None:
    """Refuse a set of which no generated picture was presented, or whose pictures have other names in the trials."""
    names = [name for name, kind in zip(stimuli["stimulus"], stimuli["kind"], strict=True) if kind == "fake"]
    if presented and not {*names} & {*presented}:
        raise UserError(
            f"--stimuli {folder}: none of its generated pictures is in the trials; name a set that was shown, with "
            f"the same names: it has {', '.join(names[:1]) or 'none'}, the trials have {min(presented)}"
        )


def read_stimulus_tables(folders: Iterable[Path]) -> "pd.DataFrame":
    """Return the tables `stimuli` of one or several sets as one; the sets' pictures may be elsewhere."""
    import pandas as pd

    sets = [read_set(folder, files_must_exist=False) for folder in folders]
    return pd.concat([frame_of(stimuli.rows, tables.STIMULI) for stimuli in sets], ignore_index=True)


def read_sets(folders: Iterable[Path], *, hash_files: bool = True) -> StimulusSet:
    """Return the sets of several folders as one (`joined_sets`)."""
    return joined_sets([read_set(folder, hash_files=hash_files) for folder in folders])


def joined_sets(sets: Sequence[StimulusSet]) -> StimulusSet:
    """Return several sets as one, with absolute paths; models of one data set share its real pictures.

    Raises:
        UserError: two sets have different pictures of one name.
    """
    require_same_stimuli(sets)
    merged: dict[str, Row] = {}
    for stimuli in sets:
        for row in stimuli.rows:
            paths = {column: stimuli.path(row, column) for column in FILE_COLUMNS}
            absolute: Row = {column: str(path.absolute()) for column, path in paths.items() if path is not None}
            merged.setdefault(row["stimulus"], {**row, **absolute})
    return StimulusSet(Path(), tuple(merged.values()))


def write_set(folder: Path, rows: Iterable[Row]) -> None:
    """Write a set's `stimuli.csv`; its pictures must exist."""
    write_rows(rows, Path(folder) / TABLE_NAME, tables.STIMULI)


def usable_items(
    items: Collection[str],
    read: Callable[[str], _Made],
    refused: dict[str, UserError],
    *,
    on_progress: Progress | None = None,
) -> Iterator[tuple[str, _Made]]:
    """Yield each item that can be read, with what `read` makes of it.

    Args:
        refused: the error of each other item is added here.
        on_progress: called with (items done, items in all).
    """
    for done, item in enumerate(items, start=1):
        try:
            made = read(item)
        except UserError as error:
            refused[item] = error
        else:
            yield item, made
        if on_progress:
            on_progress(done, len(items))


def refuse_another_set(record: FolderRecord) -> None:
    """Refuse an output folder, whose lock is held, with another set; a repeated command may replace its own set."""
    fix = "name another folder, or remove this one first"
    if not record.file.is_file() and (record.folder / TABLE_NAME).is_file():
        raise UserError(f"--out {record.folder}: holds a stimulus set that this command did not make; {fix}")
    record.require_same(fix)


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
    """Return the row of a stimulus, with identifiers made from data set, model and stem, and the file's hash.

    Args:
        file: the picture, below the set's `folder`.
        model: name of the generator; None for a real picture.
        stem: the item's name within the data set.
        size: (height, width) in pixels.
        **more: further columns (`split`, `input_file`, `reference_file`, `fraction`, ...); their files are hashed, too.
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
        **more,
        **hashes_of({"file": file.relative_to(folder).as_posix(), **more}, folder),
    }


def hashes_of(row: Mapping[str, Any], folder: Path) -> Row:
    """Return the columns with the SHA-256 of each file that a row names, below the set's `folder`."""
    return {of: sha256_file(folder / row[column]) for column, of in HASHES.items() if row.get(column)}
