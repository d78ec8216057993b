"""A reader of package indexes: which ones this machine is configured for, what they hold, and downloads.

No address stands here. The indexes are those that pip or uv would ask (environment, then pip's configuration files,
then the default that pip itself carries), read by the simple repository API (PEP 503 pages, PEP 691 JSON).

Weights that a package keeps in another format, rewritten as safetensors with torchvision's names.
"""

import ast
import base64
import hashlib
import http.client
import importlib.util
import json
import os
import pickle
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray

from gan_eval.launch import python_command
from gan_eval.weights.known import Convolutions

TIMEOUT_S = 60.0
CHUNK = 1 << 18
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.1"
_DEFAULT_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"


class FetchError(Exception):
    """A source gave nothing usable; the message is one line without credentials."""


@dataclass(frozen=True)
class Archive:
    """A file that an index offers."""

    file: str
    url: str
    sha256: str | None


def find_archives(package: str, version: str) -> Iterator[Archive]:
    """The source archives and wheels of a package's version, index by index.

    Raises:
        FetchError: no index is configured, or none could be read that has it (after the last archive was given).
    """
    failures: list[str] = []
    found = False
    for index in configured_indexes():
        try:
            archives = [archive for archive in _read_index(index, package) if _is_of(archive.file, package, version)]
        except FetchError as error:
            failures.append(str(error))
            continue
        found = found or bool(archives)
        yield from archives
        if not archives:
            failures.append(f"{public(index)}: no {package} {version}")
    if not found:
        raise FetchError("; ".join(failures) or "no package index is configured (PIP_INDEX_URL)")


