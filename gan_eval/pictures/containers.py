"""Containers of pictures: unpack a zip, npz, Parquet file or WebDataset tar into a folder.

Layouts, pairs and captions are then those of a folder. One picture is in memory at a time. Tried with files of NumPy
2.4.6 (`savez`, `savez_compressed`), datasets 5.2.0 (`to_parquet`) and webdataset 1.0.2 (`TarWriter`).
"""

import io
import json
import math
import os
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self
from uuid import uuid4

import numpy as np
from PIL import Image

from gan_eval.base.arrays import ArrayHead, array_head, require_whole
from gan_eval.base.errors import UserError, reason_of, shortened
from gan_eval.base.limits import copy_small, read_small, require_small, size_text
from gan_eval.base.locks import hold_lock
from gan_eval.base.read_names import leads_out, names_one_part
from gan_eval.base.reading import require_file
from gan_eval.pictures.decode import MAX_PIXELS, Samples, names_a_picture

SUFFIXES = (".zip", ".npz", ".npy", ".parquet", ".tar", ".tar.gz", ".tgz")
"""Endings of containers."""
CAPTION_COLUMNS = ("text", "caption", "prompt", "txt")
"""Names of a column or field with the text of a picture; the first found is read."""
_UNPACKED = "gan-eval-unpacked-"
"""Beginning of the names of folders for unpacked pictures."""
_CAPTION_FILES = (".txt", ".csv", ".jsonl")
_NOTES = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_MAX_NOTE = 2**20
"""Maximum number of bytes of a note about a member of a tar, such as its long name."""
_FORMATS = (
    (rb"\x89PNG", ".png"),
    (rb"\xff\xd8\xff", ".jpg"),
    (rb"RIFF....WEBP", ".webp"),
    (rb"BM", ".bmp"),
    (rb"II\*\x00|MM\x00\*", ".tif"),
    (rb"GIF8", ".gif"),
    (rb"....ftypavif", ".avif"),
)
"""The first bytes of a picture file, and its ending."""


@dataclass
class Unpacked:
    """The pictures of a container as files."""

    folder: Path
    pictures: int = 0
    is_numbered: bool = False
    """The names of the pictures are their places in the container, so that equal names mean nothing."""
    containers: Mapping[str, str] = field(default_factory=dict)
    """The container by the folder into which it is unpacked, for messages (`named`)."""
    notes: list[str] = field(default_factory=list)
    """Findings other than pictures, and what was left out."""
    captions: dict[str, str] = field(default_factory=dict)
    """The text of a picture by its file, relative to the folder; they are written as `metadata.jsonl`."""
    changed_ns: int | None = None
    """When the container was changed; its pictures get this time, so that a later run knows them again."""

    def add(self, name: str, content: IO[bytes], source: Path) -> str:
        """Write a picture below the folder; return its path relative to the folder.

        Raises:
            UserError: the folder has a file of that name, the name cannot be a file's, or the picture is too large.
        """
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                copy_small(content, file, f"{source}: {shortened(name, 100)}")
        except FileExistsError as error:
            raise UserError(
                f"{source}: two members are named {shortened(name, 100)}; pack each picture once"
            ) from error
        except OSError as error:
            raise UserError(
                f"{source}: {shortened(name, 100)}: cannot be unpacked ({reason_of(error)}); rename it in the "
                "container, or name a folder"
            ) from error
        if self.changed_ns is not None:
            os.utime(path, ns=(self.changed_ns, self.changed_ns))
        self.pictures += names_a_picture(path)
        return name


def is_container(path: Path) -> bool:
    """Return True for a file that is named like a container of pictures."""
    return path.name.lower().endswith(SUFFIXES) and not path.is_dir()


