"""Getting a data set: from its official address, another address, or an archive that was downloaded already.

Of an archive the pictures alone are taken: nothing outside the folder, no links, no devices.
"""

import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from PIL import Image

from gan_eval.errors import UserError, reason_of
from gan_eval.files import (
    OWN_FOLDER,
    read_json,
    read_record,
    remove_leftovers,
    sha256_bytes,
    sha256_file,
    temporary_folder,
    write_error,
    write_json,
)
from gan_eval.locks import hold_folder
from gan_eval.stimuli.pictures import names_a_picture
from trainer.datasets.dataset import OnProgress, map_pictures
from trainer.datasets.download import download, is_address
from trainer.datasets.pairs import PairedSet
from trainer.datasets.photographs import PhotographSet
from trainer.datasets.presets import Preset

SOURCE = "source.json"
"""Where a data set came from; written last, so it says that all of it is there."""
MOVING = "moving.json"
"""The splits that are just being moved into place: after a break they are known as ours."""
KINDS = ".tar.gz, .tgz, .tar or .zip"
COPIED_AT_ONCE = 1 << 20
"""Bytes."""

# What reading a damaged archive raises. gzip's error is an OSError, but not one of writing; NotImplementedError is
# zipfile's answer to a compression that it does not know.
DAMAGED = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError, NotImplementedError
)  # fmt: skip


class BadArchiveError(UserError):
    """The archive itself is at fault: getting the same one again does not help."""


@dataclass(frozen=True)
class Fetched:
    """A data set that is there."""

    folder: Path
    splits: dict[str, int]
    """Pictures in each split."""
    sha256: str
    """Of the archive."""
    remarks: tuple[str, ...] = ()
    """Messages: what the user should know."""


