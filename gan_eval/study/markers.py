"""The stages of a study; those that are up to date are skipped.

A stage writes its marker `DIR/.gan-eval/STAGE.json` last: its canonical settings, the hashes of its input files and of
its output files, and its format number. If all are equal, the stage is skipped. If settings or inputs differ, it is
refused with the difference; a stage that only derives tables is computed again. Missing or changed output files are
made again if nothing is lost by that, else refused (`Stage.is_precious`). A damaged marker counts as absent. `redo`
moves the old results aside.
"""

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.digests import keep_digests, sha256_file, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.base.progress import Listener
from gan_eval.base.record import FolderRecord, in_words, read_record

DIGESTS = "digests.json"
"""Below `.gan-eval/`: the digests of the files that the last run read; the next run hashes only changed files."""
FORMAT = 1
"""Format number of markers and results; raised when an old folder must not be continued."""


@dataclass(frozen=True)
class Stage:
    """A stage; its settings and inputs decide if it is up to date."""

    name: str
    settings: Mapping[str, Any]
    inputs: Callable[[], Mapping[str, str]]
    """Names and hashes of its input files; raises UserError if an earlier stage is missing."""
    outputs: tuple[Path, ...]
    """Output files and folders, which `redo` moves aside."""
    work: Callable[[Listener], bool]
    """Function that does the work; returns False if it is not finished yet (participants are missing)."""
    needs: tuple[str, ...] = ()
    """Stages whose results it reads; it is made again with them."""
    derives: bool = False
    """True if it is computed again, not refused, when its inputs change."""
    traces: tuple[Path, ...] = ()
    """Files that may be next to the outputs and are moved with them."""
    is_finished: Callable[[], bool] = lambda: True
    """Function that returns whether it is complete; a stage that waits for participants is not."""
    section: str = ""
    """Section of the study file with the settings."""
    products: Callable[[], Iterable[Path]] | None = None
    """Files that must not change; default: all files of `outputs`. They are below the folder."""
    is_precious: bool = False
    """True if missing or changed files are refused, because training or answers would be lost."""
    redo_command: str = ""
    """Command that moves its results aside and makes them again, for messages."""
    check: Callable[[Collection[str]], None] = lambda _: None
    """Called with the names of the stages to be made again, before results are moved or made; raises UserError if
    files that it reads have changed."""

    def hashes(self, folder: Path) -> dict[str, str]:
        """Return the SHA-256 of each existing file, by path relative to `folder`."""
        files = self.products() if self.products else (path for output in self.outputs for path in files_of(output))
        return {path.relative_to(folder).as_posix(): sha256_file(path) for path in sorted(files) if path.is_file()}


def run(
    stages: Sequence[Stage],
    folder: Path,
    listener: Listener,
    *,
    redo: Sequence[str] = (),
    only: str | None = None,
    elsewhere: Callable[[Sequence[Stage]], Sequence[Stage]] | None = None,
) -> None:
    """Run the stages that are not up to date, in order.

    Args:
        folder: the output folder, with the markers in `.gan-eval/`.
        redo: stages (or families: `train` for `train-a` and `train-b`) whose results are moved aside and made again,
            with all that was made from them.
        only: do this stage (or family) alone.
        elsewhere: does some of the stages on other machines, and returns those that are left to this one.

    Raises:
        UserError: bad input, a stage whose results were made with other settings, or another process working in the
            folder.
    """
    require_known((*redo, *([only] if only else [])), stages)
    redone = _made_again(stages, redo)
    with hold_lock(*run_lock(folder)):
        for stage in stages:
            stage.check(redone)
        for stage in stages:
            if stage.name in redone:
                _move_aside(stage, folder, listener)
        chosen: Sequence[Stage] = [stage for stage in stages if only is None or _is_called(stage, only)]
        for stage in elsewhere(chosen) if elsewhere else chosen:
            bring_up_to_date(stage, folder, listener)
        keep_digests(folder / OWN_FOLDER / DIGESTS)


def _made_again(stages: Sequence[Stage], redo: Sequence[str]) -> set[str]:
    """Return the stages (or families) to redo, and all that read their results."""
    redone: set[str] = set()
    for stage in stages:
        if any(_is_called(stage, name) for name in redo) or redone.intersection(stage.needs):
            redone.add(stage.name)
    return redone


def require_known(names: Iterable[str], stages: Sequence[Stage]) -> None:
    """Refuse a name that is neither a stage nor a family."""
    for name in names:
        if not any(_is_called(stage, name) for stage in stages):
            raise UserError(f"no stage {name!r}; known: {', '.join(stage.name for stage in stages)}")


