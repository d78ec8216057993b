"""The values of other programs beside those measured here."""

import pandas as pd

from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.metrics_facts import decimals
from gan_eval.report.parts.words import NOTHING, View, interval, listed, missing, number, plural, text, whole


def beside_view(measured: Measured, dataset: str) -> list[View]:
    """Other programs' values with their difference from ours."""
    table = measured.beside[measured.beside["dataset"] == dataset]
    rows = [_beside_row(measured, dataset, row) for _, row in table.iterrows()]
    if not rows:
        return []
    head = ["metric", "model", "here", "95\u202f% interval", "N", "there", "there − here", "source"]
    return [View(f"{dataset}: values of other programs beside ours", head, rows, text_columns=2, last_is_text=True)]


def _beside_row(measured: Measured, dataset: str, row: pd.Series) -> list[str]:
    ours = measured.summary(dataset, row["metric"], row["model"])
    places = decimals([ours.value, row["value"]], [ours.half])
    note = "" if missing(row["note"]) else f"; {row['note']}"
    return [
        text(row["metric"]),
        text(row["model"]),
        number(ours.value, digits=places),
        interval(ours.low, ours.high, digits=places),
        whole(ours.n) if ours.is_known else NOTHING,
        number(row["value"], digits=places),
        number(row["value"] - ours.value, digits=places),
        f"{row['source']}{note}",
    ]


def unplaced_values(measured: Measured) -> list[str]:
    """One line on the values of data sets that were not measured; none where there are no such values."""
    table = measured.beside[~measured.beside["dataset"].isin(measured.datasets)]
    if table.empty:
        return []
    datasets = list(dict.fromkeys(text(name) for name in table["dataset"]))
    values = plural(len(table), "value of another program is", "values of other programs are")
    return [f"{values} not shown: {listed(datasets)} {'was' if len(datasets) == 1 else 'were'} not measured here."]
