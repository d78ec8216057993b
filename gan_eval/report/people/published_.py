"""Published numbers beside the run's own, each with its own interval and its source."""

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import NOTHING, View, number, p_value, share_interval, whole
from gan_eval.report.people.comparisons import points
from gan_eval.report.people.published import PSNR_COLUMNS, psnr_view
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
