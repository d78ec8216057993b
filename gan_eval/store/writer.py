"""A thread that owns a store, so that a slow disk never stops the thread that shows pictures."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Self, TypeVar

from gan_eval.errors import UserError
from gan_eval.store.results import Store

Result = TypeVar("Result")


class Writer:
    """A thread that owns a store and does what it is given, in order.

    `writer.submit(lambda store: store.add(TRIALS, [row])).result()` returns when the row is durable.
    """

    def __init__(self, open_it: Callable[[], Store]) -> None:
        """Open the store.

        Args:
            open_it: opens it, on the thread.

        Raises:
            UserError: it cannot be opened.
        """
        self._jobs: queue.SimpleQueue[tuple[Callable[[Store], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._ended = False
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, args=(open_it, ready), name="store-writer", daemon=True)
        self._thread.start()
        ready.result()

    def submit(self, job: Callable[[Store], Result]) -> "Future[Result]":
        """Queue `job`; the future is done when the job's transaction is durable, or holds its error."""
        future: Future[Result] = Future()
        with self._gate:
            if self._ended:
                future.set_exception(_closed())
            else:
                self._jobs.put((job, future))
        return future

    def close(self) -> None:
        """Finish what is queued and release the store."""
        self._jobs.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self, open_it: Callable[[], Store], ready: "Future[None]") -> None:
        try:
            store = open_it()
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        try:
            with store:
                while (task := self._jobs.get()) is not None:
                    self._do(store, *task)
        finally:
            with self._gate:  # nobody may wait for a job that is never done
                self._ended = True
                while not self._jobs.empty():
                    task = self._jobs.get()
                    if task is not None and task[1].set_running_or_notify_cancel():
                        task[1].set_exception(_closed())

    def _do(self, store: Store, job: Callable[[Store], Any], future: "Future[Any]") -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = job(store)
        except BaseException as error:
            future.set_exception(error)
            return
        future.set_result(result)


def _closed() -> UserError:
    return UserError("the results store is closed; this was not kept")
