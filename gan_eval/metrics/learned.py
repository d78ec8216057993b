"""Single-picture metrics with pretrained weights: read once, handed to the pass over the pictures as functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.metrics.brisque import brisque, load_regression
from gan_eval.metrics.registry import Metric
from gan_eval.metrics.unmeasurable import Unmeasurable
from gan_eval.weights import find

if TYPE_CHECKING:
    from gan_eval.images import Picture
    from gan_eval.metrics.picture_pass import SingleMetric


@dataclass
class Learned:
    """Metrics ready to be computed."""

    functions: dict[str, "SingleMetric"] = field(default_factory=dict)
    """By the metric's name; where weights are missing, a function that tells so for every picture."""
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the files that were read, by the weights' name."""


def learned_metrics(metrics: Sequence[Metric], *, paths: Mapping[str, Path | None] | None = None) -> Learned:
    """The single metrics among `metrics` that need weights, with their weights.

    Args:
        metrics: those wanted.
        paths: files by the weights' name; default: the cache.

    Raises:
        UserError: a file that was named will not do. Weights that are not in the cache are a reason, not an error.
    """
    found = Learned()
    for metric in metrics:
        if metric.kind != "single" or not metric.weights:
            continue
        (name,) = metric.weights
        path = (paths or {}).get(name)
        try:
            file = find(name, path=path)
            found.functions[metric.name] = partial(brisque, regression=load_regression(file))
            found.sha256[name] = sha256_file(file)
        except UserError as error:
            if path is not None:
                raise
            found.functions[metric.name] = partial(_unavailable, str(error))
    return found


def _unavailable(reason: str, _picture: "Picture") -> float:
    raise Unmeasurable(reason)
