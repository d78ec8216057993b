"""Fetch a data set from its official address, another address, or a local archive.

Only the pictures of an archive are extracted, and nothing outside the folder.
"""

import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from gan_eval.base.atomic import OWN_FOLDER, temporary_folder, write_error
from gan_eval.base.digests import sha256_bytes, sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small
from gan_eval.base.locks import hold_folder
from gan_eval.base.progress import Progress
from gan_eval.base.read_names import leads_out
from gan_eval.base.record import FolderRecord, read_record
from gan_eval.metrics.weights.cache import download
from gan_eval.metrics.weights.package import FetchError
from gan_eval.pictures.decode import decoding_errors, names_a_picture
from trainer.datasets.dataset import map_pictures
from trainer.datasets.pairs import PairedSet
from trainer.datasets.photographs import PhotographSet, has_usual_splits
from trainer.datasets.presets import Preset

SOURCE = f"{OWN_FOLDER}/source.json"
"""Record of a data set's origin and splits, written before the splits are moved into place."""
KINDS = ".tar.gz, .tgz, .tar or .zip"

# Errors from reading a damaged archive. BadGzipFile is an OSError, but not of writing; zipfile raises
# NotImplementedError for an unknown compression.
DAMAGED = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError, NotImplementedError
)  # fmt: skip


class BadArchiveError(UserError):
    """The archive is bad, so that downloading it again does not help."""


@dataclass(frozen=True)
class Fetched:
    """A data set in its folder."""

    folder: Path
    splits: dict[str, int]  # pictures in each split
    remarks: tuple[str, ...] = ()  # messages for the user


def fetch(preset: Preset, folder: Path, *, source: str | None = None, on_progress: Progress | None = None) -> Fetched:
    """Fetch a data set into `folder` as `folder/<split>/*.jpg`; the same call resumes, or returns the finished set.

    `source` is an address or an archive's file; default: the preset's address. `on_progress` is called with the bytes
    downloaded.
    """
    folder = Path(folder)
    if (present := present_set(preset, folder)) is not None:
        return present
    origin = _origin(preset, source)
    is_download = _is_address(origin)
    with hold_folder(folder):
        if (present := present_set(preset, folder)) is not None:  # another process has just fetched it
            return present
        records = folder / OWN_FOLDER
        clear_unfinished(folder)
        archive = records / f"archive-{sha256_bytes(origin.encode())[:12]}" if is_download else Path(origin)
        try:
            if not archive.is_file():  # otherwise from an earlier call
                with temporary_folder(records, archive.name) as downloads:
                    download(origin, downloads, archive.name, on_progress).replace(archive)
            digest = sha256_file(archive)
            splits = unpack(archive, folder, preset, {"source": origin, "archive_sha256": digest})
        except FetchError as error:
            raise UserError(
                f"{error}; check the network, or download the archive elsewhere and give --from FILE"
            ) from error
        except BadArchiveError as error:
            if is_download:
                archive.unlink()
            raise BadArchiveError(str(error).replace(str(archive), origin)) from error
        remove_downloads(records)
    remarks = [f"archive SHA-256 {digest} (recorded)"]
    if preset.splits and splits != preset.splits:
        here, official = (
            ", ".join(f"{split} {count}" for split, count in counts.items()) for counts in (splits, preset.splits)
        )
        remarks.append(f"{preset.name}: {here} pictures; the official set has {official}")
    return Fetched(folder, splits, tuple(remarks))


def _origin(preset: Preset, source: str | None) -> str:
    """Return the address or file of the archive; refuse a preset without one, and a file that is not there."""
    origin = source or preset.url
    if origin is None:
        raise UserError(
            f"{preset.name}: no address; {preset.origin}; give the archive that you have: --from FILE or --from URL"
        )
    if not _is_address(origin) and not Path(origin).is_file():
        raise UserError(f"--from {source}: no such file; give an archive ({KINDS}) or an http(s) address")
    return origin


def _is_address(origin: str) -> bool:
    return origin.lower().startswith(("http://", "https://"))


def present_set(preset: Preset, folder: Path) -> Fetched | None:
    """Return the set of an earlier fetch; None if it is missing or incomplete."""
    record = FolderRecord(folder / SOURCE, {"name": preset.name})
    splits = read_record(record.file, splits=dict).get("splits")
    record.require_same("name another folder")
    if splits is None or not all((folder / split).is_dir() for split in splits):
        return None
    with suppress(UserError, OSError), hold_folder(folder):  # it may be read-only
        remove_downloads(folder / OWN_FOLDER)  # left by a fetch that was killed at its end
    return Fetched(folder, splits, (f"{folder}: already fetched",))


