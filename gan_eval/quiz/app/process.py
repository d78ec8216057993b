"""Precedence over other programs while pictures are timed, as far as the system allows it without asking."""

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
