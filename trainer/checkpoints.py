"""Checkpoints: everything a run needs to go on exactly, in files that are whole or absent."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gan_eval.errors import UserError
from gan_eval.files import atomic_path, write_error

FORMAT = 1
KEPT = 2
"""So many of the latest checkpoints are kept: if the last is broken, the one before serves."""

State = dict[str, Any]


def checkpoint_path(folder: Path, step: int) -> Path:
    """The file of the checkpoint after `step` steps."""
    return folder / f"step_{step:07d}.pt"


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, latest first."""
    found = [path for path in folder.glob("step_*.pt") if re.fullmatch(r"step_\d{7,}", path.stem)]
    return sorted(found, key=lambda path: int(path.stem.removeprefix("step_")), reverse=True)


def save_checkpoint(folder: Path, step: int, state: State) -> None:
    """Write the checkpoint of `step` and remove all but the latest.

    Args:
        state: tensors, numbers, texts, and lists and dicts of them, so that it loads with `weights_only=True`.

    Raises:
        UserError: a weight is not finite, or the disk is full or cannot be written.
    """
    _require_finite(folder, step, state)
    path = checkpoint_path(folder, step)
    with atomic_path(path) as temporary:
        _save({"format": FORMAT, "step": step, **state}, temporary, path)
    for old in list_checkpoints(folder)[KEPT:]:
        old.unlink(missing_ok=True)


def load_latest(folder: Path, fingerprint: str, say: Callable[[str], None]) -> State | None:
    """The latest checkpoint that can be read, on the CPU; None where there is none.

    Raises:
        UserError: a checkpoint was made with other settings or by a newer version, or none of them can be read.
    """
    paths = list_checkpoints(folder)
    for path in paths:
        try:
            state: State = torch.load(path, map_location="cpu", weights_only=True)
            found = (state["format"], state["fingerprint"])
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
            say(f"{path}: the checkpoint cannot be read ({str(error).splitlines()[0][:80]}); trying the one before")
            continue
        if found != (FORMAT, fingerprint):
            raise UserError(f"{path}: made with other settings or another version; train into a new folder")
        return state
    if paths:
        raise UserError(f"{folder}: none of the checkpoints can be read; remove them to train from the start")
    return None


def _save(state: State, temporary: Path, target: Path) -> None:
    try:
        torch.save(state, temporary)
    except RuntimeError as error:  # PyTorch's word for a failed write, without the reason
        try:
            with temporary.open("ab") as file:
                file.write(bytes(2**20))
                file.flush()
        except OSError as reason:
            raise write_error(target, reason) from error
        raise


def _require_finite(folder: Path, step: int, state: State) -> None:
    for part in ("generator", "discriminator"):
        for name, tensor in state[part].items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise UserError(
                    f"{folder.parent}: the training broke down by step {step}: {part} {name} is not finite; the last "
                    "good checkpoint is kept; lower learning_rate and train into a new folder"
                )
