"""Values that other programs gave for the same sets, read from their tables to be put beside ours.

Three layouts are accepted: columns model, dataset, metric, value (and source, note); the table `set_metrics` of another
run; the table `image_metrics` of another run, of which each generated set's mean is taken.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.metrics.run.missing import finite_mean
from gan_eval.tables.schema import Table
from gan_eval.tabular import conform, read_table

_NEEDED = ("model", "dataset", "metric", "value")
_FOREIGN = Table(
    tables.BESIDE.name,
    "What a file must have: real pictures in it have no model.",
    tuple(replace(column, filled=False) for column in tables.BESIDE.columns if column.name in _NEEDED),
)


def read_beside(files: Sequence[Path]) -> pd.DataFrame:
    """The table `beside` from CSV or Parquet files; where a row names no source, it is the file's stem.

    Raises:
        UserError: a file cannot be read, lacks a column, holds something else than a number, or two rows say the same.
    """
    parts = [_read(Path(file)) for file in files]
    where = ", ".join(map(str, files))
    return conform(pd.concat(parts, ignore_index=True), tables.BESIDE, where=where)


def _read(file: Path) -> pd.DataFrame:
    frame = read_table(file, _FOREIGN)
    if "stimulus" in frame.columns:
        frame = _means(frame)
    if frame.empty:
        raise UserError(f"{file}: no values in it")
    missing = frame["value"].isna()
    if missing.all():
        raise UserError(f"{file}: column value: no row has one")
    frame = frame[~missing]
    source = frame["source"].astype("str") if "source" in frame.columns else pd.Series(pd.NA, frame.index, dtype="str")
    note = frame["note"].astype("str") if "note" in frame.columns else pd.Series(pd.NA, frame.index, dtype="str")
    return frame[list(_NEEDED)].assign(source=source.fillna(file.stem), note=note)


def _means(frame: pd.DataFrame) -> pd.DataFrame:
    """Of values of single pictures the mean over each set's generated ones; infinite ones are left out and counted."""
    frame = frame[frame["model"].notna()]
    rows = []
    for (model, dataset, metric), group in frame.groupby(["model", "dataset", "metric"], sort=False):
        found = finite_mean(group["value"])
        left_out = f", {found.left_out} without a finite value left out" if found.left_out else ""
        note = f"mean of {found.n} pictures{left_out}"
        rows.append({"model": model, "dataset": dataset, "metric": metric, "value": found.mean, "note": note})
    return pd.DataFrame(rows, columns=["model", "dataset", "metric", "value", "note"])
