"""Protocols: what is asked in a trial, which trial comes next, and what counts as right.

A protocol is one plain class without Qt. It sees the dealt plan and the rows of the trials that are done, so that a
next trial may depend on past answers (a staircase does; the quick-response quiz takes the plan in order).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gan_eval.study import QuizSettings
from gan_eval.tabular import Row

NO_ANSWER = "none"


@dataclass(frozen=True)
class Timing:
    """How long a trial's picture is seen and how long an answer is accepted, both from onset."""

    flash_ms: float | None
    """Fixed exposure; None: until the answer, at most until the response window closes."""
    response_ms: float


class QuizProtocol(Protocol):
    """What a session needs to know of a protocol."""

    name: str
    answers: Mapping[str, str]
    """The answer that each key gives; keys are single lower-case characters."""

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan row of the next trial, given the rows of the trials that are done; None at the end."""
        ...

    def timing(self, planned: Row) -> Timing:
        """The times of one trial."""
        ...

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The columns of the trial's row that hold the answer and whether it is right; None: no answer in time."""
        ...


class QuickResponse:
    """One picture at a time, called real or fake.

    With `until-answer` the picture vanishes at the answer, or when the response window closes. A fixed flash goes on
    for as long as was asked, also where the answer comes during it; that answer counts. Either way an answer is
    accepted until `response_ms` after onset, by the moment of the key press; later the trial is recorded as `none`.
    """

    name = "quick_response"

    def __init__(self, settings: QuizSettings) -> None:
        self._settings = settings
        self.answers: Mapping[str, str] = {key.lower(): answer for answer, key in settings.keys.items()}

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The first trial of the plan that is not done."""
        answered = {row["trial"] for row in done}
        return next((row for row in plan if row["trial"] not in answered), None)

    def timing(self, planned: Row) -> Timing:
        """The plan's exposure and the settings' response window."""
        return Timing(planned["requested_exposure_ms"], self._settings.response_ms)

    def judge(self, planned: Row, answer: str | None) -> Row:
        """Right is the answer that equals the truth; without an answer there is no right or wrong."""
        return {"response": answer or NO_ANSWER, "correct": None if answer is None else answer == planned["kind"]}


_PROTOCOLS: Mapping[str, type[QuickResponse]] = {QuickResponse.name: QuickResponse}


def protocol_for(settings: QuizSettings) -> QuizProtocol:
    """The protocol that the settings name."""
    return _PROTOCOLS[settings.protocol](settings)
