"""A check of input: the row of a table that has its threshold and its message."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Check:
    """A sign that input is not what it is taken for."""

    id: str
    sees: str
    """The thing that is looked at, and the quantity of the threshold."""
    threshold: float
    does: Literal["asks", "refuses"]
    """asks: a line, and the work continues."""
    message: str
    """The line, with places for its facts."""
    n: int = 1
    """Minimum number of answers, people or rows."""
    share: float = 0
    """A second threshold: a minimum share, or what `sees` names last."""

    def line(self, **facts: Any) -> str:
        """Return the message with its facts."""
        return self.message.format(**facts)
