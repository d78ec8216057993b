"""The answer of the metrics page, the best model as far as intervals of differences allow, and the method."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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
    if facts is None or facts.kind == "input" or better is None:
        return []
    summaries = {model: measured.summary(dataset, metric, model) for model in measured.models(dataset)}
    values = {model: summary.value for model, summary in summaries.items() if summary.is_known}
    rows = [row for row in measured.comparisons if (row["dataset"], row["metric"]) == (dataset, metric)]
    differences = [_Difference(*(row[name] for name in _Difference._fields)) for row in rows]
    differences = [each for each in differences if not missing(each.difference)]
    if len(values) < 2 or not any(each.is_decided for each in differences):
        return []
    return _leading(values, differences, higher_is_better=better)


def _leading(values: Mapping[str, float], differences: "Sequence[_Difference]", *, higher_is_better: bool) -> list[str]:
    """Return the best of the models that no other one beats, then those that it does not beat."""
    beaten = {(each.better, each.loser) for each in differences}
    unbeaten = values.keys() - {loser for _, loser in beaten}
    if not unbeaten:
        return []
    # the mean of other items than the rivals' may be the best and its model lose to one of them
    candidates = unbeaten & set[str]().union(*(each[:2] for each in differences)) or unbeaten
    best = max if higher_is_better else min
    first = best([model for model in values if model in candidates], key=values.__getitem__)
    return [first, *(model for model in values if model != first and (first, model) not in beaten)]


class _Difference(NamedTuple):
    """Two models compared by one metric."""

    a: str
    b: str
    difference: float
    ci_low: float
    better: str | None

    @property
    def is_decided(self) -> bool:
        """True if the difference has an interval or a better model."""
        return not (missing(self.better) and missing(self.ci_low))

    @property
    def loser(self) -> str | None:
        """The other model than the better one; None: neither is shown to be better."""
        return None if missing(self.better) else self.b if self.better == self.a else self.a


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
    best = _best({metric: by_metric[metric] for metric in decided})
    others = [title_of(metric) for metric in by_metric if metric not in decided]
    return [*said("metrics", "answer", dataset, len(models), len(decided), best, others), *warnings]


def _best(by_metric: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the models that alone lead by a metric, each with the titles of these metrics."""
    best: dict[str, list[str]] = {}
    for metric, first in by_metric.items():
        if len(first) == 1:
            best.setdefault(first[0], []).append(title_of(metric))
    return best


def method_section(measured: Measured) -> ReportSection:
    """Return the section with the paragraph, which is empty if nothing was measured."""
    return ReportSection("methods", "Method", [Quote("To copy into a paper", paper_paragraph(measured))])


def paper_paragraph(measured: Measured) -> str:
    """Return one paragraph: metrics, definitions, weights and numbers of pictures; empty if nothing was measured."""
    values = measured.every_summary()
    metrics = in_order(metric for (_, metric, _), value in values.items() if value.is_known)
    if not metrics:
        return ""
    settings = [value for value in map(json.loads, measured.runs["settings"].dropna()) if isinstance(value, dict)]
    has_ends = measured.sets["ci_low"].notna().any()
    weights = {str(digest): name for each in settings for name, digest in (each.get("weights") or {}).items()}
    method = said(
        "metrics",
        "method",
        sources=[(title_of(metric), _source(measured, settings, metric)) for metric in metrics],
        weights=[f"{name} (SHA-256 {digest[:12]}…)" for digest, name in weights.items()],
        resizers=_of_runs(measured, "resizer"),
        resized=_texts(each.get("resize") for each in settings),
        caveats=_texts(text for each in settings for text in (each.get("caveats") or {}).values()),
        of_pictures=measured.images["value"].notna().any(),
        of_sets=_texts(each.get("interval") for each in settings if has_ends),
        compared=len(measured.comparisons),
        infinite=sum(value.infinite for value in values.values()),
        absent=int(measured.images.loc[measured.images["metric"].isin(metrics), "value"].isna().sum()),
        software=_of_runs(measured, "software"),
        devices=_of_runs(measured, "device"),
    )
    return " ".join([*_pictures(measured, values), *method])


def _texts(values: Iterable[object]) -> list[str]:
    """Return the different values as texts, without empty ones."""
    return list(dict.fromkeys(str(value) for value in values if value))


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
