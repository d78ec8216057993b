"""The files that a run's settings name: they must be there, and some metric should use them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gan_eval.errors import UserError
from gan_eval.metrics.facts import Metric
from gan_eval.metrics.networks.segmenter_settings import PALETTE
from gan_eval.weights.cache import find, option

if TYPE_CHECKING:
    from gan_eval.metrics.run.evaluation import Settings


def unused_files(metrics: Sequence[Metric], settings: "Settings") -> list[str]:
    """A line for each named file that no metric uses.

    Args:
        metrics: those of the run.
        settings: with the files.

    Raises:
        UserError: a named file is not there, or weights have an unknown name.
    """
    for name, path in settings.weights.items():
        find(name, path=path)
    segmenter = settings.segmenter
    if segmenter not in (None, PALETTE) and not segmenter.is_file():
        raise UserError(f"--segmenter {segmenter}: no such file")
    used = {name for metric in metrics for name in metric.weights}
    options = [option(name) for name in settings.weights if name not in used]
    if segmenter is not None and all(metric.extractor != "segmenter" for metric in metrics):
        options.append("--segmenter")
    return [f"{name}: no metric here uses it" for name in options]
