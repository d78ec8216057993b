"""Set metrics of the user's own features: `fid@NAME`, `kid@NAME`, ... with the name of the features.

The features come from a file (`--features NAME=FILE`) or from the user's network (`--network NAME=FILE`). A metric's
record is made when its name is asked for; `TEMPLATES` has one for each, with `NAME` in place of the features' name.
"""

import re
from dataclasses import replace

from gan_eval.metrics.definitions import frechet, kid, neighbours
from gan_eval.metrics.definitions.cmmd import cmmd, compare_cmmd
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.definitions.separability import compare_separability, p_ids, u_ids

SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""Pattern for names of features, which become part of the names of metrics."""
EXTRACTOR = "@NAME"


def _of_any_features(metric: Metric) -> Metric:
    """Record of a set metric for the user's features."""
    assert metric.function is not None
    name = metric.function.__name__
    return replace(
        metric,
        name=f"{name}@NAME",
        title=metric.title.removesuffix(", Inception"),
        measures=metric.measures.replace("Inception features", "features"),
        source=metric.source.partition("; Inception")[0],
        definition=metric.definition.replace("inception-2015-12-05", "features").replace("inception", "features"),
        weights=(),
        extractor=EXTRACTOR,
    )


_CMMD = Metric(
    name="cmmd@NAME",
    title="CMMD",
    kind="set",
    measures="1000 times the squared maximum mean discrepancy of unit vectors, Gaussian kernel; made for CLIP "
    "features; biased as published: above 0 for equal sets, smaller where they share items",
    high=4000.0,
    source="Jayasumana et al. 2024; σ = 10, biased estimate",
    definition="cmmd/features/sigma=10/biased",
    function=cmmd,
    extractor=EXTRACTOR,
    depends_on_count=True,
    compare=compare_cmmd,
)
_P_IDS = Metric(
    name="p_ids@NAME",
    title="P-IDS",
    kind="set",
    measures="share of the pairs whose generated picture looks more real than the real one to a linear SVM; "
    "0 with fewer pictures than features",
    high=1.0,
    higher_is_better=True,
    source="Zhao et al. 2021; LinearSVC(dual=False), reals 1, fakes 0, judged on what it was fitted on, paired by item",
    definition="p_ids/features/LinearSVC",
    function=p_ids,
    library="scikit-learn",
    extractor=EXTRACTOR,
    depends_on_count=True,
    compare=compare_separability,
)
_U_IDS = replace(
    _P_IDS,
    name="u_ids@NAME",
    title="U-IDS",
    measures="share of all pictures that a linear SVM calls wrong, 0.5 at best; 0 with fewer pictures than features",
    source=_P_IDS.source.removesuffix(", paired by item"),
    definition="u_ids/features/LinearSVC",
    function=u_ids,
)

TEMPLATES = {
    metric.name.partition("@")[0]: metric
    for metric in (
        *map(_of_any_features, (*frechet.METRICS, *kid.METRICS)),
        _CMMD,
        *map(_of_any_features, neighbours.METRICS),
        _P_IDS,
        _U_IDS,
    )
}
"""Metrics for any features, by the part of their name before the @."""


BUILT_IN = "inception"
"""Name of the built-in features, those of FID's own network."""


def metric_of_features(name: str, *, is_built_in: bool = False) -> Metric | None:
    """Return the metric with this name; None if it is not a metric of the user's features.

    Args:
        name: its name.
        is_built_in: it is a metric of the built-in network's features, not of the user's.

    >>> metric = metric_of_features("fid@dino")
    >>> metric.title, metric.extractor
    ('FID (dino)', '@dino')
    """
    base, _, source = name.partition("@")
    template = TEMPLATES.get(base)
    if template is None or not SOURCE_NAME.fullmatch(source):
        return None
    metric = replace(template, name=name, title=f"{template.title} ({source})", extractor=f"@{source}")
    return replace(metric, extractor=BUILT_IN, weights=(BUILT_IN,)) if is_built_in else metric
