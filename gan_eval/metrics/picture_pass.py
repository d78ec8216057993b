"""One pass over the pictures: each is decoded once, measured, and handed to the network for the set metrics.

Worker threads do all of it, each with one torch thread: Pillow and torch release the interpreter's lock, and as many
single threads as cores are faster than single pictures spread over cores. The network's batches go to the same
workers, so decoding, measuring and the network overlap. At most a few jobs wait, so memory is bounded.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from gan_eval import images
from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.images import Picture
from gan_eval.metrics.inputs import Stimulus
from gan_eval.metrics.niqe import niqe
from gan_eval.metrics.pixel import psnr, ssim, ssim_luma
from gan_eval.metrics.registry import Metric
from gan_eval.metrics.unmeasurable import Unmeasurable

if TYPE_CHECKING:
    from gan_eval.metrics.features import Extractor

OnProgress = Callable[[int, int, str], None]
"""Called with (done, total, what)."""

PAIR_METRICS: dict[str, Callable[[Picture, Picture], float]] = {"psnr": psnr, "ssim": ssim, "ssim_luma": ssim_luma}
SingleMetric = Callable[[Picture], float]
SINGLE_METRICS: dict[str, SingleMetric] = {"niqe": niqe}
"""Those that need nothing but the picture; those with pretrained weights are handed in (`learned`)."""


@dataclass(frozen=True)
class Value:
    """A metric's value for a picture, or the reason why there is none."""

    stimulus: Stimulus
    metric: str
    value: float | None
    reason: str | None = None


@dataclass
class PicturePass:
    """What the pass gave; the dictionaries' keys are stimulus identifiers."""

    numbers: list[Value] = field(default_factory=list)
    features: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """(2048,) of each readable picture, where there is a network."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """The reason for each picture that could not be read."""
    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each picture's file."""


def measure_pictures(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    *,
    extractor: "Extractor | None" = None,
    learned: Mapping[str, SingleMetric] | None = None,
    resize: bool = False,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> PicturePass:
    """Compute the pair and single metrics of every picture, and its features where there is an extractor.

    Args:
        stimuli: the pictures.
        metrics: those wanted; set metrics among them are left to `gan_eval.metrics.set_pass`.
        extractor: the network for the set metrics.
        learned: the single metrics that need weights, by name (`gan_eval.metrics.learned.learned_metrics`).
        resize: bring a generated picture to its reference's size (bicubic) where they differ; else that is a reason.
        threads: worker threads; default: the usable cores.
        on_progress: told the pictures and the features done.
    """
    result = PicturePass()
    report = on_progress or (lambda done, total, what: None)
    measurer = _Measurer(metrics, {**SINGLE_METRICS, **(learned or {})}, extractor, resize)
    threads = threads or usable_cores()
    done = 0
    with _one_torch_thread(), _pool(threads) as pool:
        network = _NetworkQueue(pool, extractor, result.features) if extractor else None
        for measured in _in_order(pool, measurer.measure, _jobs(stimuli), ahead=2 * threads):
            result.numbers += measured.numbers
            result.unreadable |= measured.unreadable
            result.hashes |= measured.hashes
            done += measured.pictures
            report(done, len(stimuli), "pictures")
            if network and network.take(measured.prepared, last=done == len(stimuli)):
                report(len(result.features), len(stimuli) - len(result.unreadable), "features")
    return result


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Job:
    """A reference picture and everything that is measured with it, so that each file is decoded once."""

    stimuli: tuple[Stimulus, ...]


@dataclass
class _Measured(PicturePass):
    prepared: dict[str, torch.Tensor] = field(default_factory=dict)
    pictures: int = 0


def _jobs(stimuli: Iterable[Stimulus]) -> list[_Job]:
    """Stimuli grouped by the reference they share; a real picture joins its own fakes."""
    groups: dict[Path, list[Stimulus]] = {}
    for stimulus in stimuli:
        groups.setdefault(stimulus.reference or stimulus.file, []).append(stimulus)
    return [_Job(tuple(group)) for group in groups.values()]


class _NetworkQueue:
    """Collects prepared pictures into batches, has the workers run them, and stores the features by stimulus."""

    def __init__(
        self, pool: ThreadPoolExecutor, extractor: "Extractor", features: dict[str, NDArray[np.float32]]
    ) -> None:
        self._pool = pool
        self._extractor = extractor
        self._features = features
        self._waiting: deque[tuple[str, torch.Tensor]] = deque()
        self._running: deque[tuple[list[str], Future[NDArray[np.float32]]]] = deque()

    def take(self, prepared: dict[str, torch.Tensor], *, last: bool) -> bool:
        """Take in pictures and store what is done; with `last`, all of it. Tells whether anything was stored."""
        self._waiting.extend(prepared.items())
        while len(self._waiting) >= self._extractor.batch_size or (last and self._waiting):
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._extractor.batch_size))]
            task = self._pool.submit(self._extractor.features, [tensor for _, tensor in batch])
            self._running.append(([name for name, _ in batch], task))
        before = len(self._features)
        while self._running and (last or self._running[0][1].done()):
            names, task = self._running.popleft()
            self._features.update(zip(names, task.result(), strict=True))
        return len(self._features) > before


