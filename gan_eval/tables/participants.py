"""Codes of participants."""


def person_of(code: str) -> str:
    """Return the common form of the codes of one person: `P01`, `p01` and `P01 ` differ only in case and spaces.

    >>> {person_of(code) for code in ("P01", "p01", "P01 ")}
    {'p01'}
    """
    return code.strip().casefold()
