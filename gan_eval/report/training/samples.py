"""What the models drew on their way: one fixed picture, models beside steps, and the animations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gan_eval.errors import UserError
from gan_eval.report.parts.thumbnails import MASKED, ORIGINAL, data_uri, small_picture
from gan_eval.report.parts.words import whole
from gan_eval.report.training.runs import TrainingRun, chosen_steps, ratios
from gan_eval.stimuli.pictures import Picture, read_rgb

SIDE = 128
"""Pixels of a picture in the grid."""
FILM_BYTES = 1_500_000
"""Animations are put into the page up to this size in all,"""
MOST_FILMS = 3
"""and only for at most so many models: the grid tells the same of more."""
_GAP, _FONT_SIZE = 6, 13


@dataclass(frozen=True)
class Grid:
    """Models (rows) beside steps (columns) for one fixed pair."""

    rows: Sequence[str]
    """Names of the models,"""
    ratios: Sequence[str]
    """and the weights of their losses; empty where those do not tell the models apart."""
    columns: Sequence[str]
    cells: Sequence[Sequence[Picture | None]]
    input: Picture
    real: Picture
    fills_holes: bool
    """`input` is masked, the cells are composites, `real` is the original."""

    @property
    def given(self) -> tuple[str, str]:
        """What `input` and `real` are called."""
        return (MASKED, ORIGINAL) if self.fills_holes else ("input", "ground truth")


@dataclass(frozen=True)
class GridOnPage:
    """The same with pictures as data URIs; empty where there is none."""

    caption: str
    given: tuple[str, str]
    """What `input` and `real` are called,"""
    made: str
    """and what the models' pictures are: the caption over them."""
    columns: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[str]]]
    """Model, weights of its loss, pictures."""
    input: str
    real: str


@dataclass(frozen=True)
class Film:
    """A run's animation and a still for paper and for whoever wants no motion."""

    model: str
    stages: Sequence[str]
    """What its columns are, from left to right."""
    moving: str
    still: str


def sample_grids(runs: Sequence[TrainingRun]) -> list[Grid]:
    """A grid for each fixed picture: runs that were shown the same one stand in one grid."""
    groups: dict[tuple[bool, bytes], list[tuple[TrainingRun, str]]] = {}
    truths: dict[tuple[bool, bytes], tuple[Picture, Picture]] = {}
    for run, ratio in zip(runs, ratios(runs), strict=True):
        first = next((found for step in run.grids if (found := run.sample(step)) is not None), None)
        if first is not None:
            key = run.fills_holes, first[0].tobytes() + first[2].tobytes()
            groups.setdefault(key, []).append((run, ratio))
            truths[key] = first[0], first[2]
    return [_grid(members, *truths[key]) for key, members in groups.items()]


def _grid(members: Sequence[tuple[TrainingRun, str]], condition: Picture, real: Picture) -> Grid:
    runs = [run for run, _ in members]
    common = set.intersection(*(set(run.grids) for run in runs))
    steps = chosen_steps(
        sorted(common) if len(common) > 1 else [step for run in runs for step in run.grids],
        wanted=[step for run in runs for step in run.snapshots],
    )
    cells = [[_generated(run, step) for step in steps] for run in runs]
    return Grid(
        rows=[run.model for run in runs],
        ratios=[ratio for _, ratio in members],
        columns=column_names(runs, steps),
        cells=cells,
        input=condition,
        real=real,
        fills_holes=runs[0].fills_holes,
    )


def column_names(runs: Sequence[TrainingRun], steps: Sequence[int]) -> list[str]:
    """`epoch N` where the epochs tell the steps apart, else `step N`; `untrained` for step 0."""
    epochs = [next((epoch for run in runs if (epoch := run.epoch(step)) is not None), None) for step in steps]
    by_epoch = None not in epochs and len(set(epochs)) == len(epochs)
    return [
        "untrained" if step == 0 else f"epoch {epoch}" if by_epoch else f"step {whole(step)}"
        for step, epoch in zip(steps, epochs, strict=True)
    ]


def grids_on_page(grids: Sequence[Grid]) -> list[GridOnPage]:
    """The grids with small pictures inline."""
    return [
        GridOnPage(
            caption="One fixed picture on the way" if len(grids) == 1 else f"Fixed picture {number} on the way",
            given=grid.given,
            made="How each model filled it: composites" if grid.fills_holes else "What each model made of it",
            columns=grid.columns,
            rows=[
                (name, ratio, [_inline(cell) if cell is not None else "" for cell in row])
                for name, ratio, row in zip(grid.rows, grid.ratios, grid.cells, strict=True)
            ],
            input=_inline(grid.input),
            real=_inline(grid.real),
        )
        for number, grid in enumerate(grids, start=1)
    ]


def films(runs: Sequence[TrainingRun]) -> list[Film]:
    """The animations that fit into a page that is to be mailed."""
    moving = [run for run in runs if run.evolution is not None and run.grids]
    if len(moving) > MOST_FILMS:
        return []
    found, left = [], FILM_BYTES
    for run in moving:
        assert run.evolution is not None  # chosen above
        size = run.evolution.stat().st_size
        still = _last_grid(run)
        if size <= left and still is not None:
            left -= size
            found.append(Film(run.model, run.stages, data_uri(run.evolution.read_bytes(), "image/webp"), still))
    return found


def draw_grids(grids: Sequence[Grid]) -> Image.Image:
    """The grids below each other as one picture, dark on white, for a file."""
    drawn = [_draw(grid) for grid in grids]
    sheet = Image.new("RGB", (max(one.width for one in drawn), sum(one.height for one in drawn)), "white")
    top = 0
    for one in drawn:
        sheet.paste(one, (0, top))
        top += one.height
    return sheet


def _draw(grid: Grid) -> Image.Image:
    font = ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", _FONT_SIZE)
    left = round(max(font.getlength(name) for name in (*grid.rows, *grid.ratios))) + 2 * _GAP
    cell, head = SIDE + _GAP, _FONT_SIZE + 2 * _GAP
    width = left + cell * max(len(grid.columns), 2)
    sheet = Image.new("RGB", (width, head + cell + head + cell * len(grid.rows)), "white")
    pen = ImageDraw.Draw(sheet)

    def place(picture: Picture, column: int, top: int) -> None:
        small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        sheet.paste(small, (left + column * cell, top))

    for column, (name, picture) in enumerate(zip(grid.given, (grid.input, grid.real), strict=True)):
        pen.text((left + column * cell, _GAP), name, fill="black", font=font)
        place(picture, column, head)
    for column, name in enumerate(grid.columns):
        pen.text((left + column * cell, head + cell + _GAP), name.replace("\u202f", " "), fill="black", font=font)
    for row, (name, ratio, pictures) in enumerate(zip(grid.rows, grid.ratios, grid.cells, strict=True)):
        top = 2 * head + cell * (row + 1)
        words = f"{name}\n{ratio}" if ratio else name
        pen.multiline_text((_GAP, top + SIDE // 2), words, fill="black", font=font, anchor="lm")
        for column, cell_picture in enumerate(pictures):
            if cell_picture is not None:
                place(cell_picture, column, top)
    return sheet


def _generated(run: TrainingRun, step: int) -> Picture | None:
    found = run.sample(step) if step in run.grids else None
    return None if found is None else found[1]


def _inline(picture: Picture) -> str:
    return small_picture(Image.fromarray(np.ascontiguousarray(picture)), side=SIDE)


def _last_grid(run: TrainingRun) -> str | None:
    try:
        return small_picture(Image.fromarray(read_rgb(run.grids[max(run.grids)])), side=3 * SIDE)
    except UserError:
        return None
