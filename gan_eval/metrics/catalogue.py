"""All metrics by name, collected from the records of the families: select them and describe each one."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from importlib import import_module
from textwrap import wrap

from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.features import BUILT_IN, EXTRACTOR, SOURCE_NAME, TEMPLATES, metric_of_features
from gan_eval.metrics.definitions.own import Function, function_of_file, is_file_and_name, metric_of_function
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, Metric

MIN_FID_PICTURES = 2000
"""Number of pictures below which FID's bias is large compared with differences between models."""

FID_WARNING = (
    f"FID from fewer than {MIN_FID_PICTURES} pictures is biased upwards and may be compared only with values from as "
    "many pictures"
)
"""Warning for an FID of fewer pictures."""

_FAMILIES = (
    "similarity",
    "perceptual",
    "classic",
    "no_reference",
    "frechet",
    "kid",
    "neighbours",
    "segmentation",
    "labels",
    "spectrum",
)
"""Modules of `gan_eval.metrics.definitions` with metrics, in the order of the list."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for family in _FAMILIES
    for metric in import_module(f"gan_eval.metrics.definitions.{family}").METRICS
}
"""Metrics by name."""

HOLE_METRICS = tuple(metric for metric in METRICS.values() if metric.takes_hole)


def metric_named(name: str) -> Metric | None:
    """Return the metric with this name, also for features (`fid@dino`); None if there is none."""
    return METRICS.get(name) or metric_of_features(name)


def select(names: Iterable[str | Function], sources: Collection[str] = (), *, own: bool = True) -> list[Metric]:
    """Return the metrics with these names, each once, in the order given.

    Args:
        names: names of metrics; functions of the user, or FILE.py:NAME.
        sources: names of the user's features; those of Inception (`p_ids@inception`) are built in. All metrics of a
            source that no name mentions come last.
        own: take functions of the user; a study, which may be run again, refuses them.

    Raises:
        UserError: a name is unknown, no metric is named, a metric's features are not among the sources, a source's
            name cannot be part of a metric's name, or a function cannot be a metric (`metric_of_function`).

    >>> [metric.kind for metric in select(["psnr", "fid", "psnr"])]
    ['pair', 'set']
    >>> len(select(["psnr", "fid@dino"], ["dino", "clip"]))
    12
    """
    names = list(dict.fromkeys(names))
    mentioned = {name.partition("@")[2] for name in names if isinstance(name, str)}
    for source in sources:
        if not SOURCE_NAME.fullmatch(source):
            raise UserError(f"features {source!r}: expected a name of letters, digits, _, - and . such as dino")
        names += [f"{base}@{source}" for base in TEMPLATES if source not in mentioned]
    if not names:
        raise UserError(f"metrics: none named; choose from {', '.join(METRICS)}")
    selected: list[Metric] = []
    for name in names:
        if not isinstance(name, str) or is_file_and_name(name):
            if not own:
                raise UserError(f"metric {name!r}: a function is for `gan-eval metrics`, whose tables `analyze` takes")
            selected.append(_own(name, selected))
            continue
        selected.append(_named(name, sources))
    return selected


def _named(name: str, sources: Collection[str]) -> Metric:
    """Return the metric with this name; a UserError names the nearest one."""
    metric, (base, at, source) = metric_named(name), name.partition("@")
    if at and base in TEMPLATES and source not in sources:
        if source != BUILT_IN:
            fix = f"give --features {source or 'NAME'}=FILE or --network"
            raise UserError(f"metric {name!r}: no features {source!r}; {fix}")
        metric = metric_of_features(name, is_built_in=True)
    if metric is None:
        raise _unknown(name)
    return metric


def _unknown(name: str) -> UserError:
    """Return the error for a name that no metric has; it names the nearest ones."""
    _, at, source = name.partition("@")
    folded = {each.casefold(): each for each in ([f"{base}@{source}" for base in TEMPLATES] if at else METRICS)}
    longer = [full for full in folded if full.startswith(f"{name.casefold()}_") and not full.endswith("_hole")]
    near = longer or difflib.get_close_matches(name.casefold(), folded, n=1)
    named = " or ".join(repr(folded[each]) for each in near)
    hint = f"did you mean {named}?" if near else f"choose from {', '.join(folded.values())}"
    return UserError(f"metric {name!r}: unknown; {hint}")


def _own(function: str | Function, others: Sequence[Metric]) -> Metric:
    """Return the record of a function of the user, or of FILE.py:NAME; refuse a name that another metric has."""
    metric = metric_of_function(function_of_file(function) if isinstance(function, str) else function)
    if metric.name in METRICS or any(other.name == metric.name for other in others):
        raise UserError(f"metric {metric.name!r}: another metric has this name; rename the function")
    return metric


WIDTH = 80
"""Width of the list at a terminal, in columns."""


_NEEDS = {
    "segmenter": ("--segmenter FILE", "a segmenter: --segmenter FILE"),
    "label_colours": ("label maps", "label maps: the column input_file of the set"),
    EXTRACTOR: ("--features or --network", "features: --features NAME=FILE, or --network NAME=FILE"),
}
"""Needs of an extractor, in the short list and in the long one."""


def _by_kind() -> list[Metric]:
    """Return all metrics in the order of the kinds; those of the user's features last."""
    kinds = ("pair", "single", "input", "set")
    return [*sorted(METRICS.values(), key=lambda metric: kinds.index(metric.kind)), *TEMPLATES.values()]


