"""The settings of a run, and the tables that it gives.

The files that a run's settings name: they must be there, and some metric should use them.

What the comparison of sets gives, computed or kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import get_args

import pandas as pd

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.file_sets import replaced_set
from gan_eval.metrics.catalogue import DEFAULT_RESIZER, Metric
from gan_eval.metrics.networks.segmenter_settings import PALETTE
from gan_eval.settings.training import Precision
from gan_eval.tabular import Row, frame_of, holds_table, write_table
from gan_eval.weights.cache import find, option

DEFAULT = ("psnr", "ssim", "niqe", "fid")
TABLES = (tables.IMAGE_METRICS, tables.SET_METRICS, tables.METRIC_COMPARISONS, tables.RUNS)
SET_NAME = "metrics"
"""Of the set of tables that a run writes (see `gan_eval.file_sets`)."""


@dataclass(frozen=True)
class Settings:
    """How metrics are computed. Paths may be given as text, and a metric alone by its name.

    Raises:
        UserError: a value that cannot be. Whether there are such metrics and files is seen when it runs.
    """

    metrics: tuple[str, ...] = DEFAULT
    resizer: str = DEFAULT_RESIZER
    """Rule by which pictures are brought to a network's size (see `gan_eval.metrics.networks.extractors`)."""
    resize: bool = False
    """Bring a generated picture to its reference's size (bicubic); otherwise different sizes are a reason."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of pretrained weights by name (`inception`, `brisque`, ...); default: the cache of weights."""
    device: str | None = None
    """Where pictures are measured: cpu, cuda, ...; default: CUDA where there is one."""
    threads: int | None = None
    """Worker threads; default: the usable cores."""
    precision: Precision = "fp32"
    """Of Inception; `bf16` is faster and moves its features by about 2 % (relative RMS), FID by 0.4 to 0.9 %."""
    segmenter: Path | None = None
    """The user's network for the segmentation scores (see `gan_eval.metrics.networks.segmenter`)."""
    cache: Path | None = None
    """File of kept values; None: nothing is kept (see `gan_eval.metrics.run.cache`)."""

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise UserError(f"--precision {self.precision}: unknown; choose {' or '.join(get_args(Precision))}")
        if self.threads is not None and self.threads < 1:
            raise UserError(f"--threads {self.threads}: wanted at least 1")
        if self.resizer != DEFAULT_RESIZER:  # else torch need not be loaded
            from gan_eval.metrics.networks.extractors import check_resizer

            check_resizer(self.resizer)
        as_they_are = {
            "metrics": (self.metrics,) if isinstance(self.metrics, str) else tuple(self.metrics),
            "weights": {name: Path(path) for name, path in self.weights.items()},
            "segmenter": None if self.segmenter is None else Path(self.segmenter),
            "cache": None if self.cache is None else Path(self.cache),
        }
        for name, value in as_they_are.items():
            object.__setattr__(self, name, value)


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
    """Write metric tables, each as `out/NAME.csv` and `out/NAME.parquet`, in place of those of an earlier run.

    They are put in place together; tables that this run has not (values from other programs) are removed.

    Raises:
        UserError: one cannot be written, or another process has been writing there for a minute.
    """
    out = Path(out)
    with replaced_set(out, SET_NAME) as new:
        for name, frame in frames.items():
            for file in _files(name, new.folder):
                write_table(frame, file, tables.TABLES[name])
        new.run = next(iter(frames[tables.RUNS.name]["run"]), "") if tables.RUNS.name in frames else ""
        new.obsolete += [
            file for table in (*TABLES, tables.BESIDE) for file in _files(table.name, out) if holds_table(file, table)
        ]


def _files(name: str, out: Path) -> list[Path]:
    return [out / f"{name}{suffix}" for suffix in (".csv", ".parquet")]


def unused_files(metrics: Sequence[Metric], settings: "Settings") -> list[str]:
    """A line for each named file that no metric uses.

    Args:
        metrics: those of the run.
        settings: with the files.

    Raises:
        UserError: a named file is not there, or weights have an unknown name.
    """
    for name, path in settings.weights.items():
        find(name, path=path)
    segmenter = settings.segmenter
    if segmenter not in (None, PALETTE) and not segmenter.is_file():
        raise UserError(f"--segmenter {segmenter}: no such file")
    used = {name for metric in metrics for name in metric.weights}
    options = [option(name) for name in settings.weights if name not in used]
    if segmenter is not None and all(metric.extractor != "segmenter" for metric in metrics):
        options.append("--segmenter")
    return [f"{name}: no metric here uses it" for name in options]


@dataclass(frozen=True)
class SetRows:
    """Rows without the column `run`."""

    rows: list[Row] = field(default_factory=list)
    """Of the table `set_metrics`."""
    comparisons: list[Row] = field(default_factory=list)
    """Of the table `metric_comparisons`."""
