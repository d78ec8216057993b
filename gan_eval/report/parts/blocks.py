"""Parts of a report: sections, and the blocks that a section shows one below the other.

A block is a plain record. `page.py` renders each with its macro in `blocks.jinja`; sections drop empty blocks.
"""

import re
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

from gan_eval.report.parts.words import NARROW, NOTHING, plural, whole

if TYPE_CHECKING:
    from markupsafe import Markup

    from gan_eval.report.parts.chart import Chart
    from gan_eval.report.parts.thumbnails import Picture  # imports Pillow

_COUNT = re.compile(f"[0-9{NARROW}]+")


class Block:
    """One part of a section, a dataclass. `blocks.jinja` has a macro of the class's name."""

    def __bool__(self) -> bool:
        """Return False if a field without a default is empty: there is nothing to show."""
        required = (field.name for field in fields(cast(Any, self)) if field.default is MISSING)
        return all(getattr(self, name) for name in required)


@dataclass(frozen=True)
class Lead(Block):
    """Sentences; the first one is the answer."""

    sentences: Sequence[str]


@dataclass(frozen=True)
class Lines(Block):
    """Sentences as a list."""

    lines: Sequence[str]
    style: str = "said"
    """Class of the style sheet: `said` (a single line is a paragraph), `remarks` or `warnings`."""


@dataclass(frozen=True)
class Quote(Block):
    """Paragraphs to copy into a paper, a blank line between them."""

    heading: str
    text: str


@dataclass(frozen=True)
class Listing(Block):
    """Source text to copy, letter for letter; folded on the page."""

    heading: str
    text: str


@dataclass(frozen=True)
class FactList(Block):
    """Terms with their descriptions."""

    items: Sequence[tuple[str, str]]
    style: str = ""


@dataclass(frozen=True)
class ShownColumn:
    """The head of a column that is more than a text."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell that is more than a text."""

    value: str
    interval: str = ""
    mark: str = ""
    """`best`, `tied` or nothing."""
    warning: str = ""
    counts: str = ""
    """Numbers of pictures, if they differ from those in the caption."""
    signs: str = ""
    """Letters of the footnotes."""


@dataclass(frozen=True)
class ShownTable(Block):
    """A table, its cells ready to be printed; the first cell of a row names it."""

    caption: str
    head: Sequence[str | ShownColumn]
    rows: Sequence[Sequence[str | Cell]]
    text_columns: int = 1
    """Number of leading columns with words; the others are numbers, set flush right."""
    notes: Sequence[str] = ()
    """Lines below the table."""
    last_is_text: bool = False
    source: str = ""
    """Name of the table whose file is linked in the caption."""
    grouped: bool = False
    """Consecutive rows with equal first cells are grouped below a heading."""
    footnotes: Sequence[tuple[str, str]] = ()
    """Sign and text of each footnote."""
    style: str = "rows"
    """Classes of the style sheet: `rows`, `rows cite` or `rows metrics`."""

    def without_empty(self) -> "ShownTable":
        """Return the table without rows that have no value but counts, and without columns that are then empty.

        A note gives the number of removed rows.

        >>> table = ShownTable("Means", ["group", "n", "mean", "SD"], [["a", "12", "1.5", "–"], ["b", "0", "–", "–"]])
        >>> table.without_empty().rows, table.without_empty().notes
        ([['a', '12', '1.5']], ['1 row without a value is not shown; the file contains it.'])
        """
        numbers = range(self.text_columns, len(self.head) - self.last_is_text)
        rows = [row for row in self.rows if not _is_empty(row[numbers.start : numbers.stop])]
        kept = [n for n in range(len(self.head)) if n not in numbers or any(row[n] != NOTHING for row in rows)]
        table = replace(self, rows=rows)._with_columns(kept)
        removed = len(self.rows) - len(rows)
        are, them = ("is", "it") if removed == 1 else ("are", "them")
        note = f"{plural(removed, 'row')} without a value {are} not shown; the file contains {them}."
        return replace(table, notes=[*self.notes, note]) if removed else table

    def _with_columns(self, kept: Sequence[int]) -> "ShownTable":
        """Return the table with these columns."""
        rows = [[row[column] for column in kept] for row in self.rows]
        return replace(self, head=[self.head[column] for column in kept], rows=rows)


