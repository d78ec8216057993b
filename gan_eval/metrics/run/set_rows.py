"""What the comparison of sets gives, computed or kept."""

from dataclasses import dataclass, field

from gan_eval.tabular import Row


@dataclass(frozen=True)
class SetRows:
    """Rows without the column `run`."""

    rows: list[Row] = field(default_factory=list)
    """Of the table `set_metrics`."""
    comparisons: list[Row] = field(default_factory=list)
    """Of the table `metric_comparisons`."""
