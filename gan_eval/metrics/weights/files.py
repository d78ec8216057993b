"""Tensors by name out of a user's file of pretrained weights."""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_eval.base.errors import UserError, first_sentence
from gan_eval.base.reading import require_file
from gan_eval.metrics.weights.known import WEIGHTS

State = Mapping[str, Tensor]

_AT_ONCE = 2**22
"""Number of a tensor's values that are checked at a time; the check needs memory of their size."""


def read_state(path: Path, name: str) -> State:
    """The tensors of a state dict (`.pth`, `.pt`) or of a safetensors file, on the CPU. No code of the file runs."""
    require_file(path)
    try:
        if Path(path).suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return load_tensors(path)
    except Exception as error:  # torch and safetensors raise many errors for other files
        raise weights_error(path, name, first_sentence(error)) from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors by name that `torch.save` wrote, on the CPU. No code of the file runs.

    Raises: as `load_torch_file`; also ValueError for something else, or for a tensor with fewer numbers than places.
    """
    state = load_torch_file(path, mmap=zipfile.is_zipfile(path))
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError("no tensors by name")
    for key, value in state.items():
        if reason := storage_problem(value):
            raise ValueError(f"{key} {reason}")
    return dict(state)


def load_torch_file(path: Path, *, mmap: bool = False) -> Any:
    """Return what `torch.save` wrote, on the CPU. No code of the file runs; torch's warnings are hidden.

    Raises:
        ValueError: the file is an archive with something compressed in it, which `torch.save` never writes and which
            could unpack to any size.
        Exception: any error of torch for another file.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{entry.filename} in it is compressed, as PyTorch never does")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)


def storage_problem(tensor: Tensor) -> str | None:
    """Return why a tensor from a file lacks a number of its own in each place, as a clause after its name.

    A few bytes of a file can say that they stand for a tensor of any size, which the first copy would allocate.

    >>> storage_problem(torch.zeros(1).expand(1000))
    'has fewer numbers than places'
    """
    if tensor.is_meta:
        return "has no values"
    if tensor.layout is not torch.strided:
        return "is a sparse tensor"
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return "has fewer numbers than places"
    return None


def required_tensors(state: State, shapes: Mapping[str, tuple[int, ...]], path: Path, name: str) -> dict[str, Tensor]:
    """Return the wanted tensors in float32, checked by name and shape; other tensors are ignored.

    Raises:
        UserError: one is missing, has another shape, or has numbers that are not finite.
    """
    for key, shape in shapes.items():
        if key not in state:
            raise weights_error(path, name, f"no {key}")
        if tuple(state[key].shape) != tuple(shape):
            raise weights_error(path, name, f"{key} has the shape {tuple(state[key].shape)}, expected {tuple(shape)}")
    taken = {key: state[key].to(torch.float32) for key in shapes}
    if damaged := first_nonfinite(taken):
        raise weights_error(path, name, f"{damaged} has numbers that are not finite")
    return taken


def first_nonfinite(weights: State) -> str | None:
    """Return the first key with a NaN or an infinity; None if all numbers are finite.

    >>> first_nonfinite({"a": torch.zeros(2), "b": torch.tensor([0.0, float("nan")])})
    'b'
    """
    for key, tensor in weights.items():
        if tensor.is_floating_point() and not all(part.isfinite().all() for part in tensor.flatten().split(_AT_ONCE)):
            return key
    return None


def weights_error(path: Path, name: str, reason: str) -> UserError:
    """Return the error for a file that cannot be used."""
    other = f"another --weights {name}=FILE" if WEIGHTS[name].of_metrics else "give another file"
    return UserError(f"{path}: not the weights {name} ({reason}); `gan-eval weights fetch {name}`, or {other}")
