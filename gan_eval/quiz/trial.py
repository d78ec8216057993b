"""One trial on its way: from onset to offset and answer, by times that others have stamped."""

from dataclasses import dataclass, field
from typing import Final

from gan_eval.quiz.protocol import Timing
from gan_eval.tabular import Row

MILLISECOND: Final = 1_000_000
"""Nanoseconds."""

EARLY_MS: Final = 100.0
"""Faster than a person can judge a picture; such an answer was on its way before the onset."""

LATE_MS: Final = 5.0
"""An exposure that differs from the one asked for by more than this is flagged."""


class Flag:
    """The words of the column `flags`."""

    LATE = "late"
    """The exposure differs from the one asked for by more than 5 ms."""
    EARLY_KEY = "early_key"
    """The answer came less than 100 ms after onset."""
    BLANK_KEY = "blank_key"
    """An answer key was pressed in the blank before the onset; it did not count."""
    HELD_KEY = "held_key"
    """An answer key was held down from before the trial; its repeats did not count."""
    FOCUS_LOST = "focus_lost"
    """The window did not have the keyboard for some of the trial."""
    HANDLER_TIME = "handler_time"
    """The key press was stamped when it was handled, not by the display server."""
    PAUSED = "paused"
    """The participant asked for a pause while the picture was shown; the trial was not repeated."""
    INTERRUPTED = "interrupted"
    """The program was told to end while the picture was shown; the trial was not repeated."""
    RESUMED = "resumed"
    """First trial after the session was taken up again: its picture may have been seen before."""


@dataclass
class Trial:
    """One trial on its way. All times are nanoseconds on the monotonic clock."""

    planned: Row
    timing: Timing
    flags: set[str] = field(default_factory=set)
    onset: int | None = None
    offset: int | None = None
    answer: str | None = None
    pressed: int | None = None
    broken_off: int | None = None

    @property
    def vanish_due(self) -> int:
        """When the picture must vanish at the latest."""
        assert self.onset is not None
        flash = self.timing.flash_ms
        return self.onset + round((self.timing.response_ms if flash is None else flash) * MILLISECOND)

    @property
    def close_due(self) -> int:
        """When the response window closes."""
        assert self.onset is not None
        return self.onset + round(self.timing.response_ms * MILLISECOND)

    @property
    def waits_for_answer(self) -> bool:
        """The picture is or was shown, and no answer has come yet."""
        return self.onset is not None and self.answer is None and self.broken_off is None

    def press(self, answer: str, when: int, *, repeated: bool = False) -> bool:
        """Take a key press; whether it is the trial's answer.

        The moment of the press decides, not the moment at which the program hears of it.
        """
        if repeated:
            if self.waits_for_answer or self.onset is None:
                self.flags.add(Flag.HELD_KEY)
            return False
        if self.onset is None or when < self.onset:
            self.flags.add(Flag.BLANK_KEY)
            return False
        if not self.waits_for_answer or when > self.close_due:
            return False
        self.answer, self.pressed = answer, when
        if when - self.onset < EARLY_MS * MILLISECOND:
            self.flags.add(Flag.EARLY_KEY)
        return True

    def break_off(self, when: int, flag: str) -> None:
        """End the trial before its time; an answer that was given already stays."""
        self.flags.add(flag)
        if self.answer is None:
            self.broken_off = when

    def measured(self) -> Row:
        """The columns of the trial's row that hold times, and its flags."""
        assert self.onset is not None
        assert self.offset is not None
        exposure = (self.offset - self.onset) / MILLISECOND
        asked = self._asked_ms()
        if asked is not None and abs(exposure - asked) > LATE_MS:
            self.flags.add(Flag.LATE)
        return {
            "requested_exposure_ms": self.timing.flash_ms,
            "planned_exposure_ms": self.timing.flash_ms,
            "exposure_ms": exposure,
            "onset_ms": self.onset / MILLISECOND,
            "reaction_time_ms": None if self.pressed is None else (self.pressed - self.onset) / MILLISECOND,
            "flags": " ".join(sorted(self.flags)) or None,
        }

    def _asked_ms(self) -> float | None:
        """The exposure that should have come out of what happened."""
        assert self.onset is not None
        if self.broken_off is not None:
            return None
        if self.timing.flash_ms is not None:
            return self.timing.flash_ms
        return self.timing.response_ms if self.pressed is None else (self.pressed - self.onset) / MILLISECOND
