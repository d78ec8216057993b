"""Users' own set metrics: one instance for each model and data set, given picture by picture.

The pictures are read once more, in the stimuli's order, because the pass over the pictures does not read those whose
values are kept. Under `torchrun` each process reads its share, and torchmetrics brings the states together.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch.distributed as dist

from gan_eval import images
from gan_eval.errors import UserError
from gan_eval.images import Picture
from gan_eval.metrics.facts import Metric
from gan_eval.metrics.inputs import Stimulus
from gan_eval.metrics.own import as_batch, make_own, single_number, told
from gan_eval.metrics.unmeasurable import Unmeasurable
from gan_eval.tabular import Row

if TYPE_CHECKING:
    import torchmetrics


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
) -> list[Row]:
    """Rows of the table `set_metrics`, without `run`: one for each (model, data set) and own set metric.

    Args:
        stimuli: all pictures; under `torchrun` the same in every process.
        metrics: those wanted; built-in, pair and single ones are passed over.
        unreadable: the reason for each stimulus that is known to be unreadable.
        threads: how many read pictures ahead.
        device: where the metrics compute; default: the CPU.

    Returns:
        The same rows in every process.

    Raises:
        UserError: a metric cannot be made.
    """
    device = device or "cpu"
    groups = dict.fromkeys((s.model or "", s.dataset) for s in stimuli if s.is_fake)
    own = [metric for metric in metrics if metric.distribution and metric.kind == "set"]
    comparisons = [
        _Comparison(model, dataset, metric, make_own(metric, device=device))
        for model, dataset in groups
        for metric in own
    ]
    if comparisons:
        for stimulus, picture in _pictures(_share(stimuli), unreadable, threads):
            for comparison in comparisons:
                if comparison.concerns(stimulus):
                    comparison.take(stimulus, picture, device)
    return [_row(comparison, stimuli) for comparison in comparisons]


def _share(stimuli: Sequence[Stimulus]) -> Sequence[Stimulus]:
    """The stimuli that this process is to read."""
    return stimuli[dist.get_rank() :: dist.get_world_size()] if _distributed() else stimuli


def _distributed() -> bool:
    return dist.is_available() and dist.is_initialized()


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
        return images.read_rgb(stimulus.file)
    except UserError as error:
        return error


def _row(comparison: _Comparison, stimuli: Sequence[Stimulus]) -> Row:
    tally = _joined(comparison.tally)
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
            row["value"] = single_number(comparison.metric.compute())
        except Unmeasurable as reason:
            row["reason"] = f"{comparison.facts.name}: {reason}"
        except (Exception, SystemExit) as error:  # as above
            row["reason"] = f"{comparison.facts.name}: {told(error)}"
    return row


def _joined(tally: _Tally) -> _Tally:
    """The tallies of all processes as one; every process must call it."""
    tallies = [tally]
    if _distributed():
        tallies = [_Tally() for _ in range(dist.get_world_size())]
        dist.all_gather_object(tallies, tally)
    return _Tally(
        n_real=sum(one.n_real for one in tallies),
        n_fake=sum(one.n_fake for one in tallies),
        left_out=[reason for one in tallies for reason in one.left_out],
        reason=next((one.reason for one in tallies if one.reason is not None), None),
    )
