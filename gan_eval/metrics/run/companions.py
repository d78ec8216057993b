"""What a picture is measured beside: its reference, and the mask of its hole."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from gan_eval.errors import UserError
from gan_eval.metrics.run.files import PictureFile, PictureFiles
from gan_eval.metrics.run.inputs import NO_MASK, Stimulus
from gan_eval.metrics.run.tools import Measure


@dataclass(frozen=True)
class Companions:
    """The files, or why there is none; None where none is wanted."""

    reference: PictureFile | str | None = None
    mask: PictureFile | str | None = None

    def found(self, name: Literal["reference", "mask"]) -> PictureFile:
        """The file of this companion.

        Raises:
            UserError: why there is none.
        """
        file: PictureFile | str | None = getattr(self, name)
        if isinstance(file, PictureFile):
            return file
        raise UserError(str(file))

    def key(self, measure: Measure) -> bytes:
        """What a value depends on beside the picture: empty, or a hash of the companions' content."""
        if not measure.is_pair:
            return b""
        return self.masked if measure.takes_hole else self.plain

    @property
    def plain(self) -> bytes:
        """Of the reference; empty where there is none."""
        return self.reference.digest if isinstance(self.reference, PictureFile) else b""

    @cached_property
    def masked(self) -> bytes:
        """Of reference and mask; empty where one is lacking."""
        if not (isinstance(self.reference, PictureFile) and isinstance(self.mask, PictureFile)):
            return b""
        return hashlib.sha256(self.reference.digest + self.mask.digest).digest()


@dataclass(frozen=True)
class Wanted:
    """What the measures of a run need beside a generated picture."""

    reference: bool
    mask: bool

    def of(self, stimulus: Stimulus, files: PictureFiles) -> Companions:
        """The companions of one picture, their files read."""
        if not stimulus.has_pair_metrics:
            return Companions()
        return Companions(
            _read(stimulus.reference, stimulus.no_reference, files) if self.reference else None,
            _read(stimulus.mask, NO_MASK, files) if self.mask else None,
        )


def _read(path: Path | None, missing: str, files: PictureFiles) -> PictureFile | str:
    if path is None:
        return missing
    try:
        return files.read(path)
    except UserError as error:
        return str(error)
