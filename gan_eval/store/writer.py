"""A thread that owns a store, so that a slow disk never stops the thread that shows pictures."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        try:
            self._store = self._thread.submit(open_it).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def submit(self, job: Callable[[Store], Result]) -> "Future[Result]":
        """Queue `job`; the future is done when the job's transaction is durable, or holds its error."""
        try:
            return self._thread.submit(job, self._store)
        except RuntimeError:  # closed
            future: Future[Result] = Future()
            future.set_exception(UserError("the results store is closed; this was not kept"))
            return future

    def close(self) -> None:
        """Finish what is queued and release the store."""
        self.submit(Store.close)
        self._thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
