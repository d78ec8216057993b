"""The metrics by name: what each measures, its range and unit, which way is better, and where it comes from."""

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gan_eval.errors import UserError

Kind = Literal["pair", "single", "set"]

DEFAULT_RESIZER = "tf1"
"""The rule by which pictures reach the network's size where none is named: that of the published values."""


@dataclass(frozen=True)
class Metric:
    """The facts about a metric. What computes it stands in `gan_eval.metrics.picture_pass` and `set_pass`."""

    name: str
    kind: Kind
    """pair: a generated picture beside its reference; single: one picture alone; set: pictures beside pictures."""
    measures: str
    low: float
    """Least possible value."""
    high: float
    """Greatest possible value."""
    higher_is_better: bool
    source: str
    """The paper and the definition that is followed. The resizer is a setting and stands in the table `runs`."""
    unit: str = ""
    weights: str | None = None
    """Name of the pretrained weights in `gan_eval.weights` that it needs."""


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="psnr",
            kind="pair",
            measures="pixel-wise agreement with the reference: mean squared error on a logarithmic scale",
            low=0,
            high=math.inf,
            higher_is_better=True,
            unit="dB",
            source="10 log10(255² / MSE) over all pixels and channels; inf for equal pictures",
        ),
        Metric(
            name="ssim",
            kind="pair",
            measures="local agreement with the reference in luminance, contrast and structure; mean of R, G, B",
            low=-1,
            high=1,
            higher_is_better=True,
            source="Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, no border",
        ),
        Metric(
            name="ssim_luma",
            kind="pair",
            measures="as ssim, on the integer BT.601 luma",
            low=-1,
            high=1,
            higher_is_better=True,
            source="Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, no border",
        ),
        Metric(
            name="niqe",
            kind="single",
            measures="distance of one picture's local statistics from those of pristine photographs; no reference",
            low=0,
            high=math.inf,
            higher_is_better=False,
            source="Mittal et al. 2013; official model, blocks of 96, integer luma, zero below 1e-6",
        ),
        Metric(
            name="brisque",
            kind="single",
            measures="badness of one picture as people would rate it, learned from distorted photographs; no reference",
            low=-math.inf,
            high=math.inf,
            higher_is_better=False,
            source="Mittal et al. 2012; the release's regression, integer luma, zero below 1e-6; about 0 to 100",
            weights="brisque",
        ),
        Metric(
            name="fid",
            kind="set",
            measures="distance of two sets' Inception features, each taken as one Gaussian; biased upwards if small",
            low=0,
            high=math.inf,
            higher_is_better=False,
            source="Heusel et al. 2017; Inception 2015-12-05, 2048 features",
            weights="inception",
        ),
        Metric(
            name="kid",
            kind="set",
            measures="squared maximum mean discrepancy of two sets' Inception features; unbiased, may be below 0",
            low=-math.inf,
            high=math.inf,
            higher_is_better=False,
            source="Binkowski et al. 2018; cubic kernel, all pairs; Inception 2015-12-05",
            weights="inception",
        ),
    )
}


def select(names: Iterable[str]) -> list[Metric]:
    """The metrics with these names, each once, in the order given.

    Raises:
        UserError: an unknown name, or none.

    >>> [metric.kind for metric in select(["psnr", "fid", "psnr"])]
    ['pair', 'set']
    """
    names = list(dict.fromkeys(names))
    if not names:
        raise UserError(f"metrics: none named; choose from {', '.join(METRICS)}")
    for name in names:
        if name not in METRICS:
            near = difflib.get_close_matches(name, METRICS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(METRICS)}"
            raise UserError(f"metric {name!r}: unknown; {hint}")
    return [METRICS[name] for name in names]


def describe() -> str:
    """The registry as text for the terminal: one paragraph for each metric."""
    return "\n".join(_paragraph(metric) for metric in METRICS.values())


def _paragraph(metric: Metric) -> str:
    better = "higher is better" if metric.higher_is_better else "lower is better"
    unit = f" {metric.unit}" if metric.unit else ""
    resizer = f"; default resizer: {DEFAULT_RESIZER}" if metric.kind == "set" else ""
    needs = f"\n    needs: weights {metric.weights}{resizer}" if metric.weights else ""
    return (
        f"{metric.name} ({metric.kind}; {metric.low:g} to {metric.high:g}{unit}; {better})\n"
        f"    {metric.measures}\n    source: {metric.source}{needs}"
    )
