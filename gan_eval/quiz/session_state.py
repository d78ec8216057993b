"""Where a session is, and what would be lost if the program ended there."""

from enum import Enum, auto
from typing import Literal

AtStake = Literal["answer", "end", "nothing"]
"""What is not in the store yet: an answer, that the session is over, or nothing."""


class State(Enum):
    """Where a session is."""

    NEW = auto()
    """Nothing is stored; consent is awaited."""
    READY = auto()
    """Everything so far is durable; `trial` may be shown."""
    SHOWN = auto()
    """The trial's picture is on the screen."""
    BETWEEN = auto()
    """The first of two pictures has vanished, the second is to be shown."""
    WAITING = auto()
    """Everything has vanished, the response window is open."""
    CONFIDENCE = auto()
    """The answer is given; how sure the participant is has been asked."""
    SAVING = auto()
    """The trial is being stored."""
    FAILED = auto()
    """The store could not be written; `retry` tries again. Nothing is lost while the program runs."""
    OVER = auto()
    """Complete or aborted, and stored as such. A session that is left in another state stays open in the store."""


ON_ITS_WAY = frozenset({State.SHOWN, State.BETWEEN, State.WAITING, State.CONFIDENCE})
"""Something of the trial has been seen, and it is not yet being stored."""
