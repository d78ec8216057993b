"""Numbers and tables in words: how a cell is printed, and a table ready for the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

NARROW = "\u202f"
"""A narrow space that does not break, between a number and its unit."""
NBSP = "\u00a0"
"""A space that does not break."""
MINUS = "\u2212"
NOTHING = "–"
"""Printed where a cell is empty."""


@dataclass(frozen=True)
class View:
    """A table ready for the page."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    """So many leading columns are words; the others are numbers, set flush right."""
    notes: Sequence[str] = field(default=())
    """Lines below the table."""
    last_is_text: bool = False


def missing(value: Any) -> bool:
    """None, NaN or NA."""
    return bool(pd.isna(value))


def percent(value: Any, *, digits: int = 1) -> str:
    """A share as a percentage.

    >>> percent(0.66).replace(NARROW, " ")
    '66.0 %'
    """
    return NOTHING if missing(value) else f"{100 * float(value):.{digits}f}{NARROW}%"


def percent_interval(low: Any, high: Any) -> str:
    """An interval of shares.

    >>> percent_interval(0.5217, 0.7756).replace(NARROW, " ")
    '52.2 to 77.6 %'
    """
    return NOTHING if missing(low) or missing(high) else f"{100 * float(low):.1f} to {percent(high)}"


def share_interval(value: Any, low: Any, high: Any) -> str:
    """A share with its interval in brackets.

    >>> share_interval(0.66, 0.5217, 0.7756).replace(NARROW, " ")
    '66.0 % (52.2–77.6)'
    """
    return NOTHING if missing(value) else f"{percent(value)} ({100 * float(low):.1f}–{100 * float(high):.1f})"


def number(value: Any, *, digits: int = 2) -> str:
    """A number with a true minus sign.

    >>> number(-1.5)
    '−1.50'
    """
    if missing(value):
        return NOTHING
    text = f"{float(value):.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS).replace("inf", "∞")


def interval(low: Any, high: Any, *, digits: int = 2) -> str:
    """Two ends of an interval."""
    return (
        NOTHING if missing(low) or missing(high) else f"{number(low, digits=digits)} to {number(high, digits=digits)}"
    )


def p_value(value: Any) -> str:
    """A p value; never 0.

    >>> p_value(0.0328), p_value(1e-9)
    ('0.033', '< 0.001')
    """
    if missing(value):
        return NOTHING
    return "< 0.001" if float(value) < 0.001 else f"{float(value):.3f}"


def whole(value: Any) -> str:
    """A count, thousands set apart."""
    return NOTHING if missing(value) else f"{int(value):,}".replace(",", NARROW)


def milliseconds(value: Any) -> str:
    """A time in whole milliseconds."""
    return NOTHING if missing(value) else f"{whole(round(float(value)))}{NARROW}ms"


def text(value: Any) -> str:
    """A text cell."""
    return NOTHING if missing(value) else str(value)


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "picture"), plural(2, "picture")
    ('1 picture', '2 pictures')
    """
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words as an enumeration.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
