"""How a session is presented on this computer: what is not part of the study, and may differ from desk to desk."""

from dataclasses import dataclass
from typing import Literal

PresenterChoice = Literal["auto", "raster", "opengl"]
RoundFrames = Literal["auto", "on", "off"]


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """How a session is presented on this computer."""

    windowed: bool = False
    """A window of 1280x800 instead of the full screen."""
    intro: bool = True
    """All pages before, between and after the trials; without, the first trial starts at once, no consent is recorded,
    and the program ends after the last."""
    screen: int | None = None
    """The monitor's number, from 1; None: the primary one."""
    presenter: PresenterChoice = "auto"
    """What puts pictures on the screen; auto: what the self-test found best."""
    round_frames: RoundFrames = "auto"
    """Exposures in whole frames; auto: where the self-test measured vsync."""
    text_size: int = 100
    """Of the pages' texts, 100 to 200 %."""
    high_contrast: bool = False
    language: str | None = None
    """Of the program's words; None: the study's."""
    station: str | None = None
    """This computer's name in the lab."""
