"""One pass over the pictures: each file is read once, measured, and handed to the networks for the set metrics.

Worker threads do all of it: Pillow, the compiled kernels and torch release the interpreter's lock, and as many single
threads as cores are faster than single pictures spread over cores. Each takes a job (a real picture and all that were
generated for it), finds what is kept of it, decodes only what is missing something, and lets go of it. The thread that
fills a network's batch runs it. So decoding, measuring and the networks overlap, and no more than a job and a batch
are held for each thread, however many pictures there are.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from gan_eval.metrics.callables import OnProgress
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.features import FeatureStore
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.pictures import PictureResults, PictureWork
from gan_eval.metrics.run.tools import Tools

Job = tuple[int, ...]
"""Numbers of the stimuli that share a real picture, so that its file is read once."""

_LOOK_EVERY_S = 0.1
MOST_COPIES = 8
"""Files of an item's real picture in so many sets are taken for copies of one, to be decoded once."""


def jobs_of(stimuli: Sequence[Stimulus]) -> list[Job]:
    """Stimuli grouped by the real picture that they share, in the order in which the groups begin.

    That is the item's; an item with several real pictures is split by their files, so that a job holds few pictures.
    """
    items = {str(stimulus.file): stimulus.item for stimulus in stimuli if not stimulus.is_fake}
    groups: dict[str, list[int]] = {}
    for number, stimulus in enumerate(stimuli):
        item = items.get(str(stimulus.reference), stimulus.item) if stimulus.reference else stimulus.item
        groups.setdefault(item, []).append(number)
    return [job for group in groups.values() for job in _split(stimuli, group)]


def _split(stimuli: Sequence[Stimulus], group: Sequence[int]) -> list[Job]:
    """The group as one job, or where its real pictures are several ones, a job for each of their files."""
    parts: dict[str, list[int]] = {}
    for number in group:
        one = stimuli[number]
        parts.setdefault(str(one.reference or one.file), []).append(number)
    reals = {str(stimuli[number].file) for number in group if not stimuli[number].is_fake}
    if len(reals) <= 1 and len(parts) <= MOST_COPIES:
        return [tuple(group)]
    return [tuple(part) for part in parts.values()]


def measure_pictures(
    stimuli: Sequence[Stimulus],
    jobs: Sequence[Job],
    tools: Tools,
    *,
    stores: Mapping[str, FeatureStore],
    cache: Cache,
    resize: bool = False,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> PictureResults:
    """Compute the pair and single metrics of the jobs' pictures, and their features.

    Args:
        stimuli: all pictures.
        jobs: those to measure (`jobs_of`), all or some.
        tools: the measures and extractors.
        stores: where each extractor's features go.
        cache: what was measured before.
        resize: bring a generated picture to its reference's size (bicubic) where they differ; else that is a reason.
        threads: worker threads.
        on_progress: told the pictures and the features done.

    Raises:
        UserError: what an extractor or a measure needs will not do.
    """
    result = PictureResults.empty(len(stimuli), len(tools.measures), stores)
    work = PictureWork(stimuli, tools, result, cache, resize)
    total = sum(map(len, jobs))

    def tick() -> None:
        cache.write()
        if on_progress:
            on_progress(work.done, total, "pictures")
            if stores:
                wanted = len(stores) * (total - len(result.unreadable))
                on_progress(sum(store.done for store in stores.values()), wanted, "features")

    with tools.at_work():
        _run(work, jobs, threads, tick=tick)
    tick()
    return result


def _run(work: PictureWork, jobs: Iterable[Job], threads: int, *, tick: Callable[[], object]) -> None:
    """Have the threads take jobs until there are none; on an error or an interruption they stop after their job."""
    waiting = _Jobs(jobs)
    with ThreadPoolExecutor(threads, thread_name_prefix="metrics") as pool:
        try:
            running = [pool.submit(work.run, waiting) for _ in range(threads)]
            while (state := wait(running, _LOOK_EVERY_S, FIRST_EXCEPTION)).not_done:
                for ended in state.done:
                    ended.result()
                tick()
            for ended in running:
                ended.result()
        finally:
            waiting.stop()
    work.finish()


class _Jobs:
    """Hands out each job once, to any number of threads."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = iter(jobs)
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> Iterator[Job]:
        while True:
            with self._lock:
                job = None if self._stopped else next(self._jobs, None)
            if job is None:
                return
            yield job

    def stop(self) -> None:
        self._stopped = True
