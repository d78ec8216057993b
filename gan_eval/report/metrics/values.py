"""The values: a row for each model, a column for each metric; and the values of other programs."""

from collections.abc import Iterable, Sequence

import pandas as pd

from gan_eval.metrics.catalogue import MIN_FID_PICTURES
from gan_eval.report.metrics.answer import HOW_MARKED, standings
from gan_eval.report.metrics.data import (
    REAL,
    Measured,
    Summary,
    decimals,
    decimals_of,
    facts_of,
    section_by_dataset,
    title_of,
    unit_of,
    with_arrow,
)
from gan_eval.report.metrics.distributions import distribution_blocks
from gan_eval.report.metrics.holes import hole_tables, holes_of_folder, holes_of_stimuli, raw_note
from gan_eval.report.metrics.method import paper_paragraph
from gan_eval.report.parts.blocks import Block, Cell, Column, Lines, Quote, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import NBSP, NOTHING, interval, listed, missing, number, plural, text, whole

MOST_COLUMNS = 8
"""Metrics in one table."""
MOST_REASONS = 2
"""Reasons in the footnotes of a cell."""
_GROUPS = {
    "pair": "generated pictures compared with their real ones",
    "single": "pictures on their own, without a reference",
    "input": "the generators' inputs",
    "set": "sets of pictures compared with the set of real ones",
    "": "metrics that are not registered here",
}
KID_BELOW_0 = (
    "below 0: the estimate of the squared distance is unbiased, so sets that hardly differ give values below 0 as "
    "often as above; no distance is shown"
)
_SIGNS = "abcdefghijklmnopqrstuvwxyz"


def values_section(measured: Measured) -> Section:
    """Return the values for the metrics page."""
    holes = holes_of_stimuli(measured.stimuli.values())

    def blocks(dataset: str) -> list[Block]:
        by_hole = hole_tables(measured, dataset, holes)
        return [*metric_tables(measured, dataset), *external_tables(measured, dataset), *by_hole]

    notes = Lines(table_notes(measured), "remarks")
    return section_by_dataset("values", "The values", measured, blocks, after=[notes])


def distributions_section(measured: Measured) -> Section:
    """Return the distributions of the values."""
    return section_by_dataset(
        "distributions", "Distributions", measured, lambda dataset: distribution_blocks(measured, dataset)
    )


def study_section(folder: StudyFolder) -> Section:
    """Return the same tables for the report of a study, with the paragraph for a paper."""
    measured, holes = Measured(folder.tables), holes_of_folder(folder)
    blocks: list[Block] = []
    for dataset in measured.datasets:
        blocks += [*metric_tables(measured, dataset), *distribution_blocks(measured, dataset)]
    if blocks:
        blocks += [Lines(table_notes(measured), "remarks"), Quote("To copy into a paper", paper_paragraph(measured))]
    by_hole = [table for dataset in measured.datasets for table in hole_tables(measured, dataset, holes)]
    return Section("metrics", "What do the metrics say?", [*blocks, *by_hole])


def metric_tables(measured: Measured, dataset: str) -> list[Table]:
    """Return the tables of one data set, one for each kind of metric."""
    kinds: dict[str, list[str]] = {kind: [] for kind in _GROUPS}
    sets = set(measured.set_metrics(dataset))
    for metric in measured.metrics(dataset):
        facts = facts_of(metric)
        kinds["set" if metric in sets else facts.kind if facts else ""].append(metric)
    return [
        _table(measured, dataset, f"{dataset}: {_GROUPS[kind]}", metrics[start : start + MOST_COLUMNS])
        for kind, metrics in kinds.items()
        for start in range(0, len(metrics), MOST_COLUMNS)
    ]


