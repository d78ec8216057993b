"""Users' own set metrics: one instance for each model and data set, given picture by picture.

The pictures are read once more, in the stimuli's order, because the pass over the pictures does not read those whose
values are kept. Under `torchrun` each process reads its share of every set, and their states are brought together.

The states of users' own metrics, brought together from the processes of a run.

torchmetrics does this too, but not where the processes hold lists of different lengths, as with a few pictures some do:
its processes would then wait for each other for ever, or fail.
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
from gan_eval.metrics.own.pictures import as_batch, make_own, single_number, told
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.processes import ALONE, Processes
from gan_eval.stimuli import pictures
from gan_eval.stimuli.pictures import Picture
from gan_eval.tabular import Row


@dataclass
class _Tally:
    """What one process saw of a (model, data set); picklable, so that processes can exchange it."""

    n_real: int = 0
    n_fake: int = 0
    left_out: list[str] = field(default_factory=list)
    reason: str | None = None


@dataclass
class _Comparison:
    """One own metric of one (model, data set) on its way."""

    model: str
    dataset: str
    facts: Metric
    metric: "torchmetrics.Metric"
    tally: _Tally = field(default_factory=_Tally)

    def concerns(self, stimulus: Stimulus) -> bool:
        """Whether the picture is one of the two sets."""
        return stimulus.dataset == self.dataset and (not stimulus.is_fake or (stimulus.model or "") == self.model)

    def take(self, stimulus: Stimulus, picture: Picture | UserError, device: str) -> None:
        """Count the picture and hand it to the metric, unless that has failed already."""
        if isinstance(picture, UserError):
            self.tally.left_out.append(str(picture))
            return
        self.tally.n_real += not stimulus.is_fake
        self.tally.n_fake += stimulus.is_fake
        if self.tally.reason is None:
            try:
                self.metric.update(as_batch(picture, device), real=not stimulus.is_fake)
            except (Exception, SystemExit) as error:  # an own metric's failure is its row's, never the run's
                self.tally.reason = f"{self.facts.name}: {stimulus.stimulus}: {told(error)}"


def own_set_rows(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    *,
    unreadable: Mapping[str, str],
    threads: int = 1,
    device: str | None = None,
    processes: Processes = ALONE,
    on_progress: OnProgress | None = None,
) -> list[Row]:
    """Rows of the table `set_metrics`, without `run`: one for each (model, data set) and own set metric.

    Args:
        stimuli: all pictures; the same in all processes.
        metrics: those wanted; built-in, pair and single ones are passed over.
        unreadable: the reason for each stimulus that is known to be unreadable.
        threads: how many read pictures ahead.
        device: where the metrics compute; default: the CPU.
        processes: those that share the work; all of them must call it.
        on_progress: told the pictures done of this process's share.

    Returns:
        The same rows in every process.

    Raises:
        UserError: a metric cannot be made.
    """
    comparisons = _comparisons(stimuli, metrics, device or "cpu")
    if comparisons:
        share = _share(stimuli, processes)
        for done, (stimulus, picture) in enumerate(_pictures(share, unreadable, threads), start=1):
            for comparison in comparisons:
                if comparison.concerns(stimulus):
                    comparison.take(stimulus, picture, device or "cpu")
            if on_progress:
                on_progress(done, len(share), "own set metrics")
    return [_row(comparison, stimuli, processes) for comparison in comparisons]


def _comparisons(stimuli: Sequence[Stimulus], metrics: Sequence[Metric], device: str) -> list[_Comparison]:
    groups = dict.fromkeys((s.model or "", s.dataset) for s in stimuli if s.is_fake)
    own = [metric for metric in metrics if metric.distribution and metric.kind == "set"]
    found = [
        _Comparison(model, dataset, metric, make_own(metric, device=device))
        for model, dataset in groups
        for metric in own
    ]
    for comparison in found:
        keep_apart(comparison.metric)
    return found


def _share(stimuli: Sequence[Stimulus], processes: Processes) -> Sequence[Stimulus]:
    """What this process is to read: of every set as many pictures in a row as the others, so that all have of all."""
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
        ahead: deque[tuple[Stimulus, Future[Picture | UserError]]] = deque()
        for stimulus in stimuli:
            ahead.append((stimulus, pool.submit(_read, stimulus, unreadable)))
            if len(ahead) > 2 * threads:
                first, picture = ahead.popleft()
                yield first, picture.result()
        for last, picture in ahead:
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
    tally = _joined(everywhere(comparison.tally, processes))
    row: dict[str, Any] = {
        "model": comparison.model,
        "dataset": comparison.dataset,
        "metric": comparison.facts.name,
        "n_real": tally.n_real,
        "n_fake": tally.n_fake,
        "reason": tally.reason,
        "fraction": min(
            (s.fraction for s in stimuli if s.is_fake and comparison.concerns(s) and s.fraction is not None),
            default=None,
        ),
        "note": f"{len(tally.left_out)} left out, the first: {tally.left_out[0]}" if tally.left_out else None,
    }
    if tally.reason is None:
        try:
            bring_together(comparison.metric, processes)
            row["value"] = single_number(comparison.metric.compute())
        except Unmeasurable as reason:
            row["reason"] = f"{comparison.facts.name}: {reason}"
        except (Exception, SystemExit) as error:  # as above
            row["reason"] = f"{comparison.facts.name}: {told(error)}"
    return row


def _joined(tallies: Sequence[_Tally]) -> _Tally:
    """The tallies of all processes as one."""
    return _Tally(
        n_real=sum(one.n_real for one in tallies),
        n_fake=sum(one.n_fake for one in tallies),
        left_out=[reason for one in tallies for reason in one.left_out],
        reason=next((one.reason for one in tallies if one.reason is not None), None),
    )


def keep_apart(metric: torchmetrics.Metric) -> None:
    """Have `compute` use this process's states as they are."""
    for part in _parts(metric):
        part.sync_on_compute = part._to_sync = False