def fetch(
    preset: Preset,
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
    folder = Path(folder)
    if sha256 is not None:
        given, sha256 = sha256, sha256.strip().lower()
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise UserError(f"--sha256 {given}: wanted 64 hexadecimal digits")
    if (present := present_set(folder, sha256)) is not None:
        return present
    if source is None and preset.url is None:
        raise UserError(preset.no_address)
    is_download = source is None or is_address(source)
    origin = source or preset.url or ""
    if not is_download and not Path(origin).is_file():
        raise UserError(f"--from {source}: no such file; give an archive ({KINDS}) or an http(s) address")
    required = sha256 or (preset.sha256 if source is None else None)
    with hold_folder(folder, private=False):
        if (present := present_set(folder, sha256)) is not None:  # another process has just brought it
            return present
        own = folder / OWN_FOLDER
        clear_unfinished(folder)
        try:
            archive = own / f"archive-{sha256_bytes(origin.encode())[:12]}" if is_download else Path(origin)
            if not archive.is_file():  # else an earlier call brought it
                download(origin, archive, on_progress=on_progress)
            digest = sha256_file(archive)
            if required not in (None, digest):
                raise BadArchiveError(f"{origin}: SHA-256 {digest}, wanted {required}; get the right archive")
            splits = unpack(archive, folder, preset, on_unpack)
        except BadArchiveError as error:
            if is_download:
                archive.unlink()
            raise BadArchiveError(str(error).replace(str(archive), origin)) from error
        record = {"name": preset.name, "source": origin, "archive_sha256": digest, "splits": splits}
        write_json(own / SOURCE, record, private=False)
        remove_downloads(own)
    remarks = []
    if required is None:
        remarks.append(f"archive SHA-256 {digest} (recorded; demand it elsewhere with --sha256)")
    if preset.splits and splits != preset.splits:
        here, official = (
            ", ".join(f"{split} {count}" for split, count in counts.items()) for counts in (splits, preset.splits)
        )
        remarks.append(f"{preset.name}: {here} pictures; the official set has {official}")
    return Fetched(folder, splits, digest, tuple(remarks))


def present_set(folder: Path, sha256: str | None) -> Fetched | None:
    """The set that an earlier fetch brought; None where there is none, or not all of it any more.

    Raises:
        UserError: it came from an archive with another SHA-256.
    """
    if not (folder / OWN_FOLDER / SOURCE).is_file():
        return None
    source = read_record(folder / OWN_FOLDER / SOURCE, splits=dict, archive_sha256=str)
    if not all((folder / split).is_dir() for split in source["splits"]):
        return None
    if sha256 is not None and source["archive_sha256"] != sha256:
        raise UserError(
            f"{folder}: is there, from an archive with SHA-256 {source['archive_sha256']}, not {sha256}; "
            "remove the folder or name another"
        )
    with suppress(UserError, OSError), hold_folder(folder, private=False):  # it may be read only
        remove_downloads(folder / OWN_FOLDER)  # a fetch that was killed at its end
    return Fetched(folder, source["splits"], source["archive_sha256"], (f"{folder}: was there already",))


def remove_downloads(own: Path) -> None:
    """Remove what a fetch needs no more once its set is there."""
    downloads = [path for path in own.iterdir() if re.fullmatch(r"archive-[0-9a-f]{12}(\.part(\.json)?)?", path.name)]
    for path in (own / MOVING, *downloads):
        path.unlink(missing_ok=True)
    remove_leftovers(own)


def clear_unfinished(folder: Path) -> None:
    """Remove what a broken-off fetch left.

    Raises:
        UserError: the folder holds files that came from elsewhere, which are not touched.
    """
    own = folder / OWN_FOLDER
    moving = read_json(own / MOVING) if (own / MOVING).is_file() else []
    ours = {name for name in moving if isinstance(name, str)} if isinstance(moving, list) else set()
    there = {child.name for child in folder.iterdir()} - {OWN_FOLDER}
    if strangers := sorted(there - ours):
        raise UserError(f"--out {folder}: holds {strangers[0]}, which no fetch wrote; name an empty folder")
    try:
        for name in there:
            shutil.rmtree(folder / name)
    except OSError as error:
        raise write_error(folder, error) from error
    remove_leftovers(own)


def unpack(archive: Path, folder: Path, preset: Preset, on_unpack: OnProgress | None) -> dict[str, int]:
    """Unpack into a temporary folder, check, then move the splits into place; returns the pictures in each.

    Raises:
        BadArchiveError: it is damaged or unsafe, or does not hold such a set.
        UserError: the folder cannot be written.
    """
    kind = PhotographSet if preset.has_photographs else PairedSet
    try:
        with temporary_folder(folder / OWN_FOLDER, "unpacking") as unpacked:
            if not extract_pictures(archive, unpacked, on_progress=on_unpack):
                raise BadArchiveError(f"{archive}: no pictures in this archive")
            data_set = kind(unpacked)
            while not (splits := data_set.by_folder()):  # they are at the archive's top, or below it
                children = [child for child in data_set.folder.iterdir() if child.is_dir()]
                if len(children) != 1:
                    raise BadArchiveError(f"{archive}: not in {kind.layout}; wanted NAME/{kind.pattern}")
                data_set = kind(children[0])
            try:
                for paths in splits.values():
                    map_pictures(paths, lambda path: kind.require_shape(path, *picture_size(path)))
            except UserError as error:  # the folder of the unpacking will be gone
                raise BadArchiveError(str(error).replace(f"{unpacked}{os.sep}", f"{archive}: ")) from error
            write_json(folder / OWN_FOLDER / MOVING, list(splits))
            for split in splits:
                (data_set.folder / split).rename(folder / split)
    except OSError as error:
        raise write_error(folder, error) from error
    return {split: len(paths) for split, paths in splits.items()}


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height by the header alone: `data check` and a training ask whether every picture decodes.

    Raises:
        UserError: not even the header can be read.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except Exception as error:  # decoders raise whatever the damaged bytes lead to
        reason = reason_of(error)
        raise UserError(f"{path}: not a readable picture ({reason}); get it again") from error


def extract_pictures(archive: Path, folder: Path, *, on_progress: OnProgress | None = None) -> int:
    """Write the pictures of an archive below `folder`, which exists and is empty; other files are left out.

    Args:
        archive: a .tar.gz, .tgz, .tar or .zip file, told by its content.
        folder: where the archive's folders appear.
        on_progress: called with the bytes of the archive read so far.

    Returns:
        The number of pictures.

    Raises:
        BadArchiveError: the archive is damaged or none, or holds a path that leads elsewhere, a link or a device, or
            the same file twice.
        UserError: the folder cannot be written.
    """
    count = 0
    try:
        if zipfile.is_zipfile(archive):
            members = zip_members(archive, on_progress)
        elif tarfile.is_tarfile(archive):
            members = tar_members(archive, on_progress)
        else:
            raise BadArchiveError(f"{archive}: not an archive that can be read; wanted {KINDS}")
        for name, content in members:
            parts = safe_parts(name, archive)
            hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
            if not parts or hidden or not names_a_picture(Path(parts[-1])):
                continue
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with target.open("xb") as file:
                    shutil.copyfileobj(content, file, COPIED_AT_ONCE)
            except FileExistsError as error:
                raise refused(archive, target.name, "is in it twice") from error
            count += 1
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise BadArchiveError(f"{archive}: damaged or incomplete ({reason}); get it again") from error
    except RuntimeError as error:  # zipfile's answer to a missing password
        raise BadArchiveError(f"{archive}: cannot be unpacked ({error}); give one without a password") from error
    except OSError as error:
        raise write_error(folder, error) from error
    return count


def tar_members(archive: Path, on_progress: OnProgress | None) -> Iterator[tuple[str, IO[bytes]]]:
    """The name and the content of each file of a tar archive."""
    total = archive.stat().st_size
    with archive.open("rb") as file, tarfile.open(fileobj=file, mode="r:*") as tarred:
        for member in tarred:
            if on_progress is not None:
                on_progress(file.tell(), total)
            if member.isdir():
                safe_parts(member.name, archive)
                continue
            content = tarred.extractfile(member) if member.isreg() else None
            if content is None:
                raise refused(archive, member.name, "is a link or a device")
            with content:
                yield member.name, content
        if tarred.fileobj is file:  # tarfile takes a cut for the end; in a compressed one the decoder sees it
            file.seek(tarred.offset)
            if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                raise EOFError("the end is missing")


def zip_members(archive: Path, on_progress: OnProgress | None) -> Iterator[tuple[str, IO[bytes]]]:
    """The name and the content of each file of a zip archive."""
    with zipfile.ZipFile(archive) as zipped:
        entries = zipped.infolist()
        for number, entry in enumerate(entries, start=1):
            if on_progress is not None:
                on_progress(number, len(entries))
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise refused(archive, entry.filename, "is a link or a device")
            if entry.is_dir():
                safe_parts(entry.filename, archive)
                continue
            with zipped.open(entry) as content:
                yield entry.filename, content


def safe_parts(name: str, archive: Path) -> tuple[str, ...]:
    """The folders and the file of a member's name.

    Raises:
        BadArchiveError: the name leads out of the folder, on this system or another.
    """
    parts = tuple(part for part in PurePosixPath(name).parts if part != ".")
    if name.startswith("/") or ".." in parts or any(mark in name for mark in ("\\", ":", "\0")):
        raise refused(archive, name, "leads out of the folder")
    return parts


def refused(archive: Path, name: str, why: str) -> BadArchiveError:
    """The error for a member that makes an archive unsafe."""
    return BadArchiveError(f"{archive}: {name!r} {why}; nothing was taken from this archive")
