"""Metrics as subclasses of torchmetrics' `Metric`.

Metrics of pictures are the mean over all pictures that `update` was given. `update` takes (N, 3, H, W) uint8 pictures,
0..255; `compute` gives the mean, a float64. Their states are a sum and a count in float64, so memory does not grow, and
processes (torch.distributed) bring their sums together. A picture that has no value raises `Unmeasurable` (see
`gan_eval.metrics.scores`), and the batch leaves no trace. The mean of values among which one is infinite is
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

from collections.abc import Mapping
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

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER
from gan_eval.metrics.networks.extractors import FeatureExtractor, InceptionFeatures, width_of
from gan_eval.metrics.one_value import Network, check_pictures, load, score, scores


class MeanOfPictures(torchmetrics.Metric):
    """The base class of metrics of pictures: the mean over all pictures.

    Copies and pickles hold the names of weight files, not the weights.
    """

    is_differentiable = False
    full_state_update = False
    count: Tensor
    metric: str
    """Name of the metric; the direction is that of its record."""

    def __init_subclass__(cls, metric: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if metric:
            cls.metric, cls.higher_is_better = metric, METRICS[metric].higher_is_better

    def __init__(self, *, weights: Mapping[str, Path] | None = None, **kwargs: Any) -> None:
        """Load the weights, if the metric needs any.

        Args:
            weights: files by the weights' name; default: the cache.
            kwargs: torchmetrics' own.
        """
        super().__init__(**kwargs)
        self._sum = f"sum_{self.metric}"  # equal names of states would merge two metrics in a MetricCollection
        self.add_state(self._sum, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self._paths = tuple((weights or {}).items())
        self._network("cpu")

    def compute(self) -> Tensor:
        """Return the mean over all pictures; NaN if there were none."""
        return getattr(self, self._sum) / self.count

    def _add(self, *pictures: Tensor) -> None:
        values = scores(self.metric, *pictures, network=self._network(str(self.device)))
        total: Tensor = getattr(self, self._sum)
        setattr(self, self._sum, total + values.to(total.device).sum())
        self.count += len(values)

    def _network(self, device: str) -> Network | None:
        return _loaded(self.metric, self._paths, device) if METRICS[self.metric].make else None


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


class MeanPeakSignalNoiseRatio(MeanOfPairs, metric="psnr"):
    """Mean over pictures of `psnr`, in dB; `kwargs` are torchmetrics' own."""


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


class MeanAbsoluteDifference(MeanOfPairs, metric="l1"):
    """Mean over pictures of `l1`, 0 to 255 grey levels; `kwargs` are torchmetrics' own."""


class MeanStructuralSimilarity(MeanOfPairs, metric="ssim"):
    """Mean over pictures of `ssim` (`channels="rgb"`) or `ssim_luma` (`luma`), -1 to 1.

    Raises ValueError for other channels; `kwargs` are torchmetrics' own.
    """

    def __init__(self, channels: Literal["rgb", "luma"] = "rgb", **kwargs: Any) -> None:
        self.metric = _choice("channels", channels, {"rgb": "ssim", "luma": "ssim_luma"})
        super().__init__(**kwargs)


class MultiScaleStructuralSimilarity(MeanOfPairs, metric="ms_ssim"):
    """Mean over pictures of `ms_ssim`, 0 to 1; `kwargs` are torchmetrics' own."""


class LearnedPerceptualSimilarity(MeanOfPairs, metric="lpips_alex"):
    """Mean over pictures of `lpips_alex` (`net="alex"`) or `lpips_vgg` (`vgg`), 0 and above.

    `weights`: files by name (alexnet or vgg16); default: the cache. Raises UserError if they are missing, ValueError
    for another net; `kwargs` are torchmetrics' own.
    """

    def __init__(
        self, net: Literal["alex", "vgg"] = "alex", *, weights: Mapping[str, Path] | None = None, **kwargs: Any
    ) -> None:
        self.metric = _choice("net", net, {"alex": "lpips_alex", "vgg": "lpips_vgg"})
        super().__init__(weights=weights, **kwargs)


