"""SIGINT and SIGTERM inside Qt's event loop."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QSocketNotifier


@contextmanager
def on_termination(call: Callable[[], None]) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM call `call` from the event loop instead of ending the program.

    Python notices signals only between its own instructions, and the event loop runs none while it waits; so each
    signal also writes a byte to a socket that the loop listens to.
    """
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    caught = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: None) for number in caught}
    wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read)

    def read() -> None:
        numbers = reading.recv(64)
        if any(number in caught for number in numbers):
            call()

    notifier.activated.connect(read)
    try:
        yield
    finally:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        reading.close()
        writing.close()