def remove_downloads(records: Path) -> None:
    """Remove the downloads of a finished fetch."""
    for path in records.glob("archive-*"):
        path.unlink()


def clear_unfinished(folder: Path) -> None:
    """Remove the leftovers of an interrupted fetch."""
    ours = {*read_record(folder / SOURCE, splits=dict).get("splits", ())}
    there = {child.name for child in folder.iterdir()} - {OWN_FOLDER}
    if strangers := sorted(there - ours):
        raise UserError(f"--out {folder}: holds {strangers[0]}, which `data fetch` did not write; give an empty folder")
    try:
        for name in there:
            shutil.rmtree(folder / name)
        (folder / SOURCE).unlink(missing_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def unpack(archive: Path, folder: Path, preset: Preset, facts: dict[str, str]) -> dict[str, int]:
    """Unpack into a temporary folder, check, record the facts, and move the splits into place.

    Returns:
        The number of pictures in each split.
    """
    try:
        with temporary_folder(folder / OWN_FOLDER, "unpacking") as unpacked:
            extract_pictures(archive, unpacked)
            if not any(unpacked.iterdir()):
                raise BadArchiveError(f"{archive}: no pictures in this archive")
            data_set = _data_set_below(unpacked, preset, archive)
            by_split = data_set.by_split()
            try:
                for paths in by_split.values():
                    map_pictures(paths, lambda path: data_set.require_shape(path, *picture_size(path)))
            except UserError as error:  # the temporary folder is going to be removed
                raise BadArchiveError(str(error).replace(f"{unpacked}{os.sep}", f"{archive}: ")) from error
            splits = {split: len(paths) for split, paths in by_split.items()}
            FolderRecord(folder / SOURCE, {"name": preset.name}).write(**facts, splits=splits)
            for split in splits:
                (data_set.folder / split).rename(folder / split)
    except OSError as error:
        raise write_error(folder, error) from error
    return splits


def _data_set_below(folder: Path, preset: Preset, archive: Path) -> PhotographSet | PairedSet:
    """Return the data set in a folder, or in the only folder below it."""
    kind = PhotographSet if preset.has_photographs else PairedSet
    data_set = kind(folder)
    while not (has_usual_splits(data_set.folder) if preset.has_photographs else data_set.by_split()):
        children = [child for child in data_set.folder.iterdir() if child.is_dir()]
        if len(children) != 1:
            raise BadArchiveError(f"{archive}: of another layout; expected NAME/{kind.pattern}")
        data_set = kind(children[0])
    return data_set


def picture_size(path: Path) -> tuple[int, int]:
    """Read width and height from the header; `data check` and training decode the picture."""
    with decoding_errors(path), Image.open(path) as image:
        return image.size


def extract_pictures(archive: Path, folder: Path) -> None:
    """Extract the pictures of a tar or zip archive into an empty folder.

    Other files, links and devices are ignored. A path that leads out of the folder is refused. (pooch unpacks every
    member, and takes a truncated tar for a whole one.)
    """
    try:
        if zipfile.is_zipfile(archive):
            _extract_zip(archive, folder)
        elif tarfile.is_tarfile(archive):
            _extract_tar(archive, folder)
        else:
            raise BadArchiveError(f"{archive}: not a readable archive; expected {KINDS}")
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise BadArchiveError(f"{archive}: damaged or incomplete ({reason}); get it again") from error
    except RuntimeError as error:  # zipfile's error for a missing password
        raise BadArchiveError(f"{archive}: cannot be unpacked ({error}); give one without a password") from error


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        wanted = [member for member in zipped.infolist() if is_wanted(member.filename, archive)]
        for entry in wanted:
            require_small(entry.file_size, f"{archive}: {entry.filename}")
        zipped.extractall(folder, wanted)


def _extract_tar(archive: Path, folder: Path) -> None:
    with archive.open("rb") as file, tarfile.open(fileobj=file) as tarred:
        for member in tarred:
            if is_wanted(member.name, archive) and member.isreg():
                require_small(member.size, f"{archive}: {member.name}")
                tarred.extract(member, folder, filter="data")
        file.seek(tarred.offset)
        if tarred.fileobj is file and file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise EOFError("the end is missing")  # tarfile mistakes a truncated uncompressed file for its end


def is_wanted(name: str, archive: Path) -> bool:
    """Return whether a member of an archive is a picture that is not hidden."""
    path = PurePosixPath(name)
    if leads_out(name) or "\\" in name or ":" in name:
        raise BadArchiveError(f"{archive}: {name!r} leads out of the folder; nothing was taken from this archive")
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return bool(path.parts) and not hidden and not name.endswith("/") and names_a_picture(Path(path.name))