class Dists(MeanOfPairs, metric="dists"):
    """Mean over pictures of `dists`, 0 to 1; `kwargs` are torchmetrics' own.

    `weights`: files by name (vgg16, dists); default: the cache. Raises UserError if they are missing.
    """


class VisualInformation(MeanOfPairs, metric="vif"):
    """Mean over pictures of `vif`, 0 and above; `kwargs` are torchmetrics' own."""


class FeatureSimilarity(MeanOfPairs, metric="fsim"):
    """Mean over pictures of `fsim`, 0 to 1; `kwargs` are torchmetrics' own."""


class GradientDeviation(MeanOfPairs, metric="gmsd"):
    """Mean over pictures of `gmsd`, 0 to 0.5; `kwargs` are torchmetrics' own."""


class MultiScaleGradientDeviation(MeanOfPairs, metric="ms_gmsd"):
    """Mean over pictures of `ms_gmsd`, 0 to 0.5; `kwargs` are torchmetrics' own."""


class SaliencySimilarity(MeanOfPairs, metric="vsi"):
    """Mean over pictures of `vsi`, 0 to 1; `kwargs` are torchmetrics' own."""


class MeanDeviationSimilarity(MeanOfPairs, metric="mdsi"):
    """Mean over pictures of `mdsi`, 0 and above; `kwargs` are torchmetrics' own."""


class HaarSimilarity(MeanOfPairs, metric="haarpsi"):
    """Mean over pictures of `haarpsi`, 0 to 1; `kwargs` are torchmetrics' own."""


class NaturalImageQuality(MeanOfSingles, metric="niqe"):
    """Mean over pictures of `niqe`, 0 and above; `kwargs` are torchmetrics' own."""


class Brisque(MeanOfSingles, metric="brisque"):
    """Mean over pictures of `brisque`, about 0 to 100; `kwargs` are torchmetrics' own.

    `weights`: the file by name (brisque); default: the cache. Raises UserError if it is missing.
    """


class Sharpness(MeanOfSingles, metric="sharpness"):
    """Mean over pictures of `sharpness`, in squared grey levels; `kwargs` are torchmetrics' own."""


def _choice(option: str, value: str, metrics: Mapping[str, str]) -> str:
    """Return the name of the metric chosen by an option."""
    if value not in metrics:
        raise ValueError(f"{option} {value!r}: expected {' or '.join(metrics)}")
    return metrics[value]


@lru_cache(maxsize=4)
def _loaded(metric: str, paths: tuple[tuple[str, Path], ...], device: str) -> Network:
    """Return the network of a metric, loaded once for all classes that use it."""
    return load(metric, paths=dict(paths), device=device)


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
    metrics: ClassVar[tuple[str, ...]]
    """Names of metrics of any features; the direction is that of the first one's record."""
    default_resizer: ClassVar[str] = DEFAULT_RESIZER

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.higher_is_better = TEMPLATES[cls.metrics[0]].higher_is_better

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
        """Return the value, float64; for a class with several metrics, each by its name.

        Raises:
            Unmeasurable: a set has too few members, or a feature is not finite.
        """
        real, fake = self._features("real"), self._features("fake")
        values = {name: torch.tensor(score(name, fake, real), dtype=torch.float64) for name in self.metrics}
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
    """FID as torchmetrics computes it: see `fid`. The arguments are those of `SetMetric`.

    The resizer is torchmetrics' unless you name another; that of the table `set_metrics` is `tf1` by default.
    """

    default_resizer = "bilinear-aa"
    metrics = ("fid",)


class AllPairsKernelInceptionDistance(SetMetric):
    """KID: see `kid_all_pairs`. The arguments are those of `SetMetric`; the value may be below 0."""

    metrics = ("kid_all_pairs",)


class PrecisionRecall(SetMetric):
    """Precision and recall: see `precision` and `recall`. The arguments are those of `SetMetric`.

    `compute` returns both by name, 0 to 1.
    """

    metrics = ("precision", "recall")


class DensityCoverage(SetMetric):
    """Density and coverage: see `density` and `coverage`. The arguments are those of `SetMetric`.

    `compute` returns both by name: density is 0 and above, coverage 0 to 1.
    """

    metrics = ("density", "coverage")
