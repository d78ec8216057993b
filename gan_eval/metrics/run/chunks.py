"""Many pictures in parts that are kept on disk: in bounded memory, by several processes, and each part once.

The parts of a run lie in `OUT/.gan-eval/measured/` until its tables are written. A part's name is the hash of all that
its values depend on, so a repeated command takes the parts that an interrupted one has finished.
"""

import json
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_eval.base.atomic import atomic_path
from gan_eval.base.digests import sha256_json
from gan_eval.base.progress import Progress
from gan_eval.base.threads import usable_cores
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.features import FeatureStore, release
from gan_eval.metrics.run.inputs import Settings, Stimulus
from gan_eval.metrics.run.measure import PictureResults, Tools, jobs_of, measure_pictures

if TYPE_CHECKING:
    from gan_eval.base.parallel import RunTasks

CHUNK = 1000
"""Number of pictures of a part, at least. Those that share a real picture stay together."""
SHARES = 8
"""Number of parts of few pictures, so that several processes have work."""
SMALLEST = 100
"""Minimum number of pictures of such a part."""
HELD_FEATURES = 2**27
"""Size in bytes above which features are in a file, not in memory."""


def measure_chunk(settings: Settings, chunk: tuple[Sequence[Stimulus], Path]) -> None:
    """Measure a part of a set's pictures, and write values, hashes and features to its file.

    Any process that can read the files can do it: the arguments are plain data. It loads the networks once, and uses
    one thread where OMP_NUM_THREADS says so.
    """
    (stimuli, file), tools = chunk, _tools(pickle.dumps(settings))
    threads = settings.threads or (1 if os.environ.get("OMP_NUM_THREADS") == "1" else usable_cores())
    with Cache(settings.cache) as cache:
        _write(measure_pictures(stimuli, tools, cache=cache, threads=threads), file)


@lru_cache(1)
def _tools(settings: bytes) -> Tools:
    options: Settings = pickle.loads(settings)
    return Tools(options.selected(), options)


def measure_in_chunks(
    stimuli: Sequence[Stimulus],
    tools: Tools,
    folder: Path,
    *,
    cache: Cache,
    threads: int = 1,
    run_tasks: "RunTasks | None" = None,
    on_progress: Progress | None = None,
) -> PictureResults:
    """Return what `measure_pictures` does; parts of the pictures are measured one by one, or shared out.

    Args:
        folder: for the parts; those of an earlier run that fit are taken.
        run_tasks: gives the parts to processes that see the same files; default: this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chunks = {_file_of([stimuli[n] for n in numbers], tools, folder): numbers for numbers in _chunks(stimuli)}
    missing = {file: [stimuli[n] for n in numbers] for file, numbers in chunks.items() if not file.is_file()}
    done = list(accumulate(map(len, missing.values()), initial=len(stimuli) - sum(map(len, missing.values()))))

    def show(parts: int) -> None:
        if on_progress:
            on_progress(done[parts], len(stimuli), "pictures")

    def show_within(part: int, pictures: int, of: int, *_: object, **_more: object) -> None:
        if on_progress and pictures < of:
            on_progress(done[part] + pictures, len(stimuli), "pictures")

    show(0)
    if run_tasks is None:
        for part, (file, measured) in enumerate(missing.items()):
            within = partial(show_within, part)
            _write(measure_pictures(measured, tools, cache=cache, threads=threads, on_progress=within), file)
            show(part + 1)
    else:
        tools.free_networks()  # each process has its own
        asked = [*zip(missing.values(), missing, strict=True)]
        run_tasks(measure_chunk, tools.settings, asked, on_done=show)
    return _assembled(stimuli, tools, chunks, folder)


def _chunks(stimuli: Sequence[Stimulus]) -> Iterator[list[int]]:
    """Yield the numbers of the stimuli of each part."""
    size = min(CHUNK, max(SMALLEST, len(stimuli) // SHARES))
    numbers: list[int] = []
    for job in jobs_of(stimuli):
        numbers += job
        if len(numbers) >= size:
            yield numbers
            numbers = []
    if numbers:
        yield numbers


def _file_of(stimuli: Sequence[Stimulus], tools: Tools, folder: Path) -> Path:
    """Return the file of a part, named by all that its values depend on."""
    facts: list[list[object]] = []
    names = {one.file: one.shown for one in stimuli if one.shown}
    for one in stimuli:
        facts.append([one.stimulus, one.item, one.kind, one.problem, one.no_reference])
        for path in (one.file, one.reference, one.input, one.mask):
            with suppress(OSError):
                status = os.stat(path) if path else None  # noqa: PTH116 - a path's own `stat` costs twice as much
                name = names.get(path, str(path)) if path else None  # a container is unpacked into a new folder
                facts[-1] += [name, status and status.st_size, status and status.st_mtime_ns]
    return folder / f"{sha256_json([list(tools.definitions.items()), facts])[:32]}.npz"


def _write(results: PictureResults, file: Path) -> None:
    texts = {
        "reasons": [[*row_and_column, reason] for row_and_column, reason in results.reasons.items()],
        "unreadable": list(results.unreadable.items()),
        "hashes": list(results.hashes.items()),
        "companions": list(results.companions.items()),
        "no_features": {name: list(store.reasons.items()) for name, store in results.stores.items()},
        "cached": results.cached,
        "has_deep_pairs": bool(results.has_deep_pairs),
    }
    arrays: dict[str, Any] = {"numbers": results.numbers, "texts": np.frombuffer(json.dumps(texts).encode(), np.uint8)}
    for name, store in results.stores.items():
        arrays |= {f"values {name}": store.values, f"filled {name}": store.filled}
    with atomic_path(file) as temporary, temporary.open("wb") as out:
        np.savez(out, **arrays)


def _assembled(
    stimuli: Sequence[Stimulus], tools: Tools, chunks: dict[Path, list[int]], folder: Path
) -> PictureResults:
    """Return the results of all parts; many features stay in a file."""
    results = PictureResults(np.full((len(stimuli), len(tools.measures)), np.nan))
    for name, extractor in tools.extractors.items():
        is_large = len(stimuli) * extractor.size * 4 > HELD_FEATURES
        results.stores[name] = FeatureStore(
            len(stimuli), extractor.size, file=folder / f"{name}.npy" if is_large else None
        )
    for file, numbers in chunks.items():
        with np.load(file, allow_pickle=False) as part:
            texts = json.loads(part["texts"].tobytes())
            results.numbers[numbers] = part["numbers"]
            for name, store in results.stores.items():
                store.values[numbers], store.filled[numbers] = part[f"values {name}"], part[f"filled {name}"]
                store.reasons |= {numbers[row]: reason for row, reason in texts["no_features"][name]}
                release(store.values)
        results.reasons |= {(numbers[row], column): reason for row, column, reason in texts["reasons"]}
        results.unreadable |= {numbers[row]: reason for row, reason in texts["unreadable"]}
        results.hashes |= {numbers[row]: digest for row, digest in texts["hashes"]}
        results.companions |= {numbers[row]: each for row, each in texts["companions"]}
        results.cached += texts["cached"]
        results.has_deep_pairs |= texts["has_deep_pairs"]
    return results
