"""Metric values by the kind of the hole that was filled, and by its share of the picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from gan_eval.metrics.catalogue import HOLE_METRICS
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.metrics.data import Measured, Summary, arrow, decimals, is_raw, mean_interval, of_pictures, unit_of
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import NBSP, View, missing, percent, whole
from gan_eval.stimuli.holes import area_band


class FilledHole(NamedTuple):
    """What a stimulus set tells of a generated picture's hole."""

    kind: str | None
    area: float | None
    """Share of the picture, 0..1."""

    @property
    def band(self) -> str | None:
        """The band of its area in words; None where it is unknown."""
        return None if self.area is None else band_words(area_band(self.area))


def band_words(band: str) -> str:
    """A band's name for people.

    >>> band_words("20-30").replace(chr(0x202F), " ")
    '20–30 %'
    """
    return f"{band.replace('-', '–')}\u202f%"


def holes_of_folder(folder: StudyFolder) -> dict[str, FilledHole]:
    """By stimulus, of the sets that were shown: in the hole, what the generator itself gave is the same."""
    return {key: hole for frame in folder.stimuli.values() for key, hole in _of_frame(frame)}


def holes_of_stimuli(stimuli: Iterable[Stimulus]) -> dict[str, FilledHole]:
    """By stimulus, of what was measured."""
    fakes = (one for one in stimuli if one.is_fake and (one.mask_kind is not None or one.mask_area is not None))
    return {one.stimulus: FilledHole(one.mask_kind, one.mask_area) for one in fakes}


def hole_views(measured: Measured, dataset: str, holes: Mapping[str, FilledHole]) -> list[View]:
    """The metrics of the hole by its kind and by its area; none where all holes are of one sort."""
    metrics = [facts.name for facts in HOLE_METRICS if facts.name in measured.picture_metrics(dataset)]
    if not metrics or not holes:
        return []
    rows = measured.images
    rows = rows[(rows["dataset"] == dataset) & (rows["kind"] == "fake") & rows["metric"].isin(metrics)]
    rows = rows[rows["stimulus"].isin(holes)]
    sorts: list[tuple[str, str, Callable[[FilledHole], str | None]]] = [
        ("By kind of hole", "hole", lambda hole: hole.kind),
        ("By area of the hole", "share of the picture", lambda hole: hole.band),
    ]
    views = []
    for caption, column, sort in sorts:
        sorted_rows = rows.assign(sort=rows["stimulus"].map(lambda stimulus, sort=sort: sort(holes[stimulus])))
        if sorted_rows["sort"].nunique() > 1:
            views.append(_view(f"{dataset}: {caption[0].lower()}{caption[1:]}", column, metrics, sorted_rows, measured))
    return views


def raw_note(models: Sequence[str]) -> list[str]:
    """What a model's name with the ending of raw sets stands for; nothing where there is none."""
    if not any(is_raw(model, models) for model in models):
        return []
    return [
        "A model NAME-raw is what the generator NAME itself gave, before the known pixels were put back; people saw "
        "the composites, NAME, whose pixels in the hole are the same. It is measured, and compared with nobody."
    ]


def _view(caption: str, column: str, metrics: Sequence[str], rows: pd.DataFrame, measured: Measured) -> View:
    order = sorted(rows["sort"].dropna().unique(), key=lambda sort: (_first_number(sort), sort))
    models = [model for model in measured.measured(str(rows["dataset"].iloc[0])) if model in set(rows["model"])]
    found = {
        (str(model), str(sort), str(metric)): of_pictures(part)
        for (model, sort, metric), part in rows.groupby(["model", "sort", "metric"], sort=False)
    }
    digits = {metric: _digits([one for key, one in found.items() if key[2] == metric]) for metric in metrics}
    cells = [
        [model, sort, _counts(each), *(mean_interval(each[metric], digits=digits[metric]) for metric in metrics)]
        for model in models
        for sort in order
        if (each := {metric: found.get((model, sort, metric), Summary()) for metric in metrics})
        if any(one.n for one in each.values())
    ]
    names = [f"{metric}{NBSP}{arrow(metric)}{f' ({unit})' if (unit := unit_of(metric)) else ''}" for metric in metrics]
    notes = ["Means over the pictures with 95\u202f% intervals by Student's t over the pictures."]
    if left := sum(one.infinite for one in found.values()):
        notes.append(f"{whole(left)} infinite values (pictures that equal their reference in the hole) are in no mean.")
    head = ["model", column, "N", *names]
    return View(caption, head, cells, text_columns=2, notes=notes, source=("image_metrics",), grouped=True)


def _counts(each: Mapping[str, Summary]) -> str:
    counts = sorted({one.n for one in each.values() if one.n})
    return whole(counts[0]) if len(counts) == 1 else f"{whole(counts[0])}–{whole(counts[-1])}"


def _digits(summaries: Sequence[Summary]) -> int:
    known = [one for one in summaries if one.is_known]
    return decimals([one.value for one in known], [one.half for one in known])


def _first_number(sort: str) -> int:
    """Bands ascend by their lower end; kinds have none."""
    start = sort.partition("–")[0]
    return int(start) if start.isdigit() else -1


def hole_words(kind: object, area: object) -> str:
    """A hole in words for below a picture; empty where nothing is known of it.

    >>> hole_words("region", 0.2579).replace(chr(0x202F), " "), hole_words(None, None)
    ('hole: region, 25.8 % of the picture', '')
    """
    parts = [] if missing(kind) else [str(kind)]
    parts += [] if missing(area) else [f"{percent(area)} of the picture"]
    return f"hole: {', '.join(parts)}" if parts else ""


def _of_frame(frame: pd.DataFrame) -> Iterable[tuple[str, FilledHole]]:
    for row in frame[frame["kind"] == "fake"].to_dict("records"):
        kind, area = (None if missing(row[name]) else row[name] for name in ("mask_kind", "mask_area"))
        if kind is not None or area is not None:
            yield str(row["stimulus"]), FilledHole(kind, None if area is None else float(area))


def holes_fact(folder: StudyFolder) -> list[tuple[str, str]]:
    """How many generated pictures had which hole, as a fact of the design; none where nothing was filled."""
    holes = list(holes_of_folder(folder).values())
    if not holes:
        return []
    kinds = pd.Series([hole.kind for hole in holes]).value_counts().sort_index()
    areas = [hole.area for hole in holes if hole.area is not None]
    said = [f"{kind} ({whole(count)})" for kind, count in kinds.items()]
    ends = list(dict.fromkeys(percent(end) for end in (min(areas), max(areas)))) if areas else []
    return [("Holes filled", "; ".join([", ".join(said), *([f"{' to '.join(ends)} of the picture"] if ends else [])]))]
