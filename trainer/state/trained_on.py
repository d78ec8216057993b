"""The pictures that a generator was trained on, recognised by their content under any name.

Two pictures are the same if `gan_eval.pictures.likeness` says so; flat pictures are the same if all values are equal.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.atomic import OWN_FOLDER, write_bytes
from gan_eval.base.digests import sha256_bytes
from gan_eval.base.errors import UserError
from gan_eval.pictures.likeness import MIN_COPY_LIKENESS, SIDE, grey_values, nearest
from trainer.datasets.dataset import DataSet, Role, map_pictures, try_pictures
from trainer.model import Model, load_model

RECORD = f"{OWN_FOLDER}/trained_on.npz"  # file in the run's folder
_ROWS = 4096  # number of pictures compared together


@dataclass(frozen=True)
class TrainedOn:
    """The pictures of one training."""

    digests: NDArray[np.str_]  # (N,) of the values of each item
    vectors: NDArray[np.int8]  # (M, 256) of the pictures of all items; 0 for a flat one
    complete: bool
    """True if these are all pictures; False if the run started from a generator whose pictures are unknown."""
    drawn: Role | None = None
    """The picture of the items that looks drawn."""

    def seen(self, data_set: DataSet, paths: Sequence[Path]) -> dict[Path, bool | None]:
        """Return True for each picture of a data set that was trained on, else False; None if unknown.

        A pair counts as seen if one of its halves is.
        """
        results: dict[Path, bool | None] = {}
        for start in range(0, len(paths), _ROWS):
            part = list(paths[start : start + _ROWS])
            contents = {
                path: content
                for path, content in zip(part, try_pictures(part, lambda path: _content(data_set, path)), strict=True)
                if not isinstance(content, UserError)
            }
            results |= dict.fromkeys(part, None)
            if not contents:
                continue
            vectors = np.concatenate([vectors for _, vectors in contents.values()])
            near = nearest(vectors, self.vectors).likeness >= MIN_COPY_LIKENESS
            by_item = near.reshape(len(contents), -1).any(axis=1)
            is_copy = np.isin([digest for digest, _ in contents.values()], self.digests) | by_item
            unseen = False if self.complete else None
            results |= {path: True if is_known else unseen for path, is_known in zip(contents, is_copy, strict=True)}
        return results


def pictures_of_run(
    out: Path, data_set: DataSet, paths: list[Path], *, data_sha256: str, start: Path | None
) -> TrainedOn:
    """Return the pictures of a run: from its record, or read from the files without a record."""
    if (recorded := _read(out / RECORD, data_sha256)) is not None:
        return recorded
    contents = map_pictures(paths, lambda path: _content(data_set, path))
    digests = np.array([digest for digest, _ in contents])
    vectors = np.concatenate([vectors for _, vectors in contents])
    before = None
    if start is not None:
        with suppress(UserError):  # weights of other programs do not name their pictures
            before = trained_on(load_model(start))
    if before is not None:
        digests, vectors = np.concatenate([digests, before.digests]), np.concatenate([vectors, before.vectors])
    is_complete = start is None or (before is not None and before.complete)
    return TrainedOn(digests, vectors, is_complete, data_set.drawn_role(paths))


def record_pictures(out: Path, pictures: TrainedOn, *, data_sha256: str) -> None:
    """Write the record of a run's pictures, unless there is one."""
    if _read(out / RECORD, data_sha256) is None:
        file = BytesIO()
        complete, sha256, drawn = (np.array(fact) for fact in (pictures.complete, data_sha256, pictures.drawn or ""))
        digests, vectors = pictures.digests, pictures.vectors
        np.savez(file, digests=digests, vectors=vectors, complete=complete, data_sha256=sha256, drawn=drawn)
        write_bytes(out / RECORD, file.getvalue())


def trained_on(model: Model) -> TrainedOn | None:
    """Return the pictures of a generator; None if its folder has no record of them.

    A foreign file, or a file outside its run's folder, has no record.
    """
    records = (_read(folder / RECORD, model.definition.get("data_sha256")) for folder in model.file.parents[:2])
    return next((record for record in records if record is not None), None)


def _read(file: Path, data_sha256: object) -> TrainedOn | None:
    """Return the record of a training on these pictures; None if it is missing, damaged or of another training."""
    with suppress(Exception), np.load(file, allow_pickle=False) as arrays:  # a damaged file raises any error
        if str(arrays["data_sha256"]) == data_sha256:
            drawn = str(arrays["drawn"]) if "drawn" in arrays else ""  # records of earlier versions lack it
            role = next((each for each in get_args(Role) if each == drawn), None)
            return TrainedOn(arrays["digests"], arrays["vectors"], bool(arrays["complete"]), role)
    return None


def _content(data_set: DataSet, path: Path) -> tuple[str, NDArray[np.int8]]:
    """Return an item's digest, the same for both directions, and the vectors of its pictures.

    These are (K, 256) grey values of mean 0 and standard deviation 1, times 16.
    """
    pictures = data_set.read(path, SIDE)
    digest = sha256_bytes(b"".join(sorted(picture.tobytes() for picture in pictures)))[:24]
    return digest, np.stack([grey_values(picture) for picture in pictures])
