"""The keyboard: which key was pressed (by character or place), and when."""

import sys
from collections.abc import Container
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWindow

from gan_eval.quiz.clock import now_ns

MAY_SHARE_CLOCK = sys.platform != "win32"
"""False on Windows, whose time stamps are offset from the monotonic clock."""
_MS = 1_000_000
_WRAP_MS = 2**32
_NEAR_MS = 2_000
"""Maximum age in ms of a stamp from this machine's clock."""
_REPEAT_MS = 1
"""Maximum time between the release and the press that X11 reports for a key that is held down."""


@dataclass(frozen=True)
class Press:
    """One key press."""

    key: str
    """The character of the key in the keyboard layout."""
    place: str
    """The character of the key in a US layout; empty: none."""
    when: int
    """Nanoseconds on the monotonic clock."""
    repeated: bool
    """True if the keyboard repeats a key that is held down."""
    from_server: bool
    """True if the time comes from the display server, not from when the program handled the key."""


def press_moment(stamp_ms: int, now: int, *, may_share: bool = MAY_SHARE_CLOCK) -> tuple[int, bool]:
    """Return when a key was pressed, in nanoseconds on the monotonic clock, and True if the server's stamp was used.

    Display servers on the same Linux machine stamp keys with the low 32 bits of the monotonic clock in milliseconds. If
    a stamp is at most a millisecond before `now` (when the event is handled), `now` is more exact. If it is a little
    older, the middle of its millisecond is returned. Any other stamp comes from another clock (another machine's
    display, Windows), and `now` is returned.

    >>> [press_moment(stamp, 9_000_000, may_share=True) for stamp in (8, 5, 123456)]
    [(9000000, True), (5500000, True), (9000000, False)]
    """
    behind = (now // _MS - stamp_ms) % _WRAP_MS
    if behind > _NEAR_MS or not may_share:
        return now, False
    if behind <= 1:
        return now, True
    return (now // _MS - behind) * _MS + _MS // 2, True


_US_ROWS = ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'`"), (43, "\\zxcvbnm,./"))
"""First scan code of each row of keys; those of Linux (evdev) and of Windows (set 1) are the same here."""
_KEYPAD = {71: "7", 72: "8", 73: "9", 75: "4", 76: "5", 77: "6", 79: "1", 80: "2", 81: "3", 82: "0"}
_US_SCAN_CODES = _KEYPAD | {first + column: key for first, row in _US_ROWS for column, key in enumerate(row)}
_US_KEY_CODES = dict(enumerate("asdfhgzxcv bqweryt123465=97-80]ou[ip lj'k;\\,/nm.  `")) | dict(
    zip((*range(82, 90), 91, 92), "0123456789", strict=True)
)
"""macOS numbers keys in this order (Carbon's `kVK_ANSI_...`); a space stands for a key without a character."""
_EVDEV_OFFSET = 8
"""Added to the kernel's codes by X11 and Wayland."""
_NO_CHARACTER = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


def place_of(event: QKeyEvent, *, platform: str = sys.platform) -> str:
    """Return the character that a US keyboard has in the place of the pressed key, without Shift; empty: a command."""
    if event.modifiers() & _NO_CHARACTER:
        return ""
    if platform == "darwin":  # macOS events have no scan codes
        return _US_KEY_CODES.get(event.nativeVirtualKey(), "").strip()
    offset = 0 if platform == "win32" else _EVDEV_OFFSET
    return _US_SCAN_CODES.get(event.nativeScanCode() - offset, "")


def matching_key(character: str, us_character: str, wanted: Container[str]) -> str | None:
    """Return the key of `wanted` that was pressed, by its character (any case), else by that of a US layout.

    None: another key was pressed.

    >>> matching_key("J", "j", "fj"), matching_key("о", "j", "fj"), matching_key("k", "k", "fj")
    ('j', 'j', None)
    """
    return next((key for key in (character.lower(), us_character) if key and key in wanted), None)


class Keyboard(QObject):
    """Listens to one window's keys, focus and closing.

    X11 reports a held key as releases and presses in turn, each release with the stamp of the press after it, and Qt
    does not recognise all of these repeats. No person presses a key again within a millisecond.
    """

    pressed = Signal(object)
    """A `Press`."""
    pause_requested = Signal()
    """Esc."""
    focus_lost = Signal()
    close_requested = Signal()

    def __init__(self, window: QWindow) -> None:
        super().__init__(window)
        self._released: dict[int, int] = {}
        window.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Handle keys, loss of focus and closing; leave other events to the window."""
        kind = event.type()
        if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            now, released, stamp = now_ns(), self._released.get(event.key()), event.timestamp()
            repeated = event.isAutoRepeat()
            if released is not None and stamp != 0:  # some servers give no stamp
                repeated = repeated or (stamp - released) % _WRAP_MS <= _REPEAT_MS
            if event.key() != Qt.Key.Key_Escape:
                when, from_server = press_moment(stamp, now)
                self.pressed.emit(Press(event.text(), place_of(event), when, repeated, from_server))
            elif not repeated:
                self.pause_requested.emit()
            return True
        if kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            self._released[event.key()] = event.timestamp()
        if kind == QEvent.Type.FocusOut:
            self.focus_lost.emit()
        elif kind == QEvent.Type.Close:
            event.ignore()
            self.close_requested.emit()
            return True
        return False
