"""What a report is made of: sections, and the blocks that a section shows one below the other.

A block is a plain record. `page.py` sets each by the macro of its name in `blocks.jinja`, `markdown.py` by its type;
one that holds nothing is in no section.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from gan_eval.report.parts.thumbnails import Album, Thumbnail, data_uri
from gan_eval.report.parts.words import NARROW, NOTHING, plural, whole

if TYPE_CHECKING:
    from gan_eval.report.parts.chart import Chart

_COUNT = re.compile(f"[0-9{NARROW}]+")


class Block:
    """One part of a section; false where it has nothing to show."""

    macro: ClassVar[str]
    """Its macro in `blocks.jinja`."""


@dataclass(frozen=True)
class Lead(Block):
    """Sentences of which the first is the answer itself."""

    macro = "lead"
    sentences: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.sentences)


@dataclass(frozen=True)
class Lines(Block):
    """Sentences as a list."""

    macro = "lines"
    lines: Sequence[str]
    style: str = "said"
    """Class of the style sheet: `said` (a single line is a paragraph), `remarks`, `warnings`, `sources` or none."""

    def __bool__(self) -> bool:
        return bool(self.lines)


@dataclass(frozen=True)
class Paragraph(Block):
    """A paragraph."""

    macro = "paragraph"
    text: str
    style: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True)
class Heading(Block):
    """A heading within a section."""

    macro = "heading"
    text: str
    level: int = 3


@dataclass(frozen=True)
class Quote(Block):
    """Paragraphs to copy into a paper, a blank line between them."""

    macro = "quote"
    heading: str
    text: str

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True)
class Listing(Block):
    """Source text to copy or to save, letter for letter; folded on the page."""

    macro = "listing"
    heading: str
    text: str
    file_name: str

    @property
    def uri(self) -> str:
        """The text as a file that can be saved from the page."""
        return data_uri(self.text.encode(), "text/plain;charset=utf-8")

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True)
class Facts(Block):
    """Terms with their descriptions."""

    macro = "facts"
    items: Sequence[tuple[str, str]]
    style: str = ""

    def __bool__(self) -> bool:
        return bool(self.items)


@dataclass(frozen=True)
class Column:
    """The head of a column that is more than a text."""

    name: str
    unit: str = ""
    title: str = ""
    """What a short name stands for."""

    def __str__(self) -> str:
        return f"{self.name} {self.unit}".strip()


@dataclass(frozen=True)
class Cell:
    """A cell that is more than a text."""

    value: str
    interval: str = ""
    mark: str = ""
    """`best`, `tied` or nothing."""
    warning: str = ""
    counts: str = ""
    """Numbers of pictures, where they are not those of the caption."""
    signs: str = ""
    """Letters of the footnotes."""
    tone: str = ""
    """`good`, `bad` or nothing: the colour behind it."""
    strength: int = 0
    """Of that colour, 0..100."""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.value, self.signs, self.interval, self.mark, self.warning]))


@dataclass(frozen=True)
class Table(Block):
    """A table, its cells ready to be printed; the first cell of a row names it."""

    macro = "table"
    caption: str
    head: Sequence[str | Column]
    rows: Sequence[Sequence[str | Cell]]
    text_columns: int = 1
    """So many leading columns are words; the others are numbers, set flush right."""
    notes: Sequence[str] = ()
    """Lines below the table."""
    last_is_text: bool = False
    source: Sequence[str] = ()
    """The tables that it shows, by name: their files are linked below it."""
    grouped: bool = False
    """Equal first cells in a row are a heading over their rows."""
    folded: bool | None = None
    """Closed until it is asked for: a figure shows the same. None: where it is long."""
    footnotes: Sequence[tuple[str, str]] = ()
    """Sign and text."""
    style: str = "rows"
    """Classes of the style sheet: `rows`, `rows metrics` or `matrix`."""

    def __bool__(self) -> bool:
        return bool(self.rows)

    def measured(self) -> "Table":
        """The table without rows that measure nothing (words, counts and empty cells), which a note counts, and without
        columns that are then empty. One whose cells are more than texts stays as it is.

        >>> table = Table("Means", ["group", "n", "mean", "SD"], [["a", "12", "1.5", "–"], ["b", "0", "–", "–"]])
        >>> table.measured().rows, table.measured().notes
        ([['a', '12', '1.5']], ['1 row without a value is left out; the file holds it.'])
        """
        if not all(isinstance(cell, str) for row in self.rows for cell in row):
            return self
        numbers = range(self.text_columns, len(self.head) - self.last_is_text)

        def is_empty(row: Sequence[str | Cell]) -> bool:
            cells = [str(row[place]) for place in numbers]
            return cells.count(NOTHING) > 1 and all(cell == NOTHING or _COUNT.fullmatch(cell) for cell in cells)

        rows = [row for row in self.rows if not is_empty(row)]
        kept = [n for n in range(len(self.head)) if n not in numbers or any(row[n] != NOTHING for row in rows)]
        left_out, notes = len(self.rows) - len(rows), list(self.notes)
        if left_out:
            are, them = ("is", "it") if left_out == 1 else ("are", "them")
            notes.append(f"{plural(left_out, 'row')} without a value {are} left out; the file holds {them}.")
        rows = [[row[place] for place in kept] for row in rows]
        return replace(self, head=[self.head[place] for place in kept], rows=rows, notes=notes)


@dataclass(frozen=True)
class SideBySide(Block):
    """Small tables, several in a line where there is room."""

    macro = "side_by_side"
    tables: Sequence[Table]


@dataclass(frozen=True)
class Charts(Block):
    """Charts, several in a line where there is room."""

    macro = "charts"
    charts: "Sequence[Chart]"
    style: str = ""
    """`bands`: small, and all but the first four are folded. `beside`: beside the sentences above."""

    def __bool__(self) -> bool:
        return bool(self.charts)


@dataclass(frozen=True)
class Links(Block):
    """Links to the files of tables that a section shows without a table of their own."""

    macro = "source_links"
    source: Sequence[str]


@dataclass(frozen=True)
class Folded(Block):
    """Blocks that are closed until they are asked for."""

    macro = "folded"
    summary: str
    blocks: Sequence[Block]
    is_open: bool = False
    is_heading: bool = False
    """The summary is a heading too, and is printed on paper."""


@dataclass(frozen=True)
class RankedPicture:
    """A picture with what participants answered."""

    stimulus: str
    caption: str
    uri: str
    """Empty where there is no picture."""
    masked: str = ""
    """Of a filled picture: what the generator was given, the hole in grey; else empty."""
    details: str = ""
    """The caption with its interval."""
    source: tuple[Path, str] | None = None
    """Folder and file of the picture; None: it is in no set that is here."""


@dataclass(frozen=True)
class Ranking(Block):
    """Pictures in order."""

    macro = "ranking"
    title: str
    pictures: Sequence[RankedPicture]
    name: str = ""
    """Of its file."""
    of_reals: bool = False
    """Real pictures; else generated ones."""

    def __bool__(self) -> bool:
        return bool(self.pictures)


@dataclass(frozen=True)
class PicturePair:
    """A generated picture beside its real one."""

    item: str
    model: str
    lines: Sequence[str]
    """Below it."""
    fake: Thumbnail | None
    real: Thumbnail | None


@dataclass(frozen=True)
class Gallery(Block):
    """Generated pictures beside their real ones."""

    macro = "gallery"
    pairs: Sequence[PicturePair]


@dataclass(frozen=True)
class Sample:
    """One item's pictures."""

    item: str
    pictures: Sequence[tuple[str, str]]
    """Name and data URI, in reading order; the URI is empty where there is no picture."""
    remarks: Sequence[str]
    """Below them."""


