"""A metric's facts for the page. One that no registry knows has a name, values, and nothing else."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.facts import FID_OF_FEW, Metric
from gan_eval.metrics.registry import select
from gan_eval.report.parts.words import whole

NO_VERDICT = ("sharpness",)
"""Metrics that describe pictures and do not say which are better, although they have a direction: noise raises
sharpness as well."""


@lru_cache
def facts_of(name: str) -> Metric | None:
    """What the registry knows; None of a metric of somebody else's whose package is not installed here."""
    try:
        return select([name])[0]
    except UserError:
        return None


def higher_is_better(name: str) -> bool | None:
    """Which way is better; None where nobody said."""
    facts = facts_of(name)
    return None if facts is None else facts.higher_is_better


def arrow(name: str) -> str:
    """The direction of better values.

    >>> arrow("psnr"), arrow("fid"), arrow("unheard_of")
    ('↑', '↓', '')
    """
    better = higher_is_better(name)
    return "" if better is None else "↑" if better else "↓"


def unit_of(name: str) -> str:
    """The unit; empty where there is none."""
    facts = facts_of(name)
    return "" if facts is None else facts.unit


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once: in the catalogue's order, others after them as they come.

    >>> in_order(["mine", "fid", "psnr", "fid"])
    ['psnr', 'fid', 'mine']
    """
    order = {name: place for place, name in enumerate(METRICS)}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


def decimals(values: Sequence[float], halves: Sequence[float] = ()) -> int:
    """Decimal places for a column of values: two digits of the typical half interval, else three of the values.

    >>> decimals([17.345, 18.1], [0.33, 0.41]), decimals([187.2], [12.0]), decimals([0.2131]), decimals([])
    (2, 1, 4, 2)
    """
    halves = sorted(half for half in halves if math.isfinite(half) and half > 0)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if halves:
        places = 1 - math.floor(math.log10(halves[len(halves) // 2]))
    elif largest > 0:
        places = 3 - math.floor(math.log10(largest)) - (largest >= 1)
    else:
        places = 2
    return min(max(places, 1 if largest < 1000 else 0), 6)


def fid_warning(smallest: int, largest: int | None = None) -> str:
    """What a reader must know of an FID from few pictures."""
    here = whole(smallest) if largest in (None, smallest) else f"{whole(smallest)} to {whole(largest)}"
    return f"{FID_OF_FEW} (here {here})."
