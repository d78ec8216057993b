"""What a protocol is: what is shown and asked in a trial, which trial comes next, and what counts as right.

A protocol is one plain class without Qt. It sees the dealt plan and the rows of the trials that are done, so that a
next trial may depend on past answers (a staircase does; the quick-response quiz takes the plan in order).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

NO_ANSWER = "none"

Showings = tuple[tuple[str, ...], ...]
"""The stimuli of a trial: one tuple for each time that something appears, in it the pictures from left to right."""


@dataclass(frozen=True)
class Timing:
    """How long pictures are seen and how long an answer is accepted."""

    flash_ms: float | None
    """Fixed exposure of each showing; None: until the answer, at most until the response window closes."""
    response_ms: float | None
    """From the last onset; None: the window never closes."""
    gap_ms: float = 0.0
    """Between the offset of one showing and the onset of the next."""


class QuizProtocol(Protocol):
    """What a session needs to know of a protocol."""

    name: str
    answers: Mapping[str, str]
    """The answer that each key gives; keys are single lower-case characters."""

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan row of the next trial, given the rows of the trials that are done; None at the end."""
        ...

    def showings(self, planned: Row) -> Showings:
        """What is shown."""
        ...

    def timing(self, planned: Row) -> Timing:
        """The times of one trial."""
        ...

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The columns of the trial's row that hold the answer and whether it is right; None: no answer in time.

        Always response, choice, rating and correct; None where they do not apply.
        """
        ...

    def truth(self, planned: Row) -> str | None:
        """The answer that is right, for the feedback in practice; None where there is no truth."""
        ...


def first_undone(plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
    """The first trial of the plan that is not done."""
    answered = {row["trial"] for row in done}
    return next((row for row in plan if row["trial"] not in answered), None)


def answers_of(settings: QuizSettings, list_number: int) -> dict[str, str]:
    """The answer that each key gives to the participant with this list."""
    return {key.lower(): answer for answer, key in settings.keys_of_list(list_number).items()}


def judged(
    *,
    response: str | None = None,
    choice: str | None = None,
    rating: float | None = None,
    correct: bool | None = None,
) -> Row:
    """The columns that `QuizProtocol.judge` gives."""
    return {"response": response, "choice": choice, "rating": rating, "correct": correct}
