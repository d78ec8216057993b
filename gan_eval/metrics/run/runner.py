"""Stimuli in, metric tables out.

`run_metrics` reads from top to bottom: select the metrics and make their `Tools`; measure single pictures and compute
features in one pass (`pictures`); compute set metrics from the features (`sets`); compare every two models
(`differences`); make the rows (`tables`).
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.output_folders import claim_output_folder
from gan_eval.files.sets import replaced_set
from gan_eval.machine.threads import usable_cores
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, OnProgress
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.cache import IN_MEMORY, Cache, cache_file
from gan_eval.metrics.run.differences import compare_pictures
from gan_eval.metrics.run.inputs import (
    DEFAULT_METRICS,
    Settings,
    Stimulus,
    opened_pair,
    stimuli_of_frame,
    stimuli_of_sets,
)
from gan_eval.metrics.run.measures import Tools
from gan_eval.metrics.run.pictures import PictureResults, measure_pictures
from gan_eval.metrics.run.reference import write_reference
from gan_eval.metrics.run.sets import measure_items, set_rows, technical_notes
from gan_eval.metrics.run.tables import Evaluation, image_columns, provenance
from gan_eval.metrics.weights.cache import find
from gan_eval.pictures.sets import StimulusSet, identical_pictures, repeated_pictures
from gan_eval.tables.columns import columns_of, rows_of, write_columns
from gan_eval.tables.frames import iso

if TYPE_CHECKING:
    import pandas as pd

HELD_BYTES = 2**30
"""Maximum size of the features that `Held` keeps: those of 130,000 pictures of Inception."""
OnMessage = Callable[[str], object]
Set = StimulusSet | Path | str
"""A stimulus set, or its folder."""


def evaluate(
    stimuli: "pd.DataFrame | Set | Sequence[Set] | None" = None,
    metrics: str | Sequence[str] = DEFAULT_METRICS,
    *,
    real: Path | str | None = None,
    fake: Path | str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    root: Path | str | None = None,
    weights: Mapping[str, Path | str] | None = None,
    features: "Mapping[str, Path | str | pd.DataFrame] | None" = None,
    networks: Mapping[str, Path | str] | None = None,
    resizer: str = DEFAULT_RESIZER,
    resize: bool = False,
    paired: bool | None = None,
    tar_key: str | None = None,
    white: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    segmenter: Path | str | None = None,
    cache: bool | Path | str = True,
    on_progress: OnProgress | None = None,
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Compute metrics of stimulus sets, or of two folders of pictures paired by file stem.

    Args:
        stimuli: a frame with the columns of the table `stimuli`, or one or several stimulus sets or their folders.
        real, fake: instead of `stimuli`, the folders of the real and of the generated pictures.
        dataset, model: their names; default: those of the folders.
        metrics: a name or names from `gan_eval.metrics.catalogue.METRICS`.
        root: the folder that a frame's files are relative to; default: the working folder.
        weights: files by the weights' name; default: the cache.
        features: your own features by name: a file or a frame (see `gan_eval.metrics.run.features`). Their metrics are
            called `fid@NAME`, ...; all are computed unless `metrics` names some of them.
        networks: files of your own networks for features, by name (see `gan_eval.metrics.networks.own`).
        paired, tar_key: see `gan_eval.metrics.run.inputs.opened_pair`.
        resizer, resize, white, device, threads, segmenter: see `Settings`.
        cache: False: no cache; or its folder; default: the user's cache folder.
        on_progress: called with (done, total, what).

    Returns:
        The tables `image_metrics` and `set_metrics`. A value that cannot be computed is missing, with its reason.

    Raises:
        UserError: a setting, a set, a column or a named file is not valid.

    >>> import numpy as np
    >>> from PIL import Image
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> for kind, grey in (("real", 100), ("fake", 110)):
    ...     (folder / kind).mkdir()
    ...     for name in "ab":
    ...         Image.fromarray(np.full((32, 32, 3), grey, "uint8")).save(folder / kind / f"{name}.png")
    >>> image_metrics, set_metrics = evaluate(real=folder / "real", fake=folder / "fake", metrics="psnr", cache=False)
    >>> image_metrics[["stimulus", "metric", "value"]].round(2)
          stimulus metric  value
    0  real/fake/a   psnr  28.13
    1  real/fake/b   psnr  28.13
    """
    import pandas as pd

    if (stimuli is None) == (real is None or fake is None):
        raise UserError("evaluate: give either stimuli, or both folders real and fake")
    # os.path, because a path's own method fails on a long text
    is_folder = isinstance(metrics, str) and metrics not in METRICS and os.path.isdir(metrics)  # noqa: PTH112
    if isinstance(metrics, Path) or is_folder:
        raise UserError(f"evaluate: metrics={metrics} is a folder; for two folders write evaluate(real=..., fake=...)")
    file = Path(cache) / cache_file().name if isinstance(cache, Path | str) else cache_file() if cache else None
    settings = Settings(
        metrics=(metrics,) if isinstance(metrics, str) else tuple(metrics),
        resizer=resizer,
        resize=resize,
        white=white,
        weights={name: Path(path) for name, path in (weights or {}).items()},
        device=device,
        threads=threads,
        features={name: Path(file) if isinstance(file, str) else file for name, file in (features or {}).items()},
        networks={name: Path(path) for name, path in (networks or {}).items()},
        segmenter=None if segmenter is None else Path(segmenter),
        cache=file,
    )
    with ExitStack() as opened:
        if real is not None and fake is not None:
            named = {"dataset": dataset, "model": model}
            pair = opened_pair(Path(real), Path(fake), settings, **named, paired=paired, tar_key=tar_key)
            stimuli, remarks = opened.enter_context(pair)
            for line in remarks:
                warnings.warn(line, stacklevel=2)
        if isinstance(stimuli, pd.DataFrame):
            pictures = stimuli_of_frame(stimuli, Path(root or ""))
        else:
            pictures = stimuli_of_sets([stimuli] if isinstance(stimuli, StimulusSet | Path | str) else stimuli or ())
        evaluation = run_metrics(pictures, settings, command="evaluate", on_progress=on_progress)
    return evaluation.image_metrics, evaluation.set_metrics


