"""The answer of the metrics page, the best model as far as intervals of differences allow, and the method."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gan_eval.metrics.catalogue import metric_named
from gan_eval.report.metrics.summaries import (
    NO_VERDICT,
    Measured,
    Summary,
    fid_warnings,
    higher_is_better,
    in_order,
    title_of,
)
from gan_eval.report.parts.blocks import Lead, Quote, ReportSection
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.words import from_to, listed, missing
from gan_eval.tables.names import OF_FILE


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


def method_section(measured: Measured) -> ReportSection:
    """Return the paragraph; empty if nothing was measured."""
    paragraph = paper_paragraph(measured)
    if not paragraph:
        return ReportSection("methods", "Method", [])
    return ReportSection("methods", "Method", [Quote("To copy into a paper", paragraph)])


def paper_paragraph(measured: Measured) -> str:
    """Return one paragraph: metrics, definitions, weights and numbers of pictures; empty if nothing was measured."""
    values = {
        (dataset, metric, model): measured.summary(dataset, metric, model)
        for dataset in measured.datasets
        for metric in measured.metrics(dataset)
        for model in measured.models(dataset)
    }
    metrics = in_order(metric for (_, metric, _), value in values.items() if value.is_known)
    if not metrics:
        return ""
    settings = [value for value in map(json.loads, measured.runs["settings"].dropna()) if isinstance(value, dict)]
    weights = {str(digest): name for each in settings for name, digest in (each.get("weights") or {}).items()}
    method = said(
        "metrics",
        "method",
        sources=[(title_of(metric), _source(measured, settings, metric)) for metric in metrics],
        weights=[f"{name} (SHA-256 {digest[:12]}…)" for digest, name in weights.items()],
        resizers=_of_runs(measured, "resizer"),
        resized=list(dict.fromkeys(str(each["resize"]) for each in settings if each.get("resize"))),
        caveats=list(dict.fromkeys(str(text) for each in settings for text in (each.get("caveats") or {}).values())),
        of_pictures=measured.images["value"].notna().any(),
        of_sets=list(dict.fromkeys(str(each["interval"]) for each in settings if each.get("interval")))
        * bool(measured.sets["ci_low"].notna().any()),
        compared=len(measured.comparisons),
        infinite=sum(value.infinite for value in values.values()),
        absent=int(measured.images.loc[measured.images["metric"].isin(metrics), "value"].isna().sum()),
        software=_of_runs(measured, "software"),
        devices=_of_runs(measured, "device"),
    )
    return " ".join([*_pictures(measured, values), *method])


def _pictures(measured: Measured, values: Mapping[tuple[str, str, str], Summary]) -> Iterator[str]:
    """Yield the numbers of pictures of each data set with models."""
    for dataset in measured.datasets:
        known = [value for (of, *_), value in values.items() if of == dataset and value.is_known]
        counts, real = {value.n for value in known} or {0}, {value.n_real for value in known} - {None}
        if models := measured.models(dataset):
            of_reals = from_to(real), sorted(filter(None, real))
            yield from said("metrics", "pictures", dataset, models, from_to(counts), sorted(counts), *of_reals)


def _of_runs(measured: Measured, column: str) -> list[str]:
    return [str(cell) for cell in dict.fromkeys(measured.runs[column].dropna())]


def _source(measured: Measured, settings: Sequence[Mapping[str, Any]], metric: str) -> str:
    """Return the file of another program with the values, else the source that the run names, else the registry's."""
    runs = measured.images.loc[measured.images["metric"] == metric, "run"].dropna().unique()
    if files := [run.removeprefix(OF_FILE) for run in runs if run.startswith(OF_FILE)]:
        ours = " and computed here" * (len(files) < len(runs))
        return f"values of another program, from {listed(files)}{ours}"
    named = next((each["metrics"][metric] for each in settings if (each.get("metrics") or {}).get(metric)), None)
    facts = metric_named(metric)
    return str(named) if named else facts.source if facts else ""
