"""Stimuli in, metric tables out.

The set metrics, computed once for the same features: each metric's rows are kept by the hash of all that goes in.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pandas as pd

from gan_eval import tables
from gan_eval.files import claim_output_folder, sha256_json
from gan_eval.metrics.catalogue import BESIDE_FID, DEFAULT_RESIZER, METRICS, Metric, OnProgress
from gan_eval.metrics.registry import select
from gan_eval.metrics.run.cache import Cache, cache_file
from gan_eval.metrics.run.evaluation import DEFAULT, TABLES, Evaluation, SetRows, Settings, unused_files, write_tables
from gan_eval.metrics.run.external_values import read_beside
from gan_eval.metrics.run.features import FeatureStore
from gan_eval.metrics.run.inputs import Stimulus, named_twice, stimuli_of_frame, stimuli_of_sets
from gan_eval.metrics.run.pictures import PictureResults, compared_rows, image_table, jobs_of, measure_pictures
from gan_eval.metrics.run.processes import ALONE, Processes
from gan_eval.metrics.run.provenance import now, provenance, usable_cores
from gan_eval.metrics.run.tools import Tools, versions
from gan_eval.settings.training import Precision
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.tabular import Row, frame_of

OnMessage = Callable[[str], object]
Set = StimulusSet | Path | str
"""A stimulus set, or its folder."""


def evaluate(
    stimuli: pd.DataFrame | Set | Sequence[Set],
    metrics: str | Sequence[str] = DEFAULT,
    *,
    root: Path | str | None = None,
    weights: Path | str | Mapping[str, Path | str] | None = None,
    resizer: str = DEFAULT_RESIZER,
    resize: bool = False,
    device: str | None = None,
    threads: int | None = None,
    precision: Precision = "fp32",
    segmenter: Path | str | None = None,
    cache: bool | Path | str = True,
    on_progress: OnProgress | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute metrics of stimuli.

    Args:
        stimuli: a frame with the columns of the table `stimuli`, or one or several stimulus sets or their folders.
        metrics: a name or names from `gan_eval.metrics.registry.METRICS`, or of installed own metrics.
        root: the folder that a frame's files are relative to; default: the working folder.
        weights: files by the weights' name; a path alone is Inception's.
        resizer, resize, device, threads, precision, segmenter: see `Settings`.
        cache: whether values are kept and found again, or the folder for that; default: the user's cache folder.
        on_progress: called with (done, total, what).

    Returns:
        The tables `image_metrics` and `set_metrics`. A value that could not be had is missing, with its reason.

    Raises:
        UserError: a setting, a set, a column or a named file will not do.
    """
    given = weights if isinstance(weights, Mapping) else {} if weights is None else {"inception": weights}
    settings = Settings(
        metrics=_names(metrics),
        resizer=resizer,
        resize=resize,
        weights={name: Path(path) for name, path in given.items()},
        device=device,
        threads=threads,
        precision=precision,
        segmenter=None if segmenter is None else Path(segmenter),
        cache=_cache_of(cache),
    )
    evaluation = run_metrics(_stimuli_of(stimuli, root), settings, command="evaluate", on_progress=on_progress)
    return evaluation.image_metrics, evaluation.set_metrics


