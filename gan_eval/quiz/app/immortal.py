"""Keeps Python alive under a PySide6 that was built for Python 3.12 and later.

From Python 3.12 on, None, True and False are immortal, and compiled code may hand them out without counting references.
PySide6 6.12 does so on Python 3.11 as well, where they are counted: each call of a Qt method without a result takes
one reference from None, each emitted signal one from True. A bare program starts with about 5,000 and 600 of them,
the quiz with 32,000 and 7,000. When they come to nought the program is aborted, in the middle or at its end.
"""

import ctypes
import sys

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