class _Measurer:
    """Measures jobs; holds only settings, so that any number of threads may use it."""

    def __init__(
        self,
        metrics: Sequence[Metric],
        single: Mapping[str, SingleMetric],
        extractor: "Extractor | None",
        resize: bool,
    ) -> None:
        self._pair = [metric.name for metric in metrics if metric.kind == "pair"]
        self._single = {metric.name: single[metric.name] for metric in metrics if metric.kind == "single"}
        self._extractor = extractor
        self._resize = resize

    def measure(self, job: _Job) -> _Measured:
        measured = _Measured(pictures=len(job.stimuli))
        decoded: dict[Path, Picture | UserError] = {}
        for stimulus in job.stimuli:
            picture = _decode(stimulus.file, decoded)
            if isinstance(picture, UserError):
                measured.unreadable[stimulus.stimulus] = str(picture)
            else:
                measured.hashes[stimulus.stimulus] = sha256_file(stimulus.file)
                if self._extractor is not None:
                    measured.prepared[stimulus.stimulus] = self._extractor.prepare(picture)
            measured.numbers += self._values(stimulus, picture, decoded)
        return measured

    def _values(
        self, stimulus: Stimulus, picture: Picture | UserError, decoded: dict[Path, Picture | UserError]
    ) -> Iterator[Value]:
        if stimulus.is_fake:
            for name in self._pair:
                yield _value(stimulus, name, partial(self._pair_value, name, stimulus, picture, decoded))
        for name, measure in self._single.items():
            yield _value(stimulus, name, partial(_single_value, measure, picture))

    def _pair_value(
        self, name: str, stimulus: Stimulus, picture: Picture | UserError, decoded: dict[Path, Picture | UserError]
    ) -> float:
        fake = _readable(picture)
        if stimulus.reference is None:
            raise Unmeasurable("no reference_file")
        real = _readable(_decode(stimulus.reference, decoded))
        if self._resize:
            fake = images.resize(fake, (real.shape[0], real.shape[1])).copy()
        return PAIR_METRICS[name](fake, real)


def _single_value(measure: SingleMetric, picture: Picture | UserError) -> float:
    return measure(_readable(picture))


def _value(stimulus: Stimulus, metric: str, compute: Callable[[], float]) -> Value:
    try:
        return Value(stimulus, metric, compute())
    except (Unmeasurable, UserError) as reason:
        return Value(stimulus, metric, None, str(reason))


def _decode(path: Path, decoded: dict[Path, Picture | UserError]) -> Picture | UserError:
    if path not in decoded:
        try:
            decoded[path] = images.read_rgb(path)
        except UserError as error:
            decoded[path] = error
    return decoded[path]


def _readable(picture: Picture | UserError) -> Picture:
    if isinstance(picture, UserError):
        raise picture
    return picture


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[_Job], _Measured], jobs: Iterable[_Job], *, ahead: int
) -> Iterator[_Measured]:
    """The results in the jobs' order, with at most `ahead` jobs under way or waiting to be taken."""
    pending: deque[Future[_Measured]] = deque()
    for job in jobs:
        pending.append(pool.submit(work, job))
        if len(pending) >= ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Worker threads; on an error or an interruption, what has not begun is dropped."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="metrics")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
