"""Metrics of pictures as torchmetrics' `Metric`, made from their records: the mean over all pictures handed in.

`update` takes (N, 3, H, W) uint8 pictures, 0..255; `compute` gives the mean, a float64. Their states are a sum and a
count in float64, so memory does not grow, and processes (torch.distributed) bring their sums together. A picture that
has no value raises `Unmeasurable` (see `gan_eval.metrics.functional`), and the batch leaves no trace. The mean of
values among which one is infinite is infinite, as torchmetrics has it; comparisons and the report leave such values out
and count them (`gan_eval.metrics.run.missing`).

A class with the name of a torchmetrics class gives that class's number. `PeakSignalNoiseRatio` therefore pools the
squared error of all pictures, and the mean of the pictures' values is `MeanPeakSignalNoiseRatio`.

>>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
>>> mean, pooled = MeanPeakSignalNoiseRatio(), PeakSignalNoiseRatio()
>>> for metric in (mean, pooled):
...     metric.update(black + 1, black)
...     metric.update(black[:1] + 3, black[:1])
>>> mean.compute(), pooled.compute()
(tensor(44.9500, dtype=torch.float64), tensor(42.4881, dtype=torch.float64))
>>> MeanStructuralSimilarity(channels="luma")(black, black)
tensor(1., dtype=torch.float64)
"""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.image import psnr

from gan_eval.metrics import functional
from gan_eval.metrics.catalogue import METRICS, Metric


def facts_of(metrics: Iterable[Metric]) -> dict[str, Any]:
    """Direction and range as torchmetrics names them; a bound that is infinite is none."""
    low, high = min(metric.low for metric in metrics), max(metric.high for metric in metrics)
    return {
        "higher_is_better": all(metric.higher_is_better for metric in metrics),
        "plot_lower_bound": None if low == -torch.inf else float(low),
        "plot_upper_bound": None if high == torch.inf else float(high),
    }


def metrics_by_class(*, sets: bool) -> dict[str, list[Metric]]:
    """The metrics of pictures, or those of sets, by the class that has them."""
    classes: dict[str, list[Metric]] = {}
    for metric in METRICS.values():
        if metric.torch_class and (metric.kind == "set") == sets:
            classes.setdefault(metric.torch_class, []).append(metric)
    return classes


class MeanOfPictures(torchmetrics.Metric):
    """The mean of a value of every picture: what the classes below have in common.

    Copies and pickles hold the names of files of weights, not the weights.
    """

    is_differentiable = False
    full_state_update = False
    metrics: ClassVar[tuple[Metric, ...]] = ()
    """The metrics of the class; an option chooses where there are several."""
    count: Tensor

    def __init__(self, *, weights: Mapping[str, Path] | None = None, **kwargs: Any) -> None:
        """
        Args:
            weights: files by the weights' name; default: the cache.
            kwargs: the class's option, and torchmetrics' own.
        """
        metric = self.metrics[0]
        if metric.torch_option is not None:
            option, default = metric.torch_option
            value = kwargs.pop(option, default)
            choices = {other.torch_option[1]: other for other in self.metrics if other.torch_option is not None}
            if value not in choices:
                raise ValueError(f"{option} {value!r}: wanted {' or '.join(choices)}")
            metric = choices[value]
        if weights is not None and metric.make is None:
            kwargs["weights"] = weights  # torchmetrics refuses it
        super().__init__(**kwargs)
        self._sum = (
            f"sum_{metric.name}"  # a MetricCollection takes metrics for one whose states have equal names and values
        )
        self.add_state(self._sum, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self._function = metric.name
        self._load = partial(functional.load, metric.name, paths=weights) if metric.make is not None else None
        self._load_network()

    def compute(self) -> Tensor:
        """The mean over all pictures; NaN where there were none."""
        return getattr(self, self._sum) / self.count

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """One value or several, as torchmetrics plots them."""
        return self._plot(val, ax)

    def _add(self, *pictures: Tensor) -> None:
        values = getattr(functional, self._function)(*pictures, **self._network)
        total: Tensor = getattr(self, self._sum)
        setattr(self, self._sum, total + values.to(total.device).sum())
        self.count += len(values)

    def _load_network(self) -> None:
        self._network = {"network": self._load(device=str(self.device))} if self._load is not None else {}

    def _apply(self, fn: Any, exclude_state: Any = "") -> "MeanOfPictures":
        before = self.device
        super()._apply(fn, exclude_state)
        if self.device != before:
            self._load_network()
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_network"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._load_network()


class MeanOfPairs(MeanOfPictures):
    """Of generated pictures beside their references."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references."""
        self._add(preds, target)


class MeanOfSingles(MeanOfPictures):
    """Of single pictures."""

    def update(self, preds: Tensor) -> None:
        """Take (N, 3, H, W) uint8 pictures."""
        self._add(preds)


class PeakSignalNoiseRatio(psnr.PeakSignalNoiseRatio):
    """torchmetrics' PSNR: 10 log10(peak² / MSE), with one MSE of all pictures together, in float64.

    Args:
        data_range: the peak, or the least and the greatest value; default: that of 8-bit pictures.
        kwargs: torchmetrics' own.
    """

    def __init__(self, data_range: float | tuple[float, float] = 255.0, **kwargs: Any) -> None:
        super().__init__(data_range, **kwargs)
        if self.dim is None:
            self.add_state("sum_squared_error", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take generated pictures and their references, of one shape, of whole or of floating point numbers."""
        super().update(preds.double(), target.double())  # a difference of uint8 would wrap around


def _class(name: str, metrics: list[Metric]) -> type[MeanOfPictures]:
    first = metrics[0]
    lines = [f"Mean {first.name}: {first.measures}; see `functional.{first.name}`.", "", "Args:"]
    if first.torch_option is not None:
        choices = [f"`{metric.torch_option[1]}` ({metric.name})" for metric in metrics if metric.torch_option]
        lines.append(f"    {first.torch_option[0]}: {', or '.join(choices)}; default: the first.")
    if first.weights:
        names = ", ".join(dict.fromkeys(name for metric in metrics for name in metric.weights))
        lines.append(f"    weights: files by name ({names}); default: the cache.")
    lines.append("    kwargs: torchmetrics' own.")
    members = {"__module__": __name__, "__doc__": "\n    ".join([*lines, ""]), "metrics": tuple(metrics)}
    base = MeanOfSingles if first.kind == "single" else MeanOfPairs
    return type(name, (base,), members | facts_of(metrics))


globals().update({name: _class(name, metrics) for name, metrics in metrics_by_class(sets=False).items()})

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
