"""What the models drew during training: one fixed picture, models beside steps, and the animations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.report.parts.blocks import Film, TrainingGrid
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


@dataclass(frozen=True)
class Grid:
    """Models (rows) beside steps (columns) for one fixed pair."""

    rows: Sequence[str]
    """Names of the models,"""
    ratios: Sequence[str]
    """and the weights of their losses; empty where those do not tell the models apart."""
    columns: Sequence[str]
    cells: Sequence[Sequence[Picture | None]]
    condition: Picture
    real: Picture
    fills_holes: bool
    """`condition` is masked, the cells are composites, `real` is the original."""

    @property
    def given_names(self) -> tuple[str, str]:
        """What `condition` and `real` are called."""
        return (MASKED, ORIGINAL) if self.fills_holes else ("input", "ground truth")


def sample_grids(runs: Sequence[TrainingRun]) -> list[Grid]:
    """A grid for each fixed picture: runs that were given the same one stand in one grid."""
    groups: dict[tuple[bool, bytes], list[tuple[TrainingRun, str]]] = {}
    pairs: dict[tuple[bool, bytes], tuple[Picture, Picture]] = {}
    for run, ratio in zip(runs, ratios(runs), strict=True):
        first = next((sample for step in run.grids if (sample := run.sample(step)) is not None), None)
        if first is not None:
            key = run.fills_holes, first.condition.tobytes() + first.real.tobytes()
            groups.setdefault(key, []).append((run, ratio))
            pairs[key] = first.condition, first.real
    grids = []
    for key, members in groups.items():
        group = [run for run, _ in members]
        common = set.intersection(*(set(run.grids) for run in group))
        steps = chosen_steps(
            sorted(common) if len(common) > 1 else [step for run in group for step in run.grids],
            preferred=[step for run in group for step in run.snapshots],
        )
        samples = [[run.sample(step) if step in run.grids else None for step in steps] for run in group]
        grids.append(
            Grid(
                rows=[run.model for run in group],
                ratios=[ratio for _, ratio in members],
                columns=column_names(group, steps),
                cells=[[None if sample is None else sample.generated for sample in row] for row in samples],
                condition=pairs[key][0],
                real=pairs[key][1],
                fills_holes=group[0].fills_holes,
            )
        )
    return grids


def column_names(runs: Sequence[TrainingRun], steps: Sequence[int]) -> list[str]:
    """`epoch N` where the epochs tell the steps apart, else `step N`; `untrained` for step 0."""
    epochs = [next((epoch for run in runs if (epoch := run.epoch(step)) is not None), None) for step in steps]
    by_epoch = None not in epochs and len(set(epochs)) == len(epochs)
    return [
        "untrained" if step == 0 else f"epoch {epoch}" if by_epoch else f"step {whole(step)}"
        for step, epoch in zip(steps, epochs, strict=True)
    ]


def training_grids(runs: Sequence[TrainingRun]) -> list[TrainingGrid]:
    """The grids with small pictures inline."""

    def uri(picture: Picture | None) -> str:
        if picture is None:
            return ""
        return small_picture(Image.fromarray(np.ascontiguousarray(picture)), side=SIDE)

    grids = sample_grids(runs)
    return [
        TrainingGrid(
            caption="One fixed picture on the way" if len(grids) == 1 else f"Fixed picture {number} on the way",
            given_names=grid.given_names,
            results_caption="How each model filled it: composites"
            if grid.fills_holes
            else "What each model made of it",
            columns=grid.columns,
            rows=[
                (name, ratio, [uri(cell) for cell in row])
                for name, ratio, row in zip(grid.rows, grid.ratios, grid.cells, strict=True)
            ],
            condition=uri(grid.condition),
            real=uri(grid.real),
        )
        for number, grid in enumerate(grids, start=1)
    ]


def films(runs: Sequence[TrainingRun]) -> list[Film]:
    """The animations that fit into a page that is to be mailed."""
    animations = [(run, run.evolution) for run in runs if run.evolution is not None and run.grids]
    if len(animations) > MOST_FILMS:
        return []
    included, bytes_left = [], FILM_BYTES
    for run, file in animations:
        size = file.stat().st_size
        try:
            still = small_picture(Image.fromarray(read_rgb(run.grids[max(run.grids)])), side=3 * SIDE)
        except UserError:
            continue
        if size <= bytes_left:
            bytes_left -= size
            included.append(Film(run.model, run.stages, data_uri(file.read_bytes(), "image/webp"), still))
    return included
