"""Metrics of pictures as subclasses of torchmetrics' `Metric`: the mean over all pictures that `update` was given.

`update` takes (N, 3, H, W) uint8 pictures, 0..255; `compute` gives the mean, a float64. Their states are a sum and a
count in float64, so memory does not grow, and processes (torch.distributed) bring their sums together. A picture that
has no value raises `Unmeasurable` (see `gan_eval.metrics.functional`), and the batch leaves no trace. The mean of
values among which one is infinite is infinite, as torchmetrics has it; comparisons and the report leave such values out
and count them (`gan_eval.metrics.run.tables`).

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

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.image import psnr

from gan_eval.metrics import functional


class MeanOfPictures(torchmetrics.Metric):
    """The mean of a value of every picture: the base of the classes below.

    Copies and pickles hold the names of files of weights, not the weights.
    """

    is_differentiable = False
    full_state_update = False
    count: Tensor
    function = ""
    """Name in `gan_eval.metrics.functional`."""
    has_weights = False
    """The function takes a network."""

    def __init__(self, *, weights: Mapping[str, Path] | None = None, **kwargs: Any) -> None:
        """
        Args:
            weights: files by the weights' name; default: the cache.
            kwargs: torchmetrics' own.
        """
        super().__init__(**kwargs)
        function = self.function
        self._sum = f"sum_{function}"  # equal names of states would make two metrics one in a MetricCollection
        self.add_state(self._sum, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self._paths = tuple((weights or {}).items())
        if self.has_weights:
            _loaded(function, self._paths, "cpu")

    def compute(self) -> Tensor:
        """Return the mean over all pictures; NaN if there were none."""
        return getattr(self, self._sum) / self.count

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot one value or several."""
        return self._plot(val, ax)

    def _add(self, *pictures: Tensor) -> None:
        network = {"network": _loaded(self.function, self._paths, str(self.device))} if self.has_weights else {}
        values = getattr(functional, self.function)(*pictures, **network)
        total: Tensor = getattr(self, self._sum)
        setattr(self, self._sum, total + values.to(total.device).sum())
        self.count += len(values)


class MeanOfPairs(MeanOfPictures):
    """The mean over pairs of a generated picture and its reference."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add generated pictures and their references, (N, 3, H, W) uint8 each."""
        self._add(preds, target)


class MeanOfSingles(MeanOfPictures):
    """The mean over single pictures."""

    def update(self, preds: Tensor) -> None:
        """Add (N, 3, H, W) uint8 pictures."""
        self._add(preds)


class MeanPeakSignalNoiseRatio(MeanOfPairs):
    """Mean over pictures of `functional.psnr`, in dB; `kwargs` are torchmetrics' own."""

    higher_is_better = True
    plot_lower_bound = 0.0
    function = "psnr"


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


class MeanAbsoluteDifference(MeanOfPairs):
    """Mean over pictures of `functional.l1`, 0 to 255 grey levels; `kwargs` are torchmetrics' own."""

    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 255.0
    function = "l1"


class MeanStructuralSimilarity(MeanOfPairs):
    """Mean over pictures of `functional.ssim` or `functional.ssim_luma`, -1 to 1.

    Args:
        channels: `rgb` (ssim) or `luma` (ssim_luma).
        kwargs: torchmetrics' own.

    Raises:
        ValueError: other channels.
    """

    higher_is_better = True
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0

    def __init__(self, channels: Literal["rgb", "luma"] = "rgb", **kwargs: Any) -> None:
        self.function = _choice("channels", channels, {"rgb": "ssim", "luma": "ssim_luma"})
        super().__init__(**kwargs)


class MultiScaleStructuralSimilarity(MeanOfPairs):
    """Mean over pictures of `functional.ms_ssim`, 0 to 1; `kwargs` are torchmetrics' own."""

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    function = "ms_ssim"


class LearnedPerceptualSimilarity(MeanOfPairs):
    """Mean over pictures of `functional.lpips_alex` or `functional.lpips_vgg`, 0 and above.

    Args:
        net: `alex` or `vgg`.
        weights: files by name (alexnet or vgg16); default: the cache.
        kwargs: torchmetrics' own.

    Raises:
        ValueError: another net.
        UserError: the weights are missing.
    """

    has_weights = True
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(
        self, net: Literal["alex", "vgg"] = "alex", *, weights: Mapping[str, Path] | None = None, **kwargs: Any
    ) -> None:
        self.function = _choice("net", net, {"alex": "lpips_alex", "vgg": "lpips_vgg"})
        super().__init__(weights=weights, **kwargs)


class Dists(MeanOfPairs):
    """Mean over pictures of `functional.dists`, 0 to 1.

    Args:
        weights: files by name (vgg16, dists); default: the cache.
        kwargs: torchmetrics' own.

    Raises:
        UserError: the weights are missing.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    function = "dists"
    has_weights = True


class NaturalImageQuality(MeanOfSingles):
    """Mean over pictures of `functional.niqe`, 0 and above; `kwargs` are torchmetrics' own."""

    higher_is_better = False
    plot_lower_bound = 0.0
    function = "niqe"


class Brisque(MeanOfSingles):
    """Mean over pictures of `functional.brisque`, about 0 to 100.

    Args:
        weights: the file by name (brisque); default: the cache.
        kwargs: torchmetrics' own.

    Raises:
        UserError: the weights are missing.
    """

    higher_is_better = False
    function = "brisque"
    has_weights = True


class Sharpness(MeanOfSingles):
    """Mean over pictures of `functional.sharpness`, in squared grey levels; `kwargs` are torchmetrics' own."""

    higher_is_better = True
    plot_lower_bound = 0.0
    function = "sharpness"


def _choice(option: str, value: str, functions: Mapping[str, str]) -> str:
    """Return the name of the function that an option chooses."""
    if value not in functions:
        raise ValueError(f"{option} {value!r}: wanted {' or '.join(functions)}")
    return functions[value]


@lru_cache(maxsize=4)
def _loaded(function: str, paths: tuple[tuple[str, Path], ...], device: str) -> functional.Network:
    """The network of a function, loaded once for all metrics that use it."""
    return functional.load(function, paths=dict(paths), device=device)
