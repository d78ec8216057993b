"""Precedence over other programs while pictures are timed, as far as the system allows it without asking.

The program while a session is presented: ahead of others, quick between threads, no garbage at bad moments.

Keeps Python alive under a PySide6 that was built for Python 3.12 and later.

From Python 3.12 on, None, True and False are immortal, and compiled code may hand them out without counting references.
PySide6 6.12 does so on Python 3.11 as well, where they are counted: each call of a Qt method without a result takes
one reference from None, each emitted signal one from True. A bare program starts with about 5,000 and 600 of them,
the quiz with 32,000 and 7,000. When they come to nought the program is aborted, in the middle or at its end.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Priority = Literal["realtime", "high", "normal"]

_REALTIME = 5
"""Above ordinary programs, below the system's own threads."""
_NICE = -10


@contextmanager
def raised_priority() -> Iterator[Priority]:
    """Put the calling thread before other programs; at the end everything is as it was.

    A busy machine otherwise lets a thread that was asleep wait for several milliseconds. Linux allows it by the limit
    `rtprio` (or `nice`) of the account, Windows to everyone; elsewhere the priority stays normal.
    """
    if sys.platform == "linux":
        yield from _on_linux()
    elif sys.platform == "win32":
        yield from _on_windows()
    else:
        yield "normal"


if sys.platform == "linux":

    def _on_linux() -> Iterator[Priority]:
        policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
        try:  # threads and programs that are started meanwhile keep the usual priority
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(_REALTIME))
        except OSError:
            yield from _by_nice()
            return
        try:
            yield "realtime"
        finally:
            os.sched_setscheduler(0, policy, parameters)

    def _by_nice() -> Iterator[Priority]:
        usual = os.getpriority(os.PRIO_PROCESS, 0)  # on Linux that of this thread
        try:
            os.setpriority(os.PRIO_PROCESS, 0, min(usual, _NICE))
        except OSError:
            yield "normal"
            return
        try:
            yield "high"
        finally:
            os.setpriority(os.PRIO_PROCESS, 0, usual)


if sys.platform == "win32":
    import ctypes

    _HIGH_PRIORITY_CLASS = 0x80

    def _on_windows() -> Iterator[Priority]:
        kernel, timers = ctypes.WinDLL("kernel32"), ctypes.WinDLL("winmm")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        usual = kernel.GetPriorityClass(process)
        raised = bool(kernel.SetPriorityClass(process, _HIGH_PRIORITY_CLASS))
        timers.timeBeginPeriod(1)
        try:
            yield "high" if raised else "normal"
        finally:
            timers.timeEndPeriod(1)
            if raised and usual:
                kernel.SetPriorityClass(process, usual)


SWITCH_S = 0.0005
"""How long the threads that write and deliver may hold the interpreter while the one that presents waits for it."""


@contextmanager
def calm_interpreter() -> Iterator[None]:
    """Go before other programs and switch threads quickly; at the end everything is as it was.

    Inside, trials turn the collector of cyclic garbage off from the onset to the blank, and `spare_the_old` keeps it
    from going through what is there anyway.
    """
    usual_switch_s, collected = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(SWITCH_S)
    try:
        with raised_priority():
            yield
    finally:
        sys.setswitchinterval(usual_switch_s)
        gc.unfreeze()
        if collected:
            gc.enable()


def spare_the_old() -> None:
    """Collect now, and leave what is alive out of later collections."""
    gc.collect()
    gc.freeze()


_SPARE = 1 << 40
"""References given to each; so many calls are never made."""


def keep_singletons_alive() -> None:
    """Give None, True and False more references than any program can lose. To be called before the first window.

    Nothing is done from Python 3.12 on. In CPython the number of references is the first field of an object.
    """
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for value in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(value))
        if count.value < _SPARE:
            count.value += _SPARE
