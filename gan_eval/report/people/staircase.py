"""What staircases say: for how long a picture must be seen."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import of, view_of
from gan_eval.report.parts.words import (
    NOTHING,
    View,
    milliseconds,
    missing,
    plural,
    text,
    whole,
)
from gan_eval.stats.answers.hype import MeanThreshold, mean_thresholds
from gan_eval.tables import THRESHOLDS

_MOST_STAIRCASES = 200


def threshold_sentences(table: pd.DataFrame) -> list[str]:
    return [_settled_at(found) for found in mean_thresholds(table)]


def _settled_at(found: MeanThreshold) -> str:
    where = "" if found.dataset is None else f" on {found.dataset}"
    if found.n_participants == 0:
        said = f"The staircases{where} turned round too seldom for a threshold of exposure."
    else:
        within = "" if missing(found.low_ms) else f" (95 % interval {_ms_interval(found)} between participants)"
        said = (
            f"The staircase{where} settled at a mean exposure of {milliseconds(found.mean_ms)}{within}, over "
            f"{plural(found.n_participants, 'participant')}."
        )
        if found.n_without:
            said += f" {plural(found.n_without, 'staircase')} turned round too seldom for a threshold."
    if found.n_bound:
        said += f" {plural(found.n_bound, 'staircase')} stayed at an end of the range of exposures."
    return said


def thresholds_views(folder: StudyFolder) -> list[View]:
    """Mean thresholds, then each staircase where they are not too many."""
    table = folder.table(THRESHOLDS)
    if table.empty:
        return []
    means = [
        [
            text(found.dataset),
            whole(found.n_participants),
            milliseconds(found.mean_ms),
            NOTHING if missing(found.low_ms) else _ms_interval(found),
            whole(found.n_without),
        ]
        for found in mean_thresholds(table)
    ]
    head = ["data set", "participants", "mean threshold", "95\u202f% interval", "without a threshold"]
    columns = {
        "participant": of(text, "participant"),
        "data set": of(text, "dataset"),
        "reversals": of(whole, "reversals"),
        "threshold": of(milliseconds, "threshold_ms"),
        "shown most often": of(milliseconds, "mode_ms"),
        "end of the range": of(text, "bound"),
    }
    each = table if len(table) <= _MOST_STAIRCASES else table.iloc[:0]
    caption = "Threshold of each staircase"
    return [
        View("Thresholds of exposure", head, means, source=("thresholds",)),
        *view_of(caption, each, columns, text_columns=2, last_is_text=True, source="thresholds"),
    ]


def _ms_interval(found: MeanThreshold) -> str:
    return f"{milliseconds(found.low_ms)} to {milliseconds(found.high_ms)}"
