"""Metrics of sets as torchmetrics' `Metric`: pictures in, batch by batch, one value out.

`update(pictures, real=...)` takes (N, 3, H, W) uint8 pictures, 0..255, turns them into features and keeps what the
metric needs of these; processes (torch.distributed) bring theirs together in `compute`. A batch alone has no distance:
`forward` updates and gives None.

The network is Inception 2015-12-05, or any `feature_extractor`: a function or module from pictures to (N, d) features,
which are kept in float32.

>>> mean_colours = lambda pictures: pictures.double().mean(dim=(2, 3))
>>> metric = FrechetInceptionDistance(feature_extractor=mean_colours)
>>> pictures = torch.arange(768, dtype=torch.int32).to(torch.uint8).view(4, 3, 8, 8)
>>> metric.update(pictures, real=True)
>>> metric.update(pictures // 2, real=False)
>>> round(metric.compute().item(), 3)
17408.0
"""

from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.utilities import dim_zero_cat

from gan_eval.metrics import functional
from gan_eval.metrics.definitions.frechet import distance_of_factors
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.set_metric import MetricOfAllFeatures, SetMetric

PENDING = 1024
"""Features that the Fréchet distance's class holds before it folds them into its factor."""


class FrechetInceptionDistance(SetMetric):
    """FID: see `functional.fid`.

    The state does not grow with the pictures: for each set the R factor of the QR decomposition of the rows [1, x],
    (d + 1, d + 1) float64, holds number, mean and covariance exactly at any rank (34 MB for Inception), and R of two
    such factors, one below the other, is that of both sets.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    factor_real: Tensor
    factor_fake: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        side = self.num_features + 1
        self.add_state("factor_real", torch.zeros(side, side, dtype=torch.float64), dist_reduce_fx=merge_factors)
        self.add_state("factor_fake", torch.zeros(side, side, dtype=torch.float64), dist_reduce_fx=merge_factors)

    def compute(self) -> Tensor:
        """The squared Fréchet distance, float64.

        Raises:
            Unmeasurable: a set has fewer than two members, or a feature is not finite.
        """
        n, mean_real, x = self._gaussian("real")
        m, mean_fake, y = self._gaussian("fake")
        if min(n, m) < 2:
            raise Unmeasurable(f"{n} real and {m} generated pictures; a Fréchet distance needs two of each")
        if not (x.isfinite().all() and y.isfinite().all()):
            raise Unmeasurable("a feature is not finite")
        shift = float((mean_real - mean_fake).square().sum())
        return _number(distance_of_factors(shift, x.cpu().numpy(), y.cpu().numpy()).value)

    def _take(self, features: Tensor, which: str) -> None:
        super()._take(features, which)
        if sum(map(len, getattr(self, f"pending_{which}"))) >= PENDING:
            setattr(self, f"factor_{which}", self._whole_factor(which))
            setattr(self, f"pending_{which}", [])

    def _whole_factor(self, which: str) -> Tensor:
        """(d + 1, d + 1): the factor with what is pending folded in."""
        pending = getattr(self, f"pending_{which}")
        rows = [getattr(self, f"factor_{which}")]
        if len(pending):
            features = dim_zero_cat(pending).double()
            rows.append(torch.cat([features.new_ones(len(features), 1), features], dim=1))
        return merge_factors(torch.cat(rows)[None])

    def _gaussian(self, which: str) -> tuple[int, Tensor, Tensor]:
        """Number, mean (d,), and a factor of the covariance: Σ = xᵀx."""
        factor = self._whole_factor(which)
        root = factor[0, 0]  # ± √n, and the rest of its row ± √n · mean
        count = int((root * root).round()) if root.isfinite() else 2
        return count, factor[0, 1:] / root, factor[1:, 1:] / max(count - 1, 1) ** 0.5


class FrechetInceptionDistanceInfinity(MetricOfAllFeatures):
    """FID extrapolated to sets without end: see `functional.fid_infinity`.

    Tell the pictures' items in every `update`, or in none: the value is that of the function with the same items, or
    without any. The order of the updates has no part in it.
    """

    higher_is_better = False

    def compute(self) -> Tensor:
        """The value at 1/N = 0, float64; it may be below 0.

        Raises:
            Unmeasurable: a set is too small, or a feature is not finite.
            ValueError: some pictures have items and others none.
        """
        value = functional.fid_infinity(
            self._rows("real"),
            self._rows("fake"),
            real_items=self._items("real"),
            fake_items=self._items("fake"),
        )
        return _number(value)


class KernelInceptionDistance(MetricOfAllFeatures):
    """KID over all pairs: see `functional.kid`."""

    higher_is_better = False

    def compute(self) -> Tensor:
        """The estimate, unbiased for independent sets, float64; it may be below 0.

        Raises:
            Unmeasurable: a set has fewer than two members, or a feature is not finite.
        """
        return _number(functional.kid(self._features("real"), self._features("fake")))


class PrecisionRecall(MetricOfAllFeatures):
    """Precision and recall, k = 3: see `functional.precision`."""

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def compute(self) -> dict[str, Tensor]:
        """`precision` and `recall`, float64.

        Raises:
            Unmeasurable: a set has fewer than 4 members, or a feature is not finite.
        """
        real, fake = self._features("real"), self._features("fake")
        return {
            "precision": _number(functional.precision(real, fake)),
            "recall": _number(functional.recall(real, fake)),
        }


class DensityCoverage(MetricOfAllFeatures):
    """Density and coverage, k = 5: see `functional.density`."""

    higher_is_better = True
    plot_lower_bound = 0.0

    def compute(self) -> dict[str, Tensor]:
        """`density` and `coverage`, float64.

        Raises:
            Unmeasurable: a set has fewer than 6 members, or a feature is not finite.
        """
        real, fake = self._features("real"), self._features("fake")
        return {
            "density": _number(functional.density(real, fake)),
            "coverage": _number(functional.coverage(real, fake)),
        }


def merge_factors(factors: Tensor) -> Tensor:
    """The R factor of factors (P, rows, d + 1) that stand one below the other: (d + 1, d + 1), FᵀF = Σ FᵢᵀFᵢ."""
    rows = factors.flatten(0, 1)
    rows = rows[rows.ne(0).any(dim=1)]
    factor = torch.linalg.qr(rows, mode="r").R
    return nn.functional.pad(factor, (0, 0, 0, factor.shape[1] - len(factor)))


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
