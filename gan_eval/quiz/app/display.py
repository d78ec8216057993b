"""Whether a window can be opened here, told before Qt would abort the whole program."""

import ctypes
import os
import sys
from pathlib import Path

from gan_eval.errors import UserError

_WITHOUT = (
    "without one, rehearse with `--simulate default`, or set QT_QPA_PLATFORM=offscreen (draws where nobody can see it)"
)


def require_display() -> None:
    """Check Qt's libraries and, on Linux, the display server.

    Raises:
        UserError: Qt cannot be loaded, or there is no display to open a window on.
    """
    try:
        import PySide6
        import PySide6.QtWidgets
    except ImportError as error:
        raise UserError(f"Qt cannot be loaded ({error}); `gan-eval doctor` says what to install") from error
    if not sys.platform.startswith("linux"):
        return
    wanted = os.environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    if wanted not in ("", "xcb", "wayland"):
        return
    if os.environ.get("WAYLAND_DISPLAY") and wanted != "xcb":
        return
    if not os.environ.get("DISPLAY"):
        raise UserError(f"no display (neither DISPLAY nor WAYLAND_DISPLAY is set); {_WITHOUT}")
    _require_xcb_plugin(Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so")
    _require_x_server()


def _require_xcb_plugin(plugin: Path) -> None:
    """Load Qt's X11 plugin, which names the first library that is missing. A build that keeps it elsewhere passes."""
    if not plugin.is_file():
        return
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        raise UserError(f"Qt cannot open a window ({error}); `gan-eval doctor` says what to install") from error


def _require_x_server() -> None:
    """Connect to the X server once, as Qt will.

    The connection is left open until the program ends: a server that loses its last client starts anew, and would
    refuse Qt in the meantime.
    """
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    if xcb.xcb_connection_has_error(connection):
        raise UserError(f"the display DISPLAY={os.environ['DISPLAY']} cannot be reached; {_WITHOUT}")
