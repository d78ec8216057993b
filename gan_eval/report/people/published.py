"""Published numbers next to those of the run: judgements, metric values, and PSNR of filled holes."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.inference import mean_interval, wilson
from gan_eval.report.metrics.summaries import Summary, decimals_of, items_of, title_of, with_interval
from gan_eval.report.parts.blocks import ReportSection, ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.words import MINUS, NARROW, NOTHING, Record, number, proportion_interval, whole
from gan_eval.report.training import fills_holes, training_settings
from gan_eval.tables import PUBLISHED_QUIZ
from gan_eval.tables.cells import even_records
from gan_eval.tables.frames import conform

QUIZ_COLUMNS = {"dataset", "group", "trials", "percent_correct"}
METRIC_COLUMNS = {"dataset", "metric", "value", "source"}
PSNR_COLUMNS = {"study", "source", "dataset", "network_size", "lambda_rec_over_lambda_adv", "test_psnr_db"}
SAME_DATASET = {"map_to_aerial": "maps", "map_to_photo": "maps", "cityscapes_labels_to_photo": "cityscapes"}
"""Our names of published data sets, where the direction is label to photograph."""
PUBLISHED_NAME = {"imagenet_64": "imagenet_1k", "imagenet_128": "imagenet_1k"}
"""Published names of our data sets whose size is in another column."""
TOLERANCE = 0.015
"""Relative tolerance of a ratio: weights are given rounded, so x100 is 0.99 / 0.01 = 99."""
_HOLE = "psnr_hole"


def published_section(folder: StudyFolder) -> ReportSection:
    """Return the published tables of the folder: quizzes, PSNR by the ratio of the losses, metrics."""
    quiz, psnr, metrics = [], [], []
    for name, frame in folder.published.items():
        source = f"published/{name}"
        if set(frame.columns) >= QUIZ_COLUMNS:
            quiz.append(_quiz_table(folder, frame, source))
        elif set(frame.columns) >= PSNR_COLUMNS:
            psnr.append(psnr_table(folder, frame, source))
        elif set(frame.columns) >= METRIC_COLUMNS:
            metrics.append(_metric_table(folder, frame, source))
    return ReportSection("published", "Published numbers and ours", [*quiz, *psnr, *metrics])


def require_published(file: Path) -> None:
    """Refuse a table that lacks columns of those that the report shows, or whose percentages are shares.

    A table of other columns, such as of findings in words, is kept next to the report.
    """
    header, records = even_records(file)
    known = (QUIZ_COLUMNS, PSNR_COLUMNS, METRIC_COLUMNS)
    for columns in () if any(columns <= {*header} for columns in known) else known:
        if 2 * len(columns & {*header}) >= len(columns):
            missing = ", ".join(sorted(columns - {*header}))
            raise UserError(f"{file}: has no column {missing}, so the report would not show it; add it")
    if {*header} >= QUIZ_COLUMNS:
        _require_percentages(file, [record[header.index("percent_correct")] for record in records])


def _require_percentages(file: Path, cells: Sequence[str]) -> None:
    """Refuse shares of 0 to 1."""
    if any("." in cell for cell in cells) and all(cell.startswith(("0.", "1.0")) or cell in "01" for cell in cells):
        raise UserError(f"{file}: percent_correct is {cells[0]} to 1 at most: shares? Write 72 for 72 %")


def _quiz_table(folder: StudyFolder, frame: pd.DataFrame, source: str) -> ShownTable:
    """Return the proportions judged correctly, published and here."""
    filled = frame.mask(frame == "").assign(study=frame.get("study", "published"), source=frame.get("source", ""))
    published = conform(filled, PUBLISHED_QUIZ, where=source)
    own_rates = folder.scope("dataset").set_index("id")
    rows = []
    for row in published.to_dict("records"):
        dataset, trials, is_real = row["dataset"], row["trials"], row["group"] == "real"
        right = round(row["percent_correct"] / 100 * trials)
        interval = proportion_interval(right / trials, *wilson(right, trials))
        cells = [dataset, "real" if is_real else "generated", interval, whole(trials)]
        names = ("correct_rejections", "n_real") if is_real else ("hits", "n_fake")
        right, count = own_rates.loc[dataset, [*names]] if dataset in own_rates.index else (0, 0)
        here = proportion_interval(right / count, *wilson(right, count)) if count else NOTHING
        cells += [here, whole(count) if count else NOTHING]
        rows.append(cells)
    head = [
        "data set", "pictures", "published: correct (95%)", "answers", "here: correct (95%)", "answers",
    ]  # fmt: skip
    records = published.to_dict("records")
    remarks = published[published["note"].notna()].to_dict("records")
    notes = [
        *dict.fromkeys(f"{row['study']}: {row['source']}" for row in records),
        *dict.fromkeys(f"{row['dataset']}: {row['note']}" for row in remarks),
    ]
    return ShownTable("Correct answers, published and here", head, rows, text_columns=2, notes=notes, source=source)


def _metric_table(folder: StudyFolder, frame: pd.DataFrame, source: str) -> ShownTable:
    """Return published metric values of the data sets and metrics that this run has, too."""
    for number_of_row, row in enumerate(frame.to_dict("records"), start=1):
        _number(row, "value", f"{source}: row {number_of_row}")
    measured = folder.measured
    rows = []
    here = frame["dataset"].map(lambda name: SAME_DATASET.get(name, name))
    for key, theirs in frame.groupby([here, "metric"], sort=False):
        dataset, metric = map(str, key)
        ours = {model: measured.summary(dataset, metric, model) for model in measured.models(dataset)}
        ours = {model: summary for model, summary in ours.items() if summary.is_known}
        if not ours:
            continue
        heading, digits = f"{dataset}: {title_of(metric)}", decimals_of(ours.values())
        for row in theirs.to_dict("records"):
            note = f"; {row['note']}" if row.get("note") else ""
            name, cited = row.get("model") or NOTHING, f"{row['source']}, {row['dataset']}{note}"
            rows.append([heading, f"published: {name}", row["value"].replace("-", MINUS), NOTHING, cited])
        for model, summary in ours.items():
            value = with_interval(summary, digits=digits)
            rows.append([heading, f"here: {model}", value, whole(summary.n), NOTHING])
    head = ["data set and metric", "whose", "value (95%)", "N", "source"]
    caption = "Metric values, published and here"
    return ShownTable(caption, head, rows, text_columns=2, last_is_text=True, grouped=True, source=source)


class OwnModel(NamedTuple):
    """A model of the run that fills holes, on one data set."""

    model: str
    dataset: str
    ratio: float
    """Weight of the reconstruction over that of the adversarial loss; infinite without the latter."""
    source_size: str
    """Side in pixels to which its pictures are brought first, as text."""
    size: str
    """Side of its pictures in pixels, as text."""

    def matches(self, dataset: str, source_size: str, ratio: float) -> bool:
        """Return whether a published row is of the same data set, source size and ratio."""
        is_same = dataset in (self.dataset, PUBLISHED_NAME.get(self.dataset)) and self.source_size == source_size
        return is_same and abs(self.ratio / ratio - 1) <= TOLERANCE


def psnr_table(folder: StudyFolder, published: pd.DataFrame, source: str) -> ShownTable:
    """Return every published row with the run's models of the same data set, source size and ratio.

    Args:
        published: a table with PSNR_COLUMNS, every cell as text; without a source_size it is the network_size.
    """
    measured, own_models = folder.measured, _own_models(folder)
    rows: list[list[str]] = []
    for number_of_row, theirs in enumerate(published.to_dict("records"), start=1):
        where = f"{source}: row {number_of_row}"
        ratio = _number(theirs, "lambda_rec_over_lambda_adv", where)
        value = _number(theirs, "test_psnr_db", where)
        network_size = theirs["network_size"] or NOTHING
        source_size = theirs.get("source_size") or network_size
        size = f"{source_size} → {network_size}" if source_size != network_size else network_size
        cells = [f"{theirs['study']}: {theirs['source']}", theirs["dataset"], size, f"{ratio:g}", number(value)]
        matching = [ours for ours in own_models if ours.matches(theirs["dataset"], source_size, ratio)]
        for ours in matching:
            summary = measured.summary(ours.dataset, _HOLE, ours.model)
            name = f"{ours.model} on {ours.dataset}, {ours.size}{NARROW}px"
            pooled = pooled_psnr(measured.rows(ours.dataset, _HOLE, ours.model))
            rows.append([*cells, name, with_interval(pooled), with_interval(summary), whole(summary.n)])
        if not matching:
            rows.append([*cells, *[NOTHING] * 4])
    has_none = not any(row[5] != NOTHING for row in rows)
    notes = said("tables", "published_psnr", TOLERANCE, has_none)
    head = [
        "study", "data set", "pixels a side", "λ\u202frec / λ\u202fadv", "published (dB)",
        "model here", "pooled over all pictures, here (dB, 95%)", "mean of pictures, here (dB, 95%)", "N",
    ]  # fmt: skip
    caption = "PSNR of the filled hole, published and here"
    return ShownTable(caption, head, rows, text_columns=3, grouped=True, notes=notes, source=source)


def pooled_psnr(rows: pd.DataFrame) -> Summary:
    """Return PSNR in dB of the mean squared error over all pictures, from rows of `image_metrics` with PSNR.

    It is at most the mean of theirs. The interval is Student's t of the mean squared error over the items.

    >>> rows = pd.DataFrame({"stimulus": [*"abc"], "item": [*"abc"], "value": [10.0, 20.0, math.inf]})
    >>> round(pooled_psnr(rows).value, 3)
    14.357
    """
    parts = 10.0 ** (-rows["value"].dropna() / 10)  # mean squared errors as shares of 255²; 0 where equal
    errors = parts.groupby(items_of(rows), sort=False).mean()
    if errors.empty:
        return Summary()
    middle, high, low = (-10 * math.log10(error) if error > 0 else math.inf for error in mean_interval(errors))
    return Summary(middle, low if len(errors) > 1 else math.nan, high if len(errors) > 1 else math.nan, n=len(errors))


def _own_models(folder: StudyFolder) -> list[OwnModel]:
    """Return the models that fill holes, on each data set with PSNR in the hole."""
    models = []
    for model, settings in training_settings(folder).items():
        if not fills_holes(settings):
            continue
        weights = [float(settings.get(name) or 0) for name in ("lambda_l1", "lambda_l2", "adversarial_weight")]
        reconstruction, adversarial = weights[0] + weights[1], weights[2]
        size: Any = settings.get("image_size", NOTHING)
        models += [
            OwnModel(
                model,
                dataset,
                reconstruction / adversarial if adversarial else math.inf,
                str(settings["inpainting"].get("source_size") or size),
                str(size),
            )
            for dataset in folder.measured.datasets
            if len(folder.measured.values(dataset, _HOLE, model))
        ]
    return models


def _number(row: Record, column: str, where: str) -> float:
    """Return a finite number, above 0 except for metric values."""
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (column != "value" and value <= 0):
        raise UserError(
            f"{where}: {column}: found {row[column]!r}; expected a number{' above 0' * (column != 'value')}"
        )
    return value