@contextmanager
def pictures_folder(source: Path, *, tar_key: str | None = None) -> Iterator[Unpacked]:
    """Yield the folder itself, or the pictures of a container in a folder that is removed at the end.

    Args:
        source: a folder, or a file named like a container (`SUFFIXES`).
        tar_key: the member to take of a tar with several pictures for each key, such as `png` or `seg.png`.

    Raises:
        UserError: the container is damaged, has no pictures, or does not say which of its arrays or members they are.
    """
    if not is_container(source):
        yield Unpacked(source)
        return
    require_file(source)
    if not source.exists():
        raise UserError(f"{source}: no such file or folder")
    with _private_folder() as parent:
        folder = parent / source.name
        folder.mkdir()
        changed_ns = source.stat().st_mtime_ns
        unpacked = Unpacked(folder, containers={str(folder): str(source)}, changed_ns=changed_ns)
        with _named(unpacked):
            _unpack(source, unpacked, tar_key)
            yield unpacked


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Yield a new folder for pictures; those that killed processes left are removed first.

    A folder exists only while its process holds the lock next to it.
    """
    for lock in Path(tempfile.gettempdir()).glob(f"{_UNPACKED}*.lock"):
        if not lock.is_symlink():
            with suppress(UserError, OSError), hold_lock(lock, str(lock), "unpacking"):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    folder = Path(tempfile.gettempdir(), f"{_UNPACKED}{uuid4().hex}")
    with hold_lock(folder.with_suffix(".lock"), str(folder), "unpacking"):
        folder.mkdir(0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _unpack(source: Path, unpacked: Unpacked, tar_key: str | None) -> None:
    """Write the pictures of a container, and their texts as `metadata.jsonl`."""
    with _damage(source):
        match source.name.lower().rsplit(".", 1)[1]:
            case "zip":
                _unpack_zip(source, unpacked)
            case "npz" | "npy":
                _unpack_arrays(source, unpacked)
            case "parquet":
                _unpack_parquet(source, unpacked)
            case _:
                _unpack_tar(source, unpacked, tar_key)
    if not unpacked.pictures:
        raise UserError(f"{source}: no pictures in it; name a container of pictures, or a folder")
    paths = [unpacked.folder]
    if unpacked.captions:
        paths.insert(0, unpacked.folder / "metadata.jsonl")
        with paths[0].open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"file_name": a, "text": b}) + "\n" for a, b in unpacked.captions.items())
    unpacked.containers = {**dict.fromkeys(map(str, paths), str(source)), **unpacked.containers}


def named(text: str, containers: Mapping[str, str]) -> str:
    """Return a message that names containers in place of the folders into which they are unpacked."""
    for folder, source in containers.items():
        text = text.replace(folder, source)
    return text


@contextmanager
def _named(unpacked: Unpacked) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(named(str(error), unpacked.containers)) from error


@contextmanager
def _damage(source: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except NotImplementedError as error:  # zipfile's, of compression methods
        raise UserError(f"{source}: cannot be unpacked here ({reason_of(error)}); unpack it into a folder") from error
    except Exception as error:  # damaged bytes raise BadZipFile, EOFError, zlib.error, ArrowInvalid, ReadError, ...
        raise UserError(f"{source}: cannot be unpacked ({reason_of(error)}); restore it, or name a folder") from error


def _place_of(member: str, source: Path) -> str | None:
    """Return a member's relative path; None for hidden files and those that macOS adds."""
    path = PurePosixPath(member.replace("\\", "/"))
    if leads_out(member):
        raise UserError(f"{source}: the member {member!r} leads out of the folder; pack it with relative names")
    if "__MACOSX" in path.parts or path.name.startswith("."):
        return None
    return str(path)


def _unpack_zip(source: Path, unpacked: Unpacked) -> None:
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            name = _place_of(member.filename, source)
            if member.is_dir() or name is None:
                continue
            if member.flag_bits & 1:
                raise UserError(f"{source}: is encrypted; unpack it into a folder and name that")
            if names_a_picture(Path(name)) or name.endswith(_CAPTION_FILES):
                require_small(member.file_size, f"{source}: {name}")
                with archive.open(member) as content:
                    unpacked.add(name, content, source)
    unpacked.folder = _innermost(unpacked.folder)


def _innermost(folder: Path) -> Path:
    """Return the folder below which a container's files begin: that of `samples/0.png` is `samples`."""
    while [path.is_dir() for path in folder.iterdir()] == [True]:
        folder = next(folder.iterdir())
    return folder


def _unpack_arrays(source: Path, unpacked: Unpacked) -> None:
    """Unpack `arr_0`, or the only array of pictures: (N, H, W, 3 or 1), (N, 3 or 1, H, W) or (N, H, W) uint8."""
    if source.suffix.lower() == ".npy":
        with source.open("rb") as file:
            head = array_head(file)
            file.seek(head.offset)
            _unpack_array(file, head, source.stat().st_size, "its array", source, unpacked)
        return
    with zipfile.ZipFile(source) as archive:
        heads = {}
        for member in archive.infolist():
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    heads[member.filename.removesuffix(".npy")] = array_head(file)
        chosen = _array_of_pictures(heads, source)
        if others := [name for name in heads if name != chosen]:
            also = "; --reference takes mu and sigma, which may be of other pictures, too"
            also *= {"mu", "sigma"} <= heads.keys()
            unpacked.notes.append(f"{source}: the pictures of {chosen}; not used: {', '.join(others)}{also}")
        with archive.open(f"{chosen}.npy") as file:
            file.read(heads[chosen].offset)
            held = archive.getinfo(f"{chosen}.npy").file_size
            _unpack_array(file, heads[chosen], held, chosen, source, unpacked)


