"""Names that were read from a file, as parts of paths: the one place that decides where they may lead."""

import os
import re
from pathlib import PurePosixPath

_DRIVE = re.compile("[A-Za-z]:")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\s*(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, with any ending."""
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]|[. ]$')


def leads_out(name: str, *, windows: bool = os.name == "nt") -> bool:
    r"""Return True for a relative path that may lead out of the folder that it is relative to.

    On Windows a path to a device, such as `a/nul.png`, leads out, too.

    >>> leads_out("a/b.png"), leads_out("../b.png"), leads_out("/b.png"), leads_out("a\\..\\..\\b"), leads_out("C:b")
    (False, True, True, True, True)
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if windows and any(map(_DEVICE.fullmatch, path.parts)):
        return True
    return path.is_absolute() or ".." in path.parts or _DRIVE.match(name) is not None or "\0" in name


def names_one_part(name: str, *, windows: bool = os.name == "nt") -> bool:
    r"""Return True for a name that can be one part of a path: a visible file or folder in a folder.

    >>> [names_one_part(name) for name in ("real", "", "..", "a/b", "a\\b", "C:x", ".hidden")]
    [True, False, False, False, False, False, False]
    >>> [names_one_part(name, windows=True) for name in ("NUL", "nul.png", "null", "a?")]
    [False, False, True, False]
    """
    if not name or name.startswith(".") or re.search(r"[/\\]", name) or leads_out(name, windows=windows):
        return False
    return not (windows and _NOT_ON_WINDOWS.search(name))
