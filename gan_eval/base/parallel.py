"""Equal pieces of work in several processes of this machine."""

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from gan_eval.base.errors import UserError

State = TypeVar("State")
Result = TypeVar("Result")
Task = TypeVar("Task")
RunTasks = Callable[..., list[Any]]
"""Function with the arguments of `in_parallel` without `workers`."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def in_parallel(
    function: Callable[[State, Task], Result],
    state: State,
    tasks: Sequence[Task],
    *,
    workers: int,
    on_done: Callable[[int], None] | None = None,
) -> list[Result]:
    """Return `function(state, task)` of each task, in the tasks' order.

    Args:
        function: defined at a module's top level; its random numbers depend on state and task only.
        state: sent with each task.
        tasks: the shorter they are, the sooner an interruption takes effect.
        workers: number of processes; 1: this process.

    Raises:
        KeyboardInterrupt: interrupted, after the processes have ended.
        UserError: a process ended unexpectedly.
    """
    report = on_done or (lambda done: None)
    results: list[Result] = []
    if workers == 1:
        for task in tasks:
            results.append(function(state, task))
            report(len(results))
        return results
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start)
    try:
        with _quiet_processes():  # this starts the processes
            outcomes = pool.map(partial(function, state), tasks)
        for result in outcomes:
            results.append(result)
            report(len(results))
    except BrokenProcessPool as error:
        why = "was it killed, or is there too little memory?"
        raise UserError(f"a worker ended unexpectedly; {why} Repeat the command") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return results


def _start() -> None:
    """Prepare a new process, which ends when its parent ends, even if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)  # releases nothing, as `release_nothing_at_exit`

    def end_with_parent() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


@contextmanager
def ignored_interrupts() -> Iterator[None]:
    """Start processes inside that do not react to Ctrl-C, which reaches them, too."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet_processes() -> Iterator[None]:
    """Start processes inside with one thread each, and without a reaction to Ctrl-C."""
    before = {name: os.environ[name] for name in _THREADS if name in os.environ}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        with ignored_interrupts():
            yield
    finally:
        for name in _THREADS:
            del os.environ[name]
        os.environ.update(before)
