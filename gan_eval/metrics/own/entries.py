"""Users' own metrics: entry points of the group `gan_eval.metrics`, and the facts that their classes state.

The names are known without importing anybody's package. The facts are read at first use, which imports it.
"""

import inspect
import math
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, get_args

from gan_eval.errors import UserError
from gan_eval.launch import setup_command
from gan_eval.metrics.catalogue import METRICS, Kind, Metric

if TYPE_CHECKING:
    import torchmetrics

GROUP = "gan_eval.metrics"


@dataclass(frozen=True)
class OwnMetrics:
    """The own metrics that are installed."""

    ready: dict[str, Metric]
    """By name."""
    problems: dict[str, str]
    """Why an entry point cannot be used, by its name: one line."""


def own_names() -> list[str]:
    """Names of the entry points that are no built-in metric's, sorted; nothing is imported."""
    return sorted({entry.name for entry in entry_points(group=GROUP)} - METRICS.keys())


def own_metrics() -> OwnMetrics:
    """The facts of all own metrics; their packages are imported."""
    metrics = OwnMetrics({}, {})
    for name in sorted({entry.name for entry in entry_points(group=GROUP)}):
        try:
            metrics.ready[name] = own_facts(name)
        except UserError as error:
            metrics.problems[name] = str(error)
    return metrics


def own_facts(name: str) -> Metric:
    """The facts of an own metric, from its class: `higher_is_better`, `plot_lower_bound`, `plot_upper_bound` as
    torchmetrics has them, and `kind`, `measures`, `unit`, `source`, `definition` where the class has them.

    A `definition` counts only in the class itself: what inherits it computes something else. It stands together with
    the entry point, so that no other metric's cached values are found by it; the code counts too (`own_code`).

    Raises:
        UserError: see `own_class`; or a fact is missing or of the wrong kind.
    """
    entry, metric_class = _entry(name), own_class(name)
    if not isinstance(metric_class.higher_is_better, bool):
        raise _refusal(entry, f"{entry.value} has no `higher_is_better`; set it to True or False in the class")
    distribution = _distribution(entry)
    definition = _text(entry, metric_class, "definition") if "definition" in vars(metric_class) else ""
    first_paragraph = inspect.cleandoc(metric_class.__doc__ or "").partition("\n\n")[0]
    measures = _text(entry, metric_class, "measures") or " ".join(first_paragraph.split())
    return Metric(
        name=name,
        kind=_kind(entry, metric_class),
        measures=measures or f"as {entry.value} defines it",
        low=_bound(entry, metric_class, "plot_lower_bound", -math.inf),
        high=_bound(entry, metric_class, "plot_upper_bound", math.inf),
        higher_is_better=metric_class.higher_is_better,
        source=_text(entry, metric_class, "source") or f"{entry.value} of {distribution}",
        definition=f"{definition} ({name} = {entry.value} of {distribution})" if definition else "",
        unit=_text(entry, metric_class, "unit"),
        distribution=distribution,
    )


def own_class(name: str) -> "type[torchmetrics.Metric]":
    """The class of an own metric.

    Raises:
        UserError: no such entry point, several, one with a built-in metric's name, or it cannot be imported or is no
            subclass of `torchmetrics.Metric`.
    """
    entry = _entry(name)
    try:
        import torchmetrics
    except ImportError as error:
        raise _refusal(entry, f"own metrics need torchmetrics; install it with: {setup_command('metrics')}") from error
    try:
        metric_class = entry.load()
    except (Exception, SystemExit) as error:  # whatever another's package raises when it is imported
        raise _refusal(entry, f"{entry.value} cannot be imported ({type(error).__name__}: {error})") from error
    if not (isinstance(metric_class, type) and issubclass(metric_class, torchmetrics.Metric)):
        raise _refusal(entry, f"{entry.value} is no subclass of torchmetrics.Metric")
    return metric_class


def _entry(name: str) -> EntryPoint:
    """The one entry point of this name.

    Raises:
        UserError: none, several, or a built-in metric has the name.
    """
    by_name = defaultdict(list)
    for entry in entry_points(group=GROUP):
        by_name[entry.name].append(entry)
    if not by_name[name]:
        raise UserError(f"metric {name!r}: no installed package has it (entry points of the group {GROUP})")
    entry, *others = by_name[name]
    if name in METRICS:
        raise _refusal(entry, "gan_eval has a metric of this name; give the entry point another")
    if others:
        owners = " and ".join(_distribution(same) for same in (entry, *others))
        raise UserError(f"metric {name!r}: {owners} both have it; uninstall one or rename an entry point")
    return entry


def _refusal(entry: EntryPoint, why: str) -> UserError:
    return UserError(f"metric {entry.name!r} of {_distribution(entry)}: {why}")


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"


def _kind(entry: EntryPoint, metric_class: type) -> Kind:
    """The class's `kind`; else by the parameters of `update`."""
    given = _text(entry, metric_class, "kind")
    for kind in get_args(Kind):
        if given == kind:
            return kind
    if given:
        raise _refusal(entry, f"kind {given!r} is none of {', '.join(get_args(Kind))}")
    names = [
        parameter.name
        for parameter in list(inspect.signature(metric_class.update).parameters.values())[1:]  # type: ignore[attr-defined]
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and (parameter.default is parameter.empty or parameter.name == "real")
    ]
    if len(names) == 1:
        return "single"
    if len(names) == 2:
        return "set" if names[1] == "real" else "pair"
    raise _refusal(entry, "update takes neither (picture), (generated, real) nor (picture, real=...); set `kind`")


def _text(entry: EntryPoint, metric_class: type, attribute: str) -> str:
    """A text of the class, on one line; "" where it has none."""
    value: Any = getattr(metric_class, attribute, "")
    if not isinstance(value, str):
        raise _refusal(entry, f"{attribute} is {type(value).__name__}, not text")
    return " ".join(value.split())


def _bound(entry: EntryPoint, metric_class: type, attribute: str, default: float) -> float:
    value: Any = getattr(metric_class, attribute, None)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refusal(entry, f"{attribute} is {type(value).__name__}, not a number")
    return float(value)
