"""Rank agreement of metrics over models and over pictures.

Values are turned round where lower is better, so that agreement means agreement on what is good.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from gan_eval.report.metrics.data import (
    Measured,
    higher_is_better,
    is_of_quality,
    section_by_dataset,
    square_table,
    title_of,
)
from gan_eval.report.parts.blocks import Cell, Section, Table
from gan_eval.report.parts.words import NOTHING, number, whole

LEAST_MODELS, LEAST_PICTURES = 3, 10
"""Fewer than these have no order."""


@dataclass(frozen=True)
class Agreement:
    """Rank correlation of each two metrics."""

    n: int
    """Models or pictures."""
    metrics: Sequence[str]
    pairs: pd.DataFrame
    """a, b, agreement (-1..1) and n, the least agreement first; pairs without an order are left out."""

    def of(self, a: str, b: str) -> float | None:
        """Return the agreement of two metrics, or None."""
        rows = self.pairs[self.pairs["a"].isin([a, b]) & self.pairs["b"].isin([a, b])]
        return float(rows["agreement"].iloc[0]) if len(rows) and a != b else None


def agreement_section(measured: Measured) -> Section:
    """Return the rank agreement of the metrics."""
    return section_by_dataset(
        "agreement", "Where metrics disagree", measured, lambda dataset: agreement_tables(measured, dataset)
    )


def agreement_tables(measured: Measured, dataset: str) -> list[Table]:
    """Return the rank agreement of the metrics over the models and over the pictures."""
    tables = []
    models, pictures = model_agreement(measured, dataset), picture_agreement(measured, dataset)
    if models is not None and len(models.pairs):
        few = " Few models: one that changes its place moves these numbers far." if models.n < 10 else ""
        caption = f"{dataset}: do metrics put the models into the same order? Kendall's tau over {models.n} models"
        note = (
            f"Over {models.n} models only, by their values, intervals disregarded; with {LEAST_MODELS} or 4 models "
            f"chance alone often gives 1 or −1.{few}"
        )
        tables.append(_table(models, caption, note))
    if pictures is not None and len(pictures.pairs):
        least, most = int(pictures.pairs["n"].min()), int(pictures.pairs["n"].max())
        count = whole(most) if least == most else f"{whole(least)} to {whole(most)}"
        caption = (
            f"{dataset}: do metrics put the pictures into the same order? Spearman's correlation over {count} "
            "generated pictures"
        )
        pooled = " of all models together, so differences between models count as well as those between pictures"
        note = f"n = {count} generated pictures{pooled if len(measured.models(dataset)) > 1 else ''}."
        tables.append(_table(pictures, caption, note))
    return tables


def _table(agreement: Agreement, caption: str, note: str) -> Table:
    names = agreement.metrics

    def cell(a: str, b: str) -> Cell:
        value = agreement.of(a, b)
        if value is None:
            return Cell("" if a == b else NOTHING)
        return Cell(number(value), tone="good" if value >= 0 else "bad", strength=round(60 * abs(value)))

    direction = "1: the same order of what is good; −1: the opposite. Metrics where lower is better are turned round."
    return square_table(
        caption,
        [title_of(name) for name in names],
        [[cell(a, b) for b in names] for a in names],
        notes=[note, direction],
    )


def directed(metrics: Sequence[str]) -> list[str]:
    """Return the metrics of generated pictures whose better direction is known."""
    return [metric for metric in metrics if is_of_quality(metric) and higher_is_better(metric) is not None]


def model_goodness(measured: Measured, dataset: str) -> pd.DataFrame:
    """Return models (rows) by metrics (columns), turned so that more is better; only models that have all metrics."""
    models, metrics = measured.models(dataset), directed(measured.metrics(dataset))
    values = {metric: [measured.summary(dataset, metric, model).value for model in models] for metric in metrics}
    table = _more_is_better(pd.DataFrame(values, index=models))
    return table.loc[:, table.notna().any()].dropna()


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
    """Return generated pictures (rows) by picture metrics (columns), turned so that more is better."""
    table = measured.ranks(dataset)
    table = _more_is_better(table[directed(list(table.columns))])
    return table.loc[:, table.notna().any()].dropna(how="all")


def _more_is_better(table: pd.DataFrame) -> pd.DataFrame:
    return table * np.array([1.0 if higher_is_better(str(name)) else -1.0 for name in table.columns])


def _agreement(table: pd.DataFrame, measure: Callable[[pd.Series, pd.Series], float]) -> Agreement:
    rows = []
    for a, b in combinations(table.columns, 2):
        both = table[[a, b]].dropna()
        if len(both) >= LEAST_MODELS and both[a].nunique() > 1 and both[b].nunique() > 1:
            rows.append({"a": a, "b": b, "agreement": float(measure(both[a], both[b])), "n": len(both)})
    pairs = pd.DataFrame(rows, columns=["a", "b", "agreement", "n"]).sort_values("agreement", kind="stable")
    return Agreement(len(table), list(table.columns), pairs.reset_index(drop=True))
