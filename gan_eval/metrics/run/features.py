"""Features of stimuli: their store, the networks that compute them, and those that the user gives in a file or a frame.

A file is npz with the arrays `stimulus` (N) and `features` (N, d), or CSV or Parquet with the column `stimulus` and d
more columns. Rows may have any order; rows of other stimuli are ignored.
"""

import errno
import hashlib
import mmap
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gan_eval.base.arrays import require_small_arrays
from gan_eval.base.atomic import write_error
from gan_eval.base.digests import sha256_file, unchanged
from gan_eval.base.errors import UserError, first_sentence, memory_ran_out
from gan_eval.base.limits import require_small, require_small_parquet
from gan_eval.base.reading import require_file
from gan_eval.metrics.definitions.frechet import MAX_FEATURE
from gan_eval.metrics.definitions.record import ExtractorName
from gan_eval.metrics.kernels.pictures import NO_MEMORY, Missing, Unmeasurable
from gan_eval.metrics.run.inputs import Settings, Stimulus
from gan_eval.metrics.weights.cache import open_weights

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from gan_eval.metrics.networks.extractors import Extractor

SUFFIXES = (".npz", ".csv", ".parquet")


FeatureResult = NDArray[np.floating] | Missing
"""(size,) features, or the reason for missing ones."""


class OnDisk(np.memmap[Any, Any]):
    """Features in a file; the memory holds only the rows that were read last."""

    def __getitem__(self, key: Any) -> Any:
        release(self)
        return super().__getitem__(key)


def release(values: NDArray[Any]) -> None:
    """Free the memory of an array that is in a file; one in the memory stays there."""
    pages = getattr(values, "_mmap", None)
    if pages is not None and hasattr(pages, "madvise"):  # not on Windows
        pages.madvise(mmap.MADV_DONTNEED)


def on_disk(file: Path, dtype: DTypeLike, shape: tuple[int, int]) -> OnDisk:
    """Return an array of zeros in a new file, whose space on the disk is reserved.

    Raises:
        UserError: the disk is full. Found later, that would end the process by a signal.
    """
    try:
        values = np.lib.format.open_memmap(file, "w+", dtype, shape)
        if hasattr(os, "posix_fallocate"):  # not on macOS and Windows
            with file.open("r+b") as opened:
                os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):  # a file system without this
            return values.view(OnDisk)
        raise write_error(file, error) from error
    return values.view(OnDisk)


class FeatureStore:
    """Features of one extractor, or the reason for missing ones, by the number of the stimulus."""

    def __init__(
        self, count: int, size: int, *, dtype: DTypeLike = np.float32, is_given: bool = False, file: Path | None = None
    ) -> None:
        self.values: NDArray[np.floating] = (
            np.zeros((count, size), dtype) if file is None else on_disk(file, dtype, (count, size))
        )
        """(count, size), in the memory or in a file."""
        self.is_given = is_given
        """True if the user gave the features; then a set has a value only if all its pictures have features."""
        self.filled = np.zeros(count, bool)
        self.reasons: dict[int, str] = {}

    def put(self, row: int, result: FeatureResult) -> None:
        """Set a row; any number of threads may do so for different rows."""
        if isinstance(result, Missing):
            self.reasons[row] = result.reason
        else:
            self.values[row] = result
            self.filled[row] = True

    def content_hash(self) -> str:
        """Return the SHA-256 of the rows and the reasons."""
        digest = hashlib.sha256(self.filled.tobytes())
        for start in range(0, len(self.values), 4096):
            digest.update(np.ascontiguousarray(self.values[start : start + 4096]).data)
        digest.update(repr(sorted(self.reasons.items())).encode())
        return digest.hexdigest()


class FeatureBatches:
    """Collects prepared pictures; the thread that fills a batch runs the network on it.

    Every batch has the same size, the last one filled up with copies, so that a picture's features do not depend on
    the number of others.
    """

    def __init__(self, extractor: "Extractor") -> None:
        self._extractor = extractor
        self._lock = threading.Lock()
        self._waiting: list[tuple[Tensor, Callable[[FeatureResult], None]]] = []

    def add(self, prepared: "Tensor", deliver: Callable[[FeatureResult], None]) -> None:
        """Add a prepared picture; `deliver` is called with its features."""
        with self._lock:
            self._waiting.append((prepared, deliver))
            if len(self._waiting) < self._extractor.batch_size:
                return
            batch, self._waiting = self._waiting, []
        self._run(batch)

    def finish(self) -> None:
        """Run the batch that is not full."""
        batch, self._waiting = self._waiting, []
        if batch:
            self._run(batch)

    def _run(self, batch: "list[tuple[Tensor, Callable[[FeatureResult], None]]]") -> None:
        prepared = [picture for picture, _ in batch]
        prepared += prepared[-1:] * (self._extractor.batch_size - len(batch))
        results: Iterable[FeatureResult]
        try:
            results = self._extractor.features(prepared)[: len(batch)]
        except Exception as error:
            if not memory_ran_out(error):
                raise
            results = [NO_MEMORY] * len(batch)
        for (_, deliver), result in zip(batch, results, strict=True):
            deliver(result)


