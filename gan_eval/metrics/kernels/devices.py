"""Devices of networks, and exact inference on them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gan_eval.base.errors import UserError, first_sentence


def usable_device(name: str | None) -> str:
    """Return the device with this name; default: `cuda` if available, else `cpu`.

    Raises:
        UserError: this machine, or this build of torch, has no such device.

    >>> usable_device("cpu")
    'cpu'
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # builds of torch differ in the message
        raise UserError(f"--device {name}: cannot be used here ({first_sentence(error)}); give cpu") from error
    return name


_CUDNN_SETTINGS = threading.Lock()
"""Lock around changes of cuDNN's settings, which apply to the whole process."""


@contextmanager
def exact_inference(device: str) -> Iterator[None]:
    """Turn off gradients, autocast and TF32, because cuDNN's TF32 rounds the inputs of convolutions to ten bits.

    The caller may be in an autocast of its own, as the validation of a network that trains in bfloat16.
    Thread-safe: on a GPU, one thread enters at a time.
    """
    kind = torch.device(device).type
    with torch.inference_mode(), torch.autocast(kind, enabled=False):
        if kind != "cuda":
            yield
            return
        cudnn = torch.backends.cudnn
        with _CUDNN_SETTINGS, cudnn.flags(enabled=cudnn.enabled, benchmark=cudnn.benchmark, allow_tf32=False):
            yield
