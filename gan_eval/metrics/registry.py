"""The metrics by name: those of gan_eval, and users' own that are installed beside it."""

import difflib
from collections.abc import Iterable

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.facts import DEFAULT_RESIZER, ExtractorName, Kind, Metric
from gan_eval.metrics.listing import describe, describe_json
from gan_eval.metrics.own.entries import own_facts, own_names

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
