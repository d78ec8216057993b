"""The method of the metrics: a paragraph for a paper."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gan_eval.metrics.catalogue import metric_named
from gan_eval.report.metrics.summaries import Measured, in_order, title_of
from gan_eval.report.parts.blocks import Quote, ReportSection
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.words import from_to, listed
from gan_eval.tables.names import OF_FILE


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
    pictures = list[str]()
    for dataset in measured.datasets:
        known = [value for (of, *_), value in values.items() if of == dataset and value.is_known]
        counts, real = {value.n for value in known} or {0}, {value.n_real for value in known} - {None}
        if models := measured.models(dataset):
            of_reals = from_to(real), sorted(filter(None, real))
            pictures += said("metrics", "pictures", dataset, models, from_to(counts), sorted(counts), *of_reals)
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
    return " ".join([*pictures, *method])


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
