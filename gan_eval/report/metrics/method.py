"""How the values came about, as a paragraph to put into a paper with its sources."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gan_eval.metrics.facts import ENOUGH_FOR_FID
from gan_eval.report.metrics.data import Measured, Summary
from gan_eval.report.metrics.metrics_facts import facts_of, fid_warning, in_order
from gan_eval.report.metrics.metrics_references import references
from gan_eval.report.parts.words import listed, plural, whole


def paper_paragraph(measured: Measured) -> str:
    """One paragraph: what was measured, by which definition, with which weights, on how many pictures.

    Empty where nothing was measured.
    """
    metrics = _metrics(measured)
    if not metrics:
        return ""
    return " ".join(
        [
            *_pictures(measured),
            f"Metrics: {'; '.join(_defined(measured, metric) for metric in metrics)}.",
            *_networks(measured),
            *_intervals(measured),
            *_cautions(measured),
            *_software(measured),
        ]
    )


def sources(measured: Measured) -> list[str]:
    """The papers behind the metrics."""
    return references(_source(measured, metric) for metric in _metrics(measured))


def _metrics(measured: Measured) -> list[str]:
    """The metrics that have a value."""
    return in_order(
        metric
        for dataset in measured.datasets
        for metric in measured.metrics(dataset)
        if any(measured.summary(dataset, metric, model).is_known for model in measured.models(dataset))
    )


def _settings(measured: Measured) -> list[Mapping[str, Any]]:
    """The settings of each run; what is no object is passed over."""
    found: list[Mapping[str, Any]] = []
    for cell in measured.runs["settings"].dropna():
        try:
            settings = json.loads(cell)
        except ValueError:
            continue
        if isinstance(settings, dict):
            found.append(settings)
    return found


def _source(measured: Measured, metric: str) -> str:
    """What the run says was followed, else what is registered here."""
    for settings in _settings(measured):
        told = settings.get("metrics")
        if isinstance(told, dict) and isinstance(told.get(metric), str):
            return str(told[metric])
    facts = facts_of(metric)
    return facts.source if facts else ""


def _defined(measured: Measured, metric: str) -> str:
    source = _source(measured, metric)
    return f"{metric} ({source})" if source else metric


def _pictures(measured: Measured) -> list[str]:
    return [
        f"Of the data set {dataset}, {_generated(measured, dataset, models)}, as 8-bit RGB."
        for dataset in measured.datasets
        if (models := measured.models(dataset))
    ]


def _generated(measured: Measured, dataset: str, models: Sequence[str]) -> str:
    known = [one for one in _summaries(measured, dataset) if one.is_known]
    counts = sorted({one.n for one in known}) or [0]
    real = sorted({one.n_real for one in known if one.n_real is not None})
    whose = f"the model {models[0]}" if len(models) == 1 else f"each of {whole(len(models))} models ({listed(models)})"
    single = counts == [1]
    beside = f" beside {_range(real)} real {'one' if real == [1] else 'ones'}" if real else ""
    pictures = f"{_range(counts)} generated {'picture' if single else 'pictures'} of {whose}"
    return f"{pictures} {'was' if single and len(models) == 1 else 'were'} measured{beside}"


def _range(counts: Sequence[int]) -> str:
    return whole(counts[0]) if len(counts) == 1 else f"{whole(counts[0])} to {whole(counts[-1])}"


def _summaries(measured: Measured, dataset: str) -> list[Summary]:
    models, metrics = measured.models(dataset), measured.metrics(dataset)
    return [measured.summary(dataset, metric, model) for metric in metrics for model in models]


def _networks(measured: Measured) -> list[str]:
    """Weights, resizer and precision of the networks."""
    files = weights(measured)
    resizers, precisions = told(measured, "resizer"), _of_settings(measured, "precision")
    parts = []
    if files:
        parts.append(f"weights: {listed([f'{name} (SHA-256 {digest[:12]}…)' for name, digest in files])}")
    if resizers:
        parts.append(f"pictures brought to a network's size by the rule {listed(resizers)}")
    if precisions and (files or resizers):
        parts.append(f"networks in {listed(precisions)}")
    resized = _of_settings(measured, "resize")
    if resized:
        parts.append(f"generated pictures of another size brought to their reference's ({listed(resized)})")
    caveats = [
        str(words)
        for settings in _settings(measured)
        if isinstance(settings.get("caveats"), dict)
        for words in settings["caveats"].values()
    ]
    said = [f"{_capital(', '.join(parts))}."] if parts else []
    return said + [f"{_capital(words)}." for words in dict.fromkeys(caveats)]


def weights(measured: Measured) -> list[tuple[str, str]]:
    """Name and whole SHA-256 of each file of weights."""
    found: dict[str, str] = {}
    for settings in _settings(measured):
        if isinstance(settings.get("weights"), dict):
            found |= {str(digest): str(name) for name, digest in settings["weights"].items()}
    for entry in told(measured, "weights_sha256"):
        for part in entry.split("; "):
            name, _, digest = part.rpartition(" ")
            found.setdefault(digest, name or "of the network")
    return [(name, digest) for digest, name in found.items()]


def _intervals(measured: Measured) -> list[str]:
    found = []
    if len(measured.images):
        found.append("Values of pictures are means over the pictures with 95\u202f% intervals by Student's t.")
    told = _of_settings(measured, "interval")
    if len(measured.sets) and told:
        found.append(f"95\u202f% intervals of sets: {'; '.join(told)}.")
    if len(measured.comparisons):
        found.append(
            "Models were compared on the same items and are called different where the 95\u202f% interval of their "
            "difference excludes 0, without correction for the number of comparisons."
        )
    return found


def _cautions(measured: Measured) -> list[str]:
    every = [one for dataset in measured.datasets for one in _summaries(measured, dataset)]
    found = []
    infinite = sum(one.infinite for one in every)
    if infinite:
        found.append(f"{plural(infinite, 'infinite value is', 'infinite values are')} in no mean.")
    absent = int(measured.images.loc[measured.images["metric"].isin(_metrics(measured)), "value"].isna().sum())
    if absent:
        found.append(f"{plural(absent, 'value')} of single pictures could not be had.")
    sets = measured.sets[(measured.sets["metric"] == "fid") & measured.sets["value"].notna()]
    smallest = sets[["n_real", "n_fake"]].min(axis=1)
    if len(sets) and smallest.min() < ENOUGH_FOR_FID:
        found.append(fid_warning(int(smallest.min()), int(smallest.max())))
    return found


def _software(measured: Measured) -> list[str]:
    software, devices = told(measured, "software"), told(measured, "device")
    if not software:
        return []
    return [f"Computed with {' and '.join(software)}{f' on {listed(devices)}' if devices else ''}."]


def told(measured: Measured, column: str) -> list[str]:
    """The different entries of a column of `runs`."""
    return [str(cell) for cell in dict.fromkeys(measured.runs[column].dropna())]


def _of_settings(measured: Measured, name: str) -> list[str]:
    found = dict.fromkeys(str(settings[name]) for settings in _settings(measured) if settings.get(name))
    return list(found)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
