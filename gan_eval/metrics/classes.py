"""Metrics as subclasses of torchmetrics' `Metric`.

Metrics of pictures are the mean over all pictures that `update` was given. `update` takes (N, 3, H, W) uint8 pictures,
0..255; `compute` gives the mean, a float64. Their states are a sum and a count in float64, so memory does not grow, and
processes (torch.distributed) bring their sums together. A picture that has no value raises `Unmeasurable` (see
`gan_eval.metrics.functional`), and the batch leaves no trace. The mean of values among which one is infinite is
infinite, as torchmetrics has it; comparisons and the report leave such values out and count them
(`gan_eval.metrics.run.runner`).

Metrics of sets: `update(pictures, real=...)` keeps the pictures' features (8 KB a picture for Inception); processes
bring theirs together in `compute`. A batch alone has no distance: `forward` updates and gives None. The network is
Inception 2015-12-05, or any `feature_extractor`: a function or module from pictures to (N, d) features, which are held
in float32.

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
>>> metric = FrechetInceptionDistance(feature_extractor=lambda pictures: pictures.double().mean(dim=(2, 3)))
>>> pictures = torch.arange(768, dtype=torch.int32).to(torch.uint8).view(4, 3, 8, 8)
>>> metric.update(pictures, real=True)
>>> metric.update(pictures // 2, real=False)
>>> round(metric.compute().item(), 3)
17408.0
"""

from collections.abc import Callable, Mapping
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torchmetrics
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.image import psnr
from torchmetrics.utilities import dim_zero_cat

from gan_eval.metrics import functional
from gan_eval.metrics.batches import Network, check_pictures
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER
from gan_eval.metrics.networks.extractors import FeatureExtractor, InceptionFeatures, width_of