def write_metrics(
    sets: Sequence[Set],
    how: Settings | str | Sequence[str],
    out: Path,
    *,
    beside: Sequence[Path] = (),
    processes: Processes = ALONE,
    on_progress: OnProgress | None = None,
    on_message: OnMessage | None = None,
) -> dict[str, pd.DataFrame]:
    """Compute metrics of one or several stimulus sets and write each table as CSV and Parquet into `out`.

    Args:
        sets: stimulus sets, or their folders.
        how: a metric's name or names, or all settings.
        out: a folder that is empty or ours.
        beside: files with other programs' values (see `gan_eval.metrics.run.external_values`).
        processes: those that share the work; the first one alone writes.
        on_progress: called with (done, total, what).
        on_message: told what the user should know beside the tables; default: a warning.

    Returns:
        The tables by name: `image_metrics`, `set_metrics`, `metric_comparisons`, `runs`, and `beside` where there is.

    Raises:
        UserError: a set, a name, a named file or `out` will not do.
    """
    settings = how if isinstance(how, Settings) else Settings(_names(how), cache=_cache_of(True))
    given = _sets(sets)
    with processes.agreeing():
        stimuli = stimuli_of_sets(given)
        others = {tables.BESIDE.name: read_beside(beside)} if beside else {}
        if processes.leads:
            for line in named_twice(given):
                (on_message or warnings.warn)(line)
    found = run_metrics(
        stimuli,
        settings,
        command="metrics",
        out=out,
        processes=processes,
        on_progress=on_progress,
        on_message=on_message,
    )
    frames = found.by_name() | others
    if processes.leads:
        write_tables(frames, out)
    return frames