def run_lock(folder: Path) -> tuple[Path, str, str]:
    """Return the arguments of `gan_eval.base.locks.hold_lock`: one process at a time runs the stages of a folder."""
    return folder / OWN_FOLDER / "run.lock", f"--out {folder}", "running a study there"


def hash_result(path: Path, stage: str) -> str:
    """Return the SHA-256 of a file that an earlier stage has made."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; do the stage {stage} first")
    return sha256_file(path)


@dataclass(frozen=True)
class StageStatus:
    """State of a stage."""

    marker: FolderRecord
    """The record of its settings and inputs now."""
    is_current: bool = False
    """True if its results exist and agree with `marker`; participants may still be missing."""
    changes: str = ""
    """Changed settings or inputs, because of which the stage is refused."""
    damage: str = ""
    """A file that is missing or has changed, and the number of others."""


def status_of(stage: Stage, folder: Path) -> StageStatus:
    """Return the state of a stage; nothing is changed."""
    made = {"stage": stage.name, "format": FORMAT, "settings": dict(stage.settings), "inputs": dict(stage.inputs())}
    marker = FolderRecord(folder / OWN_FOLDER / f"{stage.name}.json", made, stage.section)
    earlier = _earlier(marker)
    files, there = earlier.get("files", {}), stage.hashes(folder)
    if not earlier or (there and not files):  # it is unknown if they have changed
        return StageStatus(marker)
    damaged = {name: "changed" if name in there else "missing" for name in files if files[name] != there.get(name)}
    damaged |= {path.relative_to(folder).as_posix(): "missing" for path in stage.outputs if not path.exists()}
    is_made_with_others = bool(marker.changes(earlier))
    # with other inputs a missing file is expected: an earlier stage may have removed what was made from its old results
    is_expected = is_made_with_others and stage.derives and "changed" not in damaged.values()
    damage = "" if is_expected else _described(damaged, folder, stage.name)
    refused = marker.changes({**earlier, "inputs": made["inputs"]} if stage.derives else earlier)
    return StageStatus(marker, not is_made_with_others and not damaged, in_words(refused), damage)


def _described(damaged: Mapping[str, str], folder: Path, stage: str) -> str:
    """Return which file has changed, or is missing, and the number of others; empty without one."""
    if not damaged:
        return ""
    name, how = min(damaged.items(), key=lambda item: item[1])  # a changed one first
    others = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
    return f"{folder / name}: {how} since {stage} made it{others}"


def _earlier(marker: FolderRecord) -> dict[str, Any]:
    """Return what a stage's marker has; {} if there is none or the file is damaged."""
    if marker.file.is_dir():
        raise UserError(f"{marker.file}: is a folder, and a stage of the study writes a file there; remove it")
    try:
        earlier = read_record(marker.file, stage=str, format=int, settings=dict, inputs=dict, files=dict)
    except UserError:
        return {}
    texts = [text for name in ("inputs", "files") for text in earlier.get(name, {}).values()]
    is_whole = earlier.get("stage") == marker.made["stage"] and all(isinstance(text, str) for text in texts)
    return earlier if is_whole else {}


def bring_up_to_date(stage: Stage, folder: Path, listener: Listener) -> None:
    """Do a stage, unless its results are up to date.

    Raises:
        UserError: its results were made with other settings or inputs, or are damaged and precious.
    """
    status = status_of(stage, folder)
    marker = status.marker
    if status.is_current and stage.is_finished():
        listener.message(f"{stage.name}: up to date")
        return
    redo = stage.redo_command or f"--redo {stage.name}"
    if status.changes:
        fix = f"undo that, or move the old results aside with: {redo}; or give another --out"
        raise UserError(f"{marker.file}: made with other settings or inputs: {status.changes}; {fix}")
    if status.damage:
        if stage.is_precious:
            raise UserError(f"{status.damage}; restore it from a copy, or make it again with: {redo}")
        listener.message(f"{status.damage}; making it again")
    marker.file.unlink(missing_ok=True)
    started = time.monotonic()
    if stage.derives:  # show that it has started; some of these report no progress
        listener.progress(0, 0, stage.name)
    finished = stage.work(listener)
    if stage.derives:
        listener.progress(1, 1, stage.name)
    if finished:
        marker.write(settings_hash=sha256_json(marker.made["settings"]), files=stage.hashes(folder))
        listener.message(f"{stage.name}: done in {_duration(time.monotonic() - started)}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def files_of(output: Path) -> Iterable[Path]:
    """Return a file, or all files of a folder with the records of gan_eval, without locks and hidden files."""
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
    """Return whether a stage has this name or is of this family: the word before the first dash, as in `train-a`."""
    return name in (stage.name, stage.name.split("-", 1)[0])
