"""The pictures of a session: files of stimuli and their companions, checks that they are unchanged, and masks."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from gan_eval.base.digests import sha256_bytes
from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import Picture, decode_rgb, read_file, resize
from gan_eval.pictures.sets import TABLE_NAME, FileColumn, StimulusSet, caption_of, picture_changed
from gan_eval.tables.frames import Row

RESAMPLING = Image.Resampling.LANCZOS
"""The filter for resizing pictures; it works on their stored 8-bit values (gamma-encoded)."""


def size_at(size: tuple[int, int], width: int | None) -> tuple[int, int]:
    """Return the height and width in pixels of a picture of this size at another width; None: its own width.

    >>> size_at((256, 512), 300), size_at((256, 512), None)
    ((150, 300), (256, 512))
    """
    own_height, own_width = size
    if width is None:
        return size
    return max(1, (2 * own_height * width + own_width) // (2 * own_width)), width


@dataclass(frozen=True)
class Companions:
    """The pictures of one item for the review; None for a missing one."""

    label: Path | None
    """The generator's input."""
    truth: Path | None
    """The real picture."""
    generated: Path | None
    """The shown generated picture, else the output of the item's first model."""


class Library:
    """Stimuli of one or several sets by identifier. Sets may share real pictures."""

    def __init__(self, sets: Sequence[StimulusSet]) -> None:
        """Take the pictures of the sets; raises `UserError` for one without width and height, which screens need."""
        self._rows: dict[str, tuple[StimulusSet, Row]] = {}
        self._of_item: dict[str, list[str]] = {}
        """Stimuli of each item: the real picture and the generated ones."""
        self.keep_files = True
        """Keep the bytes of files that were checked in memory; else read a file again when it is shown."""
        self._contents: dict[Path, bytes] = {}
        self._hashes: dict[Path, tuple[tuple[int, ...], str]] = {}
        """State of each file (times, size, inode) when it was read, and its SHA-256."""
        self._width: int | None = None  # pixels
        self.rows = [row for stimuli in sets for row in stimuli.rows]
        for stimuli in sets:
            for row in stimuli.rows:
                if not (row["width"] and row["height"]):
                    where = f"{stimuli.path(row)}: {TABLE_NAME}"
                    raise UserError(f"{where} has no width and height of this picture in pixels; fill them in")
                if row["stimulus"] not in self._rows:
                    self._of_item.setdefault(row["item"], []).append(row["stimulus"])
                    self._rows[row["stimulus"]] = (stimuli, row)
        self.companions = cache(self._companions)
        """Function from a stimulus to the pictures of its item, which all sessions review."""

    def row(self, stimulus: str) -> Row:
        """Return the row of a stimulus."""
        return self._rows[stimulus][1]

    def path(self, stimulus: str) -> Path:
        """Return the file of a stimulus."""
        path = self._file(stimulus, "file")
        if path is None:
            raise UserError(f"stimulus {stimulus}: in this session's plan, but not in its stimulus set; restore it")
        return path

    def content(self, stimulus: str) -> bytes:
        """Return the bytes of a stimulus' file.

        Raises:
            UserError: the file is missing, or has changed since `checked` has read it.
        """
        path = self.path(stimulus)
        if path in self._contents:
            return self._contents[path]
        content = read_file(path)
        if path in self._hashes and sha256_bytes(content) != self._hashes[path][1]:
            raise picture_changed(path)
        return content

    def caption(self, planned: Row) -> str:
        """Return the caption of a trial in one line, of either picture; empty: none."""
        rows = [self._rows[name][1] for name in (planned["stimulus"], planned["stimulus_b"]) if name in self._rows]
        return next(filter(None, map(caption_of, rows)), "")

    def widths(self, plan: Sequence[Row]) -> set[int]:
        """Return the own widths in pixels of a plan's pictures."""
        names = {row[column] for row in plan for column in ("stimulus", "stimulus_b")}
        return {self.row(name)["width"] for name in names if name in self._rows}

    def show_at(self, width: int | None) -> None:
        """Set the width in pixels at which pictures are shown; None: their own width."""
        self._width = width

    def size_shown(self, picture: Picture) -> tuple[int, int]:
        """Return the height and width at which a picture is shown."""
        return size_at(picture.shape[:2], self._width)

    def decoded(self, stimulus: str) -> Picture:
        """Return a stimulus at its own size."""
        return decode_rgb(self.content(stimulus), self.path(stimulus))

    def picture(self, stimulus: str) -> Picture:
        """Return a stimulus at the size at which it is shown."""
        picture = self.decoded(stimulus)
        return resize(picture, self.size_shown(picture), resampling=RESAMPLING)

    def checked(self, plan: Sequence[Row], *, seen: Collection[int] = ()) -> tuple[Row, ...]:
        """Return the plan with the current SHA-256 of each file; rows of trials in `seen` stay unchanged.

        All files are read here, sorted by name, so that the order in which they are opened does not reveal the trials.
        With `keep_files` they stay in memory; an unchanged file is not read again.

        Raises:
            UserError: a file is missing, or has changed since the plan was made.
        """
        unseen = [row for row in plan if row.get("trial") not in seen]
        names = {row[column] for row in unseen for column in ("stimulus", "stimulus_b") if row[column] is not None}
        hashes = {name: self._load(self.path(name)) for name in sorted(names, key=self.path)}
        checked = []
        for row in plan:
            current = {}
            for column, hash_column in (("stimulus", "sha256"), ("stimulus_b", "sha256_b")):
                if row.get("trial") in seen or row[column] is None:
                    continue
                current[hash_column] = hashes[row[column]]
                if row.get(hash_column) not in (None, current[hash_column]):
                    raise picture_changed(self.path(row[column]))
            checked.append({**row, **current})
        return tuple(checked)

    def _load(self, path: Path) -> str:
        """Read a file unless it was read before and has not changed; return its SHA-256."""
        before, digest = self._hashes.get(path, ((), ""))
        signature: tuple[int, ...] = ()
        with suppress(OSError):  # `read_file` reports a missing file
            status = path.stat()
            signature = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        if not signature or signature != before:
            content = read_file(path)
            digest = sha256_bytes(content)
            self._hashes[path] = signature, digest
            if self.keep_files:
                self._contents[path] = content
        return digest

    def _companions(self, stimulus: str) -> Companions:
        """Return the input, ground truth and generated picture of the item of `stimulus`."""
        row = self.row(stimulus)
        kinds = {name: self.row(name)["kind"] for name in self._of_item[row["item"]]}
        real = next((name for name, kind in kinds.items() if kind == "real"), None)
        generated = stimulus
        if row["kind"] == "real":
            generated = min((name for name, kind in kinds.items() if kind == "fake"), default="")
        labels = (self._file(name, "input_file") for name in (stimulus, generated, real or ""))
        return Companions(
            label=next((label for label in labels if label), None),
            truth=self._file(stimulus, "reference_file") if real is None else self._file(real, "file"),
            generated=self._file(generated, "file"),
        )

    def _file(self, stimulus: str, column: FileColumn) -> Path | None:
        """Return a file of a stimulus; None for an unknown stimulus or an empty column."""
        if stimulus not in self._rows:
            return None
        stimuli, row = self._rows[stimulus]
        return stimuli.path(row, column)