def bring_together(metric: torchmetrics.Metric, processes: Processes) -> None:
    """Give a metric, and those inside it, the states of all processes; all of them must call it.

    Lists are joined in the order of the ranks. A metric that brings its states together in its own way keeps it.

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
            joined = _joined_states(getattr(part, name), reduce is dim_zero_cat, part.device, processes)
            setattr(part, name, joined if reduce is None or _is_empty(joined) else reduce(joined))
        part._computed = None
        part._update_count = sum(everywhere(part._update_count, processes))


def everywhere(value: Any, processes: Processes) -> list[Any]:
    """What each process has, in the order of their ranks; it must be picklable."""
    found = [value] * processes.count
    if processes.count > 1:
        distributed.all_gather_object(found, value)
    return found


def _parts(metric: torchmetrics.Metric) -> list[torchmetrics.Metric]:
    return [part for part in metric.modules() if isinstance(part, torchmetrics.Metric)]


def _is_empty(state: Tensor | list[Any]) -> bool:
    return isinstance(state, list) and not state


def _joined_states(
    state: Tensor | list[Any], is_rows: bool, device: torch.device, processes: Processes
) -> Tensor | list[Any]:
    """A tensor's states stacked, a list's in one list."""
    if is_rows:
        return _rows(state, device, processes)
    if isinstance(state, list):
        return [entry for part in everywhere(_moved(state, "cpu"), processes) for entry in _moved(part, device)]
    _agreed(state, processes)
    return torch.stack(gather_all_tensors(state))


def _moved(entries: list[Any], device: torch.device | str) -> list[Any]:
    return [entry.to(device) if isinstance(entry, Tensor) else entry for entry in entries]


def _rows(state: Tensor | list[Any], device: torch.device, processes: Processes) -> list[Tensor]:
    """Each process's rows as one tensor; what has none is first made like the others."""
    own: Tensor | Exception | None = None
    try:
        own = dim_zero_cat(state) if isinstance(state, Tensor) or state else None
    except (RuntimeError, TypeError) as error:
        own = error
    shape, kind = _agreed(own, processes)
    if kind is None:
        return []
    if not isinstance(own, Tensor):
        own = torch.empty((0, *shape[1:]), dtype=kind, device=device)
    return gather_all_tensors(own)


def _agreed(state: Tensor | Exception | None, processes: Processes) -> tuple[tuple[int, ...], torch.dtype | None]:
    """A shape and the type of a state's parts, None where no process has one.

    Raises:
        ValueError: they differ in more than their sizes, or a process failed; in all processes.
    """
    own: Any = str(state)
    if state is None:
        own = None
    elif isinstance(state, Tensor):
        own = tuple(state.shape), state.dtype
    told = everywhere(own, processes)
    failed = [one for one in told if isinstance(one, str)]
    if failed:
        raise ValueError(failed[0])
    found = [one for one in told if one is not None]
    kinds = {(len(shape), kind) for shape, kind in found}
    if len(kinds) > 1:
        raise ValueError(f"the processes' parts of a state differ: {sorted(map(str, found))}")
    return found[0] if found else ((), None)
