"""Statistics of real pictures in place of the pictures: mean and covariance of their Inception features, for FID alone.

The files are those of pytorch-fid 0.3.0 (mu and sigma in float64), clean-fid 0.1.35 (mu in float32; the file's name
states the resizer) and guided-diffusion (mu and sigma of a whole data set next to `arr_0`, some of its pictures).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.arrays import require_small_arrays
from gan_eval.base.atomic import atomic_path
from gan_eval.base.digests import sha256_file, unchanged
from gan_eval.base.errors import UserError
from gan_eval.base.reading import require_file
from gan_eval.metrics.definitions.frechet import Features, Gaussian, Rows, gaussian_of

_RESIZERS = {"_legacy_tensorflow_": "tf1", "_legacy_pytorch_": "bilinear", "_clean_": "clean"}
"""Parts of the names of clean-fid's files, and the resizers that they state."""


@dataclass(frozen=True)
class Reference:
    """Statistics of real pictures."""

    gaussian: Gaussian
    sha256: str
    note: str
    """A note for each value: the number of pictures is unknown, and what else the file has."""


def read_reference(file: Path, *, resizer: str) -> Reference:
    """Read `mu` (d,) and `sigma` (d, d) of an npz."""
    require_file(file)
    option = f"--reference {file}"
    for part, stated in _RESIZERS.items():
        if part in file.name and stated != resizer:
            raise UserError(f"{option}: its name says {part.strip('_')}, which is --resizer {stated}, not {resizer}")
    mean, covariance, names, sha256 = _contents(file, option)
    width = len(np.atleast_1d(mean))
    if mean.shape != (width,) or covariance.shape != (width, width):
        shapes = f"{mean.shape} and {covariance.shape}"
        raise UserError(f"{option}: mu and sigma have the shapes {shapes}; expected (d,) and (d, d)")
    if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in (mean, covariance)):
        raise UserError(f"{option}: mu and sigma must be finite floating-point numbers")
    notes = [f"real pictures: mean and covariance of {file.name}, of an unknown number of pictures"]
    if mean.dtype.itemsize < 8:
        notes.append(f"mu is {mean.dtype}, so the last digits are rounded")
    if others := [name for name in names if name not in ("mu", "sigma")]:
        notes.append(f"not used: {', '.join(others)}")
    gaussian = Gaussian(mean.astype(np.float64), covariance.astype(np.float64))
    return Reference(gaussian, sha256, "; ".join(notes))


def _contents(file: Path, option: str) -> tuple[NDArray[np.floating], NDArray[np.floating], list[str], str]:
    """Return `mu` and `sigma` of an npz, the names of its arrays, and its SHA-256."""
    try:
        require_small_arrays(file, "mu", "sigma")
        with unchanged(file), np.load(file, allow_pickle=False) as arrays:
            sha256, names = sha256_file(file), list(arrays)
            if not {"mu", "sigma"} <= {*names}:
                raise UserError(f"{option}: expected the arrays mu and sigma; it has {', '.join(names) or 'none'}")
            return arrays["mu"], arrays["sigma"], names, sha256
    except FileNotFoundError as error:
        raise UserError(f"{option}: no such file") from error
    except UserError:
        raise
    except Exception as error:  # NumPy and zipfile raise many errors for damaged files
        raise UserError(f"{option}: not a readable npz; restore it, or save mu and sigma by np.savez") from error


def write_reference(file: Path, features: Features | Rows) -> None:
    """Write mean and covariance (n - 1) of (N, d) features in float64, as pytorch-fid does."""
    gaussian = gaussian_of(features)
    with atomic_path(file) as temporary, temporary.open("wb") as out:
        np.savez(out, mu=gaussian.mean, sigma=gaussian.covariance)
