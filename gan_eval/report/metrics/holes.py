"""Metric values by the kind of the hole that was filled, and by its share of the picture."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from gan_eval.metrics.catalogue import HOLE_METRICS
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.metrics.data import (
    Measured,
    Summary,
    decimals_of,
    is_raw,
    mean_interval,
    picture_summary,
    unit_of,
    with_arrow,
)
from gan_eval.report.parts.blocks import Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import NBSP, missing, percent, whole
from gan_eval.stimuli.holes import area_band


class FilledHole(NamedTuple):
    """A generated picture's hole, as its stimulus set has it."""

    kind: str | None
    area: float | None
    """Share of the picture, 0..1."""

    @property
    def band(self) -> str | None:
        """The name of the band of its area; None where it is unknown."""
        return None if self.area is None else band_name(area_band(self.area))


def band_name(band: str) -> str:
    """Return a band of areas for readers.

    >>> band_name("20-30").replace(chr(0x202F), " ")
    '20–30 %'
    """
    return f"{band.replace('-', '–')}\u202f%"


def holes_of_folder(folder: StudyFolder) -> dict[str, FilledHole]:
    """Return by stimulus the holes of the sets that were shown."""
    holes = {}
    for frame in folder.stimuli.values():
        for row in frame[frame["kind"] == "fake"].to_dict("records"):
            kind, area = (None if missing(row[name]) else row[name] for name in ("mask_kind", "mask_area"))
            if kind is not None or area is not None:
                holes[str(row["stimulus"])] = FilledHole(kind, None if area is None else float(area))
    return holes


def holes_of_stimuli(stimuli: Iterable[Stimulus]) -> dict[str, FilledHole]:
    """Return by stimulus the holes of what was measured."""
    return {
        stimulus.stimulus: FilledHole(stimulus.mask_kind, stimulus.mask_area)
        for stimulus in stimuli
        if stimulus.is_fake and (stimulus.mask_kind is not None or stimulus.mask_area is not None)
    }


def hole_tables(measured: Measured, dataset: str, holes: Mapping[str, FilledHole]) -> list[Table]:
    """Return the metrics of the hole by its kind and by its area; none where all holes are of one sort."""
    metrics = [facts.name for facts in HOLE_METRICS if facts.name in measured.picture_metrics(dataset)]
    if not metrics or not holes:
        return []
    rows = measured.images
    rows = rows[(rows["dataset"] == dataset) & (rows["kind"] == "fake") & rows["metric"].isin(metrics)]
    rows = rows[rows["stimulus"].isin(holes)]
    sorts: list[tuple[str, str, Callable[[FilledHole], str | None]]] = [
        ("by kind of hole", "hole", lambda hole: hole.kind),
        ("by area of the hole", "share of the picture", lambda hole: hole.band),
    ]
    tables = []
    for caption, column, sort_of in sorts:
        sort_by = {stimulus: sort_of(hole) for stimulus, hole in holes.items()}
        by_sort = rows.assign(sort=rows["stimulus"].map(sort_by))
        if by_sort["sort"].nunique() > 1:
            models = [model for model in measured.models_and_raw(dataset) if model in set(rows["model"])]
            tables.append(_table(f"{dataset}: {caption}", column, metrics, models, by_sort))
    return tables


def _table(caption: str, column: str, metrics: list[str], models: list[str], rows: pd.DataFrame) -> Table:
    """Return a row for each model and sort of hole, a column for each metric."""

    def lower_end(sort: str) -> tuple[int, str]:
        """Bands ascend by their lower end; kinds have none."""
        start = sort.partition("–")[0]
        return int(start) if start.isdigit() else -1, sort

    summaries = {
        (str(model), str(sort), str(metric)): picture_summary(part)
        for (model, sort, metric), part in rows.groupby(["model", "sort", "metric"], sort=False)
    }
    digits = {
        metric: decimals_of(summary for key, summary in summaries.items() if key[2] == metric) for metric in metrics
    }
    cells = []
    for model in models:
        for sort in sorted(rows["sort"].dropna().unique(), key=lower_end):
            by_metric = {metric: summaries.get((model, sort, metric), Summary()) for metric in metrics}
            counts = sorted({summary.n for summary in by_metric.values() if summary.n})
            if counts:
                count = whole(counts[0]) if len(counts) == 1 else f"{whole(counts[0])}–{whole(counts[-1])}"
                values = [mean_interval(summary, digits=digits[metric]) for metric, summary in by_metric.items()]
                cells.append([model, sort, count, *values])
    notes = ["Means with 95\u202f% intervals by Student's t over the items."]
    if infinite := sum(summary.infinite for summary in summaries.values()):
        notes.append(
            f"{whole(infinite)} infinite values (pictures that equal their reference in the hole) are in no mean."
        )
    names = [
        f"{with_arrow(metric)}{f' ({unit})' if (unit := unit_of(metric)) else ''}".replace(" ", NBSP)
        for metric in metrics
    ]
    head = ["model", column, "N", *names]
    return Table(caption, head, cells, text_columns=2, notes=notes, source="image_metrics", grouped=True)


def raw_note(models: list[str]) -> list[str]:
    """Return what a model's name with the ending of raw sets means; nothing where there is none."""
    if not any(is_raw(model, models) for model in models):
        return []
    return [
        "A model NAME-raw is the raw output of the generator NAME, before the known pixels were put back. Participants "
        "saw the composites, NAME, with the same pixels in the hole. Raw outputs are measured and not compared."
    ]


def hole_text(kind: object, area: object) -> str:
    """Return a hole in words, or an empty text.

    >>> hole_text("region", 0.2579).replace(chr(0x202F), " "), hole_text(None, None)
    ('hole: region, 25.8 % of the picture', '')
    """
    parts = [] if missing(kind) else [str(kind)]
    parts += [] if missing(area) else [f"{percent(area)} of the picture"]
    return f"hole: {', '.join(parts)}" if parts else ""


def holes_fact(folder: StudyFolder) -> list[tuple[str, str]]:
    """Return how many generated pictures had which hole, as a fact of the design; none where nothing was filled."""
    holes = list(holes_of_folder(folder).values())
    if not holes:
        return []
    kinds = pd.Series([hole.kind for hole in holes]).value_counts().sort_index()
    areas = [hole.area for hole in holes if hole.area is not None]
    ends = list(dict.fromkeys(percent(end) for end in (min(areas), max(areas)))) if areas else []
    parts = [", ".join(f"{kind} ({whole(count)})" for kind, count in kinds.items())]
    parts += [f"{' to '.join(ends)} of the picture"] if ends else []
    return [("Holes filled", "; ".join(parts))]