def load_extractor(name: ExtractorName, settings: Settings, device: str) -> "Extractor":
    """Load the extractor that metrics name, on a device: cpu, cuda, ...

    Raises:
        UserError: a named file cannot be used.
        Unmeasurable: its weights are not in the cache, or no segmenter was given.
    """
    from gan_eval.metrics.networks import extractors, segmenter

    if name == "inception":
        load = partial(extractors.inception_extractor, resizer=settings.resizer, device=device)
        file = open_weights(name, load, settings.weights.get(name))
        return replace(file.contents, sha256=file.sha256, caveat=file.caveat)
    if name.startswith("@"):
        from gan_eval.metrics.networks.own import load_own_network

        network = name.removeprefix("@")
        return load_own_network(network, settings.networks[network], device=device)
    if name == "spectrum":
        from gan_eval.metrics.definitions.spectrum import RINGS, radial_spectrum

        key = "radial-spectrum/int-luma/hann/64-rings"
        return extractors.VectorExtractor(
            name=name, size=RINGS, key=key, vector=lambda picture, _: radial_spectrum(picture)
        )
    if name == "label_colours":
        return segmenter.label_colours()
    if settings.segmenter is None:
        raise Unmeasurable("no segmenter was given: --segmenter FILE")
    return segmenter.load_segmenter(settings.segmenter, device=device)


@dataclass(frozen=True)
class GivenFeatures:
    """Feature vectors as the user gave them."""

    where: str
    """Name of the file or frame in messages."""
    rows: dict[str, int]
    """Row number of each stimulus."""
    values: NDArray[np.floating]
    """(N, d) float32 or float64, all finite."""
    sha256: str

    def store(self, stimuli: Sequence[Stimulus]) -> FeatureStore:
        """Return the vector of each stimulus by its number; for a stimulus without a row, the reason.

        Raises:
            UserError: no stimulus has a row.
        """
        found = [self.rows.get(stimulus.stimulus) for stimulus in stimuli]
        if stimuli and all(row is None for row in found):
            raise UserError(
                f"{self.where}, stimulus: none of its {len(self.rows)} rows is one of the pictures (there "
                f"{next(iter(self.rows), '')!r}, here {stimuli[0].stimulus!r}); use the names in the column stimulus "
                "of image_metrics or stimuli.csv"
            )
        store = FeatureStore(len(stimuli), self.values.shape[1], dtype=self.values.dtype, is_given=True)
        for number, row in enumerate(found):
            if row is None:
                store.put(number, Missing(f"{self.where} has no row for {stimuli[number].stimulus!r}"))
            elif float(np.abs(self.values[row]).max()) > MAX_FEATURE:
                reason = f"{self.where}: a feature of {stimuli[number].stimulus!r} is beyond {MAX_FEATURE:g}"
                store.put(number, Missing(reason))
            else:
                store.put(number, self.values[row])
        return store


