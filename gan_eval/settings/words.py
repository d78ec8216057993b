"""Settings in words: their options, and what differs between two of them. This starts without pydantic."""

from collections.abc import Iterator, Mapping
from typing import Any

from gan_eval.errors import shortened


def as_flag(name: str) -> str:
    """Return the option of a setting.

    >>> as_flag("batch_size")
    '--batch-size'
    """
    return f"--{name.replace('_', '-')}"


def differences(old: Any, new: Any, *, where: str = "", short: bool = False) -> Iterator[str]:
    """Yield one text for each value that differs between two nested settings.

    Args:
        short: True: omit the values, which are hashes.

    >>> list(differences({"quiz": {"real": 20}}, {"quiz": {"real": 25}}))
    ['quiz.real was 20, is 25']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(
                old.get(key), new.get(key), where=f"{where}.{key}" if where else str(key), short=short
            )
    elif old != new:
        if short:
            word = "is new" if old is None else "is gone" if new is None else "has changed"
            yield f"{where} {word}"
        else:
            before, now = ("not set" if value is None else shortened(repr(value), 80) for value in (old, new))
            yield f"{where} was {before}, is {now}"