BLOCK = 16
"""Side in pixels of the shuffled blocks."""


def mask(picture: Picture, kind: Literal["noise", "scramble"], generator: np.random.Generator) -> Picture:
    """Return a mask of the picture's size, (H, W, 3) uint8: random grey levels, or the picture's shuffled blocks."""
    if kind == "scramble":
        return scrambled(picture, generator)
    grey = generator.integers(0, 256, picture.shape[:2], dtype=np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def scrambled(picture: Picture, generator: np.random.Generator) -> Picture:
    """Return the picture's blocks in random order, mirrored at random; sides are padded to whole blocks by reflection.

    >>> rows = np.arange(48 * 32 * 3, dtype=np.uint16).reshape(48, 32, 3)
    >>> bool((np.sort(scrambled(rows, np.random.default_rng(0)), axis=None) == rows.ravel()).all())
    True
    """
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((0, -height % BLOCK), (0, -width % BLOCK), (0, 0)), mode="symmetric")
    rows, columns = padded.shape[0] // BLOCK, padded.shape[1] // BLOCK
    blocks = padded.reshape(rows, BLOCK, columns, BLOCK, 3).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK, 3)
    blocks = blocks[generator.permutation(len(blocks))]
    for axis in (1, 2):
        mirrored = generator.random(len(blocks)) < 0.5
        blocks[mirrored] = np.flip(blocks[mirrored], axis)
    whole = blocks.reshape(rows, columns, BLOCK, BLOCK, 3).swapaxes(1, 2).reshape(padded.shape)
    return np.ascontiguousarray(whole[:height, :width])
