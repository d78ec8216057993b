"""Where metrics agree and where they do not: over the models, over the pictures, and the pictures they differ on most.

Values are turned round where lower is better, so that agreement means agreement on what is good.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import pandas as pd
from scipy import stats

from gan_eval.report.metrics.data import Measured, higher_is_better

LEAST_MODELS, LEAST_PICTURES = 3, 10
"""Fewer than these have no order to speak of."""
MOST_DIFFERENT = 12
"""Pictures shown that two metrics differ on."""
WIDE_APART = 0.5
"""Share of the pictures that must lie between a picture's two ranks for it to be shown."""


@dataclass(frozen=True)
class Agreement:
    """Rank correlation of each two metrics."""

    n: int
    """Models or pictures."""
    metrics: Sequence[str]
    pairs: pd.DataFrame
    """a, b, agreement (-1..1) and n, the least agreement first; pairs without an order are left out."""

    def of(self, a: str, b: str) -> float | None:
        """The agreement of two metrics; None where there is none to tell."""
        found = self.pairs[self.pairs["a"].isin([a, b]) & self.pairs["b"].isin([a, b])]
        return float(found["agreement"].iloc[0]) if len(found) and a != b else None


@dataclass(frozen=True)
class Dispute:
    """A picture that one metric puts among the best and another among the worst."""

    stimulus: str
    praising: str
    blaming: str
    from_best: float
    """Share of the pictures (0..1) that are at least as good, by the praising metric."""
    from_worst: float
    """Share of the pictures (0..1) that are at least as bad, by the blaming metric."""


def directed(metrics: Sequence[str]) -> list[str]:
    """Those of which it is known which way is better."""
    return [metric for metric in metrics if higher_is_better(metric) is not None]


def model_goodness(measured: Measured, dataset: str) -> pd.DataFrame:
    """Models (rows) beside metrics (columns): turned so that more is better; only models that have all."""
    models, metrics = measured.models(dataset), directed(measured.metrics(dataset))
    values = {metric: [measured.summary(dataset, metric, model).value for model in models] for metric in metrics}
    table = _turned(pd.DataFrame(values, index=models))
    return table.loc[:, table.notna().any()].dropna()


def model_ranks(measured: Measured, dataset: str) -> pd.DataFrame:
    """The same as ranks: 1 is the best."""
    return model_goodness(measured, dataset).rank(ascending=False, method="min")


def model_agreement(measured: Measured, dataset: str) -> Agreement | None:
    """Kendall's tau-b of the metrics' orders of the models; None for fewer than LEAST_MODELS models or two metrics."""
    table = model_goodness(measured, dataset)
    if len(table) < LEAST_MODELS or table.shape[1] < 2:
        return None
    return _agreement(table, lambda a, b: stats.kendalltau(a, b).statistic)


def picture_agreement(measured: Measured, dataset: str) -> Agreement | None:
    """Spearman's rank correlation over all generated pictures with both values; None for fewer than LEAST_PICTURES."""
    table = picture_goodness(measured, dataset)
    if len(table) < LEAST_PICTURES or table.shape[1] < 2:
        return None
    return _agreement(table, lambda a, b: stats.spearmanr(a, b).statistic)


def picture_goodness(measured: Measured, dataset: str) -> pd.DataFrame:
    """Generated pictures (rows) beside picture metrics (columns): values, turned so that more is better."""
    table = measured.ranks(dataset)
    table = _turned(table[directed(list(table.columns))])
    return table.loc[:, table.notna().any()].dropna(how="all")


def disputes(measured: Measured, dataset: str) -> list[Dispute]:
    """For each two metrics the picture whose ranks differ most, the widest apart first, no picture twice."""
    table = picture_goodness(measured, dataset)
    if len(table) < LEAST_PICTURES:
        return []
    ranks = {str(metric): table[metric].rank(pct=True).to_numpy(float) for metric in table.columns}
    found = []
    for praising, blaming in permutations(ranks, 2):
        apart = ranks[praising] - ranks[blaming]
        if not np.isnan(apart).all():
            place = int(np.nanargmax(apart))
            found.append((float(apart[place]), place, praising, blaming))
    kept: dict[int, Dispute] = {}
    for width, place, praising, blaming in sorted(found, key=lambda one: -one[0]):
        if width >= WIDE_APART and place not in kept and len(kept) < MOST_DIFFERENT:
            counted = int((~np.isnan(ranks[praising])).sum())
            from_best = 1 - float(ranks[praising][place]) + 1 / counted
            from_worst = float(ranks[blaming][place])
            kept[place] = Dispute(str(table.index[place]), praising, blaming, from_best, from_worst)
    return list(kept.values())


def _turned(table: pd.DataFrame) -> pd.DataFrame:
    return table * np.array([1.0 if higher_is_better(str(name)) else -1.0 for name in table.columns])


def _agreement(table: pd.DataFrame, measure: Callable[[pd.Series, pd.Series], float]) -> Agreement:
    rows = []
    for a, b in combinations(table.columns, 2):
        both = table[[a, b]].dropna()
        if len(both) >= LEAST_MODELS and both[a].nunique() > 1 and both[b].nunique() > 1:
            rows.append({"a": a, "b": b, "agreement": float(measure(both[a], both[b])), "n": len(both)})
    pairs = pd.DataFrame(rows, columns=["a", "b", "agreement", "n"]).sort_values("agreement", kind="stable")
    return Agreement(len(table), list(table.columns), pairs.reset_index(drop=True))
