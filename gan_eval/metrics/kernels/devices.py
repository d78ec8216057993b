"""Devices of networks, and exact inference on them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gan_eval.errors import UserError, first_sentence


def usable_device(name: str | None) -> str:
    """The device with this name; default: `cuda` where there is one, else `cpu`.

    Raises:
        UserError: this machine, or this build of torch, has no such device.

    >>> usable_device("cpu")
    'cpu'
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # each build of torch has its own
        raise UserError(f"--device {name}: cannot be used here ({first_sentence(error)}); cpu always can") from error
    return name


_CUDNN_SETTINGS = threading.Lock()
"""cuDNN's settings are the whole process's: who changes them must be alone."""


@contextmanager
def exact_inference(device: str) -> Iterator[None]:
    """No gradients, and whole float32: on a GPU cuDNN would else round a convolution's inputs to TF32's ten bits.

    Any number of threads may enter; on a GPU one at a time, which serves it no worse.
    """
    with torch.inference_mode():
        if torch.device(device).type != "cuda":
            yield
            return
        cudnn = torch.backends.cudnn
        with _CUDNN_SETTINGS, cudnn.flags(enabled=cudnn.enabled, benchmark=cudnn.benchmark, allow_tf32=False):
            yield
