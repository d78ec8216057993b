"""What a protocol is: what is presented and asked in a trial, which trial comes next, and what counts as right.

A protocol is one plain class without Qt. It sees the dealt plan and the rows of the trials that are done, so that a
next trial may depend on past answers (a staircase does; the quick-response quiz takes the plan in order).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row

NO_ANSWER = "none"

Showings = tuple[tuple[str, ...], ...]
"""The stimuli of a trial: one tuple for each time that something appears, in it the pictures from left to right."""

TrialMaterial = Literal["single", "real_and_fake", "two_models"]
"""What one trial is made of: a picture, a real one and a fake of the same item, or two models' outputs for one item."""


@dataclass(frozen=True)
class Timing:
    """How long pictures are seen and how long an answer is accepted."""

    flash_ms: float | None
    """Fixed exposure of each showing; None: until the answer, at most until the response window closes."""
    response_ms: float | None
    """From the last onset; None: the window never closes."""
    gap_ms: float = 0.0
    """Between the offset of one showing and the onset of the next."""


class QuizProtocol(ABC):
    """One protocol; a subclass says what is presented and what is right, and names its texts of `quiz/wording.py`.

    By default the plan is taken in its order, and an answer is accepted until the settings' response window closes.
    """

    name: ClassVar[str]
    """In study files and tables."""
    material: ClassVar[TrialMaterial] = "single"
    graded: ClassVar[bool] = False
    """The answers are grades: `1`, `2`, ..."""
    adapts_exposure: ClassVar[bool] = False
    """The exposure of a trial follows from the answers before it."""
    title: ClassVar[str] = "welcome_title"
    """The text that says what the session is about."""
    question: ClassVar[str] = "question_single"
    """The text that asks for the answer and names its keys, once everything has vanished."""
    in_brief: ClassVar[str]
    """For the report's table of the design."""
    methods: ClassVar[str]
    """For a paper's methods section; `by key (...)` follows."""

    def __init__(self, settings: QuizSettings, *, list_number: int = 1) -> None:
        self.settings = settings
        self.answers: Mapping[str, str] = {
            key.lower(): answer for answer, key in settings.keys_of_list(list_number).items()
        }
        """The answer that each key gives to the participant with this list; keys are single lower-case characters."""

    def task(self) -> str:
        """The name of the text that explains the task."""
        return "task_single"

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan row of the next trial, given the rows of the trials that are done; None at the end."""
        return first_undone(plan, done)

    def timing(self, planned: Row) -> Timing:
        """The times of one trial."""
        return Timing(planned["requested_exposure_ms"], self.settings.window_ms)

    @abstractmethod
    def showings(self, planned: Row) -> Showings:
        """What is presented."""

    @abstractmethod
    def judge(self, planned: Row, answer: str | None) -> Row:
        """The columns of the trial's row that hold the answer and whether it is right; None: no answer in time.

        Always response, choice, rating and correct, as `judged` gives them; None where they do not apply.
        """

    @staticmethod
    @abstractmethod
    def truth(planned: Row) -> str | None:
        """The answer that is right, for the feedback in practice and the review; None where there is no truth."""


def first_undone(plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
    """The first trial of the plan that is not done."""
    answered = {row["trial"] for row in done}
    return next((row for row in plan if row["trial"] not in answered), None)


def judged(
    *,
    response: str | None = None,
    choice: str | None = None,
    rating: float | None = None,
    correct: bool | None = None,
) -> Row:
    """The columns that `QuizProtocol.judge` gives."""
    return {"response": response, "choice": choice, "rating": rating, "correct": correct}
