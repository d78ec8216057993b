"""Tables of metric values, with a row for each model; charts of the spectra behind the upsampling peak."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from string import ascii_lowercase

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gan_eval.base.commands import as_typed
from gan_eval.base.errors import UserError
from gan_eval.metrics.catalogue import METRICS, MIN_FID_PICTURES, metric_named
from gan_eval.metrics.definitions.spectrum import FIRST_RING, PER_CYCLE, RINGS, UPSAMPLING_PEAK, radial_spectrum
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.pictures.decode import read_rgb
from gan_eval.report.metrics.answer import leaders
from gan_eval.report.metrics.holes import hole_tables
from gan_eval.report.metrics.summaries import (
    REAL,
    Measured,
    Summary,
    decimals_of,
    in_order,
    is_raw,
    title_of,
    unit_of,
    with_arrow,
)
from gan_eval.report.parts.blocks import Block, Cell, Charts, Lines, ReportSection, ShownColumn, ShownTable
from gan_eval.report.parts.chart import INK, MUTED, Chart, line_style, panel
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.words import NBSP, NOTHING, interval, listed, missing, number, plural, whole
from gan_eval.tables import IMAGE_METRICS, SET_METRICS

MAX_COLUMNS = 8
"""Maximum number of metrics in a table."""
MAX_PICTURES = 500
"""Maximum number of pictures in a set's mean spectrum; their files are read again."""
MAX_REASONS = 2
"""Maximum number of reasons in the footnotes of a cell."""
_GROUPS = {
    "pair": "generated pictures compared with their real ones",
    "single": "pictures on their own, without a reference",
    "input": "the generators' inputs",
    "set": "sets of pictures compared with the set of real ones",
    "": "metrics that are not registered here",
}
KID_BELOW_0 = "below 0: the estimate of the squared distance is unbiased, so equal sets are as often below 0 as above"


def value_blocks(measured: Measured, holes: pd.DataFrame) -> list[Block]:
    """Return the tables of every data set, and notes that explain them.

    Args:
        holes: mask_kind and mask_area (0..1) by stimulus.
    """
    blocks: list[Block] = []
    for dataset in measured.datasets:
        blocks += [*metric_tables(measured, dataset), *hole_tables(measured, dataset, holes)]
    return [*blocks, Lines(table_notes(measured), "remarks")] if blocks else []


FOOLING = "Fooling rate ↑"
_MARKS = "best: better than every other model by the intervals of the differences; tied: not shown to be worse."


def summary_table(measured: Measured, caption: str, fooling: Mapping[tuple[str, str], Cell]) -> ShownTable:
    """Return all metrics and the fooling rate of each model in one table, as papers have it; intervals are elsewhere.

    Args:
        fooling: the fooling rates' cells by model and data set; empty: no such column.
    """
    metrics = in_order(name for dataset in measured.datasets for name in measured.metrics(dataset))
    metrics = [name for name in metrics if name not in METRICS or METRICS[name].kind != "input"]
    rows = [row for dataset in measured.datasets for row in _summary_rows(measured, dataset, metrics, fooling)]
    head = [*map(_column, metrics), *([ShownColumn(FOOLING.replace(" ", NBSP), "%")] if fooling else [])]
    marks = {cell.mark for row in rows for cell in row[1:] if isinstance(cell, Cell)}
    notes = [f"{_MARKS} Their intervals are in the details." if marks - {""} else "Intervals are in the details."]
    notes += _reasons(measured, metrics)
    return ShownTable(caption, ["model", *head], rows if metrics else [], notes=notes, style="rows metrics")


def _column(metric: str) -> ShownColumn:
    return ShownColumn(with_arrow(metric).replace(" ", NBSP), unit_of(metric))


def _summary_rows(
    measured: Measured, dataset: str, metrics: Sequence[str], fooling: Mapping[tuple[str, str], Cell]
) -> Iterator[list[str | Cell]]:
    """Yield the rows of a data set: of each model, and of the real pictures if a metric has a value of them."""
    columns = [_means(measured, dataset, metric) for metric in metrics]
    where = f" on {dataset}" * (len(measured.datasets) > 1)
    for name in (*measured.models(dataset), REAL):
        cells = [column.get(name, Cell(NOTHING)) for column in columns]
        people = [fooling.get((name, dataset), Cell(NOTHING))] if fooling else []
        if name != REAL or any(name in column for column in columns):
            yield [name + where, *cells, *people]


