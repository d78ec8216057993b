"""The metrics of gan_eval by name, as the families' records tell them."""

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
    "FID_COMPANIONS",
    "FID_INFINITY_WARNING",
    "FID_WARNING",
    "HOLE_METRICS",
    "METRICS",
    "MIN_FID_INFINITY_PICTURES",
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

FID_COMPANIONS = ("fid_infinity", "kid")
"""What is shown beside the FID of few pictures, requested or not, and compares them in its place; FID∞ not below
`MIN_FID_INFINITY_PICTURES`."""

MIN_FID_INFINITY_PICTURES = 1000
"""Pictures below which FID over 1/N is no straight line, so that FID∞ keeps most of FID's bias: KID alone stands in."""

FID_INFINITY_WARNING = (
    f"FID∞ from fewer than {MIN_FID_INFINITY_PICTURES} pictures keeps most of FID's bias and is no substitute for it; "
    "KID is read there"
)
"""What a reader must know of such an FID∞."""

_FAMILIES = (
    "similarity",
    "perceptual",
    "hole",
    "no_reference",
    "frechet",
    "fid_infinity",
    "kid",
    "neighbours",
    "segmentation",
    "labels",
)
"""The modules of `gan_eval.metrics.definitions` that have metrics, in the order of the list. They are imported by
name so that a value's code, which `gan_eval.metrics.run.code_hash` follows through imports, is its own family's."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for family in _FAMILIES
    for metric in import_module(f"gan_eval.metrics.definitions.{family}").METRICS
}
"""By name."""

HOLE_METRICS = tuple(metric for metric in METRICS.values() if metric.takes_hole)
