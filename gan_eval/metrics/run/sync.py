"""The states of users' own metrics, brought together from the processes of a run.

torchmetrics does this too, but not where the processes hold lists of different lengths, as with a few pictures some do:
its processes would then wait for each other for ever, or fail.
"""

from typing import Any

import torch
import torchmetrics
from torch import Tensor, distributed
from torchmetrics.utilities.data import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors

from gan_eval.metrics.run.processes import Processes


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
            joined = _joined(getattr(part, name), reduce is dim_zero_cat, part.device, processes)
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


def _joined(state: Tensor | list[Any], is_rows: bool, device: torch.device, processes: Processes) -> Tensor | list[Any]:
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