def _reasons(measured: Measured, metrics: Sequence[str]) -> list[str]:
    """Return a note for each reason for which a model has no value: the metrics, and the first reason of each."""
    lacking: dict[str, list[str]] = {}
    for metric in metrics:
        found = [
            next(iter(summary.reasons))
            for dataset in measured.datasets
            for model in measured.models(dataset)
            if not (summary := measured.summary(dataset, metric, model)).is_known and summary.reasons
        ]
        if found:
            lacking.setdefault(found[0], []).append(title_of(metric))
    return [f"{NOTHING} {listed(titles)}: {reason}" for reason, titles in lacking.items()]


def _means(measured: Measured, dataset: str, metric: str) -> dict[str, Cell]:
    """Return a metric's value of each model and of the real pictures, by name; the best are marked."""
    names = [*measured.models(dataset), REAL]
    summaries = {name: measured.summary(dataset, metric, name) for name in names}
    shown, first = {n: found for n, found in summaries.items() if found.is_known}, leaders(measured, dataset, metric)
    digits, mark = decimals_of(shown.values()), "best" if len(first) == 1 else "tied"
    return {
        name: Cell(number(found.value, digits=digits), mark=mark * (name in first)) for name, found in shown.items()
    }


def metric_tables(measured: Measured, dataset: str) -> list[ShownTable]:
    """Return the tables of one data set, one for each kind of metric."""
    kinds: dict[str, list[str]] = {kind: [] for kind in _GROUPS}
    sets = set(measured.set_metrics(dataset))
    for metric in measured.metrics(dataset):
        facts = metric_named(metric)
        kinds["set" if metric in sets else facts.kind if facts else ""].append(metric)
    return [
        _table(measured, dataset, kind, metrics[start : start + MAX_COLUMNS])
        for kind, metrics in kinds.items()
        for start in range(0, len(metrics), MAX_COLUMNS)
    ]


def _table(measured: Measured, dataset: str, kind: str, metrics: Sequence[str]) -> ShownTable:
    names = measured.models_and_raw(dataset)
    if any(len(measured.values(dataset, metric, REAL)) for metric in metrics):
        names = [*names, REAL]
    first = {metric: leaders(measured, dataset, metric) for metric in metrics}
    summaries = {metric: {name: measured.summary(dataset, metric, name) for name in names} for metric in metrics}
    digits = {metric: decimals_of(column.values()) for metric, column in summaries.items()}
    counts = [_counts(summary) for column in summaries.values() for summary in column.values() if summary.is_known]
    usual = max(counts, key=counts.count, default="")
    signs: dict[str, str] = {}  # letters of the footnotes; equal texts share one

    def cell(metric: str, name: str) -> Cell:
        summary, best = summaries[metric][name], first[metric]
        shown = _value_cell(metric, summary, digits[metric], usual)
        mark = ("best" if len(best) == 1 else "tied") * (name in best and summary.is_known)
        return replace(shown, mark=mark, signs=_signs(signs, _remarks(metric, summary)))

    rows: list[list[str | Cell]] = [[name, *(cell(metric, name) for metric in metrics)] for name in names]
    return ShownTable(
        f"{dataset}: {_GROUPS[kind]}{f', {usual}' if usual else ''}",
        ["model", *map(_column, metrics)],
        rows,
        footnotes=[(sign, remark) for remark, sign in signs.items()],
        source=(SET_METRICS if kind == "set" else IMAGE_METRICS).name,
        style="rows metrics",
    )


def _value_cell(metric: str, summary: Summary, digits: int, usual: str) -> Cell:
    """Return the value with its interval and warning, and its counts if they are not the `usual` ones."""
    if not summary.is_known:
        return Cell(NOTHING)
    counts = _counts(summary)
    return Cell(
        value=number(summary.value, digits=digits),
        interval="" if missing(summary.low) else interval(summary.low, summary.high, digits=digits),
        warning=_warning(metric, summary),
        counts=counts * (counts != usual),
    )


