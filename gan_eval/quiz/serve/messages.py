"""Messages from the page to the server, as JSON."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gan_eval.quiz.marks import MarksReport
from gan_eval.quiz.remote import Moment, TrialReport

# pydantic needs megabytes for a pattern that repeats \w {16,64} times
Tab = Annotated[str, StringConstraints(min_length=16, max_length=64, pattern=r"^[\w-]*$")]
ShortText = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
"""Text without NUL, which PostgreSQL cannot store."""
Parameter = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class Message(BaseModel):
    """A message from the page."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Opening(Message):
    """The participant opens the page."""

    participant: str = Field(max_length=200)


class Leaving(Opening):
    """The participant does not agree to take part, or has a device that the study does not admit."""

    unfit: Literal["touch", "window_width"] | None = None
    """The check that the device fails; None: it is the participant who declines."""


class Arrival(Opening):
    """The participant consents, or comes back."""

    tab: Tab
    consent: bool = False
    parameters: dict[Parameter, Parameter] = Field(default={}, max_length=50)


class Screen(Message):
    """The participant's display."""

    width: int = Field(ge=1, le=100_000)
    height: int = Field(ge=1, le=100_000)
    """Physical pixels of the screen."""
    window_width: int = Field(ge=1, le=100_000)
    window_height: int = Field(ge=1, le=100_000)
    """Physical pixels of the window."""
    device_pixel_ratio: float = Field(gt=0, le=20)
    refresh_hz: float | None = Field(default=None, gt=1, le=1000)
    """Refresh rate as the page measured it."""
    jitter_ms: float | None = Field(default=None, ge=0, le=10_000)
    dropped: float | None = Field(default=None, ge=0, le=1)
    """Share of dropped frames."""
    touch: bool = False
    user_agent: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")
    pixels_per_cm: float | None = Field(default=None, gt=1, le=2000)
    """Physical pixels per cm, measured with a bank card."""


class Ready(Message):
    """Answers and display, sent before the first trial."""

    answers: dict[Annotated[str, StringConstraints(max_length=200)], ShortText | None] = Field(
        default={}, max_length=1000
    )
    screen: Screen


class InstructionCheck(Message):
    """Answers to the questions on the instructions, as indices of choices."""

    choices: tuple[int, ...] = Field(max_length=20)


class Onset(Message):
    """The first picture of a trial has appeared."""

    trial: int = Field(ge=0, le=10**6)
    onset_ms: Moment
    sent_ms: Moment


class Withdrawal(Message):
    """The participant withdraws; `forget`: and wants the data deleted."""

    forget: bool = False


ARRIVING: dict[str, type[Message]] = {"open": Opening, "decline": Leaving, "begin": Arrival, "resume": Arrival}
"""The type of each message that needs no session; a method of `LiveStudy` of its name answers."""
OF_SESSION: dict[str, type[BaseModel]] = {
    "check": InstructionCheck,
    "ready": Ready,
    "next": Message,
    "onset": Onset,
    "trial": TrialReport,
    "marks": MarksReport,
    "withdraw": Withdrawal,
}
"""The type of each message of a session, likewise."""


class RequestError(Exception):
    """A refused request, with its HTTP status and the JSON body for the page."""

    def __init__(self, status: int, text: str, **more: Any) -> None:
        super().__init__(text)
        self.status = status
        # by "from" the page distinguishes refusals of the study from errors of a proxy
        self.body = {"error": text, "from": "gan_eval", **more}
