"""The method of the metrics: a paragraph for a paper."""

import json
from collections.abc import Mapping
from typing import Any

from gan_eval.metrics.catalogue import metric_named
from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.summaries import in_order, title_of
from gan_eval.report.parts.blocks import Quote, ReportSection
from gan_eval.report.parts.words import capital, from_to, listed, plural, whole


def method_section(measured: Measured) -> ReportSection:
    """Return the paragraph; empty if nothing was measured."""
    paragraph = paper_paragraph(measured)
    if not paragraph:
        return ReportSection("methods", "Method", [])
    return ReportSection("methods", "Method", [Quote("To copy into a paper", paragraph)])


def paper_paragraph(measured: Measured) -> str:
    """Return one paragraph: metrics, definitions, weights and numbers of pictures; empty if nothing was measured."""
    metrics = _metrics(measured)
    if not metrics:
        return ""
    sources = {metric: _source(measured, metric) for metric in metrics}
    definitions = "; ".join(
        f"{title_of(metric)} ({source})" if source else title_of(metric) for metric, source in sources.items()
    )
    software, devices = _of_runs(measured, "software"), _of_runs(measured, "device")
    on = f" on {listed(devices)}" if devices else ""
    return " ".join(
        [
            *(_pictures(measured, dataset) for dataset in measured.datasets if measured.models(dataset)),
            f"Metrics: {definitions}.",
            *_networks(measured),
            *_intervals(measured),
            *_cautions(measured),
            *([f"Computed with {' and '.join(software)}{on}."] if software else []),
        ]
    )


def _metrics(measured: Measured) -> list[str]:
    """Return the metrics that have a value."""
    return in_order(
        metric
        for dataset in measured.datasets
        for metric in measured.metrics(dataset)
        if any(measured.summary(dataset, metric, model).is_known for model in measured.models(dataset))
    )


def _settings(measured: Measured) -> list[Mapping[str, Any]]:
    """Return the settings of each run that are JSON objects."""
    values = map(json.loads, measured.runs["settings"].dropna())
    return [value for value in values if isinstance(value, dict)]


def _of_runs(measured: Measured, column: str) -> list[str]:
    return [str(cell) for cell in dict.fromkeys(measured.runs[column].dropna())]


def _of_settings(measured: Measured, name: str) -> list[str]:
    """Return the different values of a setting of the runs."""
    return list(dict.fromkeys(str(settings[name]) for settings in _settings(measured) if settings.get(name)))


def _source(measured: Measured, metric: str) -> str:
    """Return the source that the run names, else that of the registry."""
    for settings in _settings(measured):
        if named := (settings.get("metrics") or {}).get(metric):
            return str(named)
    facts = metric_named(metric)
    return facts.source if facts else ""


def _pictures(measured: Measured, dataset: str) -> str:
    models = measured.models(dataset)
    summaries = [measured.summary(dataset, metric, model) for metric in measured.metrics(dataset) for model in models]
    counts = {summary.n for summary in summaries if summary.is_known} or {0}
    real = {summary.n_real for summary in summaries if summary.is_known and summary.n_real is not None}
    whose = f"the model {models[0]}" if len(models) == 1 else f"each of {whole(len(models))} models ({listed(models)})"
    pictures = f"{from_to(counts)} generated picture{'' if counts == {1} else 's'} of {whose}"
    were = "was" if counts == {1} and len(models) == 1 else "were"
    with_reals = f" with {from_to(real)} real {'one' if real == {1} else 'ones'}" if real else ""
    return f"Of the data set {dataset}, {pictures} {were} measured{with_reals}."


def _networks(measured: Measured) -> list[str]:
    all_weights = [settings.get("weights") or {} for settings in _settings(measured)]
    files = {str(digest): name for weights in all_weights for name, digest in weights.items()}
    resizers = _of_runs(measured, "resizer")
    parts = []
    if files:
        parts.append(f"weights: {listed([f'{name} (SHA-256 {digest[:12]}…)' for digest, name in files.items()])}")
    if resizers:
        parts.append(f"pictures resized for the networks by the rule {listed(resizers)}")
    resized = _of_settings(measured, "resize")
    if resized:
        parts.append(f"generated pictures resized to the size of their reference ({listed(resized)})")
    caveats = [str(caveat) for settings in _settings(measured) for caveat in (settings.get("caveats") or {}).values()]
    sentences = [*([", ".join(parts)] if parts else []), *dict.fromkeys(caveats)]
    return [f"{capital(sentence)}." for sentence in sentences]


def _intervals(measured: Measured) -> list[str]:
    sentences = []
    if measured.images["value"].notna().any():
        sentences.append("Values of pictures are means over the items with 95% intervals by Student's t.")
    methods = _of_settings(measured, "interval")
    if measured.sets["ci_low"].notna().any() and methods:
        sentences.append(f"95% intervals of sets: {'; '.join(methods)}.")
    if len(measured.comparisons):
        sentences.append(
            "Models were compared on the same items and are called different where the 95% interval of their "
            "difference excludes 0, without correction for the number of comparisons."
        )
    return sentences


def _cautions(measured: Measured) -> list[str]:
    sentences = []
    infinite = sum(
        measured.summary(dataset, metric, model).infinite
        for dataset in measured.datasets
        for metric in measured.metrics(dataset)
        for model in measured.models(dataset)
    )
    if infinite:
        sentences.append(f"{plural(infinite, 'infinite value is', 'infinite values are')} not in the means.")
    absent = int(measured.images.loc[measured.images["metric"].isin(_metrics(measured)), "value"].isna().sum())
    if absent:
        sentences.append(f"{plural(absent, 'value')} of single pictures {'is' if absent == 1 else 'are'} missing.")
    return sentences