def _table(measured: Measured, dataset: str, caption: str, metrics: Sequence[str]) -> Table:
    names = measured.models_and_raw(dataset)
    if any(len(measured.values(dataset, metric, REAL)) for metric in metrics):
        names = [*names, REAL]
    standing_by = standings(measured, dataset)
    summaries = {metric: {name: measured.summary(dataset, metric, name) for name in names} for metric in metrics}
    places = {metric: decimals_of(column.values()) for metric, column in summaries.items()}
    shared_notes = {}  # of every set of a column; what is special about a set is a footnote of its own
    for metric, column in summaries.items():
        with_value = [summary for summary in column.values() if summary.is_known]
        column_notes = {summary.note for summary in with_value or column.values() if with_value or summary.reasons}
        if len(column_notes) == 1 and (note := column_notes.pop()):
            shared_notes[metric] = note
    counts = [_counts(summary) for column in summaries.values() for summary in column.values() if summary.is_known]
    usual = max(counts, key=counts.count, default="")
    signs: dict[str, str] = {}  # letters of the footnotes; equal texts share one

    def cell(metric: str, name: str) -> Cell:
        summary = summaries[metric][name]
        for remark in (remarks := _remarks(metric, summary, shared_notes.get(metric, ""))):
            letter = _SIGNS[len(signs) % len(_SIGNS)] * (1 + len(signs) // len(_SIGNS))
            signs.setdefault(remark, letter)
        letters = " ".join(signs[remark] for remark in remarks)
        if not summary.is_known:
            return Cell(NOTHING, signs=letters)
        ends = (summary.low, summary.high)
        return Cell(
            value=number(summary.value, digits=places[metric]),
            interval="" if missing(summary.low) else interval(*ends, digits=places[metric]),
            mark=standing_by[metric].mark(name),
            warning=_warning(metric, summary),
            counts="" if _counts(summary) == usual else _counts(summary),
            signs=letters,
        )

    rows: list[list[str | Cell]] = [[name, *(cell(metric, name) for metric in metrics)] for name in names]
    notes = _grouped((note, metric) for metric, note in shared_notes.items())
    of_fid = [summary for summary in summaries.get("fid", {}).values() if summary.few_for_fid]
    if of_fid and "kid" not in measured.set_metrics(dataset):
        notes.append("Measure kid next to fid: it can be read at this number of pictures.")
    head = [Column(with_arrow(metric).replace(" ", NBSP), unit_of(metric)) for metric in metrics]
    return Table(
        f"{caption}{f', {usual}' if usual else ''}",
        ["model", *head],
        rows,
        notes=notes,
        footnotes=[(sign, remark) for remark, sign in signs.items()],
        style="rows metrics",
    )


def _warning(metric: str, summary: Summary) -> str:
    """Return the warning next to a value."""
    if metric == "fid" and summary.few_for_fid:
        return f"biased: N{NBSP}<{NBSP}{MIN_FID_PICTURES}"
    return f"below{NBSP}0: read{NBSP}as{NBSP}0" if metric == "kid" and summary.value < 0 else ""


def _counts(summary: Summary) -> str:
    if not summary.is_known:
        return ""
    of_sets = "" if summary.n_real is None else f" generated, {whole(summary.n_real)} real"
    of_items = "" if summary.n_items is None else f" of {plural(summary.n_items, 'item')}"
    return f"N{NBSP}={NBSP}{whole(summary.n)}{of_sets}{of_items}"


def _remarks(metric: str, summary: Summary, shared_note: str) -> list[str]:
    """Return the footnotes of a value: its own note, what is not in the mean, and why."""
    remarks = [summary.note] if summary.note and summary.note != shared_note else []
    if metric == "kid" and summary.value < 0:
        remarks.append(KID_BELOW_0)
    if summary.infinite:
        remarks.append(
            f"{whole(summary.infinite)} of {plural(summary.n, 'picture')} {infinite_remark(metric, summary)}"
        )
    if summary.is_known:
        without = f"of {whole(summary.n + summary.missing)} without a value"
        reasons = [f"{whole(count)} {without}: {why}" for why, count in summary.reasons.items()]
    elif summary.reasons:
        without = "pictures without a value"
        reasons = [f"no value: {why}" for why in summary.reasons]
    else:
        return remarks if summary.infinite else [*remarks, "not measured"]
    if len(reasons) > MOST_REASONS:
        different = f"for {whole(len(reasons))} different reasons"
        reasons = [f"{whole(summary.missing)} {without}, {different}; see Without a value"]
    return [*remarks, *reasons]


def infinite_remark(metric: str, summary: Summary) -> str:
    """Return why values are infinite, and whether there is a mean of the others."""
    others = "mean of the others" if summary.infinite < summary.n else "no mean"
    single = summary.infinite == 1
    if metric in ("psnr", "psnr_hole"):
        where = " in the hole" if metric == "psnr_hole" else ""
        return f"{'is equal to its' if single else 'are equal to their'} reference{where}: PSNR infinite; {others}"
    return f"{'has an infinite value' if single else 'have infinite values'}; {others}"


def metric_notes(rows: pd.DataFrame) -> list[str]:
    """Return the notes of rows of a table, each once, with its metrics."""
    table = rows.loc[rows["note"].notna(), ["note", "metric"]].drop_duplicates()
    return _grouped((str(note), str(metric)) for note, metric in table.to_numpy())


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each note of pairs of note and metric."""
    metrics: dict[str, list[str]] = {}
    for note, metric in pairs:
        metrics.setdefault(note, []).append(metric)
    return [f"{listed([title_of(name) for name in names])}: {note}." for note, names in metrics.items()]


def table_notes(measured: Measured) -> list[str]:
    """Return how to read the tables."""
    notes = []
    unplaced = measured.external_values[~measured.external_values["dataset"].isin(measured.datasets)]
    if len(unplaced):
        datasets = list(dict.fromkeys(text(name) for name in unplaced["dataset"]))
        values = plural(len(unplaced), "value of another program is", "values of other programs are")
        were = "was" if len(datasets) == 1 else "were"
        notes.append(f"{values} not shown: {listed(datasets)} {were} not measured here.")
    notes += raw_note([model for dataset in measured.datasets for model in measured.models_and_raw(dataset)])
    if len(measured.images):
        notes.append(
            "Values of pictures are means with 95\u202f% intervals by Student's t over the items; a model's several "
            "pictures of an item count by their mean."
        )
    if len(measured.comparisons):
        notes.append(f"{HOW_MARKED} Comparisons here: {whole(len(measured.comparisons))}.")
    return notes


def external_tables(measured: Measured, dataset: str) -> list[Table]:
    """Return other programs' values with their difference from ours."""
    rows = []
    for _, row in measured.external_values[measured.external_values["dataset"] == dataset].iterrows():
        ours = measured.summary(dataset, row["metric"], row["model"])
        places = decimals([ours.value, row["value"]], [ours.half_width])
        rows.append(
            [
                title_of(row["metric"]),
                text(row["model"]),
                number(ours.value, digits=places),
                interval(ours.low, ours.high, digits=places),
                whole(ours.n) if ours.is_known else NOTHING,
                number(row["value"], digits=places),
                number(row["value"] - ours.value, digits=places),
                str(row["source"]) if missing(row["note"]) else f"{row['source']}; {row['note']}",
            ]
        )
    head = ["metric", "model", "here", "95\u202f% interval", "N", "there", "there − here", "source"]
    caption = f"{dataset}: values of other programs and ours"
    return [Table(caption, head, rows, text_columns=2, last_is_text=True)] if rows else []
