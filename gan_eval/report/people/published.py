"""Published PSNR of filled holes by the ratio of the losses, beside that of the run's models of the same ratio.

Published numbers beside the run's own, each with its own interval and its source.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.report.metrics.data import Measured, mean_interval
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    NARROW,
    NBSP,
    NOTHING,
    View,
    listed,
    number,
    p_value,
    plural,
    share_interval,
    whole,
)
from gan_eval.report.people.comparisons import points
from gan_eval.report.training.runs import fills_holes, training_settings
from gan_eval.stats.compare.comparisons import against_published
from gan_eval.stats.shares import wilson
from gan_eval.tables import PUBLISHED_QUIZ, SET_METRICS
from gan_eval.tabular import conform

QUIZ_COLUMNS = {"dataset", "group", "trials", "percent_correct"}
METRIC_COLUMNS = {"dataset", "metric", "value", "source"}
SAME_DATASET = {"map_to_aerial": "maps", "map_to_photo": "maps", "cityscapes_labels_to_photo": "cityscapes"}
"""Published names of data sets that go by another name here, where the direction is label to photograph."""


def published_views(folder: StudyFolder) -> list[View]:
    """The quiz tables, those of PSNR by the ratio of the losses, and the metric tables among the published ones."""
    quiz, psnr, metrics = [], [], []
    for name, table in folder.published.items():
        if set(table.columns) >= QUIZ_COLUMNS:
            quiz.append(_quiz_view(folder, _judgements(table, f"published/{name}"), f"published/{name}"))
        elif set(table.columns) >= PSNR_COLUMNS:
            psnr.append(psnr_view(folder, table, f"published/{name}"))
        elif set(table.columns) >= METRIC_COLUMNS:
            metrics += _metric_view(folder, _numbers(table, f"published/{name}"), f"published/{name}")
    return [*quiz, *psnr, *metrics]


def _quiz_view(folder: StudyFolder, published: pd.DataFrame, source: str) -> View:
    rates = folder.scope("dataset")
    run = rates.set_index("id")
    against = against_published(rates, published).set_index(["a", "b"])
    rows = []
    for theirs in published.to_dict("records"):
        group = {"real": "real", "fake": "generated"}[theirs["group"]]
        k, n = round(theirs["percent_correct"] / 100 * theirs["trials"]), theirs["trials"]
        cells = [theirs["dataset"], group, share_interval(k / n, *wilson(k, n)), whole(n)]
        key = (f"{theirs['dataset']} {theirs['group']}", theirs["study"])
        if theirs["dataset"] in run.index and key in against.index:
            own, comparison = run.loc[theirs["dataset"]], against.loc[key]
            right, total = (
                (own["correct_rejections"], own["n_real"])
                if theirs["group"] == "real"
                else (own["hits"], own["n_fake"])
            )
            cells += [share_interval(right / total, *wilson(right, total)), whole(total)]
            cells += [points(comparison["difference"]), p_value(comparison["p_holm"])]
        else:
            cells += [NOTHING] * 4
        rows.append(cells)
    head = [
        "data set", "pictures", "published: right (95\u202f%)", "answers", "here: right (95\u202f%)", "answers",
        "here − published", "p (Fisher, Holm)",
    ]  # fmt: skip
    sources = dict.fromkeys(f"{row['study']}: {row['source']}" for row in published.to_dict("records"))
    noted = published[published["note"].notna()].to_dict("records")
    remarks = dict.fromkeys(f"{row['dataset']}: {row['note']}" for row in noted)
    compared = dict.fromkeys(f"here − published: {note}" for note in against["note"].dropna())
    notes = [*sources, *remarks, *compared]
    return View("Right answers, published and here", head, rows, text_columns=2, notes=notes, source=(source,))


def _metric_view(folder: StudyFolder, published: pd.DataFrame, source: str) -> list[View]:
    """Published metric values of the data sets and metrics that this run has, too."""
    own = folder.table(SET_METRICS)
    rows = []
    for theirs in published.to_dict("records"):
        dataset = SAME_DATASET.get(theirs["dataset"], theirs["dataset"])
        fitting = own[(own["dataset"] == dataset) & (own["metric"] == theirs["metric"])] if len(own) else own
        rows += [
            [
                dataset,
                theirs["metric"],
                theirs.get("model") or NOTHING,
                number(theirs["value"], digits=1),
                row["model"],
                number(row["value"], digits=1),
                whole(row["n_fake"]),
                f"{theirs['source']}, {theirs['dataset']}" + (f"; {theirs['note']}" if theirs.get("note") else ""),
            ]
            for _, row in fitting.iterrows()
        ]
    if not rows:
        return []
    head = ["data set", "metric", "published model", "published", "model here", "here", "N here", "source"]
    return [View("Metric values, published and here", head, rows, text_columns=3, last_is_text=True, source=(source,))]


def _judgements(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """The table `published_quiz`, each of whose rows is a share of at least one answer."""
    filled = table.mask(table == "").assign(study=table.get("study", "published"), source=table.get("source", ""))
    published = conform(filled, PUBLISHED_QUIZ, where=where)
    for number_of_row, row in enumerate(published.to_dict("records"), start=1):
        group = f"{where}: row {number_of_row} ({row['dataset']} {row['group']})"
        if row["trials"] < 1:
            raise UserError(f"{group}: trials is {row['trials']}; give the number of judgements or leave the row out")
        if not 0 <= row["percent_correct"] <= 100:
            raise UserError(f"{group}: percent_correct is {row['percent_correct']:g}; it goes from 0 to 100")
    return published


def _numbers(table: pd.DataFrame, where: str) -> pd.DataFrame:
    try:
        return table.assign(value=pd.to_numeric(table["value"]))
    except ValueError as error:
        raise UserError(f"{where}: column value: not a number ({error})") from error


PSNR_COLUMNS = {"study", "source", "dataset", "network_size", "lambda_rec_over_lambda_adv", "test_psnr_db"}
TOLERANCE = 0.015
"""Of a ratio: weights are given rounded, so that x1000 is 0.999 / 0.001 = 999."""
_HOLE, _WHOLE = "psnr_hole", "psnr"


@dataclass(frozen=True)
class Own:
    """A model of the run that fills holes, on one data set."""

    model: str
    dataset: str
    ratio: float
    """Weight of the reconstruction over that of the adversarial loss; infinite without the latter."""
    size: str
    """Side of its pictures in pixels, as text."""
    sums_to_one: bool
    """Both weights together are 1."""


def psnr_view(folder: StudyFolder, published: pd.DataFrame, source: str) -> View:
    """Every published row, and beside it the run's models of the same ratio: on the same data set, else on any.

    Args:
        folder: with the metric tables and the training settings.
        published: a table with PSNR_COLUMNS, every cell as text.
        source: its name among the folder's files.

    Raises:
        UserError: a ratio or a PSNR that is no number.
    """
    measured = Measured(folder.tables)
    own = _own(folder, measured)
    rows: list[list[str]] = []
    shown: list[Own] = []
    for place, theirs in enumerate(published.to_dict("records"), start=1):
        ratio = _positive(theirs, "lambda_rec_over_lambda_adv", f"{source}: row {place}")
        value = _number(theirs, "test_psnr_db", f"{source}: row {place}")
        said = [
            f"{theirs['study']}: {theirs['source']}",
            theirs["dataset"],
            _sizes(theirs),
            f"{ratio:g}",
            number(value),
        ]
        matching = _of_ratio(own, ratio, theirs["dataset"])
        shown += matching
        rows += [[*said, *_here(measured, one)] for one in matching] or [[*said, *[NOTHING] * 4]]
    head = [
        "study", "data set", "pixels a side", "λ\u202frec / λ\u202fadv", "published (dB)",
        "model here", "hole, here (dB, 95\u202f%)", "whole picture, here (dB, 95\u202f%)", "N",
    ]  # fmt: skip
    return View(
        "PSNR of the filled hole, published and here",
        head,
        rows,
        text_columns=3,
        grouped=True,
        notes=_notes(published, own, shown),
        source=(source, "image_metrics"),
    )


def _own(folder: StudyFolder, measured: Measured) -> list[Own]:
    """The models that fill holes, on each data set that either metric was measured on."""
    found = []
    for model, settings in training_settings(folder).items():
        if not fills_holes(settings):
            continue
        reconstruction = _weight(settings, "lambda_l1") + _weight(settings, "lambda_l2")
        adversarial = _weight(settings, "adversarial_weight")
        found += [
            Own(
                model,
                dataset,
                reconstruction / adversarial if adversarial else math.inf,
                str(settings.get("image_size", NOTHING)),
                math.isclose(reconstruction + adversarial, 1, abs_tol=1e-6),
            )
            for dataset in measured.datasets
            if any(measured.summary(dataset, metric, model).is_known for metric in (_HOLE, _WHOLE))
        ]
    return found


def _weight(settings: Mapping[str, Any], name: str) -> float:
    return float(settings.get(name) or 0)


def _of_ratio(own: Sequence[Own], ratio: float, dataset: str) -> list[Own]:
    same = [one for one in own if abs(one.ratio / ratio - 1) <= TOLERANCE]
    return [one for one in same if one.dataset == dataset] or same


def _here(measured: Measured, one: Own) -> list[str]:
    hole, picture = (measured.summary(one.dataset, metric, one.model) for metric in (_HOLE, _WHOLE))
    counts = dict.fromkeys(whole(each.n) for each in (hole, picture) if each.is_known)
    named = f"{one.model} on {one.dataset}, {one.size}{NARROW}px"
    return [named, mean_interval(hole), mean_interval(picture), ", ".join(counts)]


def _sizes(theirs: Mapping[Any, Any]) -> str:
    """Side of the sources and of what the network saw."""
    source, network = theirs.get("source_size") or "", theirs["network_size"] or NOTHING
    return f"{source} → {network}" if source and source != network else network


def _notes(published: pd.DataFrame, own: Sequence[Own], shown: Sequence[Own]) -> list[str]:
    records = published.to_dict("records")
    notes = [
        "Here PSNR is 10 log₁₀(255² / MSE) of levels 0 to 255, averaged over the pictures, with 95\u202f% intervals by "
        "Student's t over the pictures; pictures that equal their original have an infinite one and are in no mean.",
        "The publication does not say over which pixels it measured. Hole, here: the filled pixels alone. Whole "
        "picture, here: the composite, whose known pixels are the original's, so that its PSNR is higher "
        f"by 10{NBSP}log₁₀(1{NBSP}/{NBSP}share of the hole): 6.0 dB for a hole of a quarter.",
        "Models stand beside a published row where (λ L1 + λ L2) / adversarial weight is the published ratio to within "
        f"{100 * TOLERANCE:g}\u202f%: those on the data set of the same name, else those on any.",
    ]
    summed = list(dict.fromkeys(one.model for one in own if one.sums_to_one))
    if summed:
        notes.append(f"λ rec + λ adv = 1 holds for {listed(summed)}, so that the learning rates mean the same.")
    others = list(dict.fromkeys(one.model for one in own if one not in shown))
    if others:
        ratios = dict.fromkeys(f"{one.model} ({one.ratio:.4g})" for one in own if one.model in others)
        notes.append(f"Of no published ratio: {listed(list(ratios))}.".replace("inf)", "no adversarial loss)"))
    if not own:
        notes.append("No model here fills holes and was measured by psnr_hole or psnr.")
    elif not shown:
        notes.append(f"None of the {plural(len(records), 'published row')} has a model of its ratio here.")
    return notes


def _positive(row: Mapping[Any, Any], column: str, where: str) -> float:
    value = _number(row, column, where)
    if value <= 0:
        raise UserError(f"{where}: {column}: found {row[column]}; a ratio above 0 is wanted")
    return value


def _number(row: Mapping[Any, Any], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except ValueError as error:
        raise UserError(f"{where}: {column}: found {row[column]!r}; wanted a number") from error
    if not math.isfinite(value):
        raise UserError(f"{where}: {column}: found {row[column]!r}; wanted a finite number")
    return value