@dataclass(frozen=True)
class Samples:
    """A few items of one model."""

    columns: Sequence[str]
    rows: Sequence[Sample]
    note: str = ""
    """What the columns mean, where their names do not say it."""


@dataclass(frozen=True)
class SampleSheets(Block):
    """A few items of each model."""

    macro = "sample_sheets"
    models: Mapping[str, Samples]

    def __bool__(self) -> bool:
        return bool(self.models)


@dataclass(frozen=True)
class TrainingGrid(Block):
    """What models (rows) made of one fixed picture after some steps (columns), as data URIs."""

    macro = "training_grid"
    caption: str
    given_names: tuple[str, str]
    """What `condition` and `real` are called,"""
    results_caption: str
    """and what the models' pictures are."""
    columns: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[str]]]
    """Model, weights of its loss, pictures; empty where there is none."""
    condition: str
    real: str


@dataclass(frozen=True)
class Film:
    """A run's animation, and a still for paper and for whoever wants no motion."""

    model: str
    stages: Sequence[str]
    """What its columns are, from left to right."""
    moving: str
    still: str


@dataclass(frozen=True)
class Films(Block):
    """Animations of training."""

    macro = "films"
    films: Sequence[Film]

    def __bool__(self) -> bool:
        return bool(self.films)


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
    sha256: str
    """Of the file's bytes, before packing."""
    uri: str
    """The file itself; empty where it is not on the page."""
    data: bytes
    """The file's bytes; empty where it is not handed on."""
    reason_absent: str = ""
    """Why it is not on the page."""

    @property
    def size_text(self) -> str:
        """The size with its unit."""
        return f"{whole(self.size)}{NARROW}B" if self.size < 10_000 else f"{whole(round(self.size / 1000))}{NARROW}kB"


