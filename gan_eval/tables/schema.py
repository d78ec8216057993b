"""Declarations of tables: columns with dtype, unit and meaning; columns and words that several tables share."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Literal

MAX_TIME_MS = 1e15
"""Largest absolute time in ms; sums of squares of larger times would leave the range of floats."""

Dtype = Literal["text", "int", "float", "bool", "instant", "json"]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    meaning: str
    dtype: Dtype = "text"
    unit: str = ""
    words: tuple[str, ...] = ()
    """The allowed words of an enumeration; empty for free text."""
    filled: bool = False
    """True if every row must have a value."""
    optional: bool = False
    """True if the column may be absent from a file or an older store; its values are then missing."""
    least: float | None = None
    """Smallest allowed number."""
    most: float | None = None
    """Largest allowed number; without `least`, largest absolute value."""
    infinite: bool = False
    """True if infinity is allowed."""
    is_name: bool = False
    """True for identifiers and file names: text without invisible characters."""

    is_number: bool = field(init=False)
    is_free: bool = field(init=False)
    """True if any cell of the type is allowed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_number", self.dtype in ("int", "float"))
        has_limits = (self.least, self.most) != (None, None) or self.words or self.is_name
        object.__setattr__(self, "is_free", not has_limits and self.dtype not in ("instant", "json"))


@dataclass(frozen=True)
class Table:
    """One table: its columns in order and the columns whose values identify a row."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The column names in order."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})
        object.__setattr__(self, "names", tuple(self.by_name))

    def __hash__(self) -> int:
        """Return the hash of the name; that of all columns would take longer than to store a row."""
        return hash(self.name)


SHARE = "0..1"
"""The unit of shares, rates and areas."""
CORRELATION = "-1..1"
"""The unit of correlations."""
_RANGES = {SHARE: (0, 1), CORRELATION: (-1, 1)}


@cache
def limited(table: Table) -> Table:
    """Return the table with limits for the columns whose unit is a range: another program may have saved its file."""
    columns = []
    for column in table.columns:
        least, most = _RANGES.get(column.unit, (column.least, column.most))
        columns.append(replace(column, least=least, most=most))
    return replace(table, columns=tuple(columns))


text = partial(Column, dtype="text")
"""A column of text."""
name_text = partial(Column, is_name=True)
"""A column of identifiers or file names."""
integer = partial(Column, dtype="int")
"""A column of whole numbers."""
number = partial(Column, dtype="float")
"""A column of floats."""
milliseconds = partial(Column, dtype="float", unit="ms", most=MAX_TIME_MS)
"""A column of times in float milliseconds."""
boolean = partial(Column, dtype="bool")
"""A column of true and false."""
instant = partial(Column, dtype="instant", unit="UTC, ISO 8601")
"""A column of instants in UTC."""

KINDS = ("real", "fake")
PHASES = ("practice", "main", "catch")
RESPONSES = ("real", "fake", "none")
STATUSES = ("open", "complete", "aborted")
PLATEAU_VERDICTS = ("plateau", "still_improving", "never_improved", "too_few")
SCOPES = ("all", "participant", "stimulus", "model", "dataset", "exposure", "block")
HOLE_SCOPES = ("mask_kind", "mask_area_band")
"""Scopes of filled pictures: by the kind of the hole, and by the hole's share of the picture in per cent."""
STYLE_NETWORK = text(
    "style_network", "the network of the style loss that the generator was trained with, or none", optional=True
)
SEEN = boolean(
    "seen",
    "true: the generator was trained on this picture or a recognised copy of it; false: no copy among the training "
    "pictures (a cropped copy is not recognised); of a row over several pictures: true for one of them; empty: not "
    "known",
    optional=True,
)


def any_seen(marks: Iterable[bool | None]) -> bool | None:
    """Return `SEEN` of several pictures: True if one is True, False if all are False, else None.

    >>> any_seen([False, None, True]), any_seen([False, False]), any_seen([False, None]), any_seen([])
    (True, False, None, None)
    """
    distinct = set(marks)
    return True if True in distinct else False if distinct == {False} else None


FRACTION = number(
    "fraction",
    "share of the planned training steps that the models of this row were trained",
    optional=True,
    least=0,
    most=1,
)
SIMULATED = boolean("simulated", "the answers come from a simulated participant, not from a person", optional=True)
ANALYSIS_RUN = text("run", "identifier of the analysis, the same in all its tables", optional=True)
NOTE = text("note", "remark on this row", optional=True)
PROVENANCE = (SIMULATED, NOTE, FRACTION, ANALYSIS_RUN)
"""The last columns of each table of an analysis: facts of the trials behind a row, and the analysis."""
NOTED = (text("note", "what a reader must know; why a number is missing"), SIMULATED, FRACTION, ANALYSIS_RUN)
"""The last columns of tables of estimates."""
STIMULUS = name_text("stimulus", "`dataset/real/stem` or `dataset/model/stem`", filled=True)
ITEM = name_text("item", "`dataset/stem`: the source picture shared by its real and generated versions")
KIND = text("kind", "the truth: ground truth or a model's output", words=KINDS)
MODEL = name_text("model", "the generator's name; empty for a real picture")
DATASET = name_text("dataset", "the data set's name")
SESSION = name_text("session", "identifier of one sitting of one participant (UUIDv7)", filled=True)
PARTICIPANT = name_text("participant", "a pseudonym, never a name", filled=True)


def interval_columns(
    name: str, what: str = "its 95% interval", *, unit: str = "", optional: bool = False
) -> tuple[Column, Column]:
    """Return the columns `NAME_low` and `NAME_high` of an interval; `what` names the interval in their meanings."""
    return (
        number(f"{name}_low", f"lower end of {what}", unit=unit, optional=optional),
        number(f"{name}_high", f"upper end of {what}", unit=unit, optional=optional),
    )


def with_interval(name: str, meaning: str, *, unit: str = "", optional: bool = False) -> tuple[Column, Column, Column]:
    """Return the columns `NAME`, `NAME_low` and `NAME_high` of a number and its 95% interval."""
    return (number(name, meaning, unit=unit, optional=optional), *interval_columns(name, unit=unit, optional=optional))
