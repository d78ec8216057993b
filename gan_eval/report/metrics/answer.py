"""The answer of the metrics page: the best model by each metric, as far as intervals of differences allow."""

from gan_eval.metrics.catalogue import metric_named
from gan_eval.report.metrics.summaries import NO_VERDICT, Measured, fid_warnings, higher_is_better, title_of
from gan_eval.report.parts.blocks import Lead, ReportSection
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.words import missing


def leaders(measured: Measured, dataset: str, metric: str) -> list[str]:
    """Return the model with the best value among those that no other model beats, then those not shown to be worse.

    A single name is that of a model that is better than every other one. Empty if `metric_comparisons` decides nothing.
    Infinite values are excluded; a model with only infinite values is not ranked. Metrics of the input, which the
    models share, and metrics without a direction rank no model.
    """
    facts, better = metric_named(metric), higher_is_better(metric)
    summaries = {model: measured.summary(dataset, metric, model) for model in measured.models(dataset)}
    models = [model for model, summary in summaries.items() if summary.is_known]
    table = [
        row
        for row in measured.comparisons
        if row["dataset"] == dataset and row["metric"] == metric and not missing(row["difference"])
    ]
    verdicts = [row for row in table if not missing(row["better"])]
    is_open = not verdicts and all(missing(row["ci_low"]) for row in table)
    if facts is None or facts.kind == "input" or better is None or len(models) < 2 or is_open:
        return []
    beaten = {(row["better"], row["b"] if row["better"] == row["a"] else row["a"]) for row in verdicts}
    unbeaten = [model for model in models if not any(loser == model for _, loser in beaten)]
    if not unbeaten:
        return []
    compared = {row[side] for row in table for side in ("a", "b")}
    # the mean of other items than the rivals' may be the best and its model lose to one of them
    first = (max if better else min)(
        [model for model in unbeaten if model in compared] or unbeaten, key=lambda model: summaries[model].value
    )
    return [first, *(model for model in models if model != first and (first, model) not in beaten)]


def answer_section(measured: Measured) -> ReportSection:
    """Return the answer for each data set."""
    answers = [dataset_answer(measured, dataset) for dataset in measured.datasets]
    leads = list(map(Lead, answers or [["No answer: nothing was measured."]]))
    return ReportSection("answer", "The answer", leads, on_first_page=True)


def dataset_answer(measured: Measured, dataset: str) -> list[str]:
    """Return the best models with their metrics, and a warning about FIDs of few pictures.

    Metrics in NO_VERDICT make no model the best, nor does an FID of few pictures if there is a KID.
    """
    models = measured.models(dataset)
    warnings = fid_warnings(row for row in measured.set_rows(dataset) if row["model"] in models)
    if len(models) < 2:
        return [*said("metrics", "none_compared", dataset, models), *warnings]
    by_metric = {metric: leaders(measured, dataset, metric) for metric in measured.metrics(dataset)}
    decided = [metric for metric, first in by_metric.items() if first and metric not in NO_VERDICT]
    if "kid" in decided and warnings:
        decided = [metric for metric in decided if metric != "fid"]
    best: dict[str, list[str]] = {}
    for metric in decided:
        if len(by_metric[metric]) == 1:
            best.setdefault(by_metric[metric][0], []).append(title_of(metric))
    others = [title_of(metric) for metric in by_metric if metric not in decided]
    return [*said("metrics", "answer", dataset, len(models), len(decided), best, others), *warnings]
