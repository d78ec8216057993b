"""A run's settings and its tables: those that it computes, and those of other programs that are put beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import get_args

import pandas as pd

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.file_sets import replaced_set
from gan_eval.metrics.catalogue import DEFAULT_RESIZER, Metric
from gan_eval.metrics.networks.segmenter_settings import PALETTE
from gan_eval.metrics.run.missing import finite_mean
from gan_eval.metrics.weights.cache import find
from gan_eval.metrics.weights.known import WEIGHTS
from gan_eval.settings.training import Precision
from gan_eval.tables.schema import Table
from gan_eval.tabular import Row, conform, frame_of, holds_table, read_table, write_table

DEFAULT = ("psnr", "ssim", "niqe", "fid")
TABLES = (tables.IMAGE_METRICS, tables.SET_METRICS, tables.METRIC_COMPARISONS, tables.RUNS)
SET_NAME = "metrics"
"""Of the set of tables that a run writes (see `gan_eval.file_sets`)."""
_EXTERNAL_COLUMNS = ("model", "dataset", "metric", "value")
_EXTERNAL = Table(
    tables.EXTERNAL_VALUES.name,
    "The columns that a file must have: real pictures in it have no model.",
    tuple(
        replace(column, filled=False) for column in tables.EXTERNAL_VALUES.columns if column.name in _EXTERNAL_COLUMNS
    ),
)


@dataclass(frozen=True)
class Settings:
    """How metrics are computed. Paths may be given as text, and a single metric by its name.

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
    """Worker threads, which do not wait for each other; default: the usable cores, also on a busy machine."""
    precision: Precision = "fp32"
    """Of Inception; `bf16` is faster and moves its features by about 2 % (relative RMS), FID by 0.4 to 0.9 %."""
    segmenter: Path | None = None
    """The user's network for the segmentation scores (see `gan_eval.metrics.networks.segmenter`)."""
    cache: Path | None = None
    """File of cached values; None: nothing is cached (see `gan_eval.metrics.run.cache`)."""

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise UserError(f"--precision {self.precision}: unknown; choose {' or '.join(get_args(Precision))}")
        if self.threads is not None and self.threads < 1:
            raise UserError(f"--threads {self.threads}: wanted at least 1")
        if self.resizer != DEFAULT_RESIZER:  # else torch need not be loaded
            from gan_eval.metrics.networks.extractors import check_resizer

            check_resizer(self.resizer)
        converted = {
            "metrics": (self.metrics,) if isinstance(self.metrics, str) else tuple(self.metrics),
            "weights": {name: Path(path) for name, path in self.weights.items()},
            "segmenter": None if self.segmenter is None else Path(self.segmenter),
            "cache": None if self.cache is None else Path(self.cache),
        }
        for name, value in converted.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Evaluation:
    """The metric tables, and the row of `runs` that their column `run` points to; frames are made at first use."""

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
    out, suffixes = Path(out), (".csv", ".parquet")
    with replaced_set(out, SET_NAME) as new:
        for name, frame in frames.items():
            for suffix in suffixes:
                write_table(frame, new.folder / f"{name}{suffix}", tables.TABLES[name])
        new.run = next(iter(frames[tables.RUNS.name]["run"]), "") if tables.RUNS.name in frames else ""
        earlier = [
            (out / f"{table.name}{suffix}", table) for table in (*TABLES, tables.EXTERNAL_VALUES) for suffix in suffixes
        ]
        new.obsolete += [file for file, table in earlier if holds_table(file, table)]


def unused_files(metrics: Sequence[Metric], settings: Settings) -> list[str]:
    """A message for each named file that no metric uses.

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
    options = [WEIGHTS[name].option for name in settings.weights if name not in used]
    if segmenter is not None and all(metric.extractor != "segmenter" for metric in metrics):
        options.append("--segmenter")
    return [f"{name}: no metric here uses it" for name in options]


def read_external_values(files: Sequence[Path]) -> pd.DataFrame:
    """The table `beside` from other programs' CSV or Parquet files; where a row names no source, it is the file's stem.

    Three layouts are accepted: columns model, dataset, metric, value (and source, note); the table `set_metrics` of
    another run; the table `image_metrics` of another run, of which the mean over each generated set is taken.

    Raises:
        UserError: a file cannot be read, lacks a column, holds something else than a number, or two rows say the same.
    """
    parts = []
    for file in map(Path, files):
        frame = read_table(file, _EXTERNAL)
        if "stimulus" in frame.columns:
            generated = frame[frame["model"].notna()]
            means = []
            for (model, dataset, metric), group in generated.groupby(["model", "dataset", "metric"], sort=False):
                mean = finite_mean(group["value"])
                note = f"mean of {mean.n} pictures"
                note += f", {mean.left_out} without a finite value left out" if mean.left_out else ""
                means.append((model, dataset, metric, mean.mean, note))
            frame = pd.DataFrame(means, columns=[*_EXTERNAL_COLUMNS, "note"])
        if frame.empty:
            raise UserError(f"{file}: no values in it")
        missing = frame["value"].isna()
        if missing.all():
            raise UserError(f"{file}: column value: no row has one")
        frame = frame[~missing]
        optional = {
            name: frame[name].astype("str") if name in frame.columns else pd.Series(pd.NA, frame.index, dtype="str")
            for name in ("source", "note")
        }
        optional["source"] = optional["source"].fillna(file.stem)
        parts.append(frame[list(_EXTERNAL_COLUMNS)].assign(**optional))
    where = ", ".join(map(str, files))
    return conform(pd.concat(parts, ignore_index=True), tables.EXTERNAL_VALUES, where=where)
