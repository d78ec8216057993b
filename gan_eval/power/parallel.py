"""Many small tasks on several processes, in an order that does not depend on how many there are."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

State = TypeVar("State")
Result = TypeVar("Result")
Task = tuple[int, ...]
"""What a task is about, in whole numbers."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_AHEAD = 8
"""Tasks that wait at each process."""
_shared: list[tuple[Callable[..., object], object]] = []
"""In a worker process: the function, and what all its calls share."""


def in_parallel(
    function: Callable[[State, Task], Result],
    state: State,
    tasks: Sequence[Task],
    *,
    workers: int,
    on_done: Callable[[int], None] | None = None,
) -> list[Result]:
    """`function(state, task)` of each task, in the tasks' order.

    Args:
        function: of a module's top level; it uses no random numbers but those that follow from state and task.
        state: sent to each process once.
        tasks: the shorter, the sooner an interruption is heeded.
        workers: processes; 1: this one alone.
        on_done: told how many tasks are done.

    Raises:
        KeyboardInterrupt: interrupted; what runs is ended first.
    """
    tell = on_done or (lambda done: None)
    if workers == 1:
        found = []
        for number, task in enumerate(tasks, start=1):
            found.append(function(state, task))
            tell(number)
        return found
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (function, state))
        try:
            return _spread(pool, tasks, workers, tell)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _spread(
    pool: ProcessPoolExecutor, tasks: Sequence[Task], workers: int, tell: Callable[[int], None]
) -> list[Result]:
    """Keep the processes busy with a few tasks ahead; results in the tasks' order."""
    found: dict[int, Result] = {}
    running: dict[Future[Any], int] = {}
    left = enumerate(tasks)
    with _uninterrupted():  # as many as there are processes, which are started by it
        running |= {pool.submit(_call, task): number for number, task in islice(left, workers)}
    while running:
        ahead = workers * _AHEAD - len(running)
        running |= {pool.submit(_call, task): number for number, task in islice(left, ahead)}
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            found[running.pop(future)] = future.result()
            tell(len(found))
    return [found[number] for number in range(len(tasks))]


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(function: Callable[..., object], state: object) -> None:
    """In a new process: the interruption is for the first process, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _shared[:] = [(function, state)]


def _end_with_parent() -> None:
    """A first process that is killed cannot end the others, and each of them would wait for tasks for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(task: Task) -> object:
    function, state = _shared[0]
    return function(state, task)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interruption waits until the end, and processes that are started inside never get one: the first process ends
    them. Without it one that is still importing would answer with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started inside compute in one thread: more would only be in each other's way."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