def _signs(signs: dict[str, str], remarks: Sequence[str]) -> str:
    """Return the letters of footnotes; new ones are added to `signs`."""
    for remark in remarks:
        signs.setdefault(remark, ascii_lowercase[len(signs) % 26] * (1 + len(signs) // 26))
    return " ".join(signs[remark] for remark in remarks)


def _warning(metric: str, summary: Summary) -> str:
    base = metric.partition("@")[0]
    if base == "fid" and min(summary.n, summary.n_real or summary.n) < MIN_FID_PICTURES:
        return f"biased: N{NBSP}<{NBSP}{MIN_FID_PICTURES}"
    return f"below{NBSP}0: read{NBSP}as{NBSP}0" if base == "kid" and summary.value < 0 else ""


def _counts(summary: Summary) -> str:
    if not summary.is_known:
        return ""
    of_sets = "" if summary.n_real is None else f" generated, {whole(summary.n_real)} real"
    of_items = "" if summary.n_items is None else f" of {plural(summary.n_items, 'item')}"
    return f"N{NBSP}={NBSP}{whole(summary.n)}{of_sets}{of_items}"


def _remarks(metric: str, summary: Summary) -> list[str]:
    """Return the footnotes of a value: its note, and infinite and missing values with the reasons."""
    remarks = [as_typed(summary.note, in_file=True)] if summary.note else []
    if metric.partition("@")[0] == "kid" and summary.value < 0:
        remarks.append(KID_BELOW_0)
    if summary.infinite:
        equal = " (equal to the reference)" if metric in ("psnr", "psnr_hole") else ""
        remarks.append(f"{whole(summary.infinite)} of {plural(summary.n, 'picture')} infinite{equal}: not in the mean")
    remarks += _missing_values(summary)
    return remarks if summary.is_known or remarks else ["not measured"]


def _missing_values(summary: Summary) -> Iterator[str]:
    """Yield a footnote for each of the first reasons for missing values, and one for the others."""
    total = summary.n + summary.missing
    for why, count in list(summary.reasons.items())[:MAX_REASONS]:
        without = f"{whole(count)} of {whole(total)} without a value" if summary.missing else "no value"
        yield f"{without}: {as_typed(why, in_file=True)}"
    if (more := len(summary.reasons) - MAX_REASONS) > 0:
        yield f"{plural(more, 'more reason')} for missing values; the table of values has all"


def table_notes(measured: Measured) -> list[str]:
    """Return notes that explain the tables."""
    models = [model for dataset in measured.datasets for model in measured.models_and_raw(dataset)]
    has_raw = any(is_raw(model, models) for model in models)
    return said("tables", "values", has_raw, len(measured.images), len(measured.comparisons))


def spectra_section(measured: Measured) -> ReportSection:
    """Return a chart for each data set whose upsampling peak was computed, and whose files can be read."""
    charts = []
    for index, dataset in enumerate(measured.datasets):
        if UPSAMPLING_PEAK.name not in measured.set_metrics(dataset):
            continue
        curves = {name: _mean_spectrum(measured, dataset, name) for name in (REAL, *measured.models(dataset))}
        drawn = {name: curve for name, curve in curves.items() if curve is not None}
        if len(drawn) > 1:
            charts.append(_spectra_chart(dataset, drawn, f"spectra-{index}"))
    return ReportSection("spectra", "Does upsampling leave a trace in the spectrum?", [Charts(charts)])


def _mean_spectrum(measured: Measured, dataset: str, name: str) -> NDArray[np.float64] | None:
    """Return the mean spectrum of a set in dB; None where no picture has one."""
    spectra = []
    for file in measured.files(dataset, name)[:MAX_PICTURES]:
        try:
            spectra.append(radial_spectrum(read_rgb(file)))
        except (UserError, Unmeasurable):
            continue
    return np.mean(spectra, axis=0) if spectra else None


def _spectra_chart(dataset: str, curves: dict[str, NDArray[np.float64]], name: str) -> Chart:
    frequency = np.arange(1, RINGS + 1) / PER_CYCLE
    with panel(2.4 + 0.17 * len(curves)) as (figure, axes):
        for index, (model, curve) in enumerate(curves.items()):
            style = {"color": INK, "linestyle": "-"} if model == REAL else line_style(index - 1)
            axes.plot(frequency, curve, label="real" if model == REAL else model.replace("$", r"\$"), **style)
        axes.axvline(FIRST_RING / PER_CYCLE, color=MUTED, linewidth=1, linestyle=":", zorder=0)
        axes.set_xlim(0, RINGS / PER_CYCLE)
        axes.grid(axis="y")
        axes.set_xlabel("cycles per pixel")
        axes.set_ylabel("power, dB")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    caption = sentence("tables", "spectra")
    models = [model for model in curves if model != REAL]
    return Chart(
        dataset, [figure], caption, f"Radial power spectra of the real pictures and of {listed(models)}.", name
    )
