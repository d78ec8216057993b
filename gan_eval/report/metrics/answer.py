"""The answer of the metrics page: the best model by each metric, as far as intervals of differences allow, and the
differences themselves."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gan_eval.report.metrics.data import (
    NO_VERDICT,
    Measured,
    decimals,
    facts_of,
    fid_warning,
    higher_is_better,
    section_by_dataset,
    title_of,
    with_arrow,
)
from gan_eval.report.parts.blocks import Lead, Section, Table
from gan_eval.report.parts.words import NOTHING, interval, listed, missing, number, plural, text, whole

HOW_MARKED = (
    "best: better than every other model, the difference beyond its 95\u202f% interval. tied: the best value and all "
    "that are not shown to be worse. Differences are taken on the same items, so two models may differ clearly "
    "although their own intervals overlap; they are not corrected for the number of comparisons."
)
"""Meaning of the marks."""
_MOST_NAMED = 4
_MOST_NOTES = 6
"""Notes on the differences between many models."""


@dataclass(frozen=True)
class Standing:
    """Ranking of the models of one data set by one metric."""

    leader: str | None = None
    """The model with the best value of those that no other is shown to beat; None where nothing can be said."""
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
    compared = set(table.loc[table["difference"].notna(), ["a", "b"]].to_numpy().ravel())
    # the mean of other items than the rivals' may be the best and its model lose to one of them
    leader = (max if better else min)(
        [model for model in unbeaten if model in compared] or unbeaten, key=lambda model: summaries[model].value
    )
    return Standing(leader, (leader, *(model for model in models if model != leader and (leader, model) not in beaten)))


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
    tied: dict[tuple[str, ...], list[str]] = {}
    unknown: dict[str, list[str]] = {}
    for metric, place in counted.items():
        if place.leader is None:
            unknown.setdefault(place.why, []).append(metric)
        elif place.best:
            best.setdefault(place.best, []).append(metric)
        else:
            tied.setdefault(tuple(sorted(place.tied)), []).append(metric)
    sentences = [_headline(dataset, models, counted, descriptive)]
    sentences += [
        f"{model} is best by {_titles(metrics)}: better than every other model that has values, beyond the "
        "95\u202f% interval of the difference."
        for model, metrics in best.items()
    ]
    sentences += [
        f"By {_titles(metrics)}, {_group_name(group, models)} cannot be told apart at the top."
        for group, metrics in tied.items()
    ]
    sentences += [f"Nothing is said by {_titles(metrics)}: {why}." for why, metrics in unknown.items()]
    for metric, why in descriptive.items():
        end = "highest" if higher_is_better(metric) else "lowest"
        first = by_metric[metric].best or f"{_group_name(by_metric[metric].tied, models)}, not told apart"
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
    decided = [place.best for place in counted.values() if place.leader]
    wins = Counter(best for best in decided if best)
    where = f"{dataset}: of {plural(len(models), 'model')}"
    if not decided:
        why = f"{_titles(descriptive)} alone cannot say so" if descriptive else "there are no differences to go by"
        return f"{where} none can be called best: {why}."
    if not wins:
        return f"{where} none is better than every other by any metric, as far as the 95\u202f% intervals allow."
    if len(wins) > 1:
        return f"{where} none is best by every metric: it depends on what is measured."
    ((model, count),) = wins.items()
    return f"{where} {model} is better than every other by {count} of {plural(len(decided), 'metric')}."


def _group_name(group: Sequence[str], models: Sequence[str]) -> str:
    if len(group) == len(models):
        return f"{'the two' if len(models) == 2 else f'all {len(models)}'} models"
    names = [model for model in models if model in group]
    return listed(names) if len(names) <= _MOST_NAMED else plural(len(names), "model")


def _titles(metrics: Iterable[str]) -> str:
    return listed([title_of(metric) for metric in metrics])


def _small_fid(measured: Measured, dataset: str) -> list[str]:
    """The warning where any model's FID is of too few pictures, with the counts of all."""
    summaries = [measured.summary(dataset, "fid", model) for model in measured.models(dataset)]
    if not any(summary.few_for_fid for summary in summaries):
        return []
    counts = [summary.smaller_count for summary in summaries if summary.is_known]
    return [fid_warning(min(counts), max(counts))]


def differences_section(measured: Measured) -> Section:
    """Return the differences between models by each metric."""
    return section_by_dataset(
        "differences", "Differences between models", measured, lambda dataset: difference_tables(measured, dataset)
    )


def difference_tables(measured: Measured, dataset: str) -> list[Table]:
    """Return each metric's differences: of two models, or of every model and the one with the best value."""
    table = measured.comparisons[measured.comparisons["dataset"] == dataset]
    several = len(measured.models(dataset)) > 2
    rows = []
    for metric, place in standings(measured, dataset).items():
        pairs = table[table["metric"] == metric]
        if several:
            pairs = pairs[(pairs["a"] == place.leader) | (pairs["b"] == place.leader)]
        for row in pairs.to_dict("records"):
            places = decimals([row["difference"]], [(row["ci_high"] - row["ci_low"]) / 2])
            undecided = NOTHING if missing(row["difference"]) else "not told apart"
            rows.append(
                [
                    with_arrow(metric),
                    f"{row['a']} − {row['b']}",
                    undecided if missing(row["better"]) else text(row["better"]),
                    number(row["difference"], digits=places),
                    interval(row["ci_low"], row["ci_high"], digits=places),
                    whole(row["n"]),
                    "" if missing(row["reason"]) else str(row["reason"]),
                ]
            )
    head = ["metric", "difference of", "better", "difference", "95\u202f% interval", "N", "remark"]
    caption = f"{dataset}: differences{' from the best value' * several}"
    noted = table[table["note"].notna()].groupby("note", sort=False)["metric"].unique()
    notes = [f"{_titles(metrics)}: {note}." for note, metrics in noted.items()][:_MOST_NOTES]
    return [Table(caption, head, rows, text_columns=3, notes=notes, last_is_text=True)] if rows else []
