"""The settings of a run, and the tables that it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import pandas as pd

from gan_eval import tables
from gan_eval.metrics.facts import DEFAULT_RESIZER
from gan_eval.tabular import Row, frame_of, write_table

DEFAULT = ("psnr", "ssim", "niqe", "fid")
TABLES = (tables.IMAGE_METRICS, tables.SET_METRICS, tables.METRIC_COMPARISONS, tables.RUNS)
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Settings:
    """How metrics are computed."""

    metrics: tuple[str, ...] = DEFAULT
    resizer: str = DEFAULT_RESIZER
    """Rule by which pictures are brought to a network's size (see `gan_eval.metrics.resizers`)."""
    resize: bool = False
    """Bring a generated picture to its reference's size (bicubic); otherwise different sizes are a reason."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of pretrained weights by name (`inception`, `brisque`, ...); default: the cache of weights."""
    device: str | None = None
    """Where pictures are measured: cpu, cuda, ...; default: CUDA where there is one."""
    threads: int | None = None
    """Worker threads; default: the usable cores."""
    precision: Precision = "float32"
    """Of Inception; `bfloat16` is faster and moves its features by about 0.5 %."""
    segmenter: Path | None = None
    """The user's network for the segmentation scores (see `gan_eval.metrics.segmenter`)."""
    cache: Path | None = None
    """File of kept values; None: nothing is kept (see `gan_eval.metrics.cache`)."""


@dataclass(frozen=True)
class Evaluation:
    """The metric tables, and the row of `runs` that their column `run` points to; made when they are asked for."""

    image_metrics: pd.DataFrame
    rows: Mapping[str, Sequence[Row]]
    """Of the other tables, by their names."""

    @cached_property
    def set_metrics(self) -> pd.DataFrame:
        """The table of this name."""
        return frame_of(self.rows["set_metrics"], tables.SET_METRICS)

    @cached_property
    def metric_comparisons(self) -> pd.DataFrame:
        """The table of this name."""
        return frame_of(self.rows["metric_comparisons"], tables.METRIC_COMPARISONS)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The table of this name."""
        return frame_of(self.rows["runs"], tables.RUNS)

    def by_name(self) -> dict[str, pd.DataFrame]:
        """The frames by their tables' names."""
        return {table.name: getattr(self, table.name) for table in TABLES}


def write_tables(frames: Mapping[str, pd.DataFrame], out: Path) -> None:
    """Write metric tables, each as `out/NAME.csv` and `out/NAME.parquet`.

    Raises:
        UserError: one cannot be written.
    """
    for name, frame in frames.items():
        for suffix in (".csv", ".parquet"):
            write_table(frame, Path(out) / f"{name}{suffix}", tables.TABLES[name])
