"""The process that presents a session: its display, priority, thread switching and garbage collection."""

import atexit
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from gan_eval.base.errors import UserError
from gan_eval.base.system_libraries import missing_display, qt_platform

Priority = Literal["realtime", "high", "normal"]


@contextmanager
def raised_priority() -> Iterator[Priority]:
    """Raise the priority of the calling thread; restore it at the end.

    Without this, a thread that wakes up on a busy machine can wait for several milliseconds. On Linux, the account
    needs the limit `rtprio`. On systems other than Linux and Windows, the priority stays normal.
    """
    priority: Priority = "normal"
    if sys.platform == "linux":
        policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
        # Priority 5 is above ordinary programs and below the system's threads. New threads keep the usual priority.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(5))
            priority = "realtime"
        try:
            yield priority
        finally:
            if priority == "realtime":
                os.sched_setscheduler(0, policy, parameters)
    elif sys.platform == "win32":
        kernel, timers = ctypes.WinDLL("kernel32"), ctypes.WinDLL("winmm")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        usual = kernel.GetPriorityClass(process)
        if kernel.SetPriorityClass(process, 0x80):  # HIGH_PRIORITY_CLASS
            priority = "high"
        timers.timeBeginPeriod(1)  # timers of 1 ms; the usual 15.6 ms are a whole frame
        try:
            yield priority
        finally:
            timers.timeEndPeriod(1)
            if priority == "high" and usual:
                kernel.SetPriorityClass(process, usual)
    else:
        yield priority


SWITCH_S = 0.0005
"""Switch interval of the interpreter in seconds: the longest time for which another thread delays the presenter."""


@contextmanager
def timing_critical() -> Iterator[None]:
    """Raise the thread's priority and shorten the interpreter's switch interval; restore both at the end.

    Trials turn the garbage collector off from onset to blank, so it is restored at the end, too.
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


def exempt_live_objects() -> None:
    """Collect garbage now, and exclude all live objects from later collections."""
    gc.collect()
    gc.freeze()


def require_display() -> None:
    """Check Qt's libraries and, on Linux, the display server; offscreen platforms pass.

    Raises:
        UserError: Qt cannot be loaded, or no display is available.
    """
    try:
        import PySide6
        import PySide6.QtWidgets
    except ImportError as error:
        raise UserError(f"Qt cannot be loaded ({error}); `gan-eval doctor` says what to install") from error
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)  # collecting Qt's objects at the interpreter's exit crashed about one session in ten
    if not sys.platform.startswith("linux") or qt_platform() not in ("", "xcb", "wayland"):
        return
    alternatives = (
        "without one, use a browser (`gan-eval serve`), rehearse with `--simulate default`, or set "
        "QT_QPA_PLATFORM=offscreen (draws without a screen)"
    )
    missing = missing_display()
    if missing is not None:
        raise UserError(f"no display ({missing}); {alternatives}")
    if os.environ.get("WAYLAND_DISPLAY") and qt_platform() != "xcb":
        return
    # The error names the first missing library of Qt's X11 plugin. Qt builds with the plugin elsewhere are not checked.
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if plugin.is_file():
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise UserError(f"Qt cannot open a window ({error}); `gan-eval doctor` says what to install") from error
    # Keep the connection open until the program ends: some X servers restart when their last client disconnects, and
    # refuse Qt during the restart.
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    if xcb.xcb_connection_has_error(xcb.xcb_connect(None, None)):
        raise UserError(f"the display DISPLAY={os.environ['DISPLAY']} cannot be reached; {alternatives}")
