"""Getting a data set: from its official address, another address, or an archive that was downloaded already."""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files import (
    OWN_FOLDER,
    claim_output_folder,
    read_json,
    remove_leftovers,
    sha256_bytes,
    sha256_file,
    temporary_folder,
    write_error,
    write_json,
)
from trainer.datasets.download import (
    KINDS,
    PAIRS,
    PHOTOGRAPHS,
    Arrangement,
    BadArchiveError,
    OnProgress,
    download,
    extract_pictures,
    is_address,
)
from trainer.datasets.photograph_presets import AnyPreset, PhotographPreset
from trainer.datasets.sources import of_all

SOURCE = "source.json"
"""Where a data set came from; written last, so it says that all of it is there."""
_MOVING = "moving.json"
"""The splits that are just being moved into place: after a break they are known as ours."""


@dataclass(frozen=True)
class Fetched:
    """A data set that is there."""

    folder: Path
    splits: dict[str, int]
    """Pictures in each split."""
    sha256: str
    """Of the archive."""
    remarks: tuple[str, ...] = ()
    """What the user should know; each one line."""


def fetch(
    preset: AnyPreset,
    folder: Path,
    *,
    source: str | None = None,
    sha256: str | None = None,
    on_progress: OnProgress | None = None,
    on_unpack: OnProgress | None = None,
) -> Fetched:
    """Bring a data set into `folder` as `folder/<split>/*.jpg`; the same call again goes on, or finds all done.

    Args:
        preset: which set.
        folder: new, empty or ours.
        source: an address or an archive's file; default: the preset's address.
        sha256: what the archive must have; default: the preset's, where one is known.
        on_progress: called with the bytes downloaded.
        on_unpack: called while the archive is unpacked.

    Raises:
        UserError: no address, no network, a wrong checksum, a damaged or unsafe archive, pictures that do not fall into
            halves, a folder that is not ours, or a full disk.
    """
    folder, sha256 = Path(folder), _checked_digest(sha256)
    if (present := _present(folder, sha256)) is not None:
        return present
    given = _given_archive(preset, source)
    before = folder.is_dir()
    own = claim_output_folder(folder, private=False) / OWN_FOLDER
    _clear_unfinished(folder)
    origin = source or preset.url or ""
    wanted = sha256 or (preset.sha256 if source is None else None)
    try:
        archive = given or _downloaded(origin, own, on_progress)
        digest, splits = _unpacked(
            archive, folder, origin, preset, wanted=wanted, is_ours=given is None, on_unpack=on_unpack
        )
    except UserError:
        _leave_nothing(own, folder=None if before else folder)
        raise
    write_json(
        own / SOURCE, {"name": preset.name, "source": origin, "archive_sha256": digest, "splits": splits}, private=False
    )
    _tidy(own)
    return Fetched(folder, splits, digest, _remarks(preset, splits, digest, known=wanted is not None))


def _unpacked(
    archive: Path,
    folder: Path,
    origin: str,
    preset: AnyPreset,
    *,
    wanted: str | None,
    is_ours: bool,
    on_unpack: OnProgress | None,
) -> tuple[str, dict[str, int]]:
    """The archive's SHA-256, and the number of pictures in each split once they are in place.

    Raises:
        BadArchiveError: it is not the wanted one, or damaged or unsafe; named by its origin, and gone where it is ours.
        UserError: the folder cannot be written.
    """
    try:
        digest = sha256_file(archive)
        if wanted not in (None, digest):
            raise BadArchiveError(f"{origin}: SHA-256 {digest}, wanted {wanted}; get the right archive")
        return digest, _unpack(archive, folder, preset, on_unpack)
    except BadArchiveError as error:
        if is_ours:
            archive.unlink()
        raise BadArchiveError(str(error).replace(str(archive), origin)) from error


def _leave_nothing(own: Path, *, folder: Path | None) -> None:
    """After a refusal, remove our folder where nothing has arrived in it, and `folder` where nothing else is in it."""
    with suppress(OSError):  # not empty: an earlier fetch's notes, or a part that the next call goes on with
        own.rmdir()
        if folder is not None:
            folder.rmdir()


def _downloaded(address: str, own: Path, on_progress: OnProgress | None) -> Path:
    """The archive from an address, in our folder; one that an earlier call brought is taken."""
    archive = own / f"archive-{sha256_bytes(address.encode())[:12]}"
    if not archive.is_file():
        download(address, archive, on_progress=on_progress)
    return archive


def _tidy(own: Path) -> None:
    """Remove what a fetch needs no more once its set is there."""
    downloads = [path for path in own.iterdir() if re.fullmatch(r"archive-[0-9a-f]{12}(\.part(\.json)?)?", path.name)]
    for path in (own / _MOVING, *downloads):
        path.unlink(missing_ok=True)
    remove_leftovers(own)


