"""Stimuli in, metric tables out.

`run_metrics` reads from top to bottom: select the metrics and load their `Tools`; measure the pictures in one pass
(`measure`); compute set metrics from the features (`sets`); compare every two models (`differences`); make the rows.
"""

import json
import os
import platform
import re
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import numpy as np

from gan_eval import __version__, tables
from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set
from gan_eval.base.locks import hold_lock
from gan_eval.base.output_folders import check_output_folder, claim_output_folder
from gan_eval.base.progress import Progress, line_of_progress
from gan_eval.base.threads import usable_cores
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import jackknife
from gan_eval.metrics.definitions.frechet import Rows
from gan_eval.metrics.definitions.own import Function
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.cache import IN_MEMORY, Cache, cache_file
from gan_eval.metrics.run.chunks import CHUNK, measure_in_chunks
from gan_eval.metrics.run.differences import compare_pictures
from gan_eval.metrics.run.inputs import (
    DEFAULT_METRICS,
    Settings,
    Stimulus,
    opened_pair,
    stimuli_of_frame,
    stimuli_of_sets,
)
from gan_eval.metrics.run.measure import PictureResults, Tools, decoder, installed, measure_pictures
from gan_eval.metrics.run.reference import write_reference
from gan_eval.metrics.run.sets import SetRows, measure_items, set_rows
from gan_eval.metrics.weights.cache import find
from gan_eval.pictures.decode import SUFFIXES
from gan_eval.pictures.sets import StimulusSet, identical_pictures, repeated_pictures
from gan_eval.tables.cells import is_missing
from gan_eval.tables.columns import Columns, columns_of, conform_columns, frame_of_columns, rows_of, write_columns
from gan_eval.tables.frames import Row, iso

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.base.parallel import RunTasks

HELD_BYTES = 2**30
"""Maximum size of the features that `RepeatedRuns` keeps: those of 130,000 pictures of Inception."""
MEASURED = f"{OWN_FOLDER}/measured"
"""Below the output folder: the parts of many pictures that are measured, until the tables are written."""
OnMessage = Callable[[str], object]
Set = StimulusSet | Path | str
"""A stimulus set, or its folder."""


def _frame(name: str) -> "cached_property[pd.DataFrame]":
    """Return the property with the frame of a table; a frame without rows if the table has none."""
    table = tables.TABLES[name]
    return cached_property(lambda found: frame_of_columns(found.columns.get(name) or columns_of([], table), table))


@dataclass(frozen=True)
class Evaluation:
    """The metric tables, and the row of `runs` that their column `run` points to."""

    columns: Mapping[str, Columns]
    """The columns of each table, by its name; `hole_metrics` only if it has rows."""

    image_metrics = _frame("image_metrics")
    set_metrics = _frame("set_metrics")
    metric_comparisons = _frame("metric_comparisons")
    hole_metrics = _frame("hole_metrics")
    runs = _frame("runs")

    def by_name(self) -> "dict[str, pd.DataFrame]":
        """Return the frames of the tables, by their name."""
        return {name: getattr(self, name) for name in self.columns}