def read_features(name: str, given: "Path | str | pd.DataFrame") -> GivenFeatures:
    """Read features from a file by its suffix npz, CSV or Parquet, or take them from a frame; `name` is for messages.

    Raises:
        UserError: the file cannot be read; names or numbers are missing; a name occurs twice; a number is not finite.
    """
    if not isinstance(given, Path | str):
        stimuli, values = _of_frame(given, f"features {name!r}")
        digest = hashlib.sha256(repr(stimuli).encode("utf-8", "surrogatepass") + values.tobytes()).hexdigest()
        return _checked(f"features {name!r}", stimuli, values, digest)
    path = Path(given)
    where = str(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"--features {name}={path}: expected a file {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    require_file(path)
    with unchanged(path):
        digest = sha256_file(path)
        stimuli, values = _of_npz(path) if path.suffix.lower() == ".npz" else _of_frame(_read_frame(path), where)
    return _checked(where, stimuli, values, digest)


def _of_npz(path: Path) -> tuple[list[str], NDArray[Any]]:
    try:
        require_small_arrays(path, "stimulus", "features")
        with np.load(path, allow_pickle=False) as archive:
            members = archive.files
            arrays = [archive[name] for name in ("stimulus", "features") if name in members]
    except UserError:
        raise
    except Exception as error:  # NumPy and zipfile raise many errors for damaged files
        raise UserError(
            f"{path}: not a readable npz file with the arrays stimulus and features ({first_sentence(error)}); save it "
            "again: the names as np.array(names, dtype=str), the features as numbers"
        ) from error
    if len(arrays) < 2:
        raise UserError(
            f"{path}: has the arrays {', '.join(members) or 'none'}; save stimulus, the (N) names, and features, (N, d)"
        )
    names, features = arrays
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise UserError(
            f"{path}, stimulus: shape {names.shape} of {names.dtype}; expected (N) of text: np.array(names, dtype=str)"
        )
    if names.dtype.kind == "S":
        names = np.char.decode(names, "utf-8", "replace")
    return names.tolist(), features


def _read_frame(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        if path.suffix.lower() == ".parquet":
            require_small_parquet(path)
            return pd.read_parquet(path)
        require_small(path.stat().st_size, str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # pandas drops the end of too long rows
            return pd.read_csv(
                path,
                encoding="utf-8-sig",
                index_col=False,
                dtype={"stimulus": str},
                keep_default_na=False,
                na_values=["", "nan", "NaN"],
            )
    except UserError:
        raise
    except Exception as error:  # pandas and pyarrow raise many errors for damaged files
        raise UserError(f"{path}: not readable ({first_sentence(error)}); save it again") from error


def _of_frame(frame: "pd.DataFrame", where: str) -> tuple[list[str], NDArray[Any]]:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise UserError(f"{where}: found a {type(frame).__name__}; give a file or a pandas frame")
    _check_header([str(name) for name in frame.columns], where)
    numbers = frame.drop(columns="stimulus")
    for name, dtype in zip(numbers.columns, numbers.dtypes, strict=True):
        if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_complex_dtype(dtype):
            raise UserError(f"{where}, column {name}: {dtype}, expected numbers; remove columns that are not features")
    names = ["" if name is None or name != name else str(name) for name in frame["stimulus"].tolist()]
    is_single = all(dtype in (np.float32, np.float16) for dtype in numbers.dtypes)
    return names, numbers.to_numpy(dtype=np.float32 if is_single else np.float64, na_value=np.nan)


def _check_header(header: list[str], where: str) -> None:
    """Refuse names of columns that do not say which is the stimulus, or that are missing or not unique."""
    if header.count("stimulus") != 1:
        raise UserError(f"{where}: {header.count('stimulus')} columns 'stimulus'; name the one with the stimuli so")
    if any(not name or name.startswith("Unnamed: ") for name in header):
        raise UserError(f"{where}: a column without a name, an index perhaps; write the file with index=False")
    if twice := [name for name in header if header.count(name) > 1]:
        raise UserError(f"{where}: column {twice[0]!r} occurs twice; remove or rename one")


def _checked(where: str, stimuli: list[str], values: NDArray[Any], digest: str) -> GivenFeatures:
    if values.ndim != 2 or values.dtype.kind not in "fiu" or 0 in values.shape:
        raise UserError(
            f"{where}, features: shape {values.shape} of {values.dtype}; expected (N, d) numbers, not empty"
        )
    if len(stimuli) != len(values):
        raise UserError(f"{where}: {len(stimuli)} stimuli and {len(values)} rows of features; give one row for each")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float32 if values.dtype == np.float16 else np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise UserError(
            f"{where}: row {row + 1} ({stimuli[row]!r}), feature {column + 1}: {values[row, column]}; compute "
            "it again, or remove the row"
        )
    return GivenFeatures(where, _rows_by_name(where, stimuli), values, digest)


def _rows_by_name(where: str, stimuli: list[str]) -> dict[str, int]:
    """Return the row of each stimulus; refuse a row without a name, and two rows of one."""
    rows: dict[str, int] = {}
    for number, name in enumerate(normalize("NFC", name) for name in stimuli):
        if not name:
            raise UserError(f"{where}: row {number + 1}, stimulus: found nothing, expected a name")
        if name in rows:
            raise UserError(f"{where}: rows {rows[name] + 1} and {number + 1} are both of {name!r}; remove one")
        rows[name] = number
    return rows
