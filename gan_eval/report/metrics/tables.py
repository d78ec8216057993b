"""The tables of values: a row for each model, a column for each metric.

The values of other programs beside those measured here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gan_eval.metrics.catalogue import BESIDE_FID, ENOUGH_FOR_FID
from gan_eval.report.metrics.answer import HOW_MARKED, Standing
from gan_eval.report.metrics.data import REAL, Measured, Summary, arrow, decimals, facts_of, unit_of
from gan_eval.report.metrics.holes import raw_note
from gan_eval.report.parts.words import NBSP, NOTHING, View, interval, listed, missing, number, plural, text, whole

MOST_COLUMNS = 8
"""Metrics beside each other in one table."""
MOST_REASONS = 2
"""Different reasons that a cell's footnotes tell."""
_GROUPS = {
    "pair": "generated pictures beside their real ones",
    "single": "pictures on their own, without a reference",
    "set": "sets of pictures beside the set of real ones",
    "": "metrics that are not registered here",
}
_SIGNS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Column:
    """A metric in a table's head."""

    metric: str
    arrow: str
    unit: str

    @property
    def name(self) -> str:
        """The metric with the direction of better values."""
        return f"{self.metric}{NBSP}{self.arrow}" if self.arrow else self.metric


@dataclass(frozen=True)
class Cell:
    """What a table says of one model by one metric."""

    value: str
    interval: str = ""
    mark: str = ""
    """`best`, `tied` or nothing."""
    warning: str = ""
    counts: str = ""
    """Numbers of pictures, where they are not those of the caption."""
    signs: str = ""
    """Letters of the footnotes."""