def _checked_digest(sha256: str | None) -> str | None:
    if sha256 is None:
        return None
    digest = sha256.strip().lower()
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise UserError(f"--sha256 {sha256}: wanted 64 hexadecimal digits")
    return digest


def _present(folder: Path, sha256: str | None) -> Fetched | None:
    """The set that an earlier fetch brought; None where there is none, or not all of it any more."""
    if not (folder / OWN_FOLDER / SOURCE).is_file():
        return None
    source = read_json(folder / OWN_FOLDER / SOURCE)
    if not all((folder / split).is_dir() for split in source["splits"]):
        return None
    if sha256 is not None and source["archive_sha256"] != sha256:
        raise UserError(
            f"{folder}: is there, from an archive with SHA-256 {source['archive_sha256']}, not {sha256}; "
            "remove the folder or name another"
        )
    with suppress(OSError):  # it may be read only
        _tidy(folder / OWN_FOLDER)  # a fetch that was killed at its end
    return Fetched(folder, source["splits"], source["archive_sha256"], (f"{folder}: was there already",))


def _given_archive(preset: AnyPreset, source: str | None) -> Path | None:
    """The archive where it is a file; None where it has to be downloaded.

    Raises:
        UserError: no such file, or no address is known.
    """
    if source is None and preset.url is None:
        raise UserError(preset.without_address)
    if source is None or is_address(source):
        return None
    if not Path(source).is_file():
        raise UserError(f"--from {source}: no such file; give an archive ({KINDS}) or an http(s) address")
    return Path(source)


def _clear_unfinished(folder: Path) -> None:
    """Remove what a broken-off fetch left.

    Raises:
        UserError: the folder holds files that came from elsewhere, which are not touched.
    """
    own = folder / OWN_FOLDER
    ours = set(read_json(own / _MOVING)) if (own / _MOVING).is_file() else set()
    there = {child.name for child in folder.iterdir()} - {OWN_FOLDER}
    if strangers := sorted(there - ours):
        raise UserError(f"--out {folder}: holds {strangers[0]}, which no fetch wrote; name an empty folder")
    try:
        for name in there:
            shutil.rmtree(folder / name)
    except OSError as error:
        raise write_error(folder, error) from error
    remove_leftovers(own)


def _unpack(archive: Path, folder: Path, preset: AnyPreset, on_unpack: OnProgress | None) -> dict[str, int]:
    """Unpack beside, check, then move the splits into place; returns the number of pictures in each."""
    try:
        with temporary_folder(folder / OWN_FOLDER, "unpacking") as unpacked:
            if not extract_pictures(archive, unpacked, on_progress=on_unpack):
                raise BadArchiveError(f"{archive}: no pictures in this archive")
            arrangement = PHOTOGRAPHS if isinstance(preset, PhotographPreset) else PAIRS
            top = _folder_of_splits(unpacked, archive, arrangement)
            splits = arrangement.by_split(top)
            try:
                for paths in splits.values():
                    of_all(paths, arrangement.require)
            except UserError as error:  # the folder of the unpacking will be gone
                raise BadArchiveError(str(error).replace(f"{unpacked}{os.sep}", f"{archive}: ")) from error
            write_json(folder / OWN_FOLDER / _MOVING, list(splits))
            for split in splits:
                (top / split).rename(folder / split)
    except OSError as error:
        raise write_error(folder, error) from error
    return {split: len(paths) for split, paths in splits.items()}


def _folder_of_splits(folder: Path, archive: Path, arrangement: Arrangement) -> Path:
    """The folder whose sub-folders hold the pictures: the archive's top, or below it."""
    while not arrangement.by_split(folder):
        children = [child for child in folder.iterdir() if child.is_dir()]
        if len(children) != 1:
            raise BadArchiveError(f"{archive}: not in {arrangement.name}; wanted {arrangement.wanted}")
        folder = children[0]
    return folder


def _remarks(preset: AnyPreset, splits: dict[str, int], digest: str, *, known: bool) -> tuple[str, ...]:
    remarks = []
    if not known:
        remarks.append(f"archive SHA-256 {digest} (recorded; demand it elsewhere with --sha256)")
    if preset.splits and splits != dict(preset.splits):
        official = _counts(dict(preset.splits))
        remarks.append(f"{preset.name}: {_counts(splits)} pictures; the official set has {official}")
    return tuple(remarks)


def _counts(splits: dict[str, int]) -> str:
    return ", ".join(f"{split} {count}" for split, count in splits.items())