def list_metrics() -> str:
    """List all metrics in a line each: name, better direction, and what it needs besides generated pictures."""
    pictures = {"pair": "real partners", "single": "", "input": "inputs", "set": "real pictures"}
    rows = [("metric", "better", "needs")]
    for metric in _by_kind():
        needs = [pictures[metric.kind], "masks" * metric.takes_hole]
        needs += [f"weights {' and '.join(metric.weights)}"] if metric.weights else []
        needs.append(_NEEDS.get(metric.extractor or "", ("", ""))[0])
        rows.append((metric.name, "higher" if metric.higher_is_better else "lower", ", ".join(filter(None, needs))))
    width = max(len(name) for name, *_ in rows)
    lines = [f"{name:<{width}}  {better:<6}  {needs}".rstrip() for name, better, needs in rows]
    return "\n".join([*lines, "", "`gan-eval metrics --list --long` describes each. Your function: FILE.py:NAME"])


def describe() -> str:
    """Describe all metrics in at most 80 columns, grouped by kind. This imports neither torch nor pandas."""
    headings: dict[str, str] = {
        "pair": "A generated picture and its reference",
        "single": "One picture alone",
        "input": "The generator's input",
        "set": "Generated pictures and real pictures",
        "features": "Generated pictures and real pictures, by features of your own",
    }
    parts = []
    for metric in _by_kind():
        of_features = metric.extractor == EXTRACTOR
        if heading := headings.pop("features" if of_features else metric.kind, ""):
            parts.append(f"{heading}\n{'=' * len(heading)}")
        parts.append("\n".join(_lines_of_metric(metric)))
    return "\n\n".join(parts)


def _lines_of_metric(metric: Metric) -> list[str]:
    """Return the description of a metric in lines."""
    better = "higher is better" if metric.higher_is_better else "lower is better"
    unit = f" {metric.unit}" if metric.unit else ""
    weights = [f"{name} (`gan-eval weights fetch {name}`)" for name in metric.weights]
    details = [
        ("source", metric.source),
        ("of 16 bits", metric.of_16_bits),
        ("definition", metric.definition),
        ("minimum size", "{} pixels by {}".format(*metric.min_size) if metric.min_size else ""),
        ("weights", ", ".join(weights)),
        ("needs", "masks: the column mask_file of the stimulus set" if metric.takes_hole else ""),
        ("needs", "inputs: the column input_file of the stimulus set" if metric.kind == "input" else ""),
        ("needs", _NEEDS.get(metric.extractor or "", ("", ""))[1]),
        ("resizer", f"{DEFAULT_RESIZER}, or another by --resizer" if metric.extractor == "inception" else ""),
    ]
    lines = wrap(f"{metric.name}: {metric.low:g} to {metric.high:g}{unit}; {better}", WIDTH)
    lines += wrap(f"    {metric.measures}", WIDTH, subsequent_indent="    ")
    for label, text in details:
        if text:
            lines += wrap(f"{label}: {text}", WIDTH, initial_indent="    ", subsequent_indent="      ")
    return lines
