"""Numbers, intervals and p values as text, and the few texts that several sections share."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from gan_eval.stats.results import Result
from gan_eval.tables.cells import is_missing as missing

NARROW = "\u202f"
"""A narrow space that does not break, between a number and its unit."""
NBSP = "\u00a0"
"""A space that does not break."""
MINUS = "\u2212"
Record = Mapping[Any, Any]
"""A table's row: its cells by column."""
NOTHING = "–"
"""Printed where a cell is empty."""

BASES = {
    "crossed_model": "crossed model",
    "crossed_model_clustered_error": "crossed model, clustered error",
    "two_way_cluster": "clustered",
    "picture_cluster": "clustered by picture",
    "independent": "independent answers",
}
"""Basis of an interval, as a table's cell."""
BASES_IN_WORDS = {
    "crossed_model": "from a mixed model with random effects of participants and of pictures",
    "crossed_model_clustered_error": "from a mixed model with random effects of participants and of pictures, but with "
    "standard errors clustered by both, which are larger",
    "two_way_cluster": "with standard errors clustered by participant and by picture",
    "picture_cluster": "with standard errors clustered by picture, which say nothing about other people",
    "independent": "as of independent answers",
}
"""The same in a sentence on intervals."""
MAX_P = 0.9994999
"""Largest p value that is not rounded to 1.000."""
MAX_NAMED = 4
"""Maximum number of names that a note lists."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """Return a text without control characters and without characters that change the direction of writing.

    >>> clean("a\\u202eb\\x00c")
    'abc'
    """
    return _UNSEEN.sub("", text)


def percent(value: Any, *, digits: int = 1) -> str:
    """Return a proportion as a percentage.

    >>> percent(0.66)
    '66.0%'
    """
    return NOTHING if missing(value) else f"{100 * float(value):.{digits}f}%"


def proportion_interval(value: Any, low: Any, high: Any) -> str:
    """Return a proportion as a percentage, with its interval in brackets if there is one.

    >>> proportion_interval(0.66, 0.5217, 0.7756)
    '66.0% [52.2, 77.6]'
    >>> proportion_interval(0.66, None, None)
    '66.0%'
    """
    if missing(value) or missing(low) or missing(high):
        return percent(value)
    return f"{percent(value)} {interval(100 * low, 100 * high, digits=1)}"


def number(value: Any, *, digits: int = 2) -> str:
    """Return a number with a true minus sign; of 6 digits or more, one that has none of them with a power of ten.

    >>> number(-1.5), number(1.234e-8, digits=6)
    ('−1.50', '1.2e−8')
    """
    if missing(value):
        return NOTHING
    is_tiny = digits >= 6 and 0 < abs(value) < 10.0 ** (1 - digits)
    text = f"{float(value):.1e}".replace("e-0", "e-") if is_tiny else f"{float(value):.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS).replace("inf", "∞")


def points(margin: Any) -> str:
    """Return a margin in percentage points, without needless digits.

    >>> points(0.05).replace(NARROW, " ")
    '5 points'
    """
    return f"{100 * float(margin):.3g}{NARROW}points".replace("-", MINUS)


def interval(low: Any, high: Any, *, digits: int = 2) -> str:
    """Return the two ends of an interval in brackets.

    >>> interval(0.5, 1.25)
    '[0.50, 1.25]'
    """
    return (
        NOTHING if missing(low) or missing(high) else f"[{number(low, digits=digits)}, {number(high, digits=digits)}]"
    )


def p_value(value: Any) -> str:
    """Return a p value; never 0 or 1.

    >>> p_value(0.0328), p_value(1e-9), p_value(1.0)
    ('0.033', '< 0.001', '> 0.999')
    """
    if missing(value):
        return NOTHING
    if float(value) > MAX_P:
        return "> 0.999"
    return "< 0.001" if float(value) < 0.001 else f"{float(value):.3f}"


def apa_p(value: Any) -> str:
    """Return a p value in APA style: without the leading zero, never 0 or 1.

    >>> apa_p(0.0328), apa_p(1e-9), apa_p(1.0)
    ('p = .033', 'p < .001', 'p > .999')
    """
    if float(value) > MAX_P:
        return "p > .999"
    return "p < .001" if float(value) < 0.001 else f"p = {float(value):.3f}".replace("0.", ".")


def whole(value: Any) -> str:
    """Return a count, with a space between thousands."""
    return NOTHING if missing(value) else f"{int(value):,}".replace(",", NARROW).replace("-", MINUS)


def milliseconds(value: Any) -> str:
    """Return a time in whole milliseconds."""
    return NOTHING if missing(value) else f"{whole(round(float(value)))}{NARROW}ms"


def text(value: Any) -> str:
    """Return a cell as text."""
    return NOTHING if missing(value) else str(value)


def capital(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def plural(count: int, singular: str, plural_form: str | None = None) -> str:
    """Return a count with its noun.

    >>> plural(1, "picture"), plural(2, "picture")
    ('1 picture', '2 pictures')
    """
    return f"{whole(count)} {singular if count == 1 else plural_form or singular + 's'}"


def from_to(values: Iterable[Any], printed: Callable[[Any], str] = whole) -> str:
    """Return the smallest and the largest of some numbers as text; one number if both are printed the same.

    >>> import pandas as pd
    >>> from_to([24, 12, None]), from_to([0.21, 0.19], lambda share: number(share, digits=1)), from_to([pd.NA])
    ('12 to 24', '0.2', '–')
    """
    present = [value for value in values if not missing(value)]
    return " to ".join(dict.fromkeys(printed(end) for end in (min(present), max(present)))) if present else NOTHING


def listed(words: Sequence[str]) -> str:
    """Return words as an enumeration.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""


