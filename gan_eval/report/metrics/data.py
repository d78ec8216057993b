"""The metric tables as frames, for the parts of the report that look at single pictures, holes and runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.metrics.summaries import REAL, Summaries
from gan_eval.report.parts.words import NOTHING
from gan_eval.tables import HOLE_METRICS, IMAGE_METRICS, RUNS, SET_METRICS
from gan_eval.tables.frames import frame_of


class Measured(Summaries):
    """The frames of `gan-eval metrics`, looked up by data set, metric and model."""

    def __init__(self, frames: Mapping[str, pd.DataFrame], stimuli: Sequence[Stimulus] = ()) -> None:
        """Absent frames count as empty ones.

        Args:
            frames: by table name: image_metrics, set_metrics, metric_comparisons, hole_metrics, runs.
            stimuli: the pictures themselves, for holes and spectra.
        """
        super().__init__(frames)
        self.images, self.sets, self.of_holes, self.runs = (
            frames[table.name].reset_index(drop=True) if table.name in frames else frame_of([], table)
            for table in (IMAGE_METRICS, SET_METRICS, HOLE_METRICS, RUNS)
        )
        self.images["dataset"] = self.images["dataset"].fillna(NOTHING)
        self._stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli}

    @property
    def holes(self) -> pd.DataFrame:
        """Return by stimulus the holes of the pictures: mask_kind and mask_area (0..1)."""
        filled = [stimulus for stimulus in self._stimuli.values() if stimulus.is_fake]
        holes = [(stimulus.mask_kind, stimulus.mask_area) for stimulus in filled]
        frame = pd.DataFrame(holes, [stimulus.stimulus for stimulus in filled], ["mask_kind", "mask_area"])
        return frame.dropna(how="all")

    def files(self, dataset: str, model: str) -> list[Path]:
        """Return the files of a model's pictures of a data set; `model` may be REAL."""
        return [
            stimulus.file
            for stimulus in self._stimuli.values()
            if stimulus.dataset == dataset and (stimulus.model if stimulus.is_fake else REAL) == model
        ]

    def rows(self, dataset: str, metric: str, model: str) -> pd.DataFrame:
        """Return the rows of `image_metrics`; `model` may be REAL."""
        return self.images.iloc[self._pictures.get((dataset, metric, model), [])]


def items_of(rows: pd.DataFrame) -> pd.Series:
    """Return the items of rows of `image_metrics`; a picture without one is its own item."""
    return rows["item"].fillna(rows["stimulus"])
