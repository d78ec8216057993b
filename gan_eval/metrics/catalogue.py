"""All metrics by name, collected from the families' records."""

from importlib import import_module

from gan_eval.metrics.definitions.record import (
    DEFAULT_RESIZER,
    ExtractorName,
    Kind,
    Metric,
    OnProgress,
    PictureFunction,
)

__all__ = [
    "DEFAULT_RESIZER",
    "FID_WARNING",
    "HOLE_METRICS",
    "METRICS",
    "MIN_FID_PICTURES",
    "ExtractorName",
    "Kind",
    "Metric",
    "OnProgress",
    "PictureFunction",
]

MIN_FID_PICTURES = 2000
"""Pictures below which FID's bias is not small beside differences between models."""

FID_WARNING = (
    f"FID from fewer than {MIN_FID_PICTURES} pictures is biased upwards and may be compared only with values from as "
    "many pictures"
)
"""What a reader must know of such an FID."""

_FAMILIES = (
    "similarity",
    "perceptual",
    "hole",
    "no_reference",
    "frechet",
    "kid",
    "neighbours",
    "segmentation",
    "labels",
)
"""Modules of `gan_eval.metrics.definitions` that have metrics, in the order of the list."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for family in _FAMILIES
    for metric in import_module(f"gan_eval.metrics.definitions.{family}").METRICS
}
"""By name."""

HOLE_METRICS = tuple(metric for metric in METRICS.values() if metric.takes_hole)