def _array_of_pictures(heads: Mapping[str, ArrayHead], source: Path) -> str:
    """Return the name of the array of pictures: `arr_0`, or the only one with three or four axes."""
    pictures = [name for name, head in heads.items() if len(head.shape) in (3, 4)]
    if "arr_0" in pictures:
        return "arr_0"
    if len(pictures) != 1:
        listed = ", ".join(f"{name} {head.shape}" for name, head in heads.items()) or "none"
        fix = "; --reference takes statistics (mu, sigma)" if {"mu", "sigma"} <= heads.keys() else ""
        raise UserError(f"{source}: expected arr_0, N x H x W x 3 uint8; its arrays are {listed}{fix}")
    return pictures[0]


def _unpack_array(file: IO[bytes], head: ArrayHead, held: int, name: str, source: Path, unpacked: Unpacked) -> None:
    """Unpack an array of which the file holds `held` bytes; `file` is at its first number."""
    shape, in_fortran_order, dtype, _ = head
    form = f"{source}: {name} is {' x '.join(map(str, shape))} {dtype}"
    if len(shape) == 3 and 3 not in (shape[0], shape[2]):  # else it is one picture in colour
        shape = (*shape, 1)
    if len(shape) != 4 or dtype != np.uint8 or in_fortran_order:
        order = " in Fortran order" if in_fortran_order else ""
        raise UserError(f"{form}{order}; expected N x H x W x 3, or N x H x W in grey, uint8 (levels 0 to 255)")
    is_last, is_first = shape[3] in (1, 3), shape[1] in (1, 3)
    if is_last == is_first:
        raise UserError(f"{form}; one of the second and the last number must be 3 (colours) or 1 (grey)")
    require_whole(head, held, f"{source}: {name}")
    size = math.prod(shape[1:])
    if size > MAX_PIXELS * 3:
        raise UserError(f"{form}; a picture has at most {MAX_PIXELS:,} pixels; scale them down")
    unpacked.is_numbered = True
    for number in range(shape[0]):
        content = file.read(size)
        if len(content) < size:
            raise UserError(f"{source}: {name} ends after {number} of {shape[0]} pictures; restore the file")
        picture = np.frombuffer(content, np.uint8).reshape(shape[1:])
        coded = _as_bmp(picture if is_last else np.moveaxis(picture, 0, -1))
        unpacked.add(f"{number:06}.bmp", coded, source)


def _as_bmp(picture: Samples) -> IO[bytes]:
    """Return the file of (H, W, 3 or 1) uint8 as BMP, which takes a sixteenth of the time of PNG."""
    coded = io.BytesIO()
    Image.fromarray(picture.squeeze(2) if picture.shape[2] == 1 else picture).save(coded, "BMP")
    coded.seek(0)
    return coded


