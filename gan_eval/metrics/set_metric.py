"""What the classes of set metrics have in common: pictures come in, features (and items) are kept."""

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from gan_eval.metrics.definitions.fid_infinity import content_order
from gan_eval.metrics.facts import DEFAULT_RESIZER
from gan_eval.metrics.networks.tensor_features import FeatureExtractor, InceptionFeatures, width_of
from gan_eval.settings.training import Precision


class SetMetric(Metric):
    """Features of real and of generated pictures: what the metrics below have in common.

    Args:
        feature_extractor: a function or module from (N, 3, H, W) uint8 pictures to (N, d) features; d is its attribute
            `num_features`, else a trial with a black picture of 299x299 tells it. Default: Inception.
        weights: file of the Inception weights; default: the cache.
        resizer: how pictures come to Inception's 299x299, see `gan_eval.metrics.networks.resizers.resize`.
        precision: of Inception; `bf16` is faster and moves the features by about 2 % (relative RMS), FID by 0.4 to
            0.9 %.
        reset_real_features: whether `reset` forgets the real pictures too.
        kwargs: torchmetrics' own.

    Raises:
        UserError: the weights will not do or are not in the cache, or an unknown resizer.
    """

    is_differentiable = False
    full_state_update = False
    pending_real: list[Tensor] | Tensor
    pending_fake: list[Tensor] | Tensor

    def __init__(
        self,
        *,
        feature_extractor: FeatureExtractor | None = None,
        weights: Path | None = None,
        resizer: str = DEFAULT_RESIZER,
        precision: Precision = "fp32",
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.feature_extractor = feature_extractor or InceptionFeatures(weights, resizer=resizer, precision=precision)
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
        self._take(features, "real" if real else "fake")

    def forward(self, pictures: Tensor, real: bool) -> None:
        """As `update`: a batch alone has no distance."""
        self.update(pictures, real)

    def reset(self) -> None:
        """Forget all pictures; with `reset_real_features=False` the generated ones alone."""
        kept = {name: copy(getattr(self, name)) for name in self._defaults if name.endswith("_real")}
        super().reset()
        if not self.reset_real_features:
            for name, state in kept.items():
                setattr(self, name, state)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """One value or several, as torchmetrics plots them."""
        return self._plot(val, ax)

    def _take(self, features: Tensor, which: str) -> None:
        getattr(self, f"pending_{which}").append(features)

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:
        for name, default in self._defaults.items():
            if isinstance(default, list):
                held = getattr(self, name)
                setattr(self, name, [dim_zero_cat(held) if len(held) else self._nothing(name)])
        super()._sync_dist(*args, **kwargs)

    def _nothing(self, state: str) -> Tensor:
        """What a process without pictures has: it still tells how wide features are."""
        return torch.empty(0, self.num_features, device=self.device)


class MetricOfAllFeatures(SetMetric):
    """Every picture's features, 8 KB each for Inception, and its item where that is told.

    The items serve FID∞ alone; the others take them too, so that a `MetricCollection` computes features once for all.
    """

    items_real: list[Tensor] | Tensor
    items_fake: list[Tensor] | Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("items_real", [], dist_reduce_fx="cat")  # UTF-8, a zero after each
        self.add_state("items_fake", [], dist_reduce_fx="cat")

    def update(self, pictures: Tensor, real: bool, items: Sequence[str] | None = None) -> None:
        """As `SetMetric.update`; `items`: the item of each picture, for all pictures or for none."""
        if items is not None and len(items) != len(pictures):
            raise ValueError(f"{len(pictures)} pictures and {len(items)} items")
        super().update(pictures, real)
        if items is not None:
            text = "".join(f"{item}\0" for item in items).encode()
            told = torch.tensor(list(text), dtype=torch.uint8, device=self.device)
            getattr(self, "items_real" if real else "items_fake").append(told)

    def forward(self, pictures: Tensor, real: bool, items: Sequence[str] | None = None) -> None:
        """As `update`: a batch alone has no distance."""
        self.update(pictures, real, items)

    def _nothing(self, state: str) -> Tensor:
        return (
            super()._nothing(state)
            if state.startswith("pending")
            else torch.empty(0, dtype=torch.uint8, device=self.device)
        )

    def _rows(self, which: str) -> NDArray[np.floating]:
        """(N, d) of all pictures, as they came."""
        pending = getattr(self, f"pending_{which}")
        features = dim_zero_cat(pending) if len(pending) else torch.empty(0, self.num_features)
        return features.cpu().numpy()

    def _features(self, which: str) -> NDArray[np.floating]:
        """(N, d) of all pictures, in an order that does not depend on that in which they came."""
        rows = self._rows(which)
        return rows[content_order(rows)]

    def _items(self, which: str) -> list[str] | None:
        """(N,) as they came; None where none was told."""
        told = getattr(self, f"items_{which}")
        text = bytes(dim_zero_cat(told).tolist()).decode() if len(told) else ""
        return text.split("\0")[:-1] or None