def run_metrics(
    stimuli: Sequence[Stimulus],
    settings: Settings,
    *,
    command: str,
    out: Path | None = None,
    processes: Processes = ALONE,
    on_progress: OnProgress | None = None,
    on_message: OnMessage | None = None,
) -> Evaluation:
    """Compute metrics of stimuli, with the row that says how.

    Args:
        stimuli: the pictures; the same in all processes.
        settings: how.
        command: what `runs` calls it.
        out: a folder for the tables, to be claimed when all is checked that can be before measuring.
        processes: those that share the work; only the first one's tables have rows.
        on_progress: called with (done, total, what).
        on_message: told what the user should know beside the tables; default: a warning.

    Raises:
        UserError: an unknown metric, or a named file or `out` that will not do.
    """
    run, started = f"metrics-{uuid4().hex[:12]}", now()
    threads = settings.threads or max(1, usable_cores() // processes.here)
    jobs = processes.share(jobs_of(stimuli))
    with ExitStack() as stack:
        with processes.agreeing():
            metrics = select(settings.metrics)
            messages = unused_files(metrics, settings)
            cache = stack.enter_context(Cache(settings.cache))
            tools = Tools(metrics, settings, cache)
            stores: dict[str, FeatureStore] = {
                kind.name: stack.enter_context(FeatureStore(len(stimuli), kind.size)) for kind in tools.network.kinds
            }
            if out is not None and processes.leads:
                claim_output_folder(out)
            results = measure_pictures(
                stimuli,
                jobs,
                tools,
                stores=stores,
                cache=cache,
                resize=settings.resize,
                threads=threads,
                on_progress=on_progress,
            )
        own = _own_set_rows(stimuli, metrics, results, tools, threads, processes, on_progress)
        processes.gather(results, [number for job in jobs for number in job])
        if not processes.leads:
            return Evaluation(frame_of([], tables.IMAGE_METRICS), {table.name: [] for table in TABLES})
        sets = compare_sets_once(stimuli, metrics, results, tools, cache, on_progress=on_progress)
    for message in [*messages, *([cache.problem] if cache.problem else [])]:
        (on_message or warnings.warn)(message)
    images, set_rows = image_table(stimuli, tools.measures, results, run), [*sets.rows, *own]
    beside = _put_beside(metrics, set_rows)
    row = {
        "run": run,
        "command": command,
        **provenance(stimuli, metrics, settings, tools, results, put_beside=beside, processes=processes.count),
        "threads": threads * processes.count,
        "started_at": started,
        "ended_at": max(started, now()),  # the clock may have been set back meanwhile
    }
    comparisons = [*_picture_differences(images, metrics), *sets.comparisons]
    return Evaluation(
        images,
        {
            "set_metrics": [{**one, "run": run} for one in set_rows],
            "metric_comparisons": [{**one, "run": run} for one in comparisons],
            "runs": [row],
        },
    )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _stimuli_of(given: pd.DataFrame | Set | Sequence[Set], root: Path | str | None) -> list[Stimulus]:
    if isinstance(given, pd.DataFrame):
        return stimuli_of_frame(given, Path(root or ""))
    return stimuli_of_sets(_sets([given] if isinstance(given, StimulusSet | Path | str) else given))


def _sets(given: Sequence[Set]) -> list[StimulusSet | Path]:
    return [Path(one) if isinstance(one, str) else one for one in given]


def _own_set_rows(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: PictureResults,
    tools: Tools,
    threads: int,
    processes: Processes,
    on_progress: OnProgress | None,
) -> list[Row]:
    """Rows of users' own set metrics; all processes of a run must call it."""
    if not any(metric.kind == "set" and metric.distribution for metric in metrics):
        return []
    from gan_eval.metrics.run.own_sets import own_set_rows

    unreadable = {stimuli[number].stimulus: reason for number, reason in results.unreadable.items()}
    with tools.at_work():
        return own_set_rows(
            stimuli,
            metrics,
            unreadable=unreadable,
            threads=threads,
            device=tools.device,
            processes=processes,
            on_progress=on_progress,
        )


def _picture_differences(images: pd.DataFrame, metrics: Sequence[Metric]) -> list[Row]:
    """Rows of `metric_comparisons` for pair and single metrics, where there are several models."""
    if images["model"].nunique() < 2:
        return []
    from gan_eval.metrics.run.differences import compare_pictures

    return compare_pictures(compared_rows(images), metrics={metric.name: metric for metric in metrics})


def _put_beside(metrics: Sequence[Metric], set_rows: Sequence[Row]) -> list[Metric]:
    """The metrics that were not asked for, but computed beside those that were."""
    asked = {metric.name for metric in metrics}
    added = dict.fromkeys(row["metric"] for row in set_rows if row["metric"] not in asked)
    return select(added) if added else []


def _cache_of(wanted: bool | Path | str) -> Path | None:
    """The file of kept values: the user's, one in another folder, or none."""
    if isinstance(wanted, Path | str):
        return Path(wanted) / cache_file().name
    return cache_file() if wanted else None


_Key = TypeVar("_Key")
_LIBRARIES = ("numpy", "scipy", "torch")
_SHARED = "gan_eval.metrics.run.sets:compare_sets"
"""The code that all set metrics have in common."""


def set_code_roots(name: str) -> tuple[str, ...]:
    """Where the code of a set metric of gan_eval begins, each as `module:name`."""
    return (_SHARED, *METRICS[name].code)


def compare_sets_once(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: PictureResults,
    tools: Tools,
    cache: Cache,
    *,
    on_progress: OnProgress | None = None,
) -> SetRows:
    """As `gan_eval.metrics.run.sets.compare_sets`; metrics that were computed before for the same are not again."""
    wanted = [metric for metric in metrics if metric.kind == "set" and not metric.distribution]
    if not wanted:
        return SetRows()
    keys = _keys(stimuli, wanted, results, tools) if cache.is_used else {}
    kept = {name: SetRows(**json.loads(text)) for name, key in keys.items() if (text := cache.result(key)) is not None}
    left = [metric for metric in wanted if metric.name not in kept]
    if left:
        computed = _compute(stimuli, left, results, tools, on_progress)
        for metric in left:
            names = {metric.name, *_companions(metric, wanted)}
            kept[metric.name] = SetRows(_of(names, computed.rows), _of(names, computed.comparisons))
            if metric.name in keys:
                cache.keep_result(keys[metric.name], json.dumps(vars(kept[metric.name])))
    return _Order.of(stimuli, wanted).put(kept.values())


def _compute(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: PictureResults,
    tools: Tools,
    on_progress: OnProgress | None,
) -> SetRows:
    from gan_eval.metrics.run.sets import compare_sets

    names = [stimulus.stimulus for stimulus in stimuli]
    return compare_sets(
        stimuli,
        metrics,
        features={kind.name: results.stores[kind.name].table(names) for kind in tools.network.kinds},
        unreadable={names[number]: reason for number, reason in results.unreadable.items()},
        unavailable=tools.network.unavailable,
        caveats=tools.network.caveats,
        hashes={names[number]: digest.hex() for number, digest in results.hashes.items()},
        on_progress=on_progress,
    )


def _companions(metric: Metric, wanted: Sequence[Metric]) -> list[str]:
    """What may be computed beside a metric because of it, unless it is asked for itself."""
    asked = {one.name for one in wanted}
    return [name for name in BESIDE_FID if name not in asked] if metric.name == "fid" else []


def _of(names: set[str], rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["metric"] in names]


def _keys(
    stimuli: Sequence[Stimulus], wanted: Sequence[Metric], results: PictureResults, tools: Tools
) -> dict[str, bytes]:
    """By metric, SHA-256 over the features, whose they are, and how they are compared."""
    whose = [
        (one.stimulus, one.item, one.kind, one.model, one.dataset, one.fraction, results.unreadable.get(number))
        for number, one in enumerate(stimuli)
    ]
    digests = sorted((number, digest.hex()) for number, digest in results.hashes.items())
    pictures = sha256_json([whose, digests, versions(_LIBRARIES)])
    features = {
        kind.name: (kind.definition, results.stores[kind.name].content_hash())
        for kind in tools.network.kinds
        if any(metric.extractor == kind.name for metric in wanted)
    }
    keys = {}
    for metric in wanted:
        together = [metric, *(METRICS[name] for name in _companions(metric, wanted))]
        how = [
            (one.name, one.definition, str(one.low), str(one.high), one.higher_is_better,
             tools.network.unavailable.get(one.name), tools.code.of(*set_code_roots(one.name)))
            for one in together
        ]  # fmt: skip
        extractor = metric.extractor
        told = (features.get(extractor), tools.network.caveats.get(extractor)) if extractor else None
        keys[metric.name] = bytes.fromhex(sha256_json(["set metric", pictures, told, how]))
    return keys


@dataclass(frozen=True)
class _Order:
    """How the rows follow each other: model by model, the metrics as asked for, those of one extractor together."""

    datasets: Mapping[str, int]
    models: Mapping[tuple[str, str], int]
    metrics: Mapping[str, int]

    @staticmethod
    def of(stimuli: Sequence[Stimulus], wanted: Sequence[Metric]) -> "_Order":
        models = dict.fromkeys((one.dataset, one.model or "") for one in stimuli if one.is_fake)
        by_extractor: dict[str | None, list[str]] = {}
        for metric in wanted:
            by_extractor.setdefault(metric.extractor, []).append(metric.name)
        for metric in wanted:
            by_extractor[metric.extractor] += _companions(metric, wanted)
        return _Order(
            _numbered(dataset for dataset, _ in models),
            _numbered(models),
            _numbered(name for names in by_extractor.values() for name in names),
        )

    def put(self, parts: Iterable[SetRows]) -> SetRows:
        """All rows in this order."""
        every = list(parts)
        rows = [row for part in every for row in part.rows]
        comparisons = [row for part in every for row in part.comparisons]
        return SetRows(sorted(rows, key=self._of_value), sorted(comparisons, key=self._of_comparison))

    def _of_value(self, row: Row) -> tuple[int, ...]:
        return (
            self.datasets[row["dataset"]],
            self.models[row["dataset"], row["model"]],
            self.metrics[row["metric"]],
        )

    def _of_comparison(self, row: Row) -> tuple[int, ...]:
        pair = (self.models[row["dataset"], row[side]] for side in ("a", "b"))
        return self.datasets[row["dataset"]], self.metrics[row["metric"]], *pair


def _numbered(keys: Iterable[_Key]) -> dict[_Key, int]:
    return {key: number for number, key in enumerate(dict.fromkeys(keys))}
