"""Checkpoints: everything a run needs to resume exactly, in files that are complete or absent."""

import math
import os
import re
import stat
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_eval.base.atomic import atomic_path, write_error
from gan_eval.base.errors import UserError
from gan_eval.metrics.weights.files import first_nonfinite, load_torch_file, storage_problem
from trainer.nets.build import first_difference

FORMAT = 1
CHECKPOINTS = "checkpoints"  # the folder of a run's checkpoints
NETS = ("generator", "discriminator")  # parts of a state that are weights
OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")  # parts with moments of gradients

State = dict[str, Any]
Weights = Mapping[str, Tensor]


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return the file of the checkpoint after `step` steps."""
    return folder / f"step_{step:07d}.pt"


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in `folder`, latest first."""
    paths = [path for path in folder.glob("step_*.pt") if re.fullmatch(r"step_\d{7,}", path.stem)]
    return sorted(paths, key=_step, reverse=True)


def _step(path: Path) -> int:
    return int(path.stem.removeprefix("step_"))


def broke_down(folder: Path, when: str, what: str) -> UserError:
    """Return the error of a failed training, with the checkpoints that are left in `folder`."""
    paths = list_checkpoints(folder)
    left = f"the last good checkpoint is of step {_step(paths[0])}" if paths else "no checkpoint was written yet"
    return UserError(
        f"{folder.parent}: the training broke down {when}: {what}; {left}; "
        "lower learning_rate and train into a new folder"
    )


def require_finite(folder: Path, step: int, nets: Mapping[str, Weights]) -> None:
    """Check that the networks of a run are finite after `step` steps."""
    for net, weights in nets.items():
        if key := first_nonfinite(weights):
            raise broke_down(folder, f"by step {step}", f"{net} {key} is not finite")


def save_checkpoint(folder: Path, step: int, state: State, *, keep: int = 2) -> None:
    """Write the checkpoint of `step`, then remove earlier ones until `keep` are left.

    Files of later steps stay: one of them may be the newest that can be read, and the next resume looks at them.
    """
    require_finite(folder, step, {net: state[net] for net in NETS})
    path = checkpoint_path(folder, step)
    with atomic_path(path) as temporary:
        try:
            torch.save({"format": FORMAT, "step": step, **state}, temporary)
        except RuntimeError as error:  # PyTorch's message for a failed write, without the reason
            try:
                with temporary.open("ab") as file:
                    file.write(bytes(2**20))
                    file.flush()
            except OSError as reason:
                raise write_error(path, reason) from error
            raise
    earlier = [old for old in list_checkpoints(folder) if _step(old) < step and _is_regular(old)]
    for old in earlier[keep - 1 :]:
        old.unlink(missing_ok=True)


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def load_latest(
    folder: Path,
    fingerprint: str,
    say: Callable[[str], None],
    *,
    nets: Mapping[str, Weights] | None = None,
    parts: Collection[str] = (),
    take: Callable[[State], None] = lambda _state: None,
) -> State | None:
    """Load the latest checkpoint that can be used, on the CPU, and set the damaged ones after it aside.

    A damaged checkpoint is renamed (`step_0000100.pt.damaged`) once an earlier one has been loaded; if none can be
    used, nothing is renamed.

    Args:
        nets: weights of the run's networks by their names in the state; a checkpoint must have the same.
        parts: names of everything that the run resumes from; a checkpoint without one of them counts as damaged.
        take: puts a state to use; a checkpoint of which it raises an error other than `UserError` counts as damaged.
    """
    damaged = []
    for path in list_checkpoints(folder):
        try:
            state = _load(path)
            made_with = (state["format"], state["fingerprint"])
            if made_with[0] == FORMAT:
                _check_parts(state, _step(path), parts)
                _check_networks(state, nets or {}, path)
            if made_with != (FORMAT, fingerprint):
                raise UserError(f"{path}: made with other settings or another version; train into a new folder")
            take(state)
        except (UserError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # zipfile and torch raise any error at damaged bytes
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:80]
            say(f"{path}: the checkpoint cannot be read ({reason}); trying the one before")
            damaged.append(path)
            continue
        for other in damaged:
            say(f"{other}: set aside as {_set_aside(other).name}")
        return state
    if damaged:
        raise UserError(f"{folder}: none of the checkpoints can be read; remove them to train from the start")
    return None


def _check_parts(state: State, step: int, parts: Collection[str]) -> None:
    """Make sure that a state is of `step` and has all parts."""
    if not (isinstance(state.get("step"), int) and isinstance(state.get("seconds"), float)):
        raise ValueError("its step or its seconds are no number")
    if state["step"] != step or not math.isfinite(state["seconds"]):
        raise ValueError(f"it is of step {state['step']} after {state['seconds']:g} seconds")
    for name in parts:
        part = state.get(name)
        tensors = part.values() if isinstance(part, dict) and name in NETS else ()
        if not isinstance(part, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors):
            raise ValueError(f"its part {name} is missing or damaged")


def _check_networks(state: State, nets: Mapping[str, Weights], path: Path) -> None:
    """Make sure that a state has whole, finite weights of these networks; refuse those of others."""
    for name, weights in nets.items():
        if difference := first_difference(weights, state[name]):
            raise UserError(f"{path}: a checkpoint of another network: {name}: {difference}; train into a new folder")
        for key, tensor in state[name].items():
            if problem := storage_problem(tensor):
                raise ValueError(f"{name}: {key} {problem}")
        if nonfinite := first_nonfinite(state[name]):
            raise ValueError(f"{name}: {nonfinite} is not finite")


def _set_aside(path: Path) -> Path:
    """Rename an unusable checkpoint, so that it is ignored; return the new path."""
    target, number = path.with_name(f"{path.name}.damaged"), 1
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{path.name}.damaged{number}")
    try:
        path.rename(target)
    except OSError as error:
        raise write_error(path, error, "renamed") from error
    return target


def read_checkpoint(path: Path) -> State | None:
    """Return a checkpoint of any run on the CPU; None if it cannot be read."""
    try:
        return _load(path)
    except Exception:  # zipfile and torch raise any error at damaged bytes
        return None


def _load(path: Path) -> State:
    """Read a checkpoint, and check that its content is as it was written."""
    if not _is_regular(path):
        raise ValueError("not a regular file")
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()  # by its CRC-32, which torch.load does not check
    if damaged is not None:
        raise zipfile.BadZipFile(f"{damaged} is damaged")
    state: State = load_torch_file(path)
    return state
