"""The trial window's keys, its precedence over other programs, and what is said where no window can be opened."""

import os
import sys
import threading

import pytest
from refusals import refused

pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from gan_eval.quiz.app.keys import place_of, press_moment
from gan_eval.quiz.app.process import raised_priority, require_display


@pytest.mark.parametrize(
    ("stamp", "now", "moment", "from_server"),
    [
        (1_000, 1_000_300_000, 1_000_300_000, True),  # handled in the same millisecond: the finer time
        (1_000, 1_001_100_000, 1_001_100_000, True),
        (1_000, 1_030_000_000, 1_000_500_000, True),  # the program was busy: the server's time
        (50, (2**32 + 60) * 1_000_000, (2**32 + 50) * 1_000_000 + 500_000, True),  # the stamp has 32 bits
        (77_777, 1_000_300_000, 1_000_300_000, False),  # another clock
        (0, 5_000_000_000, 5_000_000_000, False),
    ],
)
def test_when_a_key_was_pressed(stamp: int, now: int, moment: int, from_server: bool) -> None:
    assert press_moment(stamp, now, may_share=True) == (moment, from_server)
    assert press_moment(stamp, now, may_share=False) == (now, False)


@pytest.mark.parametrize(
    ("platform", "scan_code", "key_code", "place"),
    [
        ("linux", 44, 0, "j"),
        ("linux", 11, 0, "2"),
        ("linux", 87, 0, "1"),  # the keypad
        ("linux", 116, 0, ""),  # an arrow
        ("win32", 36, 0, "j"),
        ("win32", 0x50, 0, "2"),
        ("win32", 0x150, 0, ""),
        ("darwin", 1, 38, "j"),
        ("darwin", 1, 19, "2"),
        ("darwin", 1, 84, "2"),
        ("darwin", 1, 36, ""),  # Return
    ],
)
def test_the_place_of_a_key(platform: str, scan_code: int, key_code: int, place: str) -> None:
    for held, expected in (
        (Qt.KeyboardModifier.NoModifier, place),
        (Qt.KeyboardModifier.ShiftModifier, place),
        (Qt.KeyboardModifier.ControlModifier, ""),
    ):
        event = QKeyEvent(QEvent.Type.KeyPress, 0, held, scan_code, key_code, 0, "")
        assert place_of(event, platform=platform) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize(("display", "message"), [(None, "no display"), (":4321", "DISPLAY=:4321")])
def test_without_a_display_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, display: str | None, message: str
) -> None:
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    refused(rf"{message}.*--simulate.*QT_QPA_PLATFORM=offscreen", require_display)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    require_display()


def test_missing_libraries_are_a_line_that_names_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtWidgets", None)  # as where a shared library is missing
    refused("gan-eval doctor", require_display)


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux' scheduling policies")


@LINUX
def test_it_says_what_it_got_and_gives_it_back_and_new_threads_are_ordinary() -> None:
    before, found = (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority), list[int]()
    with raised_priority() as priority:
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        assert (policy == os.SCHED_RR) == (priority == "realtime")
        thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
    assert found == [os.SCHED_OTHER]
    assert (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority) == before
