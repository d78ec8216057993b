"""The results of the pass over the pictures as the table `image_metrics`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gan_eval import tables
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.pictures import PictureResults
from gan_eval.metrics.run.tools import Measure
from gan_eval.tabular import conform

_COMPARED = ["item", "kind", "model", "dataset", "metric", "value", "fraction"]


def image_table(
    stimuli: Sequence[Stimulus], measures: Sequence[Measure], results: PictureResults, run: str
) -> pd.DataFrame:
    """The table, in the order of the stimuli; pair metrics have rows for the generated pictures, and for real ones that
    nothing was generated for."""
    in_pairs = np.array([stimulus.has_pair_metrics for stimulus in stimuli], bool)
    is_pair = np.array([measure.is_pair for measure in measures], bool)
    rows, columns = np.nonzero(in_pairs[:, None] | ~is_pair[None, :])
    reasons = np.full(results.numbers.shape, None, object)
    for place, reason in results.reasons.items():
        reasons[place] = reason

    def text(values: Sequence[str | None]) -> pd.Series:
        return pd.Series(np.array(values, object), dtype="str").take(rows).reset_index(drop=True)

    frame = pd.DataFrame(
        {
            "stimulus": text([one.stimulus for one in stimuli]),
            "item": text([one.item for one in stimuli]),
            "kind": text([one.kind for one in stimuli]),
            "model": text([one.model for one in stimuli]),
            "dataset": text([one.dataset for one in stimuli]),
            "metric": pd.Series([measure.name for measure in measures], dtype="str").take(columns).to_numpy(),
            "value": results.numbers[rows, columns],
            "reason": pd.Series(reasons[rows, columns], dtype="str"),
            "run": run,
            "fraction": np.array([one.fraction for one in stimuli], np.float64)[rows],
        }
    )
    return conform(frame, tables.IMAGE_METRICS, where=tables.IMAGE_METRICS.name)


def compared_rows(frame: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    """Of each generated picture's row what `gan_eval.metrics.run.differences.compare_pictures` looks at."""
    generated = frame.loc[frame["kind"] == "fake", _COMPARED]
    for values in zip(*(generated[name].tolist() for name in _COMPARED), strict=True):
        yield dict(zip(_COMPARED, values, strict=True))