def _unpack_parquet(source: Path, unpacked: Unpacked) -> None:
    """Unpack the columns of pictures: one into the folder, several into a folder each.

    A column has the bytes, or structs of bytes and path, as data set hubs write them. A picture is named after its
    path's stem where these differ, else after its row; no file is read that a path names outside the folder.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20) as file:
        fields = {field.name: field.type for field in file.schema_arrow}
        structs, columns = _picture_columns(fields, source)
        of_text = (pa.string(), pa.large_string())
        texts = [name for name in CAPTION_COLUMNS if fields.get(name) in of_text][:1]
        _require_small_cells(file.metadata, columns, source)
        stems = {name: _stems(file, name, is_struct=name in structs, key="key" in fields) for name in columns}
        empty: dict[str, list[str | None]] = {name: [] for name in columns}
        for row, cells in enumerate(_rows(file, [*columns, *texts], size=1)):
            for name in columns:
                content, path = _picture_in(cells[name], source)
                if not content:
                    empty[name].append(path)
                    continue
                inside = f"{name}/" * (len(columns) > 1) + f"{stems[name][row]}{suffix_of(content)}"
                unpacked.add(inside, io.BytesIO(content), source)
                if texts and cells[texts[0]] is not None:
                    unpacked.captions[inside] = cells[texts[0]]
        _note_empty_rows(empty, file.metadata.num_rows, source, unpacked)


def _rows(file: Any, columns: list[str], *, size: int = 65_536) -> Iterator[dict[str, Any]]:
    """Return the rows of a Parquet file, of which `size` are in memory at a time."""
    return chain.from_iterable(batch.to_pylist() for batch in file.iter_batches(size, columns=columns))


def _picture_in(cell: Any, source: Path) -> tuple[bytes | None, str | None]:
    """Return the picture of a cell, which has bytes, or a struct of them and a path; and the path, if there is one."""
    if not isinstance(cell, dict):
        return cell, None
    path = cell.get("path")
    return cell.get("bytes") or _file_next_to(source, path), path


def _note_empty_rows(empty: Mapping[str, list[str | None]], rows: int, source: Path, unpacked: Unpacked) -> None:
    """Add a note on the rows of each column that have no picture; refuse a column of paths alone.

    Args:
        empty: the paths in these rows.
    """
    for name, paths in empty.items():
        if len(paths) == rows and any(paths):
            raise UserError(
                f"{source}: column {name} holds paths, not pictures (row 1: {paths[0]}); name the folder of these "
                "files, or write the Parquet with embedded pictures"
            )
        if paths:
            unpacked.notes.append(f"{source}: column {name}: {len(paths)} of {rows} rows have no picture")


def _picture_columns(fields: Mapping[str, Any], source: Path) -> tuple[list[str], list[str]]:
    """Return the columns of structs with a picture's bytes, and the columns of pictures: these, else those of bytes."""
    import pyarrow as pa

    structs = [name for name, kind in fields.items() if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0]
    binary = (pa.types.is_binary, pa.types.is_large_binary)
    columns = structs or [name for name, kind in fields.items() if any(check(kind) for check in binary)]
    if not columns:
        columns_are = f"its columns are {', '.join(fields)}"
        raise UserError(f"{source}: no column of pictures; {columns_are}; name the file or folder that has them")
    if len(columns) > 1 and (unsafe := [name for name in columns if not names_one_part(name)]):
        raise UserError(f"{source}: the column {unsafe[0]!r} cannot name a folder of its pictures; rename it")
    return structs, columns


def _require_small_cells(facts: Any, columns: Sequence[str], source: Path) -> None:
    """Refuse a column of pictures whose cells, or part that is compressed, are beyond the limit.

    Coded pictures hardly become smaller, so a part that unpacks to more than twice its size is not one of pictures.
    """
    for part in (facts.row_group(at).column(n) for at in range(facts.num_row_groups) for n in range(facts.num_columns)):
        if part.path_in_schema.partition(".")[0] in columns:
            size, packed = part.total_uncompressed_size, part.total_compressed_size
            require_small(
                size if size > 2 * packed else size // max(1, part.num_values), f"{source}: {part.path_in_schema}"
            )


def _stems(file: Any, column: str, *, is_struct: bool, key: bool) -> list[str]:
    """Return a name for each row: the stem of its path, or its key.

    It is the row's number where these are missing or repeated, or cannot be names of files.
    """
    numbers = [f"{row:06}" for row in range(file.metadata.num_rows)]
    if is_struct:
        stems = [_stem((row[column] or {}).get("path")) for row in _rows(file, [f"{column}.path"])]
    else:
        stems = [_stem(row["key"]) for row in (_rows(file, ["key"]) if key else ())]
    return stems if all(map(names_one_part, stems)) and len({*stems}) == len(numbers) else numbers


def _stem(path: object) -> str:
    """Return the stem of a path of any system; empty without one."""
    return PurePosixPath(str(path).replace("\\", "/")).stem if path else ""


def _file_next_to(source: Path, path: str | None) -> bytes | None:
    """Return the file that a path names below the Parquet's folder, or None."""
    if not path or leads_out(path):
        return None
    file = source.parent / path
    return read_small(file, what="picture") if file.is_file() and names_a_picture(file) else None