@dataclass(frozen=True)
class MetricTable:
    """Models (rows) beside metrics (columns)."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    """Model and cells."""
    footnotes: Sequence[tuple[str, str]]
    """Sign and text."""
    notes: Sequence[str]


def metric_tables(measured: Measured, dataset: str, found: Mapping[str, Standing]) -> list[MetricTable]:
    """The tables of one data set, a kind of metric in each."""
    kinds: dict[str, list[str]] = {kind: [] for kind in _GROUPS}
    sets = set(measured.set_metrics(dataset))
    for metric in measured.metrics(dataset):
        facts = facts_of(metric)
        kinds["set" if metric in sets else facts.kind if facts else ""].append(metric)
    return [
        _table(measured, dataset, f"{dataset}: {_GROUPS[kind]}", metrics[start : start + MOST_COLUMNS], found)
        for kind, metrics in kinds.items()
        for start in range(0, len(metrics), MOST_COLUMNS)
    ]


class _Footnotes:
    """Texts with the letters that stand for them; equal texts share a letter."""

    def __init__(self) -> None:
        self.signs: dict[str, str] = {}

    def signs_of(self, remarks: Sequence[str]) -> str:
        return " ".join(self._sign(words) for words in remarks)

    def _sign(self, words: str) -> str:
        place = len(self.signs)
        letter = _SIGNS[place % len(_SIGNS)] * (1 + place // len(_SIGNS))
        return self.signs.setdefault(words, letter)

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [(sign, words) for words, sign in self.signs.items()]


def _table(
    measured: Measured, dataset: str, caption: str, metrics: Sequence[str], found: Mapping[str, Standing]
) -> MetricTable:
    footnotes = _Footnotes()
    names = measured.measured(dataset)
    if any(len(measured.values(dataset, metric, REAL)) for metric in metrics):
        names = [*names, REAL]
    summaries = {metric: {name: measured.summary(dataset, metric, name) for name in names} for metric in metrics}
    places = {metric: _places(list(column.values())) for metric, column in summaries.items()}
    shared = {metric: note for metric in metrics if (note := _shared_note(summaries[metric].values()))}
    counts = [_counts(one) for column in summaries.values() for one in column.values() if one.is_known]
    usual = max(counts, key=counts.count, default="")
    rows = [
        (
            name,
            [
                _cell(
                    summaries[metric][name],
                    places[metric],
                    mark=found[metric].mark(name),
                    signs=footnotes.signs_of(_remarks(metric, summaries[metric][name], shared.get(metric, ""))),
                    few=metric == "fid" and summaries[metric][name].few_for_fid,
                    usual=usual,
                )
                for metric in metrics
            ],
        )
        for name in names
    ]
    columns = [Column(metric, arrow(metric), unit_of(metric)) for metric in metrics]
    caption = f"{caption}{f', {usual}' if usual else ''}"
    return MetricTable(caption, columns, rows, footnotes.lines, _notes(measured, dataset, shared, summaries))


def _places(column: Sequence[Summary]) -> int:
    known = [one for one in column if one.is_known]
    return decimals([one.value for one in known], [one.half for one in known])


def _counts(one: Summary) -> str:
    if not one.is_known:
        return ""
    return f"N{NBSP}={NBSP}{whole(one.n)}" + ("" if one.n_real is None else f" generated, {whole(one.n_real)} real")


def _cell(one: Summary, places: int, *, mark: str, signs: str, few: bool, usual: str) -> Cell:
    if not one.is_known:
        return Cell(NOTHING, signs=signs)
    counts = _counts(one)
    return Cell(
        value=number(one.value, digits=places),
        interval="" if missing(one.low) else interval(one.low, one.high, digits=places),
        mark=mark,
        warning=f"biased: N{NBSP}<{NBSP}{ENOUGH_FOR_FID}" if few else "",
        counts="" if counts == usual else counts,
        signs=signs,
    )


def _remarks(metric: str, one: Summary, shared: str) -> list[str]:
    """What is special about this value: its own note, what is not in the mean, and why."""
    found = [one.note] if one.note and one.note != shared else []
    if one.infinite:
        found.append(f"{whole(one.infinite)} of {plural(one.n, 'picture')} {_infinite(metric, one)}")
    if one.is_known:
        total = f"of {whole(one.n + one.missing)} without a value"
        found += _few([f"{whole(count)} {total}: {why}" for why, count in one.reasons.items()], one.missing, total)
    elif one.reasons:
        found += _few([f"no value: {why}" for why in one.reasons], one.missing, "pictures without a value")
    elif not one.infinite:
        found.append("not measured")
    return found


def _few(lines: list[str], count: int, what: str) -> list[str]:
    """The lines, or one that stands for all where they are many."""
    if len(lines) <= MOST_REASONS:
        return lines
    return [f"{whole(count)} {what}, for {whole(len(lines))} different reasons; see Without a value"]


def _infinite(metric: str, one: Summary) -> str:
    others = "mean of the others" if one.infinite < one.n else "no mean"
    single = one.infinite == 1
    if metric in ("psnr", "psnr_hole"):
        where = " in the hole" if metric == "psnr_hole" else ""
        return f"{'is equal to its' if single else 'are equal to their'} reference{where}: PSNR infinite; {others}"
    return f"{'has an infinite value' if single else 'have infinite values'}; {others}"


def _shared_note(column: Iterable[Summary]) -> str:
    """The note that every set of a column has; what is special about a set is a footnote of its own."""
    every = list(column)
    notes = {one.note for one in every if one.is_known} or {one.note for one in every if one.reasons}
    return notes.pop() if len(notes) == 1 else ""


def _notes(
    measured: Measured,
    dataset: str,
    shared: Mapping[str, str],
    summaries: Mapping[str, Mapping[str, Summary]],
) -> list[str]:
    """Notes that hold for whole columns, and what to measure beside an FID of few pictures."""
    lines = _grouped((note, metric) for metric, note in shared.items())
    absent = [name for name in BESIDE_FID if name not in measured.set_metrics(dataset)]
    if absent and any(one.few_for_fid for one in summaries.get("fid", {}).values()):
        lines.append(f"Measure {listed(absent)} beside fid: it can be read at this number of pictures.")
    return lines


def noted(rows: pd.DataFrame) -> list[str]:
    """The notes of rows of a table, each once, with the metrics that it holds for."""
    table = rows.loc[rows["note"].notna(), ["note", "metric"]].drop_duplicates()
    return _grouped((str(note), str(metric)) for note, metric in table.to_numpy())


def _grouped(noted_metrics: Iterable[tuple[str, str]]) -> list[str]:
    found: dict[str, list[str]] = {}
    for note, metric in noted_metrics:
        found.setdefault(note, []).append(metric)
    return [f"{listed(names)}: {note}." for note, names in found.items()]


def table_notes(measured: Measured) -> list[str]:
    """How to read the tables, for the parts that are there."""
    found = unplaced_values(measured)
    found += raw_note([model for dataset in measured.datasets for model in measured.measured(dataset)])
    if len(measured.images):
        found.append(
            "Values of pictures are means over the pictures, with 95\u202f% intervals by Student's t over the pictures."
        )
    if len(measured.comparisons):
        found.append(f"{HOW_MARKED} Comparisons here: {whole(len(measured.comparisons))}.")
    return found


def beside_view(measured: Measured, dataset: str) -> list[View]:
    """Other programs' values with their difference from ours."""
    table = measured.beside[measured.beside["dataset"] == dataset]
    rows = [_beside_row(measured, dataset, row) for _, row in table.iterrows()]
    if not rows:
        return []
    head = ["metric", "model", "here", "95\u202f% interval", "N", "there", "there − here", "source"]
    return [View(f"{dataset}: values of other programs beside ours", head, rows, text_columns=2, last_is_text=True)]


def _beside_row(measured: Measured, dataset: str, row: pd.Series) -> list[str]:
    ours = measured.summary(dataset, row["metric"], row["model"])
    places = decimals([ours.value, row["value"]], [ours.half])
    note = "" if missing(row["note"]) else f"; {row['note']}"
    return [
        text(row["metric"]),
        text(row["model"]),
        number(ours.value, digits=places),
        interval(ours.low, ours.high, digits=places),
        whole(ours.n) if ours.is_known else NOTHING,
        number(row["value"], digits=places),
        number(row["value"] - ours.value, digits=places),
        f"{row['source']}{note}",
    ]


def unplaced_values(measured: Measured) -> list[str]:
    """One line on the values of data sets that were not measured; none where there are no such values."""
    table = measured.beside[~measured.beside["dataset"].isin(measured.datasets)]
    if table.empty:
        return []
    datasets = list(dict.fromkeys(text(name) for name in table["dataset"]))
    values = plural(len(table), "value of another program is", "values of other programs are")
    return [f"{values} not shown: {listed(datasets)} {'was' if len(datasets) == 1 else 'were'} not measured here."]
