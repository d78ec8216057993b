"""The stages of a study, skipped where they are up to date.

A stage writes its marker `DIR/.gan-eval/STAGE.json` last: its canonical settings, the hashes of its input files, those
of the files it made, and its format number. Equal: skipped. Settings or inputs that differ: refused with the
difference, unless the stage only derives tables (then changed inputs are simply computed again). Files of a stage that
are missing or changed are made again where nothing is lost by it, else refused (`Stage.is_precious`). A marker that is
not one counts as absent. `redo` moves the old results aside.
"""

import math
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, write_json
from gan_eval.files.digests import keep_digests, sha256_file, sha256_json
from gan_eval.files.locks import hold_lock
from gan_eval.files.reading import read_record
from gan_eval.settings.sections import differences

DIGESTS = "digests.json"
"""Below `.gan-eval/`: the digests of the files that the last run read; the next one hashes only what changed."""
FORMAT = 1
"""Number of the markers' and results' layout; raised when an old folder must not be continued."""


class Listener(Protocol):
    """Receives what a pipeline reports."""

    def message(self, text: str) -> None:
        """One line for the user."""

    def progress(self, what: str, done: int, total: int, detail: str = "", *, unit: str = "") -> None:
        """`done` of `total` units of `what` are finished."""


def download_progress(listener: Listener, what: str) -> Callable[[int, int], None]:
    """Return the function for a download that reports bytes to the listener as MB and MB/s; a total of 0 is unknown."""

    def report(done: int, total: int) -> None:
        whole = math.ceil(total / 10**6)
        listener.progress(f"{what} (MB)", whole if done == total else done // 10**6, whole, unit="MB")

    return report


@dataclass(frozen=True)
class Stage:
    """One stage: its settings and inputs decide whether it is up to date."""

    name: str
    settings: Mapping[str, Any]
    inputs: Callable[[], Mapping[str, str]]
    """Names and hashes of what it reads; raises UserError where an earlier stage has not been done."""
    outputs: tuple[Path, ...]
    """Files and folders that it makes, which `redo` moves aside."""
    work: Callable[[Listener], bool]
    """Does it; False where it is not finished yet (people are still to come)."""
    needs: tuple[str, ...] = ()
    """Stages whose results it reads: made again with them."""
    derives: bool = False
    """Changed inputs are computed again without asking."""
    traces: tuple[Path, ...] = ()
    """Files that may lie next to the outputs and move with them."""
    is_finished: Callable[[], bool] = lambda: True
    """Return whether nothing more is to come; a stage that waits for people is not up to date."""
    section: str = ""
    """Section of the study file that has the settings."""
    products: Callable[[], Iterable[Path]] | None = None
    """The files that must stay as it made them; default: all files of `outputs`. None of these may lie elsewhere."""
    is_precious: bool = False
    """Missing or changed files are refused, not made again, because training or people's answers would be lost."""
    redo_command: str = ""
    """The command that moves its results aside and makes them again; for messages."""
    check: Callable[[Collection[str]], None] = lambda _: None
    """Called with the names of the stages to be made again, before any results are moved or made; raises UserError
    where files that it reads are not what they were."""

    def hashes(self, folder: Path) -> dict[str, str]:
        """Return the SHA-256 of each of its existing files, by path relative to `folder`."""
        files = self.products() if self.products else (path for output in self.outputs for path in files_of(output))
        return {path.relative_to(folder).as_posix(): sha256_file(path) for path in sorted(files) if path.is_file()}


def run(
    stages: Sequence[Stage],
    folder: Path,
    listener: Listener,
    *,
    redo: Sequence[str] = (),
    only: str | None = None,
) -> None:
    """Do what is missing, in order.

    Args:
        folder: the output folder, with the markers in `.gan-eval/`.
        redo: stages (or families: `train` for `train-a` and `train-b`) whose results are moved aside and made again,
            with all that was made from them.
        only: do this stage (or family) alone.

    Raises:
        UserError: bad input, a stage whose settings differ from those its results were made with, or another process
            at work in the folder.
    """
    require_known((*redo, *([only] if only else [])), stages)
    redone: set[str] = set()
    with hold_lock(*run_lock(folder)):
        for stage in stages:  # and all that read the results of these
            if any(_is_called(stage, name) for name in redo) or redone.intersection(stage.needs):
                redone.add(stage.name)
        for stage in stages:
            stage.check(redone)
        for stage in stages:
            if stage.name in redone:
                _move_aside(stage, folder, listener)
        for stage in stages:
            if only is None or _is_called(stage, only):
                _bring_up_to_date(stage, folder, listener)
        keep_digests(folder / OWN_FOLDER / DIGESTS)


def require_known(names: Iterable[str], stages: Sequence[Stage]) -> None:
    """Refuse a name that is no stage's or family's."""
    for name in names:
        if not any(_is_called(stage, name) for stage in stages):
            raise UserError(f"no stage {name!r}; known: {', '.join(stage.name for stage in stages)}")


def run_lock(folder: Path) -> tuple[Path, str, str]:
    """Arguments of `gan_eval.files.locks.hold_lock`, so that one process at a time does the stages of a folder."""
    return folder / OWN_FOLDER / "run.lock", f"--out {folder}", "running a study there"


def hash_result(path: Path, stage: str) -> str:
    """SHA-256 of a file that an earlier stage has made."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; do the stage {stage} first")
    return sha256_file(path)


@dataclass(frozen=True)
class Standing:
    """State of a stage."""

    current: Mapping[str, Any]
    """Content that its marker would have now."""
    is_current: bool = False
    """Its results are there, and made with what its marker would say now; people may still be missing."""
    changes: str = ""
    """Settings or inputs that its results were not made with, which forbid to continue."""
    damage: str = ""
    """A file that is missing or has changed since it was made, and how many more."""


def standing_of(stage: Stage, folder: Path) -> Standing:
    """Return the state of a stage; nothing is changed."""
    marker = folder / OWN_FOLDER / f"{stage.name}.json"
    current = {
        "stage": stage.name,
        "format": FORMAT,
        "settings": dict(stage.settings),
        "settings_hash": sha256_json(dict(stage.settings)),
        "inputs": dict(stage.inputs()),
    }
    made = _read_marker(marker, stage)
    files, there = (made or {}).pop("files", {}), stage.hashes(folder)
    if made is None or (there and not files):  # nothing says whether they are as they were made
        return Standing(current)
    damaged = {name: "changed" if name in there else "missing" for name in files if files[name] != there.get(name)}
    damaged |= {path.relative_to(folder).as_posix(): "missing" for path in stage.outputs if not path.exists()}
    damage = ""
    if damaged:
        name, how = min(damaged.items(), key=lambda item: item[1])  # a changed one first
        others = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        damage = f"{folder / name}: {how} since {stage.name} made it{others}"
    changes = list(differences(made["settings"], current["settings"], where=stage.section))
    if made["format"] != FORMAT:
        changes.append(f"format {made['format']} is now {FORMAT}")
    if made["inputs"] != current["inputs"] and not stage.derives:
        changes += differences(made["inputs"], current["inputs"], short=True)
    more = f"; and {len(changes) - 4} more" if len(changes) > 4 else ""
    changed = f"made with other settings or inputs: {'; '.join(changes[:4])}{more}" if changes else ""
    return Standing(current, made == current and not damaged, changed, damage)


def _read_marker(marker: Path, stage: Stage) -> dict[str, Any] | None:
    """Return what a stage wrote last; None where it wrote nothing, or the file is not what a stage writes."""
    if marker.is_dir():
        raise UserError(f"{marker}: is a folder, and {stage.name} writes a file there; remove it")
    try:
        made = read_record(marker, stage=str, format=int, settings=dict, inputs=dict, files=dict)
    except UserError:
        return None
    texts = (*made["inputs"].values(), *made["files"].values())
    return made if made["stage"] == stage.name and all(isinstance(text, str) for text in texts) else None


def _bring_up_to_date(stage: Stage, folder: Path, listener: Listener) -> None:
    marker = folder / OWN_FOLDER / f"{stage.name}.json"
    standing = standing_of(stage, folder)
    if standing.is_current and stage.is_finished():
        listener.message(f"{stage.name}: up to date")
        return
    redo = stage.redo_command or f"--redo {stage.name}"
    if standing.changes:
        fix = f"undo that, or move the old results aside with: {redo}; or give another --out"
        raise UserError(f"{marker}: {standing.changes}; {fix}")
    if standing.damage:
        if stage.is_precious:
            raise UserError(f"{standing.damage}; restore it from a copy, or make it again with: {redo}")
        listener.message(f"{standing.damage}; making it again")
    marker.unlink(missing_ok=True)
    started = time.monotonic()
    if stage.derives:  # under way, though some of these cannot say how far
        listener.progress(stage.name, 0, 0)
    finished = stage.work(listener)
    if stage.derives:
        listener.progress(stage.name, 1, 1)
    if finished:
        write_json(marker, {**standing.current, "files": stage.hashes(folder)})
        seconds = time.monotonic() - started
        minutes, rest = divmod(round(seconds), 60)
        listener.message(f"{stage.name}: done in {f'{minutes} min {rest} s' if minutes else f'{seconds:.1f} s'}")


def files_of(output: Path) -> Iterable[Path]:
    """A file itself; of a folder all files in it and the records of our own, without locks and hidden files."""
    if not output.is_dir():
        return [output]
    below = (path.relative_to(output).parts for path in output.rglob("*"))
    return [
        output.joinpath(*parts)
        for parts in below
        if not any(part.startswith(".") and part != OWN_FOLDER for part in parts)
        and (OWN_FOLDER not in parts or parts[-1].endswith(".json"))
    ]


def _move_aside(stage: Stage, folder: Path, listener: Listener) -> None:
    marker = folder / OWN_FOLDER / f"{stage.name}.json"
    results = [path for path in (*stage.outputs, *stage.traces, marker) if path.exists()]
    if not results:
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = folder / OWN_FOLDER / "old" / f"{stage.name}-{stamp}"
    aside.mkdir(parents=True)
    for path in results:
        shutil.move(path, aside / path.name)
    listener.message(f"{stage.name}: the old results were moved to {aside}")


def _is_called(stage: Stage, name: str) -> bool:
    """`train-a` is called by its name, or by its family: the word before the first dash."""
    return name in (stage.name, stage.name.split("-", 1)[0])