def evaluate(
    stimuli: "pd.DataFrame | Set | Sequence[Set] | None" = None,
    metrics: "str | Function | Sequence[str | Function]" = DEFAULT_METRICS,
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
    on_progress: Progress | Literal[False] | None = None,
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Compute metrics of stimulus sets, or of two folders of pictures paired by file stem.

    Args:
        stimuli: a frame with the columns of the table `stimuli`, or one or several stimulus sets or their folders.
        real, fake: instead of `stimuli`, the folders of the real and of the generated pictures.
        dataset, model: their names; default: those of the folders.
        metrics: a name or names from `gan_eval.metrics.catalogue.METRICS`; also functions of your own, of (fake, real)
            or of (picture), which are (H, W, 3) uint8 arrays, to a number (see `gan_eval.metrics.definitions.own`).
        root: the folder that a frame's files are relative to; default: the working folder.
        weights: files by the weights' name; default: the cache.
        features: your own features by name: a file or a frame (see `gan_eval.metrics.run.features`). Their metrics are
            called `fid@NAME`, ...; all are computed unless `metrics` names some of them.
        networks: files of your own networks for features, by name (see `gan_eval.metrics.networks.own`).
        paired, tar_key: see `gan_eval.metrics.run.inputs.opened_pair`.
        resizer, resize, white, device, threads, segmenter: see `Settings`.
        cache: False: no cache; or its folder; default: the user's cache folder.
        on_progress: called with (done, total, what); False: no progress. Default: one line that is rewritten, in a
            terminal or a notebook.

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
    if (stimuli is None) == (real is None or fake is None):
        raise UserError("evaluate: give either stimuli, or both folders real and fake")
    # os.path, because a path's own method fails on a long text
    is_folder = isinstance(metrics, str) and metrics not in METRICS and os.path.isdir(metrics)  # noqa: PTH112
    if isinstance(metrics, Path) or is_folder:
        raise UserError(f"evaluate: metrics={metrics} is a folder; for two folders write evaluate(real=..., fake=...)")
    settings = Settings(
        metrics=(metrics,) if isinstance(metrics, str) or callable(metrics) else tuple(metrics),
        resizer=resizer,
        resize=resize,
        white=white,
        weights=_paths(weights),
        device=device,
        threads=threads,
        features=_paths(features),
        networks=_paths(networks),
        segmenter=None if segmenter is None else Path(segmenter),
        cache=_cache_file(cache),
    )
    with ExitStack() as opened:
        if real is not None and fake is not None:
            named = {"dataset": dataset, "model": model}
            pair = opened_pair(Path(real), Path(fake), settings, **named, paired=paired, tar_key=tar_key)
            stimuli, remarks = opened.enter_context(pair)
            for line in remarks:
                warnings.warn(line, stacklevel=2)
        shown = opened.enter_context(line_of_progress("metrics")) if on_progress is None else on_progress or None
        evaluation = run_metrics(_stimuli_of(stimuli, root), settings, command="evaluate", on_progress=shown)
    return evaluation.image_metrics, evaluation.set_metrics


def _cache_file(cache: bool | Path | str) -> Path | None:
    """Return the file of cached values in a folder or, if True, in the user's; None: no cache."""
    if isinstance(cache, Path | str):
        return Path(cache) / cache_file().name
    return cache_file() if cache else None


def _paths(files: "Mapping[str, Any] | None") -> dict[str, Any]:
    """Return the user's files by name, texts as paths."""
    return {name: Path(file) if isinstance(file, str) else file for name, file in (files or {}).items()}


def _stimuli_of(stimuli: "pd.DataFrame | Set | Sequence[Set] | None", root: Path | str | None) -> list[Stimulus]:
    import pandas as pd

    if isinstance(stimuli, pd.DataFrame):
        return stimuli_of_frame(stimuli, Path(root or ""))
    return stimuli_of_sets([stimuli] if isinstance(stimuli, StimulusSet | Path | str) else stimuli or ())


def write_metrics(
    sets: Sequence[Set],
    settings: Settings,
    out: Path,
    *,
    run_tasks: "RunTasks | None" = None,
    on_progress: Progress | None = None,
    on_message: OnMessage | None = None,
) -> Evaluation:
    """Compute metrics of one or several stimulus sets and write each table as CSV and Parquet into `out`.

    Args:
        sets: stimulus sets, or their folders.
        settings: what is computed, and how.
        out: an empty or new folder, or one of an earlier run.
        run_tasks, on_progress, on_message: see `run_metrics`.

    Returns:
        The tables. `hole_metrics` has no file if it has no rows.

    Raises:
        UserError: a set, a name, a named file or `out` is not valid, a table cannot be written, another process
            measures many pictures there, or has been writing there for a minute.
    """
    stimuli = stimuli_of_sets(sets)
    with ExitStack() as stack:
        if run_tasks or len(stimuli) > CHUNK:
            check_output_folder(Path(out))
            lock = Path(out) / OWN_FOLDER / "measured.lock"
            stack.enter_context(hold_lock(lock, f"--out {out}", "measuring there"))
        tables_of_run = run_metrics(
            stimuli,
            settings,
            command="metrics",
            out=out,
            run_tasks=run_tasks,
            on_progress=on_progress,
            on_message=on_message,
        )
        with replaced_set(Path(out), "metrics") as new:
            for name in tables_of_run.columns:
                write_columns(tables_of_run.columns[name], tables.TABLES[name], new.folder)
            new.run = tables_of_run.columns["runs"]["run"][0]
        shutil.rmtree(Path(out) / MEASURED, ignore_errors=True)
    return tables_of_run


class RepeatedRuns:
    """State of repeated runs with the same settings on one set, such as during a training.

    Networks stay loaded, and values and features stay in memory. Set metrics have values without intervals.
    """

    def __init__(self, settings: Settings) -> None:
        """Load what the metrics need."""
        self.cache = Cache(IN_MEMORY, limit=HELD_BYTES)
        self.tools = Tools(settings.selected(), settings)


def _save_reference(file: Path, stimuli: Sequence[Stimulus], results: PictureResults) -> None:
    """Write the statistics of all real pictures' Inception features."""
    store = results.stores.get("inception")
    if store is None:
        raise UserError(f"--save-reference {file}: needs a metric of Inception features; add fid to --metrics")
    is_real = np.array([not stimulus.is_fake for stimulus in stimuli]) & store.filled
    try:
        write_reference(file, Rows(store.values, is_real))
    except Unmeasurable as reason:
        raise UserError(f"--save-reference {file}: {reason}") from reason


def run_metrics(
    stimuli: Sequence[Stimulus],
    settings: Settings,
    *,
    command: str,
    out: Path | None = None,
    held: RepeatedRuns | None = None,
    run_tasks: "RunTasks | None" = None,
    on_progress: Progress | None = None,
    on_message: OnMessage | None = None,
) -> Evaluation:
    """Compute metrics of stimuli, with the row of `runs` that documents them.

    Args:
        stimuli, settings: the pictures, and what to compute.
        command: name of the command in `runs`.
        out: a folder for the tables; it is claimed after all checks, before anything is measured.
        held: state of earlier runs with the same settings.
        run_tasks: gives the pictures in parts to other processes; see `measure_chunk`.
        on_progress: called with (done, total, what).
        on_message: called with messages that are not in the tables; default: a warning.

    Raises:
        UserError: a metric is unknown, or a named file or `out` is not valid.
    """
    run, started = f"metrics-{uuid4().hex[:12]}", datetime.now(UTC)
    metrics = settings.selected()
    threads = settings.threads or (usable_cores() if len(stimuli) > 2 else 1)
    for name, file in settings.weights.items():
        find(name, path=file)
    with ExitStack() as stack:
        cache = held.cache if held else stack.enter_context(Cache(settings.cache))
        tools = held.tools if held else Tools(metrics, settings)
        if out is not None:
            claim_output_folder(out)
        how: dict[str, Any] = {"cache": cache, "threads": threads, "on_progress": on_progress}
        if out is not None and (run_tasks or len(stimuli) > CHUNK):
            results = measure_in_chunks(stimuli, tools, Path(out) / MEASURED, run_tasks=run_tasks, **how)
        else:
            results = measure_pictures(stimuli, tools, **how)
        results.stores |= {name: features.store(stimuli) for name, features in tools.given.items()}
        if held:
            held.cache.write(now=True)
        elif tools.extractors:
            tools.free_networks()
        if settings.save_reference:
            _save_reference(settings.save_reference, stimuli, results)
        measure_items(stimuli, tools, results, threads=threads)
        found = set_rows(
            stimuli, results, tools, cache, threads=threads, values_only=bool(held), on_progress=on_progress
        )
    notes = [] if on_message is None else _notes_of_sets(tools, found)  # no warning of Python's: the tables have them
    for message in filter(None, [cache.problem, *_equal_pictures(stimuli, results), *notes]):
        (on_message or warnings.warn)(message)
    images, comparisons = image_columns(stimuli, tools, results, run), found.comparisons
    if len({*images["model"]} - {None}) > 1:
        comparisons = [*compare_pictures(rows_of(images), [each for each in metrics if each.own]), *comparisons]
    ended = max(started, datetime.now(UTC))  # the clock may have been set back
    facts = {"run": run, "command": command, "threads": threads, "started_at": iso(started), "ended_at": iso(ended)}
    run_row = facts | provenance(stimuli, tools, results)
    made = {tables.SET_METRICS: found.sets, tables.METRIC_COMPARISONS: comparisons}
    made |= {tables.HOLE_METRICS: found.of_holes} if found.of_holes else {}
    columns = {table.name: columns_of(({**row, "run": run} for row in rows), table) for table, rows in made.items()}
    return Evaluation({"image_metrics": images, **columns, "runs": columns_of([run_row], tables.RUNS)})


def _equal_pictures(stimuli: Sequence[Stimulus], results: PictureResults) -> list[str]:
    """Return messages about generated pictures that are real ones, and real ones with several names."""
    if len({*results.hashes.values()}) == len(results.hashes):
        return []
    hashed = [
        {"stimulus": stimulus.stimulus, "kind": stimulus.kind, "sha256": results.hashes.get(number)}
        for number, stimulus in enumerate(stimuli)
    ]
    return [identical_pictures(hashed), repeated_pictures(hashed)]


def _notes_of_sets(tools: Tools, found: SetRows) -> list[str]:
    """Return the notes that the rows of sets have, once."""
    reference = [tools.reference.note] if tools.reference else []
    return reference + [f"{dataset}, {model}: in set metrics, {note}" for (dataset, model), note in found.notes.items()]


def image_columns(stimuli: Sequence[Stimulus], tools: Tools, results: PictureResults, run: str) -> Columns:
    """Return the table `image_metrics`, in the order of the stimuli.

    Pair metrics and metrics of inputs have rows for the generated pictures, and for real pictures without a generated
    one.
    """
    metrics = [metric for metric, _ in tools.measures]
    in_pairs = np.array([stimulus.has_pair_metrics for stimulus in stimuli], bool)
    is_single = np.array([metric.kind == "single" for metric in metrics], bool)
    rows, columns = np.argwhere(in_pairs[:, None] | is_single[None, :]).T.tolist()
    names = ("stimulus", "item", "kind", "model", "dataset", "seen", "fraction")
    facts = {name: [getattr(stimulus, name) for stimulus in stimuli] for name in names}
    facts["sha256"] = [*map(results.hashes.get, range(len(stimuli)))]
    cells: Columns = {name: [values[row] for row in rows] for name, values in facts.items()}
    cells["metric"] = [metrics[column].name for column in columns]
    cells["value"] = results.numbers[rows, columns].tolist()
    cells["reason"] = list(map(results.reasons.get, zip(rows, columns, strict=True)))
    cells["run"] = [run] * len(rows)
    return conform_columns({name: cells[name] for name in tables.IMAGE_METRICS.by_name}, tables.IMAGE_METRICS)


_FILE = re.compile(rf"^.*?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}): ", re.IGNORECASE)
_SPECIFIC = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""Quoted names and numbers: the parts of a reason that differ between pictures."""


def missing_values(columns: "Mapping[str, Mapping[str, Any] | pd.DataFrame]", *, most: int = 20) -> list[str]:
    """Return a message for each kind of reason for missing values, the most frequent kind first.

    Reasons that differ only in file names, quoted names or numbers are of one kind.

    Args:
        columns: those of the tables `image_metrics` and `set_metrics`, by their name.
        most: maximum number of messages.
    """
    sets, images = columns["set_metrics"], columns["image_metrics"]
    lines = []
    for things, table, owners in (
        ("sets", sets, [f"{model} on {on}" for model, on in zip(sets["model"], sets["dataset"], strict=True)]),
        ("pictures", images, images["stimulus"]),
    ):
        kinds: dict[str, list[tuple[str, str, str]]] = {}
        for owner, metric, value, reason in zip(owners, table["metric"], table["value"], table["reason"], strict=True):
            if is_missing(value):
                kind = _SPECIFIC.sub("", _FILE.sub("", str(reason)))
                kinds.setdefault(kind, []).append((owner, metric, reason))
        gaps = [(len({owner for owner, _, _ in gap}), gap) for gap in kinds.values()]
        for count, gap in sorted(gaps, key=lambda gap: -gap[0]):
            metrics = ", ".join(dict.fromkeys(metric for _, metric, _ in gap))
            first, _, reason = gap[0]
            if count > 1:
                lines.append(f"{count} {things}: no {metrics}; the first, {first}: {reason}")
            else:
                lines.append(f"{first}: no {metrics}: {reason}")
    rest = len(lines) - most
    return [*lines[:most], f"... and {rest} more"] if rest > 0 else lines


def dependencies(tools: Tools, *, has_deep_pairs: bool) -> Row:
    """Return what the values depend on besides the pictures; its hash is the same for values from the cache.

    Args:
        has_deep_pairs: two pictures of 16 bits were compared.
    """
    networks, settings = tools.extractors, tools.settings
    has_sets = any(metric.kind == "set" for metric in tools.metrics)
    facts: Row = {
        "metrics": {metric.name: _source(metric, has_deep_pairs=has_deep_pairs) for metric in tools.metrics},
        "definitions": {metric.name: metric.definition for metric in tools.metrics},
        "decoder": decoder(white=settings.white),
        "resizer": settings.resizer if "inception" in networks else None,
        "resize": "bicubic" if settings.resize else None,
        "weights": dict(sorted(tools.sha256.items())),
        "segmenter": networks["segmenter"].key if "segmenter" in networks else None,
        "caveats": tools.caveats,
        "interval": jackknife.METHOD if has_sets else None,
    }
    users = {
        "functions": {metric.name: metric.own._asdict() for metric in tools.metrics if metric.own},
        "features": {name.removeprefix("@"): given.sha256 for name, given in tools.given.items()},
        "networks": {name[1:]: network.key for name, network in networks.items() if name.startswith("@")},
    }
    return facts | {kind: values for kind, values in users.items() if values}


def _source(metric: Metric, *, has_deep_pairs: bool) -> str:
    """Return the definition's source."""
    in_16_bits = metric.of_16_bits if has_deep_pairs else None
    return f"{metric.source}; of 16 bits: {in_16_bits}" if in_16_bits else metric.source


def provenance(stimuli: Sequence[Stimulus], tools: Tools, results: PictureResults) -> Row:
    """Return the columns of `runs` on settings and input; the caller adds identifier, command, threads and times."""
    depends = dependencies(tools, has_deep_pairs=results.has_deep_pairs)
    hashes = {stimuli[number].stimulus: digest for number, digest in results.hashes.items()}
    for number, companions in results.companions.items():
        for name in sorted(companions, reverse=True):
            hashes[stimuli[number].stimulus] += f" {name} {companions[name]}"
    fractions = {stimulus.fraction for stimulus in stimuli if stimulus.fraction is not None}
    has_sets, weights = depends["interval"] is not None, depends["weights"]
    software = [f"gan_eval {__version__}", f"python {platform.python_version()}", *installed(_libraries(tools))]
    return {
        "settings": json.dumps(depends | {"kept_values_used": results.cached}, sort_keys=True, ensure_ascii=False),
        "settings_hash": sha256_json(depends),
        "input_hash": sha256_json(hashes),
        "software": "; ".join(software),
        "weights_sha256": (
            next(iter(weights.values()), None)
            if len(weights) < 2
            else "; ".join(f"{name} {digest}" for name, digest in weights.items())
        ),
        "resizer": depends["resizer"],
        "device": _device(tools.device),
        "seed": jackknife.SEED if has_sets else None,
        "fraction": fractions.pop() if len(fractions) == 1 else None,
    }


def _libraries(tools: Tools) -> list[str]:
    """Return the libraries that the values depend on."""
    libraries = ["numpy", "pillow", "numba"]
    if tools.sha256 or tools.device != "cpu":
        libraries += ["torch", "torchvision"]
    libraries += ["scipy"] * any(metric.kind == "set" for metric in tools.metrics)
    return libraries + [name for metric in tools.metrics if metric.library for name in ("torch", metric.library)]


def _device(device: str) -> str:
    """Return the name of a device, with the model of a GPU."""
    if not device.startswith("cuda"):
        return device
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"
