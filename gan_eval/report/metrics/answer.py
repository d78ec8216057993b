"""The answer of the metrics page: the best model by each metric, as far as intervals of differences allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gan_eval.report.metrics.data import NO_VERDICT, Measured, facts_of, fid_warning, higher_is_better, title_of
from gan_eval.report.parts.blocks import Lead, Section
from gan_eval.report.parts.words import listed, plural

HOW_MARKED = (
    "best: better than every other model, the difference beyond its 95\u202f% interval. tied: the best value and all "
    "that are not shown to be worse. Differences are taken on the same items, so two models may differ clearly "
    "although their own intervals overlap; they are not corrected for the number of comparisons."
)
"""Meaning of the marks."""
_MOST_NAMED, _MOST_METRICS = 4, 6


@dataclass(frozen=True)
class Standing:
    """Ranking of the models of one data set by one metric."""

    leader: str | None = None
    """The model with the best value of those that no other is shown to beat; None where nothing can be said."""
    tied: tuple[str, ...] = ()
    """The leader and every model that the intervals do not show to be worse."""
    why: str = ""
    """Why nothing can be said; with a leader, why it has no difference from another model that has a value."""
    without: tuple[str, ...] = ()
    """The models that have no value."""

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
    facts = facts_of(metric)
    if facts is not None and facts.kind == "input":
        return Standing(why="of the input, which the models share")
    better = higher_is_better(metric)
    summaries = {model: measured.summary(dataset, metric, model) for model in measured.models(dataset)}
    models = [model for model, summary in summaries.items() if summary.is_known]
    if len(models) < 2:
        unknown = [summary for summary in summaries.values() if not summary.is_known]
        reasons = {reason for summary in unknown for reason in summary.reasons}
        reasons |= {"every value is infinite"} if any(summary.infinite for summary in unknown) else set()
        only = f" ({reasons.pop()})" if len(reasons) == 1 else ""
        return Standing(why=f"{'one model has' if models else 'no model has'} a value{only}")
    if better is None:
        return Standing(why="nobody said which way is better")
    table = measured.comparisons
    table = table[(table["dataset"] == dataset) & (table["metric"] == metric)]
    if table["difference"].notna().sum() == 0:
        given = table["reason"].dropna()
        return Standing(why=str(given.iloc[0]) if len(given) else "no differences were computed")
    judged = table[table["better"].notna()]
    if judged.empty and table["ci_low"].isna().all():
        notes = table["note"].dropna()
        return Standing(why=str(notes.iloc[0]) if len(notes) else "no difference has an interval")
    beaten = {
        (str(winner), str(b if winner == a else a))
        for winner, a, b in judged[["better", "a", "b"]].itertuples(index=False, name=None)
    }
    unbeaten = [model for model in models if not any(loser == model for _, loser in beaten)]
    if not unbeaten:
        return Standing(why="every model loses to another, on the items that the two share")
    has_difference = table["difference"].notna()
    compared = set(table.loc[has_difference, ["a", "b"]].to_numpy().ravel())
    # the mean of other items than the rivals' may be the best and its model lose to one of them
    leader = (max if better else min)(
        [model for model in unbeaten if model in compared] or unbeaten, key=lambda model: summaries[model].value
    )
    tied = (leader, *(model for model in models if model != leader and (leader, model) not in beaten))
    pairs = (table["a"].eq(leader) & table["b"].isin(tied)) | (table["b"].eq(leader) & table["a"].isin(tied))
    uncompared = table.loc[pairs & ~has_difference, "reason"].dropna()
    why = str(uncompared.iloc[0]) if len(uncompared) else ""
    return Standing(leader, tied, why, without=tuple(model for model in summaries if model not in models))


def standings(measured: Measured, dataset: str) -> dict[str, Standing]:
    """The standing by each metric of a data set."""
    return {metric: standing(measured, dataset, metric) for metric in measured.metrics(dataset)}


def answer_section(measured: Measured) -> Section:
    """The answer, data set by data set."""
    answers = [dataset_answer(measured, dataset) for dataset in measured.datasets]
    leads = list(map(Lead, answers or [["No answer: nothing was measured."]]))
    return Section("answer", "The answer", leads, on_first_page=True)


def dataset_answer(measured: Measured, dataset: str) -> list[str]:
    """The sentences for one data set, the answer itself first."""
    models, by_metric = measured.models(dataset), standings(measured, dataset)
    if not models:
        return [f"{dataset}: no generated picture was measured."]
    if len(models) == 1:
        only = f"{dataset}: one model, {models[0]}, so there is nothing to compare; its values stand below."
        return [only, *_small_fid(measured, dataset)]
    descriptive = descriptive_metrics(measured, dataset, by_metric)
    counted = {metric: place for metric, place in by_metric.items() if metric not in descriptive}
    best: dict[str, list[str]] = {}
    tied: dict[frozenset[str], list[str]] = {}
    unknown: dict[str, list[str]] = {}
    for metric, place in counted.items():
        if place.leader is None:
            unknown.setdefault(place.why, []).append(metric)
        elif place.best:
            best.setdefault(place.best, []).append(metric)
        else:
            tied.setdefault(frozenset(place.tied), []).append(metric)
    sentences = [_headline(dataset, models, counted, descriptive)]
    for model, metrics in best.items():
        without = dict.fromkeys(name for metric in metrics for name in counted[metric].without)
        others = "every other model"
        if without:
            others += f" with values ({listed([*without])} {'lacks' if len(without) == 1 else 'lack'} them)"
        sentences.append(
            f"{model} is best by {_abbreviated(metrics)}: better than {others}, beyond the 95\u202f% interval of the "
            "difference."
        )
    sentences += [
        f"By {_abbreviated(metrics)}, {_group_name(group, models)} cannot be told apart at the top."
        for group, metrics in tied.items()
    ]
    sentences += [f"Nothing is said by {_abbreviated(metrics)}: {why}." for why, metrics in unknown.items()]
    not_all: dict[str, list[str]] = {}
    for metric, place in counted.items():
        if place.leader and place.why:
            not_all.setdefault(place.why, []).append(metric)
    sentences += [f"By {_abbreviated(metrics)}, not all are compared: {why}." for why, metrics in not_all.items()]
    for metric, why in descriptive.items():
        end = "highest" if higher_is_better(metric) else "lowest"
        first = by_metric[metric].best or f"{_group_name(frozenset(by_metric[metric].tied), models)}, not told apart"
        sentences.append(f"{title_of(metric)} is {end} for {first}; it does not count here: {why}.")
    return [*sentences, *_small_fid(measured, dataset)]


def descriptive_metrics(measured: Measured, dataset: str, by_metric: Mapping[str, Standing]) -> dict[str, str]:
    """The metrics that make nobody the best, and why: those that only describe, and an FID of few pictures where
    KID compares the same sets."""
    decided = [metric for metric, place in by_metric.items() if place.leader]
    reasons = {metric: "noise raises it, too" for metric in NO_VERDICT if metric in decided}
    models = measured.models(dataset)
    few = any(measured.summary(dataset, "fid", model).few_for_fid for model in models)
    if "kid" in decided and "fid" in decided and few:
        reasons["fid"] = "KID counts in its place"
    return reasons


def _headline(
    dataset: str, models: Sequence[str], counted: Mapping[str, Standing], descriptive: Mapping[str, str]
) -> str:
    decided = {metric: place.best for metric, place in counted.items() if place.leader}
    winners = set(decided.values())
    where = f"{dataset}: of {plural(len(models), 'model')}"
    if not decided:
        why = (
            f"{_abbreviated(list(descriptive))} alone cannot say so"
            if descriptive
            else "there are no differences to go by"
        )
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


def _group_name(group: frozenset[str], models: Sequence[str]) -> str:
    names = [model for model in models if model in group]
    if len(names) == len(models):
        return f"{'the two' if len(models) == 2 else f'all {len(models)}'} models"
    return listed(names) if len(names) <= _MOST_NAMED else plural(len(names), "model")


def _abbreviated(metrics: Sequence[str]) -> str:
    """Metrics as an enumeration that stays short."""
    if len(metrics) <= _MOST_METRICS:
        return listed([title_of(metric) for metric in metrics])
    first = [title_of(metric) for metric in metrics[: _MOST_METRICS - 1]]
    return f"{', '.join(first)} and {len(metrics) - _MOST_METRICS + 1} more"


def _small_fid(measured: Measured, dataset: str) -> list[str]:
    """The warning where any model's FID is of too few pictures, with the counts of all."""
    summaries = [measured.summary(dataset, "fid", model) for model in measured.models(dataset)]
    if not any(summary.few_for_fid for summary in summaries):
        return []
    counts = [summary.smaller_count for summary in summaries if summary.is_known]
    return [fid_warning(min(counts), max(counts))]
