"""Stimuli in, metric tables out."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pandas as pd

from gan_eval import tables
from gan_eval.files import claim_output_folder
from gan_eval.metrics.callables import OnProgress
from gan_eval.metrics.facts import DEFAULT_RESIZER, Metric
from gan_eval.metrics.registry import select
from gan_eval.metrics.run.cache import Cache, cache_file
from gan_eval.metrics.run.evaluation import DEFAULT, TABLES, Evaluation, Settings, write_tables
from gan_eval.metrics.run.external_values import read_beside
from gan_eval.metrics.run.features import FeatureStore
from gan_eval.metrics.run.image_table import compared_rows, image_table
from gan_eval.metrics.run.inputs import Stimulus, named_twice, stimuli_of_frame, stimuli_of_sets
from gan_eval.metrics.run.kept_sets import compare_sets_once
from gan_eval.metrics.run.named_files import unused_files
from gan_eval.metrics.run.picture_pass import jobs_of, measure_pictures
from gan_eval.metrics.run.pictures import PictureResults
from gan_eval.metrics.run.processes import ALONE, Processes
from gan_eval.metrics.run.provenance import now, provenance, usable_cores
from gan_eval.metrics.run.tools import Tools
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
