"""Who is best by a metric, as far as the intervals of the differences allow."""

from dataclasses import dataclass

import pandas as pd

from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.metrics_facts import higher_is_better

HOW_MARKED = (
    "best: better than every other model, the difference beyond its 95\u202f% interval. tied: the best value and all "
    "that are not shown to be worse. Differences are taken on the same items, so two models may differ clearly "
    "although their own intervals overlap; they are not corrected for the number of comparisons."
)
"""What the marks say."""


@dataclass(frozen=True)
class Standing:
    """How the models of one data set stand by one metric."""

    leader: str | None = None
    """The model with the best value; None where nothing can be said."""
    tied: tuple[str, ...] = ()
    """The leader and every model that the intervals do not show to be worse."""
    why: str = ""
    """Why nothing can be said."""

    @property
    def best(self) -> str | None:
        """The leader, where it is shown to be better than every other model."""
        return self.leader if len(self.tied) == 1 else None

    def mark(self, model: str) -> str:
        """`best`, `tied` or nothing.

        >>> Standing("a", ("a", "b")).mark("b"), Standing("a", ("a",)).mark("a"), Standing("a", ("a",)).mark("b")
        ('tied', 'best', '')
        """
        if model not in self.tied:
            return ""
        return "best" if self.best else "tied"


def standing(measured: Measured, dataset: str, metric: str) -> Standing:
    """The standing by the table `metric_comparisons`; a difference that is not there shows nothing.

    Infinite values are in no mean and in no difference; a model that has no others has no standing.
    """
    better = higher_is_better(metric)
    models = [m for m in measured.models(dataset) if measured.summary(dataset, metric, m).is_known]
    if len(models) < 2:
        lacking = [one for m in measured.models(dataset) if not (one := measured.summary(dataset, metric, m)).is_known]
        whys = {why for one in lacking for why in one.reasons}
        whys |= {"every value is infinite"} if any(one.infinite for one in lacking) else set()
        only = f" ({whys.pop()})" if len(whys) == 1 else ""
        return Standing(why=f"{'one model has' if models else 'no model has'} a value{only}")
    if better is None:
        return Standing(why="nobody said which way is better")
    table = measured.comparisons
    table = table[(table["dataset"] == dataset) & (table["metric"] == metric)]
    if table["difference"].notna().sum() == 0:
        reasons = table["reason"].dropna()
        return Standing(why=str(reasons.iloc[0]) if len(reasons) else "no differences were computed")
    leader = (max if better else min)(models, key=lambda m: measured.summary(dataset, metric, m).value)
    beaten = _beaten(table, leader)
    return Standing(leader, (leader, *(m for m in models if m != leader and m not in beaten)))


def standings(measured: Measured, dataset: str) -> dict[str, Standing]:
    """The standing by each metric of a data set."""
    return {metric: standing(measured, dataset, metric) for metric in measured.metrics(dataset)}


def _beaten(table: pd.DataFrame, leader: str) -> set[str]:
    """The models that the intervals show to be worse than the leader."""
    won = table[table["better"] == leader]
    return {str(name) for name in (*won["a"], *won["b"])} - {leader}