def _is_empty(cells: Sequence[str | Cell]) -> bool:
    """Return whether cells of numbers are counts or nothing, and nothing at least twice."""
    texts = [*map(str, cells)]
    return texts.count(NOTHING) > 1 and all(text == NOTHING or _COUNT.fullmatch(text) for text in texts)


@dataclass(frozen=True)
class Charts(Block):
    """Charts, several in a line where there is room."""

    charts: "Sequence[Chart]"


@dataclass(frozen=True)
class Drawing(Block):
    """A figure that is drawn twice, for a wide page and for a phone."""

    title: str
    wide: "Markup"
    narrow: "Markup"
    caption: str
    alternative: str
    """Description for readers who cannot see the figure."""


@dataclass(frozen=True)
class Folded(Block):
    """Blocks that are folded below a heading."""

    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class GalleryEntry:
    """One entry of a gallery: a picture, or a generated one next to its real one."""

    pictures: "Sequence[Picture | None]"
    """None: the file could not be read."""
    lines: Sequence[str]
    """Lines below the picture; the last one is its name."""


@dataclass(frozen=True)
class Gallery(Block):
    """Pictures in order, each with its lines."""

    entries: Sequence[GalleryEntry]
    title: str = ""
    is_ranked: bool = False
    """True: the most extreme picture is first, and all are in one line on a wide page."""


@dataclass(frozen=True)
class PictureTable(Block):
    """Pictures in rows and columns, such as a few items of a model, or models after some steps."""

    caption: str
    head: Sequence[str]
    """Name of the first column, then of each column of pictures."""
    rows: "Sequence[tuple[str, Sequence[Picture | None]]]"
    """Name of each row, and its pictures."""
    note: str = ""
    style: str = "way"
    """Classes of the style sheet: `way` or `way large`."""


@dataclass(frozen=True)
class Download:
    """One table's file."""

    table: str
    """Its name among `StudyFolder.files`."""
    anchor: str
    """Identifier of its row in the list of all tables."""
    file_name: str
    path: str
    """Relative to the study's folder."""
    rows: int
    size: int
    """Size in bytes."""
    uri: str
    """The file as a data URI; empty if it is not on the page."""
    reason_absent: str = ""
    """Why it is not on the page."""

    @property
    def size_text(self) -> str:
        """The size with its unit."""
        return f"{whole(self.size)}{NARROW}B" if self.size < 10_000 else f"{whole(round(self.size / 1000))}{NARROW}kB"


@dataclass(frozen=True)
class Files(Block):
    """The list of all tables, as files to save."""

    downloads: Sequence[Download]


@dataclass(frozen=True)
class ReportSection:
    """One section; blocks with nothing to show are removed."""

    id: str
    heading: str
    blocks: Sequence[Block]
    on_first_page: bool = False
    """True: the section is open; others are folded."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(block for block in self.blocks if block))


@dataclass(frozen=True)
class Report:
    """The content of a report."""

    title: str
    badges: Sequence[str]
    """Notes to read before any number."""
    sections: Sequence[ReportSection]
    """Sections in reading order; empty ones are removed."""
    simulated: bool = False
    """True: participants are simulated."""
    downloads: Sequence[Download] = ()
    """The tables' files."""

    def __post_init__(self) -> None:
        sections = [section for section in self.sections if section.blocks]
        if sections and not any(section.on_first_page for section in sections):
            sections[0] = replace(sections[0], on_first_page=True)
        object.__setattr__(self, "sections", tuple(sections))
