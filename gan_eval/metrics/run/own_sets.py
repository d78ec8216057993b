"""Users' own set metrics: one instance for each model and data set, given picture by picture.

The pictures are read once more, in the stimuli's order, because the pass over the pictures does not decode those whose
values are cached. Under `torchrun` each process reads a part of every set, and the metrics' states are gathered.
torchmetrics gathers states too, but not lists of different lengths, as with few pictures some processes hold: they
would then wait for each other for ever, or fail.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch
import torchmetrics
from torch import Tensor, distributed
from torchmetrics.utilities.data import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import Metric, OnProgress
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.own.pictures import as_batch, error_message, make_own, single_number
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.processes import SINGLE, Processes
from gan_eval.stimuli import pictures
from gan_eval.stimuli.pictures import Picture
from gan_eval.tables.schema import any_seen
from gan_eval.tabular import Row


@dataclass
class _Tally:
    """The pictures of a (model, data set) that a process has read; picklable, so that processes can exchange it."""

    n_real: int = 0
    n_fake: int = 0
    excluded: list[str] = field(default_factory=list)
    """Why pictures could not be read."""
    reason: str | None = None
    """Why the metric failed."""


@dataclass
class _Comparison:
    """One own metric of one (model, data set), being updated."""

    model: str
    dataset: str
    facts: Metric
    metric: "torchmetrics.Metric"
    tally: _Tally = field(default_factory=_Tally)

    def includes(self, stimulus: Stimulus) -> bool:
        """Whether the picture is in one of the two sets."""
        return stimulus.dataset == self.dataset and (not stimulus.is_fake or (stimulus.model or "") == self.model)

    def update(self, stimulus: Stimulus, picture: Picture | UserError, device: str) -> None:
        """Count the picture and update the metric with it, unless that has failed already."""
        if isinstance(picture, UserError):
            self.tally.excluded.append(str(picture))
            return
        self.tally.n_real += not stimulus.is_fake
        self.tally.n_fake += stimulus.is_fake
        if self.tally.reason is None:
            try:
                self.metric.update(as_batch(picture, device), real=not stimulus.is_fake)
            except (Exception, SystemExit) as error:  # an own metric's failure is its row's, never the run's
                self.tally.reason = f"{self.facts.name}: {stimulus.stimulus}: {error_message(error)}"


def own_set_rows(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    *,
    unreadable: Mapping[str, str],
    threads: int = 1,
    device: str | None = None,
    processes: Processes = SINGLE,
    on_progress: OnProgress | None = None,
) -> list[Row]:
    """Rows of the table `set_metrics`, without `run`: one for each (model, data set) and own set metric.

    Args:
        stimuli: all pictures; the same in all processes.
        metrics: those required; built-in, pair and single ones are ignored.
        unreadable: the reason for each stimulus that is known to be unreadable.
        threads: how many read pictures ahead.
        device: where the metrics compute; default: the CPU.
        processes: those that share the work; all of them must call it.
        on_progress: called with the pictures done of this process's part.

    Returns:
        The same rows in every process.

    Raises:
        UserError: a metric cannot be made.
    """
    device = device or "cpu"
    own = [metric for metric in metrics if metric.distribution and metric.kind == "set"]
    models = dict.fromkeys((s.model or "", s.dataset) for s in stimuli if s.is_fake)
    comparisons = [
        _Comparison(model, dataset, metric, make_own(metric, device=device))
        for model, dataset in models
        for metric in own
    ]
    for comparison in comparisons:
        for part in _parts(comparison.metric):
            part.sync_on_compute = part._to_sync = False  # `compute` uses this process's states; see `_gather_states`
    if comparisons:
        share = _share(stimuli, processes)
        for done, (stimulus, picture) in enumerate(_pictures(share, unreadable, threads), start=1):
            for comparison in comparisons:
                if comparison.includes(stimulus):
                    comparison.update(stimulus, picture, device)
            if on_progress:
                on_progress(done, len(share), "own set metrics")
    return [_row(comparison, stimuli, processes) for comparison in comparisons]


def _share(stimuli: Sequence[Stimulus], processes: Processes) -> Sequence[Stimulus]:
    """The pictures that this process reads: consecutive ones of every set, as many as each other process reads."""
    sets: dict[tuple[str, str | None], list[int]] = {}
    for number, stimulus in enumerate(stimuli):
        sets.setdefault((stimulus.dataset, stimulus.model), []).append(number)
    mine = set()
    for numbers in sets.values():
        first, end = (len(numbers) * rank // processes.count for rank in (processes.rank, processes.rank + 1))
        mine.update(numbers[first:end])
    return [stimuli[number] for number in sorted(mine)]


def _pictures(
    stimuli: Sequence[Stimulus], unreadable: Mapping[str, str], threads: int
) -> Iterator[tuple[Stimulus, Picture | UserError]]:
    """Each stimulus with its picture, in order, read a little ahead."""
    with ThreadPoolExecutor(threads, thread_name_prefix="own-sets") as pool:
        pending: deque[tuple[Stimulus, Future[Picture | UserError]]] = deque()
        for stimulus in stimuli:
            pending.append((stimulus, pool.submit(_read, stimulus, unreadable)))
            if len(pending) > 2 * threads:
                first, picture = pending.popleft()
                yield first, picture.result()
        for last, picture in pending:
            yield last, picture.result()


def _read(stimulus: Stimulus, unreadable: Mapping[str, str]) -> Picture | UserError:
    reason = unreadable.get(stimulus.stimulus, stimulus.problem)
    if reason is not None:
        return UserError(reason)
    try:
        return pictures.read_rgb(stimulus.file)
    except UserError as error:
        return error


def _row(comparison: _Comparison, stimuli: Sequence[Stimulus], processes: Processes) -> Row:
    """The row of the tallies and the metric of all processes; all of them must call it."""
    tallies = everywhere(comparison.tally, processes)
    excluded = [reason for tally in tallies for reason in tally.excluded]
    reason = next((tally.reason for tally in tallies if tally.reason is not None), None)
    row: dict[str, Any] = {
        "model": comparison.model,
        "dataset": comparison.dataset,
        "metric": comparison.facts.name,
        "n_real": sum(tally.n_real for tally in tallies),
        "n_fake": sum(tally.n_fake for tally in tallies),
        "reason": reason,
        "seen": any_seen(s.seen for s in stimuli if s.is_fake and comparison.includes(s)),
        "fraction": min(
            (s.fraction for s in stimuli if s.is_fake and comparison.includes(s) and s.fraction is not None),
            default=None,
        ),
        "note": f"{len(excluded)} left out, the first: {excluded[0]}" if excluded else None,
    }
    if reason is None:
        try:
            _gather_states(comparison.metric, processes)
            row["value"] = single_number(comparison.metric.compute())
        except Unmeasurable as problem:
            row["reason"] = f"{comparison.facts.name}: {problem}"
        except (Exception, SystemExit) as error:  # an own metric's failure is its row's, never the run's
            row["reason"] = f"{comparison.facts.name}: {error_message(error)}"
    return row


def _gather_states(metric: torchmetrics.Metric, processes: Processes) -> None:
    """Give a metric, and those inside it, the states of all processes; all of them must call it.

    Lists are joined in the order of the ranks. A metric that gathers its states in its own way keeps it.

    Raises:
        ValueError: parts of one state have different types or dimensions; in all processes.
    """
    if processes.count == 1:
        return
    for part in _parts(metric):
        if type(part)._sync_dist is not torchmetrics.Metric._sync_dist:
            part.sync_on_compute = part._to_sync = True
            continue
        reductions: dict[str, Any] = part._reductions  # torchmetrics has made functions of the words
        for name, reduce in reductions.items():
            state: Tensor | list[Any] = getattr(part, name)
            gathered: Tensor | list[Any]
            if reduce is dim_zero_cat:
                gathered = _gather_rows(state, part.device, processes)
            elif isinstance(state, list):
                entries = everywhere(_moved(state, "cpu"), processes)
                gathered = [entry for theirs in entries for entry in _moved(theirs, part.device)]
            else:
                _common_type(state, processes)
                gathered = torch.stack(gather_all_tensors(state))
            is_empty = isinstance(gathered, list) and not gathered
            setattr(part, name, gathered if reduce is None or is_empty else reduce(gathered))
        part._computed = None
        part._update_count = sum(everywhere(part._update_count, processes))


def everywhere(value: Any, processes: Processes) -> list[Any]:
    """The value of each process, in the order of their ranks; it must be picklable."""
    values = [value] * processes.count
    if processes.count > 1:
        distributed.all_gather_object(values, value)
    return values


def _parts(metric: torchmetrics.Metric) -> list[torchmetrics.Metric]:
    return [part for part in metric.modules() if isinstance(part, torchmetrics.Metric)]


def _moved(entries: list[Any], device: torch.device | str) -> list[Any]:
    return [entry.to(device) if isinstance(entry, Tensor) else entry for entry in entries]


def _gather_rows(state: Tensor | list[Any], device: torch.device, processes: Processes) -> list[Tensor]:
    """Each process's rows as one tensor; a process without any gets an empty one of the others' shape."""
    own: Tensor | Exception | None = None
    try:
        own = dim_zero_cat(state) if isinstance(state, Tensor) or state else None
    except (RuntimeError, TypeError) as error:
        own = error
    shape, kind = _common_type(own, processes)
    if kind is None:
        return []
    if not isinstance(own, Tensor):
        own = torch.empty((0, *shape[1:]), dtype=kind, device=device)
    return gather_all_tensors(own)


def _common_type(state: Tensor | Exception | None, processes: Processes) -> tuple[tuple[int, ...], torch.dtype | None]:
    """A shape and the type of a state's parts, None where no process has one.

    Raises:
        ValueError: they differ in more than their sizes, or a process failed; in all processes.
    """
    own: Any = (tuple(state.shape), state.dtype) if isinstance(state, Tensor) else None if state is None else str(state)
    answers = everywhere(own, processes)
    if failures := [answer for answer in answers if isinstance(answer, str)]:
        raise ValueError(failures[0])
    types = [answer for answer in answers if answer is not None]
    if len({(len(shape), kind) for shape, kind in types}) > 1:
        raise ValueError(f"the processes' parts of a state differ: {sorted(map(str, types))}")
    return types[0] if types else ((), None)
