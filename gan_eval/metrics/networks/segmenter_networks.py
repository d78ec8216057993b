"""A user's network out of its file: TorchScript by torch, ONNX by onnxruntime."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.files import require_file
from gan_eval.metrics.run.files import memory_ran_out
from gan_eval.weights.files import first_not_finite
from gan_eval.words import first_sentence, last_words

Network = Callable[[Tensor], Tensor]
"""(1, 3, H, W) float32 on the network's device to whatever it gives, there too."""

TORCHSCRIPT = (".pt", ".pth", ".ts", ".torchscript")


def load_network(file: Path, *, device: str) -> Network:
    """A network out of its file. Loading TorchScript runs code that the file holds.

    Any number of threads may call the result.

    Args:
        file: `.onnx`, or TorchScript under one of the suffixes `TORCHSCRIPT`.
        device: cpu, cuda, ...; ONNX runs there where this onnxruntime can.

    Raises:
        UserError: no such file, an unknown suffix, no network in it, or onnxruntime is not installed.
    """
    if not file.is_file():
        raise UserError(f"--segmenter {file}: no such file")
    if file.suffix.lower() == ".onnx":
        return _load_onnx(file, device)
    if file.suffix.lower() in TORCHSCRIPT:
        return _load_torchscript(file, device)
    raise UserError(f"--segmenter {file}: wanted a network as .onnx, or TorchScript as {', '.join(TORCHSCRIPT)}")


def too_little_memory(file: Path, device: str) -> UserError:
    """The error where even an empty picture is too much."""
    return UserError(f"--segmenter {file}: too little memory on {device}; make some free, or name another --device")


def _load_torchscript(file: Path, device: str) -> Network:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # deprecated for new exports, yet many networks are kept so
            network = torch.jit.load(file, map_location=device).eval()
    except Exception as error:  # RuntimeError for most damage; what a file's own code raises is its own
        if memory_ran_out(error):
            raise too_little_memory(file, device) from error
        raise UserError(
            f"--segmenter {file}: not a TorchScript network ({first_sentence(error)}); weights alone do not do: export "
            "the network with torch.jit.trace or as ONNX"
        ) from error

    if key := first_not_finite(network.state_dict()):
        raise UserError(f"--segmenter {file}: its weight {key} is not finite; export the network again")

    def run(picture: Tensor) -> Tensor:
        return _tensor_of(network(picture))

    return run


def _tensor_of(output: Any) -> Tensor:
    """The scores: the output itself, the entry `out` of a dictionary, or the first of several."""
    if isinstance(output, dict):
        output = output.get("out")
    if isinstance(output, tuple | list):
        output = output[0]
    if not isinstance(output, Tensor):
        raise ValueError(f"its output is {type(output).__name__}, wanted a tensor")
    return output


def _load_onnx(file: Path, device: str) -> Network:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f"--segmenter {file}: ONNX networks need onnxruntime; install it with `pip install onnxruntime`"
        ) from error
    require_file(file)
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the pass over the pictures has one worker for each core
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            os.fspath(file),
            options,
            providers=[
                *(name for name in wanted if name in onnxruntime.get_available_providers()),
                "CPUExecutionProvider",
            ],
        )
    except Exception as error:  # onnxruntime's errors share no class
        if _onnx_memory_ran_out(error):
            raise too_little_memory(file, device) from error
        raise UserError(f"--segmenter {file}: not an ONNX network ({first_sentence(error)})") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{entry.name} {entry.type}" for entry in inputs)
        raise UserError(f"--segmenter {file}: wanted one input of float32, found {found or 'none'}")

    def run(picture: Tensor) -> Tensor:
        try:
            found = session.run(None, {inputs[0].name: picture.cpu().numpy()})
        except Exception as error:  # as above
            if _onnx_memory_ran_out(error):
                raise MemoryError(last_words(error)) from error
            raise
        return torch.from_numpy(found[0]).to(picture.device)

    return run


def _onnx_memory_ran_out(error: Exception) -> bool:
    """Whether onnxruntime had too little memory, of which it has no error of its own."""
    return memory_ran_out(error) or any(words in str(error) for words in ("Failed to allocate memory", "bad_alloc"))
