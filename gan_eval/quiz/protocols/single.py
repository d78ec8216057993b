"""One picture at a time, called real or fake: the quick-response quiz, and yes/no at several exposures."""

from collections.abc import Mapping, Sequence

from gan_eval.quiz.protocols.interface import NO_ANSWER, Showings, Timing, answers_of, first_undone, judged
from gan_eval.settings.quiz import QuizSettings
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
