"""What a table is: its columns, with dtype, unit and meaning. Which tables there are stands in `gan_eval.tables`."""

from dataclasses import dataclass, field
from typing import Literal

LONGEST_MS = 1e15
"""Times further from 0 are none; sums of their squares would leave the range of floats. In ms."""

Dtype = Literal["text", "int", "float", "bool", "instant", "json"]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    dtype: Dtype
    meaning: str
    unit: str = ""
    words: tuple[str, ...] = ()
    """The allowed words of an enumeration; empty for free text."""
    filled: bool = False
    """Every row must hold a value."""
    optional: bool = False
    """The column may be absent from a file; it then reads as missing."""
    most: float | None = None
    """No number is further from 0."""
    infinite: bool = False
    """Infinity is a value all the same."""


@dataclass(frozen=True)
class Table:
    """One table: its columns in order and the columns whose values identify a row."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(self.by_name)


def text(
    name: str, meaning: str, *, words: tuple[str, ...] = (), filled: bool = False, optional: bool = False
) -> Column:
    return Column(name, "text", meaning, words=words, filled=filled, optional=optional)


def integer(name: str, meaning: str, *, unit: str = "", filled: bool = False, optional: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(name, "int", meaning, unit=unit, filled=filled, optional=optional)


def number(name: str, meaning: str, *, unit: str = "", filled: bool = False, optional: bool = False) -> Column:
    """A column of floats."""
    return Column(name, "float", meaning, unit=unit, filled=filled, optional=optional)


def milliseconds(name: str, meaning: str, *, optional: bool = False, infinite: bool = False) -> Column:
    """A column of times in float milliseconds."""
    return Column(name, "float", meaning, unit="ms", optional=optional, most=LONGEST_MS, infinite=infinite)


def boolean(name: str, meaning: str, *, filled: bool = False, optional: bool = False) -> Column:
    """A column of truths."""
    return Column(name, "bool", meaning, filled=filled, optional=optional)


def instant(name: str, meaning: str) -> Column:
    """A column of instants in UTC."""
    return Column(name, "instant", meaning, unit="UTC, ISO 8601")
