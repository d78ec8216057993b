"""The metrics by name: those of gan_eval, and users' own that are installed beside it.

The list of metrics for a reader at a terminal, and for programs.
"""

import difflib
import json
import math
from collections.abc import Iterable
from textwrap import fill, wrap
from typing import Any

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import DEFAULT_RESIZER, METRICS, ExtractorName, Kind, Metric
from gan_eval.metrics.own.entries import OwnMetrics, own_facts, own_metrics, own_names
from gan_eval.weights.cache import is_cached
from gan_eval.weights.known import WEIGHTS

__all__ = ["DEFAULT_RESIZER", "METRICS", "ExtractorName", "Kind", "Metric", "describe", "describe_json", "select"]


def select(names: Iterable[str]) -> list[Metric]:
    """The metrics with these names, each once, in the order given; the package of a user's own metric is imported.

    Raises:
        UserError: an unknown name, none, or an own metric that will not do.

    >>> [metric.kind for metric in select(["psnr", "fid", "psnr"])]
    ['pair', 'set']
    """
    names = list(dict.fromkeys(names))
    if not names:
        raise UserError(f"metrics: none named; choose from {', '.join(_known())}")
    return [_select_one(name) for name in names]


def _select_one(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    known = _known()
    if name in known:
        return own_facts(name)
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    hint = f"did you mean {folded[near[0]]!r}?" if near else f"choose from {', '.join(known)}"
    raise UserError(f"metric {name!r}: unknown; {hint}")


def _known() -> list[str]:
    return [*METRICS, *own_names()]


WIDTH = 80
_HEADINGS: dict[Kind, str] = {
    "pair": "A generated picture beside its reference",
    "single": "One picture alone",
    "set": "Generated pictures beside real pictures",
}


def describe() -> str:
    """All metrics as text of at most 80 columns, grouped by kind; users' own are among them.

    The packages of own metrics are imported; without any, neither torch nor pandas is.
    """
    own, cached = own_metrics(), _cached()
    metrics = [*METRICS.values(), *own.ready.values()]
    parts = []
    for kind, heading in _HEADINGS.items():
        parts.append(f"{heading}\n{'=' * len(heading)}")
        parts += [_paragraph(metric, cached) for metric in metrics if metric.kind == kind]
    if own.problems:
        parts.append("Own metrics that cannot be used\n===============================")
        parts += [fill(problem, WIDTH, subsequent_indent="  ") for problem in own.problems.values()]
    return "\n\n".join(parts)


def describe_json() -> str:
    """The same for programs: an object with a list `metrics` and, by name, the `problems` of own metrics.

    A bound that is infinite is null. `weights` tells for each file whether the cache holds it; null where gan_eval
    does not know it.
    """
    own: OwnMetrics = own_metrics()
    cached = _cached()
    metrics = [_facts(metric, cached) for metric in (*METRICS.values(), *own.ready.values())]
    return json.dumps({"metrics": metrics, "problems": own.problems}, indent=2, ensure_ascii=False)


def _cached() -> dict[str, bool]:
    return {name: is_cached(name) for name in WEIGHTS}


def _paragraph(metric: Metric, cached: dict[str, bool]) -> str:
    """The metric's name and nature, then an indented line for each fact."""
    better = "higher is better" if metric.higher_is_better else "lower is better"
    unit = f" {metric.unit}" if metric.unit else ""
    lines = [f"{metric.name}: {metric.low:g} to {metric.high:g}{unit}; {better}", f"    {metric.measures}"]
    for label, text in _details(metric, cached):
        lines += wrap(f"{label}: {text}", WIDTH, initial_indent="    ", subsequent_indent="      ")
    return "\n".join([*wrap(lines[0], WIDTH), *wrap(lines[1], WIDTH, subsequent_indent="    "), *lines[2:]])


def _details(metric: Metric, cached: dict[str, bool]) -> list[tuple[str, str]]:
    details = [("source", metric.source), ("definition", metric.definition)]
    if metric.least_size:
        details.append(("least size", f"{metric.least_size[0]} pixels by {metric.least_size[1]}"))
    if metric.weights:
        details.append(("weights", ", ".join(_weights(name, cached) for name in metric.weights)))
    if metric.takes_hole:
        details.append(("needs", "masks: the column mask_file of the stimulus set"))
    if metric.extractor == "segmenter":
        details.append(("needs", "a segmenter: --segmenter FILE"))
    if metric.extractor == "inception":
        details.append(("resizer", f"{DEFAULT_RESIZER}, or another by --resizer"))
    if metric.distribution:
        details.append(("own metric of", metric.distribution))
    return [(label, text) for label, text in details if text]


def _weights(name: str, cached: dict[str, bool]) -> str:
    if cached.get(name):
        return f"{name} (in the cache)"
    return f"{name} (missing; `gan-eval weights fetch {name}`)" if name in cached else f"{name} (not known)"


def _facts(metric: Metric, cached: dict[str, bool]) -> dict[str, Any]:
    return {
        "name": metric.name,
        "kind": metric.kind,
        "measures": metric.measures,
        "low": metric.low if math.isfinite(metric.low) else None,
        "high": metric.high if math.isfinite(metric.high) else None,
        "unit": metric.unit or None,
        "higher_is_better": metric.higher_is_better,
        "source": metric.source,
        "definition": metric.definition or None,
        "least_size": metric.least_size,
        "takes_hole": metric.takes_hole,
        "weights": {name: cached.get(name) for name in metric.weights},
        "extractor": metric.extractor,
        "default_resizer": DEFAULT_RESIZER if metric.extractor == "inception" else None,
        "distribution": metric.distribution or None,
    }
