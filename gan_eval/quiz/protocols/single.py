"""One picture at a time, called real or fake: the quick-response quiz, and yes/no at several exposures.

Rating: one picture at a time, how real it looks as a grade.

Absolute category rating, as in ITU-T P.910: five grades by default, 1 the lowest.

Staircase: the exposure follows the answers, down to the shortest at which real and fake are told apart.

After HYPE_time (Zhou et al. 2019, arXiv 1904.01121, section 2.1): a right answer shortens the next exposure, a wrong
one lengthens it, from 500 ms, within 100 to 1000 ms; blocks of 75 real and 75 fake pictures. Which share of right
answers it settles at is set by the steps alone: the exposure stands still on average where p * down = (1 - p) * up, so
at p = up / (up + down) (weighted up-down method, Kaernbach 1991, Perception & Psychophysics 49:227). The paper speaks
of 3-up/1-down and of 75 % right, which is 30 ms up and 10 ms down. Its sentence on the steps has the two numbers the
other way round; so read it would settle at 25 %, below chance, and always end at the shortest exposure. The threshold
that is made of it: `gan_eval.staircases`.
"""

from collections.abc import Iterable, Mapping, Sequence

from gan_eval.quiz.protocols.interface import NO_ANSWER, Showings, Timing, answers_of, first_undone, judged
from gan_eval.settings.quiz import QuizSettings, StaircaseSettings
from gan_eval.staircases import STAIRCASE, moving_trials
from gan_eval.tabular import Row


class QuickResponse:
    """One picture at a time, called real or fake.

    With `until-answer` the picture vanishes at the answer, or when the response window closes. A fixed flash goes on
    for as long as was asked, also where the answer comes during it; that answer counts. Either way an answer is
    accepted until `response_ms` after onset, by the moment of the key press; later the trial is recorded as `none`.
    """

    name = "quick_response"

    def __init__(self, settings: QuizSettings, *, list_number: int = 1) -> None:
        self._window_ms = settings.window_ms
        self.answers: Mapping[str, str] = answers_of(settings, list_number)

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan in its order."""
        return first_undone(plan, done)

    def showings(self, planned: Row) -> Showings:
        """The one picture."""
        return ((planned["stimulus"],),)

    def timing(self, planned: Row) -> Timing:
        """The plan's exposure and the settings' response window."""
        return Timing(planned["requested_exposure_ms"], self._window_ms)

    def judge(self, planned: Row, answer: str | None) -> Row:
        """Right is the answer that equals the truth; without an answer there is no right or wrong."""
        return judged(response=answer or NO_ANSWER, correct=None if answer is None else answer == planned["kind"])

    def truth(self, planned: Row) -> str | None:
        """What the picture is."""
        return str(planned["kind"])


class YesNo(QuickResponse):
    """The same with exposures that differ from trial to trial, as the plan says."""

    name = "yes_no"


class Rating(QuickResponse):
    """Shown as in the quick-response quiz; the answers are the grades, as words: `1`, `2`, ..."""

    name = "rating"

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The grade; there is no right or wrong."""
        return judged(rating=None if answer is None else float(answer))

    def truth(self, planned: Row) -> str | None:
        """Nothing to tell in practice."""
        return None


class Staircase(QuickResponse):
    """One picture at a time, called real or fake, for as long as the answers before it say.

    Each block has a staircase of its own. Practice and catch trials are shown for the starting exposure. Where the
    exposure is rounded to whole frames the steps are those of the request, before rounding.
    """

    name = STAIRCASE

    def __init__(self, settings: QuizSettings, *, list_number: int = 1) -> None:
        super().__init__(settings, list_number=list_number)
        self._steps = settings.staircase

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan in its order, with the exposure that the answers in the same block lead to."""
        planned = first_undone(plan, done)
        if planned is None:
            return None
        exposure = self._steps.start_ms
        if planned["phase"] == "main":
            exposure = exposure_after([row for row in done if row["block"] == planned["block"]], self._steps)
        return {**planned, "requested_exposure_ms": exposure}


def exposure_after(rows: Iterable[Row], settings: StaircaseSettings) -> float:
    """The exposure in ms of the trial that follows these trials of one block.

    A main trial with an answer moves it. Practice and catch trials do not, nor does a trial without an answer (none in
    time, paused, interrupted, killed): nobody knows what was seen.

    >>> exposure_after([], StaircaseSettings())
    500.0
    """
    exposure = settings.start_ms
    for row in moving_trials(rows):
        step = -settings.down_ms if row["correct"] else settings.up_ms
        exposure = min(max(exposure + step, settings.shortest_ms), settings.longest_ms)
    return exposure


def share_right(settings: StaircaseSettings) -> float:
    """The share of right answers at which the steps settle.

    >>> share_right(StaircaseSettings(down_ms=10, up_ms=30))
    0.75
    """
    return settings.up_ms / (settings.up_ms + settings.down_ms)