@dataclass(frozen=True)
class Files(Block):
    """The list of all tables, as files to save."""

    macro = "files"
    downloads: Sequence[Download]

    def __bool__(self) -> bool:
        return bool(self.downloads)


@dataclass(frozen=True)
class Section:
    """One section; blocks with nothing to show are left out."""

    id: str
    heading: str
    blocks: Sequence[Block]
    on_first_page: bool = False
    """Seen at once; the others are closed until they are asked for."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(block for block in self.blocks if block))


@dataclass(frozen=True)
class Report:
    """Everything that a report says, before it is set as a page or as Markdown."""

    title: str
    badges: Sequence[str]
    """What must be seen before any number is read."""
    sections: Sequence[Section]
    """In reading order; those without blocks are left out."""
    simulated: bool = False
    """The answers are those of simulated participants."""
    downloads: Sequence[Download] = ()
    """The tables' files."""
    album: Album = field(default_factory=Album)
    """The pictures that galleries show."""

    def __post_init__(self) -> None:
        sections = [section for section in self.sections if section.blocks]
        if sections and not any(section.on_first_page for section in sections):
            sections[0] = replace(sections[0], on_first_page=True)
        object.__setattr__(self, "sections", tuple(sections))

    @property
    def charts(self) -> "list[Chart]":
        """Every chart, in reading order."""
        return [chart for block in self._blocks if isinstance(block, Charts) for chart in block.charts]

    @property
    def rankings(self) -> "list[Ranking]":
        """Every list of ranked pictures, in reading order."""
        return [block for block in self._blocks if isinstance(block, Ranking)]

    @property
    def _blocks(self) -> list[Block]:
        return [block for section in self.sections for block in section.blocks]


def without_empty_tables(sections: Sequence[Section]) -> tuple[list[Section], list[str]]:
    """The sections with tables that measure something (`Table.measured`), and the captions of those that do not."""
    empty = []

    def measured(block: Block) -> list[Block]:
        if not isinstance(block, Table) or not block:
            return [block]
        table = block.measured()
        if not table:
            empty.append(table.caption)
        return [table] if table else []

    kept = [[new for block in section.blocks for new in measured(block)] for section in sections]
    return [replace(section, blocks=blocks) for section, blocks in zip(sections, kept, strict=True)], empty
