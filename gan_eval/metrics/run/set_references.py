"""The set metrics of one data set: what depends on the real pictures alone is made once and serves all models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gan_eval.metrics.definitions.frechet import FrechetReference, infinity_estimate
from gan_eval.metrics.definitions.jackknife import Distance, Estimate, Groups, leave_groups_out
from gan_eval.metrics.definitions.kid import KernelReference
from gan_eval.metrics.definitions.moments import Features
from gan_eval.metrics.definitions.neighbours import K, NeighbourReference
from gan_eval.metrics.kernels.pictures import Unmeasurable


@dataclass(frozen=True)
class PictureSet:
    """The measurable pictures of one set."""

    features: Features
    """(N, d)"""
    items: tuple[str, ...]
    """(N,) the item of each."""
    groups: Groups | None
    """(N,) the group of each; None where there are too few items to leave a group out."""


class References:
    """The real pictures of one data set under one extractor, ready to be compared with.

    Args:
        real: the real pictures.
    """

    def __init__(self, real: PictureSet) -> None:
        self._real = real

    def measure(self, names: Sequence[str], fake: PictureSet) -> dict[str, Estimate | Unmeasurable]:
        """The set metrics of one model's pictures by name, each with its value or the reason why there is none.

        Args:
            names: as the registry names them.
            fake: the generated pictures.
        """
        count = min(len(self._real.features), len(fake.features))
        neighbours = [name for name in names if count > K.get(_plain(name), count)]  # these share one pass
        found: dict[str, Estimate | Unmeasurable] = {}
        for batch in [[name] for name in names if name not in neighbours] + ([neighbours] if neighbours else []):
            found |= self._try(batch, fake)
        return found

    def note(self, name: str) -> str | None:
        """What the real pictures themselves score, where that is the most that a model can reach."""
        if name not in SEGMENTATION:
            return None
        try:
            return f"the real pictures themselves: {_segmentation(name)(self._real.features, self._real.features):.4g}"
        except Unmeasurable:
            return None

    def _try(self, names: Sequence[str], fake: PictureSet) -> dict[str, Estimate | Unmeasurable]:
        try:
            if min(len(self._real.features), len(fake.features)) == 0:
                counts = f"{len(self._real.features)} real and {len(fake.features)} generated pictures"
                raise Unmeasurable(f"{counts}; {names[0]} compares sets")
            with np.errstate(invalid="ignore", over="ignore"):  # features that are not finite are refused by name
                return dict(self._compute(names, fake))
        except Unmeasurable as reason:
            return dict.fromkeys(names, reason)

    def _compute(self, names: Sequence[str], fake: PictureSet) -> dict[str, Estimate]:
        name, real = names[0], self._real
        if name == "fid":
            return {name: self._frechet.compare(fake.features, fake.groups)}
        if name == "fid_infinity":
            return {
                name: infinity_estimate(real.features, fake.features, real.items, fake.items, real.groups, fake.groups)
            }
        if name == "kid":
            return {name: self._kernel.compare(fake.features, fake.groups)}
        if name in SEGMENTATION:
            distance = _segmentation(name)
            return {name: leave_groups_out(distance, real.features, fake.features, real.groups, fake.groups)}
        plain = {_plain(name): name for name in names}
        found = self._neighbours.compare(fake.features, fake.groups, names=list(plain))
        return {plain[key]: estimate for key, estimate in found.items()}

    @cached_property
    def _frechet(self) -> FrechetReference:
        return FrechetReference(self._real.features, self._real.groups)

    @cached_property
    def _kernel(self) -> KernelReference:
        return KernelReference(self._real.features, self._real.groups)

    @cached_property
    def _neighbours(self) -> NeighbourReference:
        return NeighbourReference(self._real.features, self._real.groups)


def _plain(name: str) -> str:
    """The name without its extractor's."""
    return name.rpartition("_")[0]


SEGMENTATION = ("pixel_accuracy", "class_accuracy", "class_iou")


def _segmentation(name: str) -> Distance:
    from gan_eval.metrics.definitions import segmentation

    scores: dict[str, Callable] = {
        "pixel_accuracy": segmentation.pixel_accuracy,
        "class_accuracy": segmentation.class_accuracy,
        "class_iou": segmentation.class_iou,
    }
    return scores[name]