def on_dataset(dataset: Any) -> str:
    """Return ` on DATASET`; empty without a data set.

    >>> on_dataset("maps"), on_dataset(None)
    (' on maps', '')
    """
    return "" if missing(dataset) or dataset == "" else f" on {dataset}"


def model_text(model: Any) -> str:
    """Return a model's name; `generated pictures` without one."""
    return "generated pictures" if missing(model) else str(model)


def rows_with(frame: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    """Return the rows with this value in a column; for an empty value, the rows with an empty cell."""
    cells = frame[column]
    return frame[cells.isna() if missing(value) else (cells == value).fillna(False).astype(bool)]


def basis_text(results: Sequence[Result]) -> str:
    """Return the basis of the intervals of results: the most frequent one first, the others with their models.

    The text is empty if the basis is unknown.
    """
    models: dict[str, list[str]] = {}
    for each in results:
        if each.basis:
            models.setdefault(each.basis, []).append(each.model or "all")
    words: list[str] = []
    for basis, of in sorted(models.items(), key=lambda group: -len(group[1])):
        named = [*dict.fromkeys(of)]
        whose = listed(named) if len(named) <= MAX_NAMED else plural(len(of), "row")
        words.append(f"those of {whose} " * bool(words) + BASES_IN_WORDS.get(basis, basis))
    return "; ".join(words)


def row_notes(notes: Iterable[tuple[Any, str]]) -> list[str]:
    """Return at most 8 notes of rows, each with the names of its rows; rows with equal notes share one line.

    >>> row_notes([("few answers", "a"), (None, "b"), ("few answers", "c")])
    ['a, c: few answers']
    """
    grouped: dict[str, list[str]] = {}
    for note, name in notes:
        if not missing(note) and note:
            grouped.setdefault(str(note), []).append(name)
    lines = []
    for note, names in grouped.items():
        names = list(dict.fromkeys(names))
        lines.append(f"{', '.join(names) if len(names) <= 6 else f'{len(names)} rows'}: {note}")
    return lines[:8]