def write_metrics(
    sets: Sequence[Set],
    settings: Settings,
    out: Path,
    *,
    on_progress: OnProgress | None = None,
    on_message: OnMessage | None = None,
) -> "dict[str, pd.DataFrame]":
    """Compute metrics and write them as `measure_sets` does; return the frames of the tables that have a file."""
    return measure_sets(sets, settings, out, on_progress=on_progress, on_message=on_message).by_name()


def measure_sets(
    sets: Sequence[Set],
    settings: Settings,
    out: Path,
    *,
    on_progress: OnProgress | None = None,
    on_message: OnMessage | None = None,
) -> Evaluation:
    """Compute metrics of one or several stimulus sets and write each table as CSV and Parquet into `out`.

    Args:
        sets: stimulus sets, or their folders.
        settings: what is computed, and how.
        out: an empty or new folder, or one of an earlier run.
        on_progress, on_message: see `run_metrics`.

    Returns:
        The tables. `hole_metrics` has no file if it has no rows.

    Raises:
        UserError: a set, a name, a named file or `out` is not valid, a table cannot be written, or another process has
            been writing there for a minute.
    """
    found = run_metrics(
        stimuli_of_sets(sets), settings, command="metrics", out=out, on_progress=on_progress, on_message=on_message
    )
    with replaced_set(Path(out), "metrics") as new:
        for name in found.written():
            files = (new.folder / f"{name}.csv", new.folder / f"{name}.parquet")
            write_columns(found.columns[name], tables.TABLES[name], *files)
        new.run = found.columns["runs"]["run"][0]
    return found


class Held:
    """State of repeated runs with the same settings on one set, such as during a training.

    Networks stay loaded, and values and features stay in memory. Set metrics have values without intervals.
    """

    def __init__(self, settings: Settings) -> None:
        """Load what the metrics need.

        Raises:
            UserError: a metric is unknown, or a file of weights is not valid.
        """
        self.cache = Cache(IN_MEMORY, limit=HELD_BYTES)
        self.tools = Tools(settings.selected(), settings)


