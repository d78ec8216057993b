"""Numbers and tables in words: how a cell is printed, and a table ready for the page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

NARROW = "\u202f"
"""A narrow space that does not break, between a number and its unit."""
NBSP = "\u00a0"
"""A space that does not break."""
MINUS = "\u2212"
Record = Mapping[Any, Any]
"""A table's row: its cells by column."""
NOTHING = "–"
"""Printed where a cell is empty."""


BASES = {"crossed_model": "crossed model", "two_way_cluster": "clustered", "independent": "independent answers"}
"""What an interval rests on, as a table's cell."""
BASES_TOLD = {
    "crossed_model": "the crossed mixed model, which allows for differences between participants and between pictures",
    "two_way_cluster": "clustering by participant and by picture, which allows for differences between them",
    "independent": "all answers taken as independent",
}
"""The same in a sentence."""
ONLY_THESE = "Wilson intervals are of these people and these pictures only."


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
    source: Sequence[str] = ()
    """The tables that it shows, by name."""
    grouped: bool = False
    """Equal first cells in a row are a heading over their rows."""
    folded: bool = False
    """Closed until it is asked for: a figure shows the same."""


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(words: str) -> str:
    """Words without control letters and without those that turn the direction of what follows them.

    >>> clean("a\\u202eb\\x00c")
    'abc'
    """
    return _UNSEEN.sub("", words)


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
    """A share with its interval in brackets, where it has one.

    >>> share_interval(0.66, 0.5217, 0.7756).replace(NARROW, " ")
    '66.0 % (52.2–77.6)'
    >>> share_interval(0.66, None, None).replace(NARROW, " ")
    '66.0 %'
    """
    if missing(value) or missing(low) or missing(high):
        return percent(value)
    return f"{percent(value)} ({100 * float(low):.1f}–{100 * float(high):.1f})"


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


def points_of(share: Any) -> str:
    """A margin in points, without needless digits.

    >>> points_of(0.05).replace(NARROW, " ")
    '5 points'
    """
    return f"{100 * float(share):.3g}{NARROW}points".replace("-", MINUS)


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


def equals(p: Any) -> str:
    """A p value with its sign.

    >>> equals(0.0328), equals(1e-9)
    ('= 0.033', '< 0.001')
    """
    said = p_value(p)
    return said if said.startswith("<") else f"= {said}"


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


def noted(table: pd.DataFrame, label: str, *, most: int = 8) -> list[str]:
    """The rows' notes, equal ones together; the commonest are enough for a page."""
    rows = table[table["note"].notna()]
    grouped = rows.groupby("note", sort=False)[label].agg(list)
    lines = []
    for note, ids in grouped.items():
        names = list(dict.fromkeys("all" if missing(name) else str(name) for name in ids))
        shown = ", ".join(names) if len(names) <= 6 else f"{len(names)} rows"
        lines.append(f"{shown}: {note}")
    return lines[:most]
