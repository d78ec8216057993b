"""Weights that a package keeps in another format, rewritten as safetensors with torchvision's names."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_eval.weights.known import Convolutions

# What numpy's arrays are pickled with; its first module was renamed in numpy 2.
_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__reduce__(np.empty(0))[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


def write_convolutions(source: Path, target: Path, convolutions: Convolutions) -> None:
    """Rewrite the convolutions of a pickled flax network as safetensors.

    The bytes written depend on the numbers alone: they are the same on every machine.

    Args:
        source: a pickle of nested dictionaries of numpy arrays. Nothing else in it is ever constructed or called.
        target: `features.K.weight` (out, in, height, width) and `features.K.bias`, float32.
        convolutions: which ones, and their K.

    Raises:
        ValueError: the file holds something else.
        ModuleNotFoundError: safetensors is not installed.
    """
    from safetensors.numpy import save

    with Path(source).open("rb") as file:
        network = _ArraysOnly(file).load()
    try:
        layers = network[convolutions.network]
        tensors: dict[str, NDArray[np.float32]] = {}
        for number, place in enumerate(convolutions.places):
            layer = layers[f"Conv_{number}"]
            kernel = np.asarray(layer["kernel"], np.float32)  # (height, width, in, out)
            tensors[f"features.{place}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
            tensors[f"features.{place}.bias"] = np.ascontiguousarray(layer["bias"], np.float32)
    except (KeyError, TypeError) as error:
        raise ValueError(f"other layers than those of {convolutions.network} ({error})") from error
    Path(target).write_bytes(save(tensors))


class _ArraysOnly(pickle.Unpickler):
    """Reads dictionaries, numbers, texts and numpy arrays; a pickle that names anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise ValueError(f"names {module}.{name}, which is no array")
        return _ADMITTED[module, name]