def suffix_of(content: bytes) -> str:
    """Return the ending of a picture's format by its first bytes; `.unknown` for others.

    >>> suffix_of(b"\\x89PNG\\r\\n"), suffix_of(b"RIFF....WEBPVP8 "), suffix_of(b"text")
    ('.png', '.webp', '.unknown')
    """
    matching = (suffix for start, suffix in _FORMATS if re.match(start, content[:16], re.DOTALL))
    return next(matching, ".unknown")


class _Member(tarfile.TarInfo):
    """A member of a tar; names and notes about one, which tarfile reads whole, are small."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header."""
        member = super().frombuf(buf, encoding, errors)
        if member.type in _NOTES and member.size > _MAX_NOTE:
            raise ValueError(f"a note about a member has {size_text(member.size)}")
        return member


def _unpack_tar(source: Path, unpacked: Unpacked, tar_key: str | None) -> None:
    """Unpack a WebDataset tar: the members of one key are a sample, in any order.

    A key is the path up to the first dot of the file's name, so that `1.png` and `1.seg.png` are one sample, as are
    `1.real.png` and `1.fake.png`. Before a number, dots belong to the names: `cfg5.0.png` and `cfg5.5.png` are two.
    """
    texts: dict[str, str] = {}
    keys: dict[str, str] = {}
    with tarfile.open(source, tarinfo=_Member) as archive:
        for key, kind, is_picture, content in _members_of_samples(archive, source, tar_key):
            if is_picture:
                keys[unpacked.add(f"{key}.{kind.rpartition('.')[2]}", content, source)] = key
            elif kind == "txt" or key not in texts:
                texts[key] = _text_of(content.read(), kind) or texts.get(key, "")
    unpacked.captions |= {name: texts[key] for name, key in keys.items() if texts.get(key)}
    unpacked.folder = _innermost(unpacked.folder)


def _members_of_samples(
    archive: tarfile.TarFile, source: Path, tar_key: str | None
) -> Iterator[tuple[str, str, bool, IO[bytes]]]:
    """Yield each picture to take and each text: key, kind, True for a picture, and content."""
    placed = [(member, _place_of(member.name, source)) for member in archive if member.isreg()]
    named = [(member, name) for member, name in placed if name is not None]
    _require_one_kind([name for _, name in named], source, tar_key)
    for member, name in named:
        key, kind = key_of(name, last_dot=tar_key is None)
        is_picture = kind == tar_key if tar_key else names_a_picture(Path(name))
        if is_picture or kind in ("txt", "json"):
            require_small(member.size, f"{source}: {name}")
            yield key, kind, is_picture, archive.extractfile(member) or io.BytesIO()


def _require_one_kind(names: Sequence[str], source: Path, tar_key: str | None) -> None:
    """Refuse members with several pictures of one key unless `tar_key` chooses, and a `tar_key` that none has."""
    kinds_of: dict[str, list[str]] = {}
    for name in names:
        if names_a_picture(Path(name)):
            key, kind = key_of(name)
            kinds_of.setdefault(key, []).append(kind)
    if tar_key is not None:
        kinds = sorted(set().union(*kinds_of.values()))
        if tar_key not in kinds:
            raise UserError(f"{source}: --tar-key {tar_key}: no such pictures; there are {', '.join(kinds)}")
        return
    for key, endings in kinds_of.items():
        if len(endings) > 1 and any(kind[0].isalpha() for kind in endings):
            raise UserError(
                f"{source}: several pictures of one key ({key}: {', '.join(endings)}); choose with "
                f"--tar-key {min(endings, key=len)}"
            )


def key_of(name: str, *, last_dot: bool = False) -> tuple[str, str]:
    """Return the key of a tar's member and the rest of its name in lower case, cut at the first or the last dot.

    >>> key_of("a/cat_cfg5.0.PNG"), key_of("a/cat_cfg5.0.PNG", last_dot=True)
    (('a/cat_cfg5', '0.png'), ('a/cat_cfg5.0', 'png'))
    """
    folder, slash, base = name.rpartition("/")
    key, _, kind = base.rpartition(".") if last_dot else base.partition(".")
    return f"{folder}{slash}{key}", kind.lower()


def _text_of(content: bytes, kind: str) -> str | None:
    """Return the caption in a member .txt or .json of a sample."""
    if kind == "txt":
        return content.decode("utf-8", "replace").strip()
    try:
        fields = json.loads(content)
    except ValueError:
        return None
    texts = [fields.get(name) for name in CAPTION_COLUMNS] if isinstance(fields, dict) else []
    return next((text for text in texts if isinstance(text, str)), None)
