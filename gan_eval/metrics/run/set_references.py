"""The set metrics of one data set: what depends on the real pictures alone is made once and serves all models."""

from collections.abc import Callable, Sequence

import numpy as np

from gan_eval.metrics.catalogue import METRICS, Metric
from gan_eval.metrics.definitions.jackknife import Comparison, Estimate, PictureSet, leave_groups_out
from gan_eval.metrics.kernels.pictures import Unmeasurable


class References:
    """The real pictures of one data set under one extractor, ready to be compared with.

    Args:
        real: the real pictures.
    """

    def __init__(self, real: PictureSet) -> None:
        self._real = real
        self._comparisons: dict[Callable, Comparison] = {}

    def measure(self, names: Sequence[str], fake: PictureSet) -> dict[str, Estimate | Unmeasurable]:
        """The set metrics of one model's pictures by name, each with its value or the reason why there is none.

        Args:
            names: as the registry names them.
            fake: the generated pictures.
        """
        batches: dict[object, list[Metric]] = {}
        for name in names:  # metrics with one comparison share its pass
            batches.setdefault(METRICS[name].compare or name, []).append(METRICS[name])
        results: dict[str, Estimate | Unmeasurable] = {}
        for metrics in batches.values():
            try:
                results |= self._estimates(metrics, fake)
            except Unmeasurable:
                for metric in metrics:  # one may want more pictures than another
                    try:
                        results |= self._estimates([metric], fake)
                    except Unmeasurable as reason:
                        results[metric.name] = reason
        return results

    def note(self, name: str) -> str | None:
        """What the real pictures themselves score, where that is the most that a model can reach."""
        metric, features = METRICS[name], self._real.features
        if metric.extractor != "segmenter" or metric.function is None:
            return None
        try:
            return f"the real pictures themselves: {metric.function(features, features):.4g}"
        except Unmeasurable:
            return None

    def _estimates(self, metrics: Sequence[Metric], fake: PictureSet) -> dict[str, Estimate]:
        real = self._real
        if min(len(real.features), len(fake.features)) == 0:
            counts = f"{len(real.features)} real and {len(fake.features)} generated pictures"
            raise Unmeasurable(f"{counts}; {metrics[0].name} compares sets")
        names = {metric.function.__name__: metric.name for metric in metrics if metric.function is not None}
        function, compare = metrics[0].function, metrics[0].compare
        with np.errstate(invalid="ignore", over="ignore"):  # features that are not finite are refused by name
            if compare is None:
                assert function is not None
                estimate = leave_groups_out(function, real.features, fake.features, real.groups, fake.groups)
                return {metrics[0].name: estimate}
            if compare not in self._comparisons:
                self._comparisons[compare] = compare(real)
            estimates = self._comparisons[compare](fake, list(names))
        return {names[name]: estimate for name, estimate in estimates.items()}
