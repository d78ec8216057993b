"""Metrics in the report of a study: the values with their marks, and the sentences to put into a paper."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from gan_eval.metrics.facts import ENOUGH_FOR_FID
from gan_eval.report.folder import StudyFolder
from gan_eval.report.metrics_best import HOW_MARKED, standings
from gan_eval.report.metrics_data import Measured
from gan_eval.report.metrics_methods import paper_paragraph
from gan_eval.report.words import NOTHING, View, interval, missing, number, whole


def metrics_views(folder: StudyFolder) -> list[View]:
    """Values of sets, then means of the pictures' values, each with its N, and the sentences to put into a paper."""
    measured = Measured(folder.tables)
    marks = _marks(measured)
    views = []
    if len(measured.sets):
        rows = [
            [
                row["dataset"],
                row["model"],
                row["metric"],
                number(row["value"], digits=_digits(row["value"])),
                interval(row["ci_low"], row["ci_high"], digits=_digits(row["value"])),
                whole(row["n_real"]),
                whole(row["n_fake"]),
                "; ".join([*marks.get((row["dataset"], row["metric"], row["model"]), []), *_set_remarks(row)]),
            ]
            for _, row in measured.sets.iterrows()
        ]
        head = ["data set", "model", "metric", "value", "95\u202f% interval", "N real", "N generated", "remark"]
        views.append(View("Metrics of sets of pictures", head, rows, text_columns=3, last_is_text=True))
    if len(measured.images):
        views.append(_image_metrics(measured.images, marks))
    if views:
        views[-1] = replace(views[-1], notes=[*([HOW_MARKED] if marks else []), paper_paragraph(measured)])
    return views


def _marks(measured: Measured) -> dict[tuple[str, str, str], list[str]]:
    """By data set, metric and model: best, or tied with the best; nothing without the table of differences."""
    return {
        (dataset, metric, model): ["best" if found.best else "tied with the best"]
        for dataset in measured.datasets
        for metric, found in standings(measured, dataset).items()
        for model in found.tied
    }


def _set_remarks(row: pd.Series) -> list[str]:
    """Reason and note; a warning where FID has few pictures and no note says so."""
    said = [str(row[name]) for name in ("reason", "note") if not missing(row[name])]
    smallest = int(min(row["n_real"], row["n_fake"]))
    if row["metric"] == "fid" and not missing(row["value"]) and smallest < ENOUGH_FOR_FID:
        said += [] if any("biased" in words for words in said) else [f"biased upwards: N < {whole(ENOUGH_FOR_FID)}"]
    return said


def _image_metrics(images: pd.DataFrame, marks: Mapping[tuple[str, str, str], list[str]]) -> View:
    rows = []
    named = images.assign(model=images["model"].fillna("ground truth"), dataset=images["dataset"].fillna(NOTHING))
    for (dataset, model, metric), group in named.groupby(["dataset", "model", "metric"], sort=True):
        values = group["value"].dropna()
        finite = values[np.isfinite(values)]
        reasons = group.loc[group["value"].isna(), "reason"].fillna("no reason given").value_counts(sort=False)
        remarks = [*marks.get((str(dataset), str(metric), str(model)), [])]
        remarks += [f"{count} missing: {reason}" for reason, count in reasons.items()]
        if len(finite) < len(values):
            remarks.append(f"{len(values) - len(finite)} infinite, left out of mean and SD")
        rows.append(
            [
                str(dataset),
                str(model),
                str(metric),
                number(finite.mean(), digits=3),
                number(finite.std(), digits=3),
                number(values.median(), digits=3),
                whole(len(values)),
                "; ".join(remarks),
            ]
        )
    head = ["data set", "model", "metric", "mean", "SD", "median", "N", "remark"]
    return View("Metrics of single pictures", head, rows, text_columns=3, last_is_text=True)


def _digits(value: object) -> int:
    return 1 if not missing(value) and abs(float(value)) >= 10 else 4  # type: ignore[arg-type]
