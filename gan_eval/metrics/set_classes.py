"""Metrics of sets as subclasses of torchmetrics' `Metric`: pictures in, batch by batch, one value out.

`update(pictures, real=...)` takes (N, 3, H, W) uint8 pictures, 0..255, and keeps their features (8 KB a picture for
Inception); processes (torch.distributed) bring theirs together in `compute`. A batch alone has no distance: `forward`
updates and gives None.

The network is Inception 2015-12-05, or any `feature_extractor`: a function or module from pictures to (N, d) features,
which are held in float32.

>>> mean_colours = lambda pictures: pictures.double().mean(dim=(2, 3))
>>> metric = FrechetInceptionDistance(feature_extractor=mean_colours)
>>> pictures = torch.arange(768, dtype=torch.int32).to(torch.uint8).view(4, 3, 8, 8)
>>> metric.update(pictures, real=True)
>>> metric.update(pictures // 2, real=False)
>>> round(metric.compute().item(), 3)
17408.0
"""

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torchmetrics
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.utilities import dim_zero_cat

from gan_eval.metrics import functional
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER
from gan_eval.metrics.networks.extractors import FeatureExtractor, InceptionFeatures, width_of


class SetMetric(torchmetrics.Metric):
    """Features of real and of generated pictures: what the metrics below have in common.

    Args:
        feature_extractor: a function or module from (N, 3, H, W) uint8 pictures to (N, d) features; d is its attribute
            `num_features`, else a trial with a black picture of 299x299 shows it. Default: Inception.
        weights: file of the Inception weights; default: the cache.
        resizer: how pictures come to Inception's 299x299, see `gan_eval.metrics.networks.extractors.resize`.
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
    """The metrics' functions by their names."""

    def __init__(
        self,
        *,
        feature_extractor: FeatureExtractor | None = None,
        weights: Path | None = None,
        resizer: str = DEFAULT_RESIZER,
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.feature_extractor = feature_extractor or InceptionFeatures(weights, resizer=resizer)
        self.num_features = width_of(self.feature_extractor)
        self.reset_real_features = reset_real_features
        self.add_state("pending_real", [], dist_reduce_fx="cat")
        self.add_state("pending_fake", [], dist_reduce_fx="cat")

    def update(self, pictures: Tensor, real: bool) -> None:
        """Take (N, 3, H, W) uint8 pictures; `real`: whether they are real ones or generated ones."""
        if pictures.dtype != torch.uint8 or pictures.ndim != 4 or pictures.shape[1] != 3:
            raise TypeError(f"wanted (N, 3, H, W) uint8, found {tuple(pictures.shape)} {pictures.dtype}")
        features = self.feature_extractor(pictures).detach().to(self.device, torch.float32)
        if features.shape != (len(pictures), self.num_features):
            raise ValueError(
                f"features of the shape {tuple(features.shape)}, wanted {(len(pictures), self.num_features)}"
            )
        getattr(self, "pending_real" if real else "pending_fake").append(features)

    def forward(self, pictures: Tensor, real: bool) -> None:
        """As `update`: a batch alone has no distance."""
        self.update(pictures, real)

    def reset(self) -> None:
        """Forget all pictures; with `reset_real_features=False` the generated ones alone."""
        real = {name: copy(getattr(self, name)) for name in self._defaults if name.endswith("_real")}
        super().reset()
        if not self.reset_real_features:
            for name, state in real.items():
                setattr(self, name, state)

    def compute(self) -> Tensor | dict[str, Tensor]:
        """The value, float64; where the class has several metrics, each by its function's name.

        Raises:
            Unmeasurable: a set has too few members, or a feature is not finite.
        """
        real, fake = self._features("real"), self._features("fake")
        values = {
            name: torch.tensor(function(real, fake), dtype=torch.float64) for name, function in self.functions.items()
        }
        return values if len(values) > 1 else next(iter(values.values()))

    def _features(self, which: str) -> NDArray[np.floating]:
        """Return (N, d) of all pictures, in an order that does not depend on that in which they came."""
        pending = getattr(self, f"pending_{which}")
        features = dim_zero_cat(pending) if len(pending) else torch.empty(0, self.num_features)
        rows = features.cpu().numpy()
        return rows[sorted(range(len(rows)), key=lambda row: rows[row].tobytes())]

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """One value or several, as torchmetrics plots them."""
        return self._plot(val, ax)

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:
        for name, default in self._defaults.items():
            if isinstance(default, list):
                state = getattr(self, name)
                empty = torch.empty(0, self.num_features, device=self.device)  # of a process without pictures
                setattr(self, name, [dim_zero_cat(state) if len(state) else empty])
        super()._sync_dist(*args, **kwargs)


class FrechetInceptionDistance(SetMetric):
    """FID: see `functional.fid`. The arguments are those of `SetMetric`."""

    higher_is_better = False
    plot_lower_bound = 0.0
    functions: ClassVar = {"fid": functional.fid}


class AllPairsKernelInceptionDistance(SetMetric):
    """KID: see `functional.kid`. The arguments are those of `SetMetric`; the value may be below 0."""

    higher_is_better = False
    functions: ClassVar = {"kid": functional.kid}


class PrecisionRecall(SetMetric):
    """Precision and recall: see `functional.precision` and `functional.recall`. The arguments are those of `SetMetric`.

    `compute` returns both by name, 0 to 1.
    """

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    functions: ClassVar = {"precision": functional.precision, "recall": functional.recall}


class DensityCoverage(SetMetric):
    """Density and coverage: see `functional.density` and `functional.coverage`. The arguments are those of `SetMetric`.

    `compute` returns both by name: density is 0 and above, coverage 0 to 1.
    """

    higher_is_better = True
    plot_lower_bound = 0.0
    functions: ClassVar = {"density": functional.density, "coverage": functional.coverage}