def _save_reference(file: Path, stimuli: Sequence[Stimulus], results: PictureResults) -> None:
    """Write the statistics of all real pictures' Inception features.

    Raises:
        UserError: there are no such features, or too few.
    """
    store = results.stores.get("inception")
    if store is None:
        raise UserError(f"--save-reference {file}: needs a metric of Inception features; add fid to --metrics")
    reals = [number for number, stimulus in enumerate(stimuli) if not stimulus.is_fake and store.filled[number]]
    features = store.values[reals]  # noqa: PD011
    try:
        write_reference(file, features)
    except Unmeasurable as reason:
        raise UserError(f"--save-reference {file}: {reason}") from reason


def run_metrics(
    stimuli: Sequence[Stimulus],
    settings: Settings,
    *,
    command: str,
    out: Path | None = None,
    held: Held | None = None,
    on_progress: OnProgress | None = None,
    on_message: OnMessage | None = None,
) -> Evaluation:
    """Compute metrics of stimuli, with the row of `runs` that documents them.

    Args:
        stimuli, settings: the pictures, and what to compute.
        command: name of the command in `runs`.
        out: a folder for the tables; it is claimed after all checks, before anything is measured.
        held: state of earlier runs with the same settings.
        on_progress: called with (done, total, what).
        on_message: called with messages that are not in the tables; default: a warning.

    Raises:
        UserError: a metric is unknown, or a named file or `out` is not valid.
    """
    run, started = f"metrics-{uuid4().hex[:12]}", iso(datetime.now(UTC))
    threads = settings.threads or usable_cores()
    metrics = settings.selected()
    for name, file in settings.weights.items():
        find(name, path=file)
    with ExitStack() as stack:
        cache = held.cache if held else stack.enter_context(Cache(settings.cache))
        tools = held.tools if held else Tools(metrics, settings)
        if out is not None:
            claim_output_folder(out)
        results = measure_pictures(
            stimuli,
            tools,
            cache=cache,
            resize=settings.resize,
            white=settings.white,
            threads=threads,
            on_progress=on_progress,
        )
        if held:
            cache.write(now=True)
        else:
            tools.free_networks()
        if settings.save_reference:
            _save_reference(settings.save_reference, stimuli, results)
        measure_items(stimuli, tools, results, cache, threads=threads)
        notes = {} if held else technical_notes(stimuli, metrics, results, cache, threads=threads)
        sets, comparisons, of_holes = set_rows(
            stimuli, metrics, results, tools, cache, notes=notes, values_only=held is not None, on_progress=on_progress
        )
    hashed = [
        {"stimulus": stimulus.stimulus, "kind": stimulus.kind, "sha256": results.hashes.get(number)}
        for number, stimulus in enumerate(stimuli)
    ]
    equal = [identical_pictures(hashed), repeated_pictures(hashed)]
    for message in filter(None, [cache.problem, *equal]):
        (on_message or warnings.warn)(message)
    if on_message:  # no warning of Python's, because the tables have the notes
        if tools.reference:
            on_message(tools.reference.note)
        for (dataset, model), note in notes.items():
            on_message(f"{dataset}, {model}: in set metrics, {note}")
    images = image_columns(stimuli, tools.measures, results, run)
    if len({*images["model"]} - {None}) > 1:
        comparisons = [*compare_pictures(rows_of(images)), *comparisons]
    run_row = {
        "run": run,
        "command": command,
        **provenance(stimuli, metrics, settings, tools, results),
        "threads": threads,
        "started_at": started,
        "ended_at": max(started, iso(datetime.now(UTC))),  # the clock may have been set back
    }
    made = {tables.SET_METRICS: sets, tables.METRIC_COMPARISONS: comparisons, tables.HOLE_METRICS: of_holes}
    columns = {table.name: columns_of(({**row, "run": run} for row in rows), table) for table, rows in made.items()}
    return Evaluation({"image_metrics": images, **columns, "runs": columns_of([run_row], tables.RUNS)})
