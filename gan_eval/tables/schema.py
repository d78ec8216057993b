"""Declarations of tables: columns with dtype, unit and meaning; columns and words that several tables share."""

from collections.abc import Iterable
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
    least: float | None = None
    """No number is smaller."""
    most: float | None = None
    """No number is larger, or without `least` further from 0."""
    infinite: bool = False
    """Infinity is a value all the same."""
    is_name: bool = False
    """Text that identifies something or names a file: without invisible characters."""

    @property
    def is_number(self) -> bool:
        """Cells are numbers."""
        return self.dtype in ("int", "float")


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


def name_text(name: str, meaning: str, *, filled: bool = False) -> Column:
    """A column of identifiers or file names."""
    return Column(name, "text", meaning, filled=filled, is_name=True)


def integer(
    name: str,
    meaning: str,
    *,
    unit: str = "",
    filled: bool = False,
    optional: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Column:
    """A column of whole numbers."""
    return Column(name, "int", meaning, unit=unit, filled=filled, optional=optional, least=least, most=most)


def number(
    name: str,
    meaning: str,
    *,
    unit: str = "",
    filled: bool = False,
    optional: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Column:
    """A column of floats."""
    return Column(name, "float", meaning, unit=unit, filled=filled, optional=optional, least=least, most=most)


def milliseconds(name: str, meaning: str, *, optional: bool = False, infinite: bool = False) -> Column:
    """A column of times in float milliseconds."""
    return Column(name, "float", meaning, unit="ms", optional=optional, most=LONGEST_MS, infinite=infinite)


def boolean(name: str, meaning: str, *, filled: bool = False, optional: bool = False) -> Column:
    """A column of truths."""
    return Column(name, "bool", meaning, filled=filled, optional=optional)


def instant(name: str, meaning: str) -> Column:
    """A column of instants in UTC."""
    return Column(name, "instant", meaning, unit="UTC, ISO 8601")


KINDS = ("real", "fake")
PHASES = ("practice", "main", "catch")
RESPONSES = ("real", "fake", "none")
STATUSES = ("open", "complete", "aborted")
PLATEAU_VERDICTS = ("plateau", "still_improving", "never_improved", "too_few")
SCOPES = ("all", "participant", "stimulus", "model", "dataset", "exposure", "block")
HOLE_SCOPES = ("mask_kind", "mask_area_band")
"""Scopes of filled pictures: by the kind of their hole, and by its share of the picture in per cent."""
STYLE_NETWORK = text(
    "style_network",
    "the network of the style loss that the generator was trained with, or none",
    optional=True,
)
SEEN = boolean(
    "seen",
    "true: the generator was trained on this picture or a recognised copy of it; false: no copy among the training "
    "pictures (a cropped copy is not recognised); of a row over several pictures: true for one of them; empty: not "
    "known",
    optional=True,
)


def any_seen(marks: Iterable[bool | None]) -> bool | None:
    """Return `SEEN` of several pictures: of one true if it is on any, false if it is on none, None if not known.

    >>> any_seen([False, None, True]), any_seen([False, False]), any_seen([False, None]), any_seen([])
    (True, False, None, None)
    """
    known = set(marks)
    return True if True in known else False if known == {False} else None


FRACTION = number(
    "fraction",
    "share of the planned training steps that the models behind this row were given",
    optional=True,
    least=0,
    most=1,
)
SIMULATED = boolean("simulated", "the answers come from a simulated participant, not from a person", optional=True)
ANALYSIS_RUN = text("run", "the analysis that made this table: the same in all tables of one analysis", optional=True)
NOTE = text("note", "what a reader must know about this row", optional=True)
PROVENANCE = (SIMULATED, NOTE, FRACTION, ANALYSIS_RUN)
"""The last columns of the tables of an analysis: what travels from the trials to every row, and the analysis."""
STIMULUS = name_text("stimulus", "`dataset/real/stem` or `dataset/model/stem`", filled=True)
ITEM = name_text("item", "`dataset/stem`: the source picture shared by its real and generated versions")
KIND = text("kind", "the truth: ground truth or a model's output", words=KINDS)
MODEL = name_text("model", "the generator's name; empty for a real picture")
DATASET = name_text("dataset", "the data set's name")
SESSION = name_text("session", "one participant sitting once (UUIDv7)", filled=True)
PARTICIPANT = name_text("participant", "a pseudonym, never a name", filled=True)
SHARE = "0..1"
"""The unit of shares, rates and areas."""


def ends(
    name: str, what: str = "its 95 % interval", *, unit: str = "", optional: bool = False
) -> tuple[Column, Column]:
    """The columns `NAME_low` and `NAME_high` of an interval."""
    return (
        number(f"{name}_low", f"lower end of {what}", unit=unit, optional=optional),
        number(f"{name}_high", f"upper end of {what}", unit=unit, optional=optional),
    )


def with_ends(name: str, meaning: str, *, unit: str = "", optional: bool = False) -> tuple[Column, Column, Column]:
    """A number and the ends of its 95 % interval."""
    return (number(name, meaning, unit=unit, optional=optional), *ends(name, unit=unit, optional=optional))
