"""System requirements of Qt: shared libraries, the command that installs them, and a display.

Standard library only: `run` uses this module before anything is installed, `doctor` afterwards.
On macOS and Windows the PySide6 wheels contain everything.
"""

import ctypes
import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from gan_eval.base.commands import python_command


class SystemLibrary(NamedTuple):
    """One shared library and the Debian package that holds it."""

    soname: str
    package: str


IMPORT_LIBRARIES = (
    SystemLibrary("libGL.so.1", "libgl1"),
    SystemLibrary("libEGL.so.1", "libegl1"),
    SystemLibrary("libglib-2.0.so.0", "libglib2.0-0"),
    SystemLibrary("libdbus-1.so.3", "libdbus-1-3"),
    SystemLibrary("libfontconfig.so.1", "libfontconfig1"),
    SystemLibrary("libxkbcommon.so.0", "libxkbcommon0"),
)
"""Without these PySide6 cannot be imported, not even to draw off screen."""

SCREEN_LIBRARIES = (
    SystemLibrary("libxcb-cursor.so.0", "libxcb-cursor0"),
    SystemLibrary("libxcb-icccm.so.4", "libxcb-icccm4"),
    SystemLibrary("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    SystemLibrary("libxcb-shape.so.0", "libxcb-shape0"),
    SystemLibrary("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
)
"""Without these Qt's xcb plugin cannot open a window."""


def can_load(soname: str) -> bool:
    """Return whether the dynamic linker finds and loads a library."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def missing_libraries() -> tuple[SystemLibrary, ...]:
    """Return the libraries that the dynamic linker does not find, those needed for the import first; Linux only."""
    if not sys.platform.startswith("linux"):
        return ()
    return tuple(library for library in IMPORT_LIBRARIES + SCREEN_LIBRARIES if not can_load(library.soname))


def can_import_qt() -> bool:
    """Return whether the system has the libraries that the import of PySide6 needs."""
    return not set(IMPORT_LIBRARIES) & set(missing_libraries())


def install_command(libraries: Iterable[SystemLibrary]) -> str:
    """Return the apt-get command that installs `libraries`, or their names for other package managers."""
    if shutil.which("apt-get"):
        return " ".join(["sudo apt-get install -y --no-install-recommends", *(item.package for item in libraries)])
    return "install the packages that hold " + ", ".join(library.soname for library in libraries)


def qt_platform() -> str:
    """Return the first platform in QT_QPA_PLATFORM, such as `offscreen`; empty: Qt chooses."""
    return os.environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]


def missing_display() -> str | None:
    """Return the reason why no window can be opened; None if a window is possible."""
    displays = ("DISPLAY",) if qt_platform() == "xcb" else ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, displays)):
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    return "QT_QPA_PLATFORM asks for none" if qt_platform() in ("offscreen", "minimal") else None


_SCREENS = """
import json
from PySide6 import __version__
from PySide6.QtGui import QGuiApplication
application = QGuiApplication([])
screens = [
    {"name": s.name(), "width": s.size().width(), "height": s.size().height(),
     "ratio": s.devicePixelRatio(), "hertz": s.refreshRate()}
    for s in application.screens()
]
print(json.dumps({"version": __version__, "platform": application.platformName(), "screens": screens}))
"""
PROBE_SECONDS = 120
"""Maximum wait in seconds for Qt, which loads slowly from a slow disk."""


def probe_screens() -> tuple[dict[str, Any] | None, str]:
    """Return Qt's version, platform and screens, or None and the reason; Qt starts in another process: it may abort."""
    import json
    import subprocess

    chosen = qt_platform() or ("offscreen" if missing_display() else "")  # without a display Qt would abort
    environment = {"QT_QPA_PLATFORM": chosen} if chosen else {}
    try:
        done = subprocess.run(
            python_command("-c", _SCREENS),
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"no answer within {PROBE_SECONDS} s"
    if done.returncode == 0:
        return json.loads(done.stdout), ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return None, (lines or [f"it ended with status {done.returncode}"])[0]  # Qt prints the cause first
