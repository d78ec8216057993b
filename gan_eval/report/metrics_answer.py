"""The answer first, in plain words: who is best by what, and where metrics disagree."""

from collections.abc import Mapping

from gan_eval.metrics.facts import ENOUGH_FOR_FID
from gan_eval.report.metrics_agreement import model_agreement, model_ranks
from gan_eval.report.metrics_best import Standing
from gan_eval.report.metrics_data import Measured
from gan_eval.report.metrics_facts import fid_warning
from gan_eval.report.words import listed, number, plural

_MOST_NAMED, _MOST_METRICS = 4, 6


def answer(measured: Measured, dataset: str, found: Mapping[str, Standing]) -> list[str]:
    """The sentences for one data set, the answer itself first."""
    models = measured.models(dataset)
    if not models:
        return [f"{dataset}: no generated picture was measured."]
    if len(models) == 1:
        said = [f"{dataset}: one model, {models[0]}, so there is nothing to compare; its values stand below."]
        return [*said, *_small_fid(measured, dataset)]
    sentences = [_headline(dataset, models, found), *_won(found), *_tied(found, models), *_unsaid(found)]
    return [*sentences, *_disagreements(measured, dataset), *_small_fid(measured, dataset)]


def _headline(dataset: str, models: list[str], found: Mapping[str, Standing]) -> str:
    decided = {metric: one.best for metric, one in found.items() if one.leader}
    winners = set(decided.values())
    where = f"{dataset}: of {plural(len(models), 'model')}"
    if not decided:
        return f"{where} none can be called best: there are no differences to go by."
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
    if table is None or table.pairs.empty:
        return []
    worst = table.pairs.iloc[0]
    if worst["agreement"] >= 0:
        return [
            f"No two metrics order the {table.n} models against each other; furthest apart are {worst['a']} and "
            f"{worst['b']} (Kendall's tau {number(worst['agreement'])})."
        ]
    ranks = model_ranks(measured, dataset)
    first = ranks[worst["a"]].idxmin()
    against = int((table.pairs["agreement"] < 0).sum())
    return [
        f"Metrics disagree: {worst['a']} and {worst['b']} order the models against each other (Kendall's tau "
        f"{number(worst['agreement'])} over {table.n} models): {first} is number 1 by {worst['a']} and number "
        f"{ranks.loc[first, worst['b']]:g} by {worst['b']}."
        + (f" So do {against - 1} more of {len(table.pairs)} pairs of metrics." if against > 1 else "")
    ]


def _small_fid(measured: Measured, dataset: str) -> list[str]:
    counts = [
        min(one.n, one.n_real if one.n_real is not None else one.n)
        for model in measured.models(dataset)
        if (one := measured.summary(dataset, "fid", model)).is_known
    ]
    if not counts or min(counts) >= ENOUGH_FOR_FID:
        return []
    return [fid_warning(min(counts), max(counts))]
