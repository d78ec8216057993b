"""Tensors by name out of a user's file of pretrained weights."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.known_weights import WEIGHTS
from gan_eval.weights import option
from gan_eval.words import first_sentence

State = Mapping[str, Tensor]


def read_state(path: Path, name: str) -> State:
    """The tensors of a state dict (`.pth`, `.pt`) or of a safetensors file, on the CPU. No code of the file runs.

    Args:
        path: the file.
        name: the weights' name, for messages.

    Raises:
        UserError: the file is neither.
    """
    try:
        if Path(path).suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
            raise ValueError("no tensors by name")
        return state
    except Exception as error:  # torch and safetensors raise whatever a file that is something else leads to
        raise refused(path, name, first_sentence(error)) from error


def take(state: State, wanted: Mapping[str, tuple[int, ...]], path: Path, name: str) -> dict[str, Tensor]:
    """The wanted tensors in float32, checked by name and shape; others in the file are left alone.

    Raises:
        UserError: one is missing or has another shape.
    """
    for key, shape in wanted.items():
        if key not in state:
            raise refused(path, name, f"no {key}")
        if tuple(state[key].shape) != tuple(shape):
            raise refused(path, name, f"{key} has the shape {tuple(state[key].shape)}, wanted {tuple(shape)}")
    return {key: state[key].to(torch.float32) for key in wanted}


def refused(path: Path, name: str, reason: str) -> UserError:
    """The user's line about a file that will not do."""
    other = f"another {option(name)} FILE" if WEIGHTS[name].of_metrics else "give another file"
    return UserError(f"{path}: not the weights {name} ({reason}); `gan-eval weights fetch {name}`, or {other}")
