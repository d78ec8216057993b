"""Whether a window can be opened here, told before Qt would abort the whole program."""

import ctypes
import os
import sys
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.system_libraries import missing_display, qt_platform


def require_display() -> None:
    """Check Qt's libraries and, on Linux, the display server. Offscreen platforms pass: they were asked for.

    Raises:
        UserError: Qt cannot be loaded, or there is no display to open a window on.
    """
    try:
        import PySide6
        import PySide6.QtWidgets
    except ImportError as error:
        raise UserError(f"Qt cannot be loaded ({error}); `gan-eval doctor` says what to install") from error
    if not sys.platform.startswith("linux") or qt_platform() not in ("", "xcb", "wayland"):
        return
    ways_out = (
        "without one, rehearse with `--simulate default`, or set QT_QPA_PLATFORM=offscreen (draws where nobody can "
        "see it)"
    )
    missing = missing_display()
    if missing is not None:
        raise UserError(f"no display ({missing}); {ways_out}")
    if os.environ.get("WAYLAND_DISPLAY") and qt_platform() != "xcb":
        return
    # Loading Qt's X11 plugin names the first library that is missing. A build that keeps it elsewhere passes.
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if plugin.is_file():
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise UserError(f"Qt cannot open a window ({error}); `gan-eval doctor` says what to install") from error
    # The connection is left open until the program ends: a server that loses its last client starts anew, and would
    # refuse Qt in the meantime.
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    if xcb.xcb_connection_has_error(xcb.xcb_connect(None, None)):
        raise UserError(f"the display DISPLAY={os.environ['DISPLAY']} cannot be reached; {ways_out}")
