"""`[quiz.browser]` of a study file: links and return addresses of `serve`, and who is screened out."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from gan_eval.settings.sections import Section, Words, check

ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
PHONE: Final = (480, 1000)
"""Sides of the largest window of a phone, in CSS pixels."""
ReturnAddress = Annotated[str, Field(max_length=2048, pattern=r"^(https?://[^\s<>\"']+)?$")]


class ComprehensionCheck(Section):
    """`[[quiz.browser.checks]]`: a question on the instructions."""

    text: Words = Field(examples=["What do you press for a photograph?"])
    """The question; an answer in braces, such as {real}, is shown as its key, on touch screens as its button."""
    choices: tuple[Words, ...] = Field(min_length=2, max_length=20, examples=[("{fake}", "{real}")])
    """Answers to choose from, with braces as in `text`."""
    answer: Words = Field(examples=["{real}"])
    """The correct choice."""

    @check
    def _has_the_answer(self) -> Iterator[str]:
        if self.answer not in self.choices or len(set(self.choices)) < len(self.choices):
            yield "answer: expected one of the choices, which must differ from each other"


class BrowserSettings(Section):
    """`[quiz.browser]`: participants of `serve`."""

    participant_parameters: tuple[ParameterName, ...] = Field(
        default=("participant", "PROLIFIC_PID"), min_length=1, max_length=10
    )
    """Parameters of the link that may hold the participant's pseudonym; the first one in the link is used."""
    other_parameters: tuple[ParameterName, ...] = Field(default=("STUDY_ID", "SESSION_ID"), max_length=20)
    """Further parameters of the link that are stored in the table `participants`."""
    admit: Annotated[int, Field(ge=1, le=100_000)] | None = Field(default=None, examples=[40])
    """Number of people who may begin; those who withdraw or are screened out do not count. Default: no limit."""
    complete_url: ReturnAddress = ""
    """Return address after the last trial, such as Prolific's with its completion code."""
    complete_code: str = ""
    """Completion code, shown after the last trial."""
    screened_out_url: ReturnAddress = ""
    """Return address of participants whose display or attention is not sufficient."""
    screened_out_code: str = ""
    """Code shown to them."""
    declined_url: ReturnAddress = ""
    """Return address of people who do not agree to take part."""
    declined_code: str = ""
    """Code shown to them."""
    smallest_window: tuple[Annotated[int, Field(ge=0, le=16_384)], Annotated[int, Field(ge=0, le=16_384)]] = (0, 0)
    """Width and height in CSS pixels that the window must have. Devices that are too small begin no session."""
    lowest_refresh_hz: float = Field(default=0.0, ge=0, le=1000)
    """Refresh rate that the display must reach, as measured in the page."""
    touch: bool = True
    """Admit devices without a keyboard and mouse. If not, they begin no session."""
    checks: tuple[ComprehensionCheck, ...] = Field(default=(), max_length=20)
    """Questions on the instructions; after two wrong attempts a participant is screened out."""

    @property
    def for_computers(self) -> bool:
        """True if no phone is admitted: the page then speaks of a computer with a keyboard."""
        return not self.touch or any(
            wanted > side for wanted, side in zip(sorted(self.smallest_window), PHONE, strict=True)
        )