def configured_indexes() -> list[str]:
    """The indexes that the user's installer would ask, in its order; they may hold credentials."""
    config = _pip_config()
    first = [
        *_words("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
        *config.get("index-url", []),
    ]
    more = [
        *_words("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"),
        *config.get("extra-index-url", []),
    ]
    if not first and (default := _run_pip(["-c", _DEFAULT_INDEX])):
        first = [default.strip()]
    return list(dict.fromkeys([*first[:1], *more]))


def download(
    url: str,
    target: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Download to a file and return its SHA-256.

    Args:
        url: http, https or file; credentials in it are sent as basic authentication.
        target: written as it comes; the caller removes it on an error.
        on_progress: called with (bytes done, bytes in all; 0 where unknown).
        timeout_s: longest wait for a connection or the next bytes.

    Raises:
        FetchError: it cannot be reached or breaks off.
        OSError: `target` cannot be written.
    """
    digest = hashlib.sha256()
    done = 0
    with _open(url, timeout_s) as response, target.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := _read(response, url):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if on_progress:
                on_progress(done, total)
    if total and done != total:
        raise FetchError(f"{public(url)}: broke off after {done} of {total} bytes")
    return digest.hexdigest()


def public(url: str) -> str:
    """The address without credentials.

    >>> public("https://user:secret@example.org/simple")
    'https://example.org/simple'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _read_index(index: str, package: str) -> list[Archive]:
    page = f"{index.rstrip('/')}/{_normalised(package)}/"
    # An index in a folder is read as pip does: the folder's index.html.
    address = page + "index.html" if urlsplit(page).scheme == "file" else page
    with _open(address, TIMEOUT_S, accept=_ACCEPT) as response:
        body = b"".join(iter(lambda: _read(response, address), b"")).decode("utf-8", "replace")
        base = response.url if "://" in response.url else page
        kind = response.headers.get_content_type()
    base = _with_credentials_of(index, base)
    try:
        links = _links_of_json(body) if kind.endswith("json") else _links_of_html(body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"{public(page)}: not a package index ({error})") from error
    return [
        Archive(file, _with_credentials_of(index, urljoin(base, url)), sha256)
        for file, url, sha256 in links
        if urlsplit(urljoin(base, url)).scheme in ("http", "https", "file")
    ]


def _links_of_json(body: str) -> list[tuple[str, str, str | None]]:
    """(file, URL, SHA-256) of a PEP 691 answer."""
    return [(entry["filename"], entry["url"], entry["hashes"].get("sha256")) for entry in json.loads(body)["files"]]


def _links_of_html(body: str) -> list[tuple[str, str, str | None]]:
    """(file, URL, SHA-256) of a PEP 503 page."""
    parser = _Anchors()
    parser.feed(body)
    links = []
    for anchor in parser.targets:
        url, _, fragment = anchor.partition("#")
        digest = re.search(r"sha256=([0-9a-f]{64})", fragment)
        file = unquote(urlsplit(url).path.rpartition("/")[2])
        links.append((file, urljoin(parser.base, url), digest[1] if digest else None))
    return links


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href")
        if target and tag == "a":
            self.targets.append(target)
        elif target and tag == "base":
            self.base = target


def _is_of(file: str, package: str, version: str) -> bool:
    """Whether a file name is a wheel or sdist of this package and version.

    >>> [_is_of(f, "A.b", "1.0") for f in ("a_b-1.0-py3-none-any.whl", "a-b-1.0.tar.gz", "a-b-1.0.1.tar.gz")]
    [True, True, False]
    """
    if file.endswith(".whl"):
        name, _, rest = file.partition("-")
        return _normalised(name) == _normalised(package) and rest.startswith(f"{version}-")
    for suffix in (".tar.gz", ".zip"):
        if file.endswith(f"-{version}{suffix}"):
            return _normalised(file.removesuffix(f"-{version}{suffix}")) == _normalised(package)
    return False


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _open(url: str, timeout_s: float, *, accept: str | None = None) -> "urllib.request._UrlopenRet":
    """Open an address.

    Raises:
        FetchError: it cannot be reached.
    """
    request = urllib.request.Request(public(url), headers={"User-Agent": "gan-eval"})
    if accept:
        request.add_header("Accept", accept)
    parts = urlsplit(url)
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        token = base64.b64encode(secret.encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    try:
        return _opener(parts.scheme).open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        raise FetchError(f"{public(url)}: answered {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise FetchError(f"{public(url)}: cannot be reached ({getattr(error, 'reason', error)})") from error


def _read(response: "urllib.request._UrlopenRet", url: str) -> bytes:
    try:
        return response.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"{public(url)}: broke off ({error})") from error


def _opener(scheme: str) -> urllib.request.OpenerDirector:
    """Certificates and proxy as the user's installer takes them: from the environment, else from pip's settings."""
    if scheme != "https":
        return urllib.request.build_opener()
    config = _pip_config()
    bundles = [*_words("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), *config.get("cert", [])]
    bundle = next((Path(name) for name in bundles if Path(name).exists()), None)
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=_tls(bundle))]
    if proxy := [*_words("PIP_PROXY"), *config.get("proxy", [])]:
        handlers.append(urllib.request.ProxyHandler({"http": proxy[0], "https": proxy[0]}))
    return urllib.request.build_opener(*handlers)


def _tls(bundle: Path | None) -> ssl.SSLContext:
    """Without a bundle, the system's certificates (or SSL_CERT_FILE's)."""
    if bundle is None:
        return ssl.create_default_context()
    if bundle.is_dir():
        return ssl.create_default_context(capath=str(bundle))
    return ssl.create_default_context(cafile=str(bundle))


def _with_credentials_of(index: str, url: str) -> str:
    """The URL with the index's credentials where it is on the same host and has none of its own."""
    ours, theirs = urlsplit(index), urlsplit(url)
    credentials = ours.netloc.rpartition("@")[0]
    if not credentials or "@" in theirs.netloc or ours.netloc.rpartition("@")[2] != theirs.netloc:
        return url
    return urlunsplit(theirs._replace(netloc=f"{credentials}@{theirs.netloc}"))


def _words(*names: str) -> list[str]:
    """The addresses in environment variables; uv also allows `name=address`."""
    words = [word for name in names for word in os.environ.get(name, "").split()]
    return [re.sub(r"^[\w.-]+=(?=\w+://)", "", word) for word in words]


def _pip_config() -> dict[str, list[str]]:
    """pip's settings from its configuration files, those of `download` and `install` before `global`."""
    found: dict[str, list[str]] = {}
    lines = (_run_pip(["-m", "pip", "config", "list"]) or "").splitlines()
    ranks = {"download": 0, "install": 1, "global": 2}
    pairs = [line.partition("=")[::2] for line in lines]
    for key, value in sorted(pairs, key=lambda pair: ranks.get(pair[0].partition(".")[0], 9)):
        section, _, setting = key.partition(".")
        if section in ranks:
            with suppress(ValueError, SyntaxError):
                found.setdefault(setting, str(ast.literal_eval(value)).split())
    return found


def _run_pip(arguments: list[str]) -> str | None:
    """What Python prints with pip importable; None where it has no pip or fails."""
    environment = dict(os.environ)
    if importlib.util.find_spec("pip") is None:
        wheel = _bundled_pip()
        if wheel is None:
            return None
        environment["PYTHONPATH"] = str(wheel)
    try:
        done = subprocess.run(
            python_command(*arguments), env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _bundled_pip() -> Path | None:
    """The pip wheel that comes with Python: an environment made by uv has no pip of its own."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    folders = (Path(spec.origin).parent / "_bundled", Path("/usr/share/python-wheels"))
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return wheels[-1] if wheels else None


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
