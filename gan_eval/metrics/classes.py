"""Metrics of pictures as torchmetrics' `Metric`: the mean over all pictures that were handed in.

`update` takes (N, 3, H, W) uint8 pictures, 0..255; `compute` gives the mean, a float64. Their states are a sum and a
count in float64, so memory does not grow, and processes (torch.distributed) bring their sums together. A picture that
has no value raises `Unmeasurable` (see `gan_eval.metrics.functional`), and the batch leaves no trace. The mean of
values among which one is infinite is infinite, as torchmetrics has it; comparisons and the report leave such values out
and count them (`gan_eval.metrics.run.missing`).

>>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
>>> metric = PeakSignalNoiseRatio()
>>> metric.update(black + 1, black)
>>> metric.update(black[:1] + 3, black[:1])
>>> metric.compute()
tensor(44.9500, dtype=torch.float64)
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from gan_eval.metrics import functional


class MeanOfPictures(Metric):
    """The mean of a value of every picture: what the metrics below have in common.

    Args:
        name: the metric in the registry.
        kwargs: torchmetrics' own.
    """

    is_differentiable = False
    full_state_update = False
    count: Tensor

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sum = f"sum_{name}"  # a MetricCollection takes metrics for one whose states have equal names and values
        self.add_state(self._sum, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def compute(self) -> Tensor:
        """The mean over all pictures; NaN where there were none."""
        return getattr(self, self._sum) / self.count

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """One value or several, as torchmetrics plots them."""
        return self._plot(val, ax)

    def _add(self, values: Tensor) -> None:
        total: Tensor = getattr(self, self._sum)
        setattr(self, self._sum, total + values.to(total.device).sum())
        self.count += len(values)


class PeakSignalNoiseRatio(MeanOfPictures):
    """Mean PSNR in dB (the mean of each picture's dB, not of the errors): see `functional.psnr`."""

    higher_is_better = True
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("psnr", **kwargs)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references."""
        self._add(functional.psnr(preds, target))


class MeanAbsoluteDifference(MeanOfPictures):
    """Mean absolute difference in grey levels: see `functional.l1`."""

    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 255.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("l1", **kwargs)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references."""
        self._add(functional.l1(preds, target))


class StructuralSimilarity(MeanOfPictures):
    """Mean SSIM: see `functional.ssim`.

    Args:
        channels: `rgb`, the mean of the three channels, or `luma`, the integer BT.601 luma alone.

    >>> black = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    >>> StructuralSimilarity(channels="luma")(black, black)
    tensor(1., dtype=torch.float64)
    """

    higher_is_better = True
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0

    def __init__(self, *, channels: Literal["rgb", "luma"] = "rgb", **kwargs: Any) -> None:
        if channels not in ("rgb", "luma"):
            raise ValueError(f"channels {channels!r}: wanted rgb or luma")
        super().__init__("ssim" if channels == "rgb" else "ssim_luma", **kwargs)
        self._measure = functional.ssim if channels == "rgb" else functional.ssim_luma

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references; sides of at least 11 pixels."""
        self._add(self._measure(preds, target))


class MultiScaleStructuralSimilarity(MeanOfPictures):
    """Mean MS-SSIM: see `functional.ms_ssim`."""

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("ms_ssim", **kwargs)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references; sides above 160 pixels."""
        self._add(functional.ms_ssim(preds, target))


class NaturalImageQuality(MeanOfPictures):
    """Mean NIQE: see `functional.niqe`."""

    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("niqe", **kwargs)

    def update(self, preds: Tensor) -> None:
        """Take (N, 3, H, W) uint8 pictures that hold two blocks of 96x96 pixels."""
        self._add(functional.niqe(preds))


class Sharpness(MeanOfPictures):
    """Mean variance of the Laplacian, in squared grey levels: see `functional.sharpness`."""

    higher_is_better = True
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("sharpness", **kwargs)

    def update(self, preds: Tensor) -> None:
        """Take (N, 3, H, W) uint8 pictures; sides of at least 3 pixels."""
        self._add(functional.sharpness(preds))


class LearnedMean(MeanOfPictures):
    """The mean of a metric with pretrained weights. Copies and pickles hold the files' names, not the weights.

    Args:
        name: the metric in the registry.
        weights: files by the weights' name; default: the cache.
    """

    def __init__(self, name: str, weights: Mapping[str, Path] | None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._load = partial(functional.load, name, paths=weights)
        self._network = self._load(device=str(self.device))

    def _apply(self, fn: Any, exclude_state: Any = "") -> "LearnedMean":
        before = self.device
        super()._apply(fn, exclude_state)
        if self.device != before:
            self._network = self._load(device=str(self.device))
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_network"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._network = self._load(device=str(self.device))


class LearnedPerceptualSimilarity(LearnedMean):
    """Mean LPIPS 0.1: see `functional.lpips_alex`.

    Args:
        net: `alex`, which its authors advise for evaluation, or `vgg`.
        weights: files by name (`alexnet` or `vgg16`); default: the cache.
    """

    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(
        self, *, net: Literal["alex", "vgg"] = "alex", weights: Mapping[str, Path] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(f"lpips_{net}", weights, **kwargs)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references."""
        self._add(functional.lpips_alex(preds, target, network=self._network))


class Dists(LearnedMean):
    """Mean DISTS: see `functional.dists`.

    Args:
        weights: files by name (`vgg16`, `dists`); default: the cache.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(self, *, weights: Mapping[str, Path] | None = None, **kwargs: Any) -> None:
        super().__init__("dists", weights, **kwargs)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take (N, 3, H, W) uint8 generated pictures and their references; sides of at least 16 pixels."""
        self._add(functional.dists(preds, target, network=self._network))


class Brisque(LearnedMean):
    """Mean BRISQUE: see `functional.brisque`.

    Args:
        weights: files by name (`brisque`); default: the cache.
    """

    higher_is_better = False

    def __init__(self, *, weights: Mapping[str, Path] | None = None, **kwargs: Any) -> None:
        super().__init__("brisque", weights, **kwargs)

    def update(self, preds: Tensor) -> None:
        """Take (N, 3, H, W) uint8 pictures; sides of at least 13 pixels."""
        self._add(functional.brisque(preds, network=self._network))
