"""Metric values by the kind of the hole that was filled, and by its share of the picture."""

import math
from collections.abc import Iterable
from itertools import product

import pandas as pd

from gan_eval.metrics.catalogue import HOLE_METRICS
from gan_eval.pictures.holes import area_band
from gan_eval.report.metrics.summaries import (
    Measured,
    Summary,
    decimals_of,
    in_order,
    picture_summary,
    title_of,
    unit_of,
    with_arrow,
    with_interval,
)
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.words import NBSP, from_to, missing, percent, whole


def holes_of_folder(folder: StudyFolder) -> pd.DataFrame:
    """Return by stimulus the holes of the filled pictures that were shown: mask_kind and mask_area (0..1)."""
    frames = [frame[frame["kind"] == "fake"] for frame in folder.stimuli.values()]
    shown = pd.concat(frames) if frames else pd.DataFrame(columns=["stimulus", "mask_kind", "mask_area"])
    return shown.set_index("stimulus")[["mask_kind", "mask_area"]].dropna(how="all")


def hole_tables(measured: Measured, dataset: str, holes: pd.DataFrame) -> list[ShownTable]:
    """Return the metrics of the hole and of sets, by kind and by area of the hole; none if all holes are alike."""
    metrics = [facts.name for facts in HOLE_METRICS if facts.name in measured.picture_metrics(dataset)]
    rows = measured.images
    rows = rows[(rows["dataset"] == dataset) & (rows["kind"] == "fake") & rows["metric"].isin(metrics)]
    of_sets = measured.of_holes[measured.of_holes["dataset"] == dataset]
    areas = holes["mask_area"].dropna().sort_values()
    tables = []
    for caption, column, by, sorts in (
        ("by kind of hole", "hole", "kind", holes["mask_kind"].dropna().sort_values()),
        ("by area of the hole", "share of the picture", "area", areas.map(lambda area: area_band(float(area)))),
    ):
        by_sort = rows.assign(sort=rows["stimulus"].map(sorts.to_dict()))
        # baselines and raw sets are not shown
        sort_of_item = by_sort.dropna(subset="sort").groupby("item")["sort"].unique()
        of_item = {item: names[0] for item, names in sort_of_item.items() if len(names) == 1}
        by_sort = by_sort.assign(sort=by_sort["sort"].fillna(by_sort["item"].map(of_item))).dropna(subset="sort")
        sets = of_sets[of_sets["by"] == by].rename(columns={"hole": "sort"})
        sort_of_model = pd.concat([by_sort[["model", "sort"]], sets[["model", "sort"]]])
        if sort_of_model["sort"].nunique() > 1:
            models = [model for model in measured.models_and_raw(dataset) if model in set(sort_of_model["model"])]
            caption = f"{dataset}: {caption}"
            tables.append(_table(caption, column, metrics, models, sorts.unique(), by_sort, sets, is_area=by == "area"))
    return tables


def _table(
    caption: str,
    column: str,
    metrics: list[str],
    models: list[str],
    sorts: Iterable[str],
    rows: pd.DataFrame,
    sets: pd.DataFrame,
    *,
    is_area: bool,
) -> ShownTable:
    """Return a row for each model and sort of hole, a column for each metric: means of pictures, then sets."""
    summaries = _summaries(rows, sets)
    metrics = [*metrics, *in_order(map(str, sets["metric"]))]
    digits = {metric: decimals_of(each for key, each in summaries.items() if key[2] == metric) for metric in metrics}
    cells = []
    for model, sort in product(models, sorts):
        by_metric = {metric: summaries.get((model, sort, metric), Summary()) for metric in metrics}
        if count := max(summary.n for summary in by_metric.values()):
            values = [with_interval(summary, digits=digits[metric]) for metric, summary in by_metric.items()]
            name = f"{sort.replace('-', '–')}%" if is_area else sort
            cells.append([model, name, whole(count), *values])
    infinite = sum(summary.infinite for summary in summaries.values())
    of_sets = [title_of(metric) for metric in in_order(map(str, sets["metric"]))]
    notes = said("tables", "holes", len(rows), infinite, of_sets, sets["note"].notna().any())
    head = ["model", column, "N", *map(_heading, metrics)]
    source = "image_metrics" if len(rows) else "hole_metrics"
    return ShownTable(caption, head, cells, text_columns=2, notes=notes, source=source, grouped=True)


def _summaries(rows: pd.DataFrame, sets: pd.DataFrame) -> dict[tuple[str, ...], Summary]:
    """Return the values of pictures and of sets by model, sort of hole and metric."""
    summaries = {
        tuple(map(str, key)): picture_summary(*(part[name] for name in ("value", "item", "stimulus", "reason")))
        for key, part in rows.groupby(["model", "sort", "metric"], sort=False)
    }
    for row in sets.to_dict("records"):
        value = math.nan if missing(row["value"]) else float(row["value"])
        key = (str(row["model"]), str(row["sort"]), str(row["metric"]))
        summaries[key] = Summary(value=value, n=int(row["n_fake"]), n_real=int(row["n_real"]))
    return summaries


def _heading(metric: str) -> str:
    unit = unit_of(metric)
    return f"{with_arrow(metric)}{f' ({unit})' if unit else ''}".replace(" ", NBSP)


def hole_text(kind: object, area: object) -> str:
    """Return a hole in words, or an empty text.

    >>> hole_text("region", 0.2579).replace(chr(0x202F), " "), hole_text(None, None)
    ('hole: region, 25.8% of the picture', '')
    """
    parts = [] if missing(kind) else [str(kind)]
    parts += [] if missing(area) else [f"{percent(area)} of the picture"]
    return f"hole: {', '.join(parts)}" if parts else ""


def holes_sentence(folder: StudyFolder) -> list[str]:
    """Return the number of generated pictures by hole; empty if no hole was filled."""
    holes = holes_of_folder(folder)
    if holes.empty:
        return []
    kinds = holes["mask_kind"].value_counts().sort_index()
    parts = [", ".join(f"{kind} ({whole(count)})" for kind, count in kinds.items())]
    areas = holes["mask_area"].dropna()
    if len(areas):
        parts.append(f"{from_to(areas, percent)} of the picture")
    return [f"Holes filled: {'; '.join(parts)}."]
