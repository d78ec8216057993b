"""What several sections on metrics are set with: one part for each data set, square tables, pairs of pictures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gan_eval.report.metrics.data import Measured
from gan_eval.report.parts.blocks import Block, Cell, Column, Heading, PicturePair, Section, Table
from gan_eval.report.parts.thumbnails import Album


def section_by_dataset(
    name: str,
    heading: str,
    measured: Measured,
    blocks_of: Callable[[str], Sequence[Block]],
    *,
    before: Sequence[Block] = (),
    after: Sequence[Block] = (),
) -> Section:
    """A section with a part for each data set, whose name is a heading where there are several.

    Args:
        name: identifier.
        heading: of the section.
        measured: the tables.
        blocks_of: gives the blocks of a data set.
        before: blocks above all parts.
        after: blocks below.
    """
    blocks: list[Block] = []
    for dataset in measured.datasets:
        part = [block for block in blocks_of(dataset) if block]
        if part:
            blocks += [*([Heading(dataset)] if len(measured.datasets) > 1 else []), *part]
    return Section(name, heading, [*before, *blocks, *after] if blocks else [])


def square_table(
    caption: str, names: Sequence[str], cells: Sequence[Sequence[Cell]], *, notes: Sequence[str] = ()
) -> Table:
    """Names beside the same names; the columns bear the rows' numbers."""
    head: list[str | Column] = ["row", *(Column(str(place), title=name) for place, name in enumerate(names, start=1))]
    rows: list[list[str | Cell]] = [
        [f"{place}\u2002{name}", *row] for place, (name, row) in enumerate(zip(names, cells, strict=True), start=1)
    ]
    return Table(caption, head, rows, notes=notes, style="matrix", folded=False)


def pair_of(measured: Measured, album: Album, row: Mapping[Any, Any], lines: Sequence[str]) -> PicturePair:
    """The generated picture of a row of `image_metrics` beside its real one."""
    fake, real = measured.files(str(row["stimulus"]))
    return PicturePair(str(row["item"]), str(row["model"]), lines, album.thumbnail(fake), album.thumbnail(real))
