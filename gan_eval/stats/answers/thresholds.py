"""For how long must a picture be seen? The thresholds of staircases, and their mean over participants."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.staircases import STAIRCASE
from gan_eval.staircases import thresholds as thresholds_of_rows
from gan_eval.stats.shares import mean_interval
from gan_eval.tables import THRESHOLDS
from gan_eval.tabular import Row, frame_of


def thresholds(trials: pd.DataFrame, *, settings: StaircaseSettings | None = None) -> pd.DataFrame:
    """The table `thresholds` of a trials table; no rows where there are no staircases.

    Args:
        trials: the table `trials`.
        settings: `[quiz.staircase]` of the study; without it `bound` stays empty, for the range is not known.
    """
    moved = trials[(trials["protocol"] == STAIRCASE).fillna(False) & np.isfinite(trials["requested_exposure_ms"])]
    moved = moved.assign(block=moved["block"].fillna(1))
    plain = moved.astype("object").where(moved.notna(), None)
    records: list[Row] = [dict(zip(plain.columns, values, strict=True)) for values in plain.to_numpy().tolist()]
    carried = dict(iter(moved.groupby(["session", "block"])))
    rows = []
    for found in thresholds_of_rows(records, settings):
        part = carried[found.session, found.block]
        fractions = part["fraction"].dropna().unique()
        rows.append(
            {
                **vars(found),
                "simulated": bool(part["simulated"].fillna(False).any()),
                "fraction": fractions[0] if len(fractions) == 1 else None,
            }
        )
    return frame_of(rows, THRESHOLDS)


class MeanThreshold(NamedTuple):
    """The thresholds of a data set over participants, in ms."""

    dataset: str | None
    n_participants: int
    """Participants with a threshold."""
    n_without: int
    """Staircases that turned round too seldom for one."""
    n_bound: int
    """Staircases that stayed at an end of the range."""
    mean_ms: float
    """NaN where there is no threshold; each participant counts alike."""
    low_ms: float
    """Lower end of its 95 % interval, Student's t; NaN with fewer than two participants."""
    high_ms: float


def mean_thresholds(table: pd.DataFrame) -> list[MeanThreshold]:
    """Of each data set, from a table `thresholds`."""
    found = []
    for dataset, part in table.groupby("dataset", dropna=False, sort=True):
        each = part.dropna(subset="threshold_ms").groupby("participant")["threshold_ms"].mean()
        found.append(
            MeanThreshold(
                None if pd.isna(dataset) else str(dataset),
                len(each),
                int(part["threshold_ms"].isna().sum()),
                int(part["bound"].notna().sum()),
                *mean_interval(each.to_numpy("float64")),
            )
        )
    return found
