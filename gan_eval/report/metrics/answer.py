"""The answer first, in plain words: who is best by what, and where metrics disagree.

Who is best by a metric, as far as the intervals of the differences allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from gan_eval.metrics.catalogue import BESIDE_FID
from gan_eval.report.metrics.agreement import model_agreement, model_ranks
from gan_eval.report.metrics.data import NO_VERDICT, Measured, fid_warning, higher_is_better
from gan_eval.report.parts.words import listed, number, plural, whole

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


_MOST_NAMED, _MOST_METRICS = 4, 6


def answer(measured: Measured, dataset: str, found: Mapping[str, Standing]) -> list[str]:
    """The sentences for one data set, the answer itself first."""
    models = measured.models(dataset)
    if not models:
        return [f"{dataset}: no generated picture was measured."]
    if len(models) == 1:
        said = [f"{dataset}: one model, {models[0]}, so there is nothing to compare; its values stand below."]
        return [*said, *_small_fid(measured, dataset)]
    aside = aside_of(measured, dataset, found)
    counted = {metric: one for metric, one in found.items() if metric not in aside}
    sentences = [_headline(dataset, models, counted, aside), *_won(counted), *_tied(counted, models), *_unsaid(counted)]
    sentences += [_set_aside(metric, found[metric], models, why) for metric, why in aside.items()]
    sentences += filter(None, (_left_out(measured, dataset, metric) for metric in found))
    return [*sentences, *_disagreements(measured, dataset), *_small_fid(measured, dataset)]


def aside_of(measured: Measured, dataset: str, found: Mapping[str, Standing]) -> dict[str, str]:
    """The metrics that make nobody the best, and why: those that only describe, and an FID of few pictures where
    other metrics compare the same sets."""
    aside = {metric: "noise raises it, too" for metric in NO_VERDICT if metric in found and found[metric].leader}
    instead = [metric for metric in BESIDE_FID if metric in found and found[metric].leader]
    if instead and "fid" in found and found["fid"].leader and _fid_counts(measured, dataset, few=True):
        aside["fid"] = f"{listed(instead)} {'counts' if len(instead) == 1 else 'count'} in its place"
    return aside


def _set_aside(metric: str, one: Standing, models: list[str], why: str) -> str:
    end = "highest" if higher_is_better(metric) else "lowest"
    who = one.best or f"{_named(frozenset(one.tied), models)}, not told apart"
    return f"{metric} is {end} for {who}; it does not count here: {why}."


def _headline(dataset: str, models: list[str], found: Mapping[str, Standing], aside: Mapping[str, str]) -> str:
    decided = {metric: one.best for metric, one in found.items() if one.leader}
    winners = set(decided.values())
    where = f"{dataset}: of {plural(len(models), 'model')}"
    if not decided:
        why = f"{listed(list(aside))} alone cannot say so" if aside else "there are no differences to go by"
        return f"{where} none can be called best: {why}."
    if winners == {None}:
        return f"{where} none is better than every other by any metric, as far as the 95\u202f% intervals allow."
    if len(winners) == 1:
        return f"{where} {winners.pop()} is the best by every metric that could be compared."
    winners.discard(None)
    if len(winners) == 1:
        by = sum(best is not None for best in decided.values())
        return f"{where} {winners.pop()} is better than every other by {by} of {plural(len(decided), 'metric')}."
    return f"{where} none is best by every metric: it depends on what is measured."


def _won(found: Mapping[str, Standing]) -> list[str]:
    metrics: dict[str, list[str]] = {}
    for metric, one in found.items():
        if one.best:
            metrics.setdefault(one.best, []).append(metric)
    return [
        f"{model} is best by {_some(names)}: better than every other model, beyond the 95\u202f% interval of the "
        f"difference."
        for model, names in metrics.items()
    ]


def _tied(found: Mapping[str, Standing], models: list[str]) -> list[str]:
    groups: dict[frozenset[str], list[str]] = {}
    for metric, one in found.items():
        if one.leader and not one.best:
            groups.setdefault(frozenset(one.tied), []).append(metric)
    return [
        f"By {_some(names)}, {_named(group, models)} cannot be told apart at the top."
        for group, names in groups.items()
    ]


def _named(group: frozenset[str], models: list[str]) -> str:
    names = [model for model in models if model in group]
    if len(names) == len(models):
        return f"{'the two' if len(models) == 2 else f'all {len(models)}'} models"
    return listed(names) if len(names) <= _MOST_NAMED else plural(len(names), "model")


def _some(metrics: list[str]) -> str:
    """Metrics as an enumeration that stays short."""
    if len(metrics) <= _MOST_METRICS:
        return listed(metrics)
    return f"{', '.join(metrics[: _MOST_METRICS - 1])} and {len(metrics) - _MOST_METRICS + 1} more"


def _left_out(measured: Measured, dataset: str, metric: str) -> str:
    """Whose infinite values the order by a metric is without; empty where there are none."""
    every = {model: measured.summary(dataset, metric, model) for model in measured.models(dataset)}
    counts = [f"{whole(one.infinite)} of {whole(one.n)} of {model}" for model, one in every.items() if one.infinite]
    if not counts:
        return ""
    shown = (
        counts
        if len(counts) <= _MOST_NAMED
        else [*counts[:_MOST_NAMED], plural(len(counts) - _MOST_NAMED, "more model")]
    )
    equal = " (pictures equal to their reference)" if metric in ("psnr", "psnr_hole") else ""
    return f"{metric} counts without infinite values{equal}, in means and differences: {listed(shown)}."


def _unsaid(found: Mapping[str, Standing]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for metric, one in found.items():
        if one.leader is None:
            reasons.setdefault(one.why, []).append(metric)
    return [f"Nothing is said by {_some(names)}: {why}." for why, names in reasons.items()]


def _disagreements(measured: Measured, dataset: str) -> list[str]:
    """The two metrics whose orders of the models are furthest apart, where they are more against than with each
    other."""
    table = model_agreement(measured, dataset)
    if table is None:
        return []
    pairs = table.pairs[~(table.pairs["a"].isin(NO_VERDICT) | table.pairs["b"].isin(NO_VERDICT))]
    if pairs.empty:
        return []
    worst = pairs.iloc[0]
    if worst["agreement"] >= 0:
        return [
            f"No two metrics order the {table.n} models against each other; furthest apart are {worst['a']} and "
            f"{worst['b']} (Kendall's tau {number(worst['agreement'])})."
        ]
    ranks = model_ranks(measured, dataset)
    first = ranks[worst["a"]].idxmin()
    against = int((pairs["agreement"] < 0).sum())
    return [
        f"Metrics disagree: {worst['a']} and {worst['b']} order the models against each other (Kendall's tau "
        f"{number(worst['agreement'])} over {table.n} models): {first} is number 1 by {worst['a']} and number "
        f"{ranks.loc[first, worst['b']]:g} by {worst['b']}."
        + (f" So do {against - 1} more of {len(pairs)} pairs of metrics." if against > 1 else "")
    ]


def _small_fid(measured: Measured, dataset: str) -> list[str]:
    counts = _fid_counts(measured, dataset, few=True)
    every = _fid_counts(measured, dataset)
    return [fid_warning(min(every), max(every))] if counts else []


def _fid_counts(measured: Measured, dataset: str, *, few: bool = False) -> list[int]:
    """Pictures behind each model's FID: those of the smaller set; `few`: only where they are too few."""
    every = (measured.summary(dataset, "fid", model) for model in measured.models(dataset))
    return [one.smaller for one in every if (one.few_for_fid if few else one.is_known)]
