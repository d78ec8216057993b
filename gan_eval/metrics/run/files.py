"""The picture files of one job: each is read once, hashed, and decoded from the same bytes where it is needed.

A file whose digest is known is read only if a value is missing.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files.digests import known_digest, remember_digest
from gan_eval.files.reading import require_file
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli import pictures
from gan_eval.stimuli.holes import hole_of
from gan_eval.stimuli.pictures import Picture
from gan_eval.stimuli.pixel_formats import Samples

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.pictures import HolePixels


@dataclass
class PictureFile:
    """A file that was read."""

    path: Path
    digest: bytes
    """SHA-256 of its bytes."""
    content: bytes | None
    """Until it is decoded or forgotten."""


class PictureFiles:
    """The files and pictures of one thread's job."""

    def __init__(self) -> None:
        self._files: dict[str, PictureFile] = {}
        self._samples: dict[bytes, Samples] = {}
        self._holes: dict[bytes, HolePixels] = {}

    def read(self, path: Path) -> PictureFile:
        """The file with its hash.

        Raises:
            UserError: it cannot be read.
        """
        file = self._files.get(str(path))
        if file is None:
            status = require_file(path)
            digest = known_digest(path, status) if status else None
            content = None
            if digest is None:
                content = pictures.read_file(path)
                digest = hashlib.sha256(content).hexdigest()
                if status and len(content) == status.st_size:  # else it grew meanwhile
                    remember_digest(path, status, digest)
            file = self._files[str(path)] = PictureFile(path, bytes.fromhex(digest), content)
        return file

    def companion(self, path: Path | None, no_path: str) -> PictureFile | str:
        """The file of a companion; if there is none, or it cannot be read, the reason."""
        try:
            return no_path if path is None else self.read(path)
        except UserError as error:
            return str(error)

    def picture(self, file: PictureFile) -> Picture:
        """(H, W, 3) uint8; decoded once.

        Raises:
            Unmeasurable: the picture has 16 bits.
            UserError: it cannot be decoded.
        """
        samples = self.samples(file)
        if samples.dtype != np.uint8:
            raise Unmeasurable(
                "16 bits: this metric is defined for 8-bit RGB; `gan-eval stimuli equalise` makes a set of it"
            )
        return samples

    def samples(self, file: PictureFile) -> Samples:
        """(H, W, 3) uint8, or of 16 bits (H, W, 1 or 3) uint16; decoded once.

        Raises:
            UserError: it cannot be decoded.
        """
        if file.digest not in self._samples:
            content = pictures.read_file(file.path) if file.content is None else file.content
            file.content = None
            self._samples[file.digest] = pictures.decode_measured(content, file.path)
        return self._samples[file.digest]

    def pair(
        self, file: PictureFile, reference: PictureFile, *, any_format: bool, resize: bool
    ) -> tuple[Samples, Samples]:
        """Return a generated picture and its reference.

        With `any_format`, a pair of 16 bits has every sample; of two formats, both are brought to 8-bit RGB.

        Raises:
            Unmeasurable: the metric is not for their format.
            UserError: one cannot be decoded.
        """
        if not any_format:
            fake, real = self.picture(file), self.picture(reference)
        else:
            fake, real = self.samples(file), self.samples(reference)
            if (fake.dtype, fake.shape[2]) != (real.dtype, real.shape[2]):
                fake, real = pictures.rgb_of(fake), pictures.rgb_of(real)
        if resize and fake.shape != real.shape:
            fake = pictures.resize(fake, real.shape[:2]).copy()
        return fake, real

    def hole(self, mask: PictureFile) -> "HolePixels":
        """Return (H, W) bool: the hole that a mask picture shows; decoded once.

        Raises:
            UserError: see `picture`.
        """
        if mask.digest not in self._holes:
            self._holes[mask.digest] = hole_of(pictures.rgb_of(self.samples(mask)))
            self._samples.pop(mask.digest)
        return self._holes[mask.digest]

    def forget(self, path: Path) -> None:
        """Free a file and its picture."""
        if file := self._files.pop(str(path), None):
            self._samples.pop(file.digest, None)