class MeanOfPictures(torchmetrics.Metric):
    """The base class of metrics of pictures: the mean over all pictures.

    Copies and pickles hold the names of weight files, not the weights.
    """

    is_differentiable = False
    full_state_update = False
    count: Tensor
    function: str
    """Name in `gan_eval.metrics.functional`; the direction is that of its record."""

    def __init_subclass__(cls, function: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if function:
            cls.function, cls.higher_is_better = function, METRICS[function].higher_is_better

    def __init__(self, *, weights: Mapping[str, Path] | None = None, **kwargs: Any) -> None:
        """Load the weights, if the metric needs any.

        Args:
            weights: files by the weights' name; default: the cache.
            kwargs: torchmetrics' own.
        """
        super().__init__(**kwargs)
        function = self.function
        self._sum = f"sum_{function}"  # equal names of states would merge two metrics in a MetricCollection
        self.add_state(self._sum, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self._paths = tuple((weights or {}).items())
        if METRICS[function].make:
            _loaded(function, self._paths, "cpu")

    def compute(self) -> Tensor:
        """Return the mean over all pictures; NaN if there were none."""
        return getattr(self, self._sum) / self.count

    def _add(self, *pictures: Tensor) -> None:
        network = (
            {"network": _loaded(self.function, self._paths, str(self.device))} if METRICS[self.function].make else {}
        )
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


class MeanPeakSignalNoiseRatio(MeanOfPairs, function="psnr"):
    """Mean over pictures of `functional.psnr`, in dB; `kwargs` are torchmetrics' own."""


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
        super().update(preds.double(), target.double())


class MeanAbsoluteDifference(MeanOfPairs, function="l1"):
    """Mean over pictures of `functional.l1`, 0 to 255 grey levels; `kwargs` are torchmetrics' own."""


class MeanStructuralSimilarity(MeanOfPairs, function="ssim"):
    """Mean over pictures of `functional.ssim` (`channels="rgb"`) or `functional.ssim_luma` (`luma`), -1 to 1.

    Raises ValueError for other channels; `kwargs` are torchmetrics' own.
    """

    def __init__(self, channels: Literal["rgb", "luma"] = "rgb", **kwargs: Any) -> None:
        self.function = _choice("channels", channels, {"rgb": "ssim", "luma": "ssim_luma"})
        super().__init__(**kwargs)


class MultiScaleStructuralSimilarity(MeanOfPairs, function="ms_ssim"):
    """Mean over pictures of `functional.ms_ssim`, 0 to 1; `kwargs` are torchmetrics' own."""


class LearnedPerceptualSimilarity(MeanOfPairs, function="lpips_alex"):
    """Mean over pictures of `functional.lpips_alex` (`net="alex"`) or `functional.lpips_vgg` (`vgg`), 0 and above.

    `weights`: files by name (alexnet or vgg16); default: the cache. Raises UserError if they are missing, ValueError
    for another net; `kwargs` are torchmetrics' own.
    """

    def __init__(
        self, net: Literal["alex", "vgg"] = "alex", *, weights: Mapping[str, Path] | None = None, **kwargs: Any
    ) -> None:
        self.function = _choice("net", net, {"alex": "lpips_alex", "vgg": "lpips_vgg"})
        super().__init__(weights=weights, **kwargs)


class Dists(MeanOfPairs, function="dists"):
    """Mean over pictures of `functional.dists`, 0 to 1; `kwargs` are torchmetrics' own.

    `weights`: files by name (vgg16, dists); default: the cache. Raises UserError if they are missing.
    """


class VisualInformation(MeanOfPairs, function="vif"):
    """Mean over pictures of `functional.vif`, 0 and above; `kwargs` are torchmetrics' own."""


class FeatureSimilarity(MeanOfPairs, function="fsim"):
    """Mean over pictures of `functional.fsim`, 0 to 1; `kwargs` are torchmetrics' own."""


class GradientDeviation(MeanOfPairs, function="gmsd"):
    """Mean over pictures of `functional.gmsd`, 0 to 0.5; `kwargs` are torchmetrics' own."""


class MultiScaleGradientDeviation(MeanOfPairs, function="ms_gmsd"):
    """Mean over pictures of `functional.ms_gmsd`, 0 to 0.5; `kwargs` are torchmetrics' own."""


class SaliencySimilarity(MeanOfPairs, function="vsi"):
    """Mean over pictures of `functional.vsi`, 0 to 1; `kwargs` are torchmetrics' own."""


class MeanDeviationSimilarity(MeanOfPairs, function="mdsi"):
    """Mean over pictures of `functional.mdsi`, 0 and above; `kwargs` are torchmetrics' own."""


class HaarSimilarity(MeanOfPairs, function="haarpsi"):
    """Mean over pictures of `functional.haarpsi`, 0 to 1; `kwargs` are torchmetrics' own."""


class NaturalImageQuality(MeanOfSingles, function="niqe"):
    """Mean over pictures of `functional.niqe`, 0 and above; `kwargs` are torchmetrics' own."""


class Brisque(MeanOfSingles, function="brisque"):
    """Mean over pictures of `functional.brisque`, about 0 to 100; `kwargs` are torchmetrics' own.

    `weights`: the file by name (brisque); default: the cache. Raises UserError if it is missing.
    """


class Sharpness(MeanOfSingles, function="sharpness"):
    """Mean over pictures of `functional.sharpness`, in squared grey levels; `kwargs` are torchmetrics' own."""


def _choice(option: str, value: str, functions: Mapping[str, str]) -> str:
    """Return the name of the function chosen by an option."""
    if value not in functions:
        raise ValueError(f"{option} {value!r}: expected {' or '.join(functions)}")
    return functions[value]


@lru_cache(maxsize=4)
def _loaded(function: str, paths: tuple[tuple[str, Path], ...], device: str) -> Network:
    """Return the network of a function, loaded once for all metrics that use it."""
    return functional.load(function, paths=dict(paths), device=device)


class SetMetric(torchmetrics.Metric):
    """The base class of set metrics: features of real and of generated pictures.

    Args:
        feature_extractor: a function or module from (N, 3, H, W) uint8 pictures to (N, d) features; d is its attribute
            `num_features`, else a trial with a black picture of 299x299 shows it. Default: Inception.
        weights: file of the Inception weights; default: the cache.
        resizer: how pictures come to Inception's 299x299, see `gan_eval.metrics.networks.extractors.resize`; default:
            the class's `default_resizer`.
        reset_real_features: whether `reset` forgets the real pictures too.
        kwargs: torchmetrics' own.

    Raises:
        UserError: the weights will not do or are not in the cache, or an unknown resizer.
    """

    is_differentiable = False
    full_state_update = False
    pending_real: list[Tensor] | Tensor
    pending_fake: list[Tensor] | Tensor
    functions: ClassVar[dict[str, Callable[..., float]]] = {}
    """The metrics' functions by their names; the direction is that of the first one's record."""
    default_resizer: ClassVar[str] = DEFAULT_RESIZER

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = next(iter(cls.functions))
        cls.higher_is_better = (METRICS.get(name) or METRICS[f"{name}_inception"]).higher_is_better

    def __init__(
        self,
        *,
        feature_extractor: FeatureExtractor | None = None,
        weights: Path | None = None,
        resizer: str | None = None,
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.feature_extractor = feature_extractor or InceptionFeatures(
            weights, resizer=resizer or self.default_resizer
        )
        self.num_features = width_of(self.feature_extractor)
        self.reset_real_features = reset_real_features
        self.add_state("pending_real", [], dist_reduce_fx="cat")
        self.add_state("pending_fake", [], dist_reduce_fx="cat")

    def update(self, pictures: Tensor, real: bool) -> None:
        """Take (N, 3, H, W) uint8 pictures; `real`: whether they are real ones or generated ones."""
        check_pictures(pictures)
        features = self.feature_extractor(pictures).detach().to(self.device, torch.float32)
        if features.shape != (len(pictures), self.num_features):
            raise ValueError(
                f"features of the shape {tuple(features.shape)}, expected {(len(pictures), self.num_features)}"
            )
        getattr(self, "pending_real" if real else "pending_fake").append(features)

    def forward(self, pictures: Tensor, real: bool) -> None:
        """Do the same as `update`: a single batch has no distance."""
        self.update(pictures, real)

    def reset(self) -> None:
        """Discard all pictures; with `reset_real_features=False` only the generated ones."""
        real = {name: copy(getattr(self, name)) for name in self._defaults if name.endswith("_real")}
        super().reset()
        if not self.reset_real_features:
            for name, state in real.items():
                setattr(self, name, state)

    def compute(self) -> Tensor | dict[str, Tensor]:
        """Return the value, float64; for a class with several metrics, each by its function's name.

        Raises:
            Unmeasurable: a set has too few members, or a feature is not finite.
        """
        real, fake = self._features("real"), self._features("fake")
        values = {
            name: torch.tensor(function(real, fake), dtype=torch.float64) for name, function in self.functions.items()
        }
        return values if len(values) > 1 else next(iter(values.values()))

    def _features(self, which: str) -> NDArray[np.floating]:
        """Return (N, d) features of all pictures, in an order that does not depend on the updates."""
        pending = getattr(self, f"pending_{which}")
        features = dim_zero_cat(pending) if len(pending) else torch.empty(0, self.num_features)
        rows = features.cpu().numpy()
        return rows[sorted(range(len(rows)), key=lambda row: rows[row].tobytes())]

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:
        for name, default in self._defaults.items():
            if isinstance(default, list):
                state = getattr(self, name)
                empty = torch.empty(0, self.num_features, device=self.device)  # from a process without pictures
                setattr(self, name, [dim_zero_cat(state) if len(state) else empty])
        super()._sync_dist(*args, **kwargs)


class FrechetInceptionDistance(SetMetric):
    """FID as torchmetrics computes it: see `functional.fid`. The arguments are those of `SetMetric`.

    The resizer is torchmetrics' unless you name another; that of the table `set_metrics` is `tf1` by default.
    """

    default_resizer = "bilinear-aa"
    functions: ClassVar = {"fid": functional.fid}


class AllPairsKernelInceptionDistance(SetMetric):
    """KID: see `functional.kid_all_pairs`. The arguments are those of `SetMetric`; the value may be below 0."""

    functions: ClassVar = {"kid_all_pairs": functional.kid_all_pairs}


class PrecisionRecall(SetMetric):
    """Precision and recall: see `functional.precision` and `functional.recall`. The arguments are those of `SetMetric`.

    `compute` returns both by name, 0 to 1.
    """

    functions: ClassVar = {"precision": functional.precision, "recall": functional.recall}


class DensityCoverage(SetMetric):
    """Density and coverage: see `functional.density` and `functional.coverage`. The arguments are those of `SetMetric`.

    `compute` returns both by name: density is 0 and above, coverage 0 to 1.
    """

    functions: ClassVar = {"density": functional.density, "coverage": functional.coverage}
