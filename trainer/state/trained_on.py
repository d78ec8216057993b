"""The pictures that a generator was trained on, recognised by their content under any name.

A picture is brought to 16 x 16 grey values of mean 0 and standard deviation 1. Two pictures are the same where these
values correlate by at least `SAME`, mirrored or not: a copy in another format or JPEG quality, at another size, with
other contrast. Of 345 facades, 140 maps, 130 street scenes, 290 shoes and 24 photographs no two different ones came
near: their largest correlation was 0.987; copies in JPEG quality 50, or at half or twice the size, had at least 0.999.
Not recognised: crops, turned and much changed pictures. Flat pictures are the same where every value is.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, write_bytes
from gan_eval.files.digests import sha256_bytes
from trainer.datasets.dataset import DataSet, map_pictures, try_pictures
from trainer.model import Model, load_model

RECORD = f"{OWN_FOLDER}/trained_on.npz"  # file in the run's folder
SIDE = 16
SAME = 0.998  # the least correlation of two pictures that are the same
_FLAT = 1.0  # A standard deviation, in levels, below which a picture's values say nothing
_ROWS = 4096  # number of pictures compared together


@dataclass(frozen=True)
class TrainedOn:
    """The pictures of one training."""

    digests: NDArray[np.str_]  # (N,) of the values of each item
    vectors: NDArray[np.int8]  # (M, 256) of the pictures of all items; 0 for a flat one
    complete: bool
    """Nothing else was trained on: false where the run started from a generator whose pictures are not known."""

    def seen(self, data_set: DataSet, paths: Sequence[Path]) -> dict[Path, bool | None]:
        """Return for each picture of a data set whether it was trained on; None where that is not known.

        Of pairs, one half that is the same is enough.
        """
        found: dict[Path, bool | None] = {}
        for start in range(0, len(paths), _ROWS):
            part = list(paths[start : start + _ROWS])
            contents = {
                path: content
                for path, content in zip(part, try_pictures(part, lambda path: _content(data_set, path)), strict=True)
                if not isinstance(content, UserError)
            }
            found |= dict.fromkeys(part, None)
            if not contents:
                continue
            vectors = np.concatenate([vectors for _, vectors in contents.values()])
            mirrored = vectors.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(vectors.shape)
            near = (self._best(vectors) >= SAME) | (self._best(mirrored) >= SAME)
            by_item = near.reshape(len(contents), -1).any(axis=1)
            known = np.isin([digest for digest, _ in contents.values()], self.digests) | by_item
            unseen = False if self.complete else None
            found |= {path: True if is_known else unseen for path, is_known in zip(contents, known, strict=True)}
        return found

    def _best(self, vectors: NDArray[np.int8]) -> NDArray[np.float32]:
        """(N,) the largest correlation of each picture with one that was trained on."""
        best = np.zeros(len(vectors), np.float32)
        own = _unit(vectors).T
        for start in range(0, len(self.vectors), _ROWS):
            best = np.maximum(best, (_unit(self.vectors[start : start + _ROWS]) @ own).max(axis=0))
        return best


def pictures_of_run(
    out: Path, data_set: DataSet, paths: list[Path], *, data_sha256: str, start: Path | None
) -> TrainedOn:
    """Return what a run is trained on: its record, or read from the pictures where there is none yet."""
    if (recorded := _read(out / RECORD, data_sha256)) is not None:
        return recorded
    contents = map_pictures(paths, lambda path: _content(data_set, path))
    digests = np.array([digest for digest, _ in contents])
    vectors = np.concatenate([vectors for _, vectors in contents])
    before = None
    if start is not None:
        with suppress(UserError):  # other programs' weights do not say what they were trained on
            before = trained_on(load_model(start))
    if before is not None:
        digests, vectors = np.concatenate([digests, before.digests]), np.concatenate([vectors, before.vectors])
    return TrainedOn(digests, vectors, complete=start is None or (before is not None and before.complete))


def record_pictures(out: Path, known: TrainedOn, *, data_sha256: str) -> None:
    """Write down what a run is trained on, unless that has been done."""
    if _read(out / RECORD, data_sha256) is None:
        file, complete, sha256 = BytesIO(), np.array(known.complete), np.array(data_sha256)
        np.savez(file, digests=known.digests, vectors=known.vectors, complete=complete, data_sha256=sha256)
        write_bytes(out / RECORD, file.getvalue())


def trained_on(model: Model) -> TrainedOn | None:
    """Return what a generator was trained on; None where its folder does not say.

    That is so for a foreign file and one without its run's folder.
    """
    found = (_read(folder / RECORD, model.definition.get("data_sha256")) for folder in model.file.parents[:2])
    return next((record for record in found if record is not None), None)


def _read(file: Path, data_sha256: object) -> TrainedOn | None:
    """The record of a training on these pictures; None where the file is missing, damaged or of another one."""
    with suppress(Exception), np.load(file, allow_pickle=False) as arrays:  # a damaged file raises any error
        if str(arrays["data_sha256"]) == data_sha256:
            return TrainedOn(arrays["digests"], arrays["vectors"], bool(arrays["complete"]))
    return None


def _content(data_set: DataSet, path: Path) -> tuple[str, NDArray[np.int8]]:
    """An item's digest, the same for both directions, and the vectors of its pictures.

    These are (K, 256) grey values of mean 0 and standard deviation 1, times 16.
    """
    pictures = data_set.read(path, SIDE)
    digest = sha256_bytes(b"".join(sorted(picture.tobytes() for picture in pictures)))[:24]
    vectors = np.zeros((len(pictures), SIDE * SIDE), np.int8)
    for vector, picture in zip(vectors, pictures, strict=True):
        grey = picture.reshape(SIDE, SIDE, -1).mean(axis=2, dtype=np.float64).ravel()
        grey -= grey.mean()
        if (spread := grey.std()) >= _FLAT:
            vector[:] = np.rint(16 * grey / spread).clip(-127, 127)
    return digest, vectors


def _unit(vectors: NDArray[np.int8]) -> NDArray[np.float32]:
    """The vectors at length 1; those of 0 stay."""
    floats = vectors.astype(np.float32)
    return floats / np.maximum(np.linalg.norm(floats, axis=1, keepdims=True), 1)
