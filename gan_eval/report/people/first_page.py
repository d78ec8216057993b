"""The first page: the result in sentences, figure 1, table 1, six pairs of pictures, five facts, the Methods."""

from collections.abc import Sequence

import pandas as pd

from gan_eval.base.inference import Estimate
from gan_eval.report.figure_content import content_of
from gan_eval.report.metrics.summaries import direction, is_of_quality, title_of
from gan_eval.report.metrics.values import summary_table
from gan_eval.report.parts.blocks import (
    Block,
    Cell,
    Drawing,
    FactList,
    Folded,
    Lead,
    Lines,
    ReportSection,
    ShownColumn,
    ShownTable,
)
from gan_eval.report.parts.chart import svg_element
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.words import (
    NBSP,
    Record,
    basis_text,
    capital,
    interval,
    missing,
    number,
    on_dataset,
    row_notes,
    rows_with,
    whole,
)
from gan_eval.report.people.answer import has_all_sentences, row_sentences
from gan_eval.report.people.caveats import caveats, is_interim, trained_text
from gan_eval.report.people.methods import design_text, method_blocks, pictures_sentences
from gan_eval.report.people.participants import participation_sentences
from gan_eval.report.people.pictures import six_pairs
from gan_eval.stats.cited import printed, shared_reals, skill_note, unadjusted
from gan_eval.stats.latex import TexCell, booktabs, folded
from gan_eval.stats.metrics_and_people.correlations import (
    CORRELATION_DIFFERENCES,
    CORRELATIONS,
    MIN_POINTS_FOR_INFERENCE,
)
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORE_DIFFERENCES, METRIC_SCORES
from gan_eval.stats.metrics_and_people.points import GRADE
from gan_eval.stats.recruitment import ALPHA
from gan_eval.stats.results import EVERYTHING, is_adjusted
from gan_eval.tables import IMAGE_METRICS, SESSIONS, SET_METRICS

_MAX_CITED = 20
"""Maximum number of rows of the table to cite; the table's file has all rows."""
_WHAT = {"accuracy": "Discrimination", "grade": "Mean grade", "preference": "Preference", "threshold_ms": "Threshold"}
"""Title of the table to cite, by the first of these columns that has a value."""
PHONE_MM = 85
"""Width of figure 1 on a phone."""
MAX_CAVEATS = 4
"""Maximum number of caveats on the first page; the details have all."""


def first_page(folder: StudyFolder, answer: Sequence[str]) -> ReportSection:
    """Return the first page, which begins with the sentences of the answer; without answers it has only pictures."""
    content = content_of(folder)
    drawings = []
    if content is not None:
        from gan_eval.report.figure import caption_of_figure_1, figure_1  # imports Matplotlib

        in_words = "; ".join(" ".join(row[:1] + row[-1:]) for row in printed(folder.results)[1])
        wide = svg_element(figure_1(content), "wide")
        on_phone = svg_element(figure_1(content, PHONE_MM), "phone")
        drawings = [Drawing("Figure 1", wide, on_phone, caption_of_figure_1(folder, content), in_words)]
    all_sentences = []  # a sentence for each model, if the answer groups the models
    if not (has_all_sentences(folder) or is_interim(folder)):
        sentences = list(row_sentences(folder))
        all_sentences = [Folded(f"A sentence for each model, to copy ({len(sentences)})", [Lines(sentences)])]
    blocks: list[Block] = [
        Lead(answer),
        *drawings,
        *cited_table(folder),
        *(summary_of_models(folder) if answer else []),
        six_pairs(folder),
        FactList([(name, capital(text)) for name, text in _facts(folder) if text] if answer else [], "lines"),
        *all_sentences,
        Folded("Methods, to copy into a paper", method_blocks(folder)),
    ]
    return ReportSection("answer", "Result" if answer else "The pictures", blocks, on_first_page=True)


def cited_table(folder: StudyFolder) -> list[ShownTable]:
    """Return a list with the table to cite; an empty list before the verdict."""
    results, cited = folder.results, folder.results.cited
    if not cited or is_interim(folder):
        return []
    head, rows = printed(results)
    what = next((what for name, what in _WHAT.items() if name in results.known), "Discrimination")
    several = len({each.dataset for each in cited} - {""}) > 1
    notes = row_notes(
        (each.reason, (each.model or EVERYTHING) + on_dataset(each.dataset) * (several and not each.is_of_all))
        for each in cited
    )
    note = sentence(
        "first_page",
        "cited_notes",
        has_intervals=results.has_intervals,
        basis=basis_text(cited),
        skill=skill_note(results),
        has_thresholds="Threshold, ms" in head,
        unadjusted=unadjusted(cited),
        one_test=is_adjusted(cited) and any(each.is_of_all for each in cited),
        shared=shared_reals(results),
        rows=notes,
        shown=_MAX_CITED,
        n=len(rows),
    )
    return [
        ShownTable(
            "A rehearsal, not to cite" if folder.simulated else f"Table 1. {what} by model",
            head,
            rows[:_MAX_CITED],
            2 + ("Asked" in head),
            [note],
            last_is_text=head[-1] == "Verdict",
            source="paper",
            style="rows cite",
        )
    ]


def summary_of_models(folder: StudyFolder) -> list[ShownTable]:
    """Return a list with the table of all metrics and the fooling rate by model; empty without metrics.

    Before the verdict it has no fooling rates.
    """
    if not (len(folder.table(IMAGE_METRICS)) or len(folder.table(SET_METRICS))):
        return []
    measured, fooling = folder.measured, {} if is_interim(folder) else _fooling_rates(folder)
    caption = f"Metrics{' and fooling rate' * bool(fooling)} by model"
    return [summary_table(measured, caption, fooling)]


def _fooling_rates(folder: StudyFolder) -> dict[tuple[str, str], Cell]:
    """Return the fooling rates by model and data set; one without a data set counts for all."""
    cells: dict[tuple[str, str], Cell] = {}
    for each in folder.results.cited:
        value, low, high = (100 * end for end in each.numbers["fooling_rate"])
        if not (missing(value) or each.is_of_all):
            cell = Cell(number(value, digits=1), "" if missing(low) else interval(low, high, digits=1))
            datasets = [each.dataset] if each.dataset else folder.measured.datasets
            cells |= {(each.model, name): cell for name in datasets}
    return cells


_MARKED = {"best": r"\textbf{%s}", "tied": r"\underline{%s}"}


def models_latex(folder: StudyFolder) -> str:
    """Return the table of `summary_of_models` as LaTeX; empty without one."""
    if not (tables := [table for table in summary_of_models(folder) if table]):
        return ""
    (table,) = tables

    heads = [_heading(head) for head in table.head]
    cells = [cell for row in table.rows for cell in row if isinstance(cell, Cell)]
    partial, marks = trained_text(folder.fractions, "Models trained"), {cell.mark for cell in cells}
    has_interval = any(cell.interval for cell in cells)
    caption = sentence("first_page", "latex_caption", table.caption, folder.simulated, partial, has_interval, marks)
    return booktabs(
        heads,
        [list(map(_latex_of, row)) for row in table.rows],
        words=heads[:1],
        caption=caption,
        label="tab:metrics-and-fooling",
    )


def _heading(head: str | ShownColumn) -> str:
    text = head if isinstance(head, str) else ", ".join(filter(None, (head.name, head.unit)))
    return text.replace(NBSP, " ")


def _latex_of(cell: str | Cell) -> TexCell:
    if isinstance(cell, str):
        return TexCell(*folded(cell))
    return TexCell(cell.value, cell.interval, _MARKED.get(cell.mark, "%s"))


def _facts(folder: StudyFolder) -> list[tuple[str, str]]:
    asked = folder.study is not None and len(folder.table(SESSIONS)) > 0  # else people did not see the study's quiz
    design = design_text(folder, folder.study.quiz) if asked and folder.study else " ".join(pictures_sentences(folder))
    sentences = caveats(folder)
    more = f" {whole(len(sentences) - MAX_CAVEATS)} more in the details." if len(sentences) > MAX_CAVEATS else ""
    return [
        ("Question", "" if folder.study is None else folder.study.study.question),
        ("Participants", " ".join(participation_sentences(folder))),
        ("Design", design),
        ("Metrics", "" if is_interim(folder) else metrics_sentence(folder)),
        ("Metrics and choices", "" if is_interim(folder) else score_sentences(folder)),
        ("Caveats", " ".join(sentences[:MAX_CAVEATS]) + more),
    ]


def metrics_sentence(folder: StudyFolder) -> str:
    """Return sentences on whether quality metrics rank each model's pictures as people do; empty without correlations.

    A metric does if its p is significant after Holm's correction, in the direction that the metric predicts.
    """
    table = folder.table(CORRELATIONS)
    table = table[(table["level"] == "stimulus") & table["metric"].map(is_of_quality).astype(bool)]
    sentences = []
    for measure, of_measure in table.groupby("measure", sort=True):
        sentences += said("first_page", "asked", "people's grades" if measure == GRADE else "people")
        pooled = of_measure[of_measure["dataset"].isna()]
        parts = [("", pooled)] if len(pooled) else list(of_measure.groupby("dataset", sort=True))
        sentences += [_followed(folder, str(dataset), part.to_dict("records")) for dataset, part in parts]
    return " ".join([*sentences, *said("first_page", "adjusted")]) if sentences else ""


def score_sentences(folder: StudyFolder) -> str:
    """Return a sentence on the highest 2AFC score of each kind of pairs; of several data sets on all votes together."""
    scores, differences = folder.table(METRIC_SCORES), folder.table(METRIC_SCORE_DIFFERENCES)
    rows = []
    for protocol, of_protocol in scores[scores["score"].notna()].groupby("protocol", sort=True):
        pooled = of_protocol[of_protocol["dataset"].isna()]
        for part in [pooled] if len(pooled) else [part for _, part in of_protocol.groupby("dataset", sort=True)]:
            best = part.sort_values("score", ascending=False, kind="stable").iloc[0].to_dict()
            score = Estimate(*(float(best[name]) for name in ("score", "score_low", "score_high")))
            won = rows_with(differences[differences["protocol"] == protocol], "dataset", best["dataset"])
            rows.append((best, _name(best["metric"]), score, len(part) == 1, _beaten(str(best["metric"]), won)))
    return sentence("first_page", "scores", rows) if rows else ""


def _beaten(metric: str, differences: pd.DataFrame) -> list[str]:
    """Return the quality metrics over which a metric's lead is significant."""
    won = rows_with(differences, "follows_better", metric)
    losers = [str(b if a == metric else a) for a, b in zip(won["metric_a"], won["metric_b"], strict=True)]
    return [_name(loser) for loser in losers if is_of_quality(loser)]


def _followed(folder: StudyFolder, dataset: str, rows: Sequence[Record]) -> str:
    """Return the sentence on the metrics of one data set."""
    measured = [row for row in rows if not missing(row["within"]) and not missing(row["within_low"])]
    is_constant = all(missing(row["within"]) and row["n"] >= MIN_POINTS_FOR_INFERENCE for row in rows)
    # an interval that excludes 0 in this direction, and p after Holm; a missing p is not below alpha
    following = [row for row in measured if min(_directed(row)) > 0 and row["within_p_holm"] < ALPHA]
    best = max(measured, key=_directed, default=max(rows, key=lambda row: int(row["n"])))
    table = folder.table(CORRELATION_DIFFERENCES)
    table = table[(table["level"] == "stimulus") & (table["measure"] == best["measure"])]
    return sentence(
        "first_page",
        "followed",
        dataset=dataset,
        n=int(best["n"]),
        constant=is_constant,
        following=[_name(row["metric"]) for row in following],
        name=_name(best["metric"]),
        within=Estimate(*(best[f"within{end}"] for end in ("", "_low", "_high"))),
        n_measured=len(measured),
        won=_beaten(str(best["metric"]), rows_with(table, "dataset", dataset or None)),
    )


def _directed(row: Record) -> list[float]:
    """Return the correlation and the ends of its interval, positive in the direction that the metric predicts."""
    sign = direction(str(row["metric"]), row["within"])
    return [sign * row[f"within{end}"] for end in ("", "_low", "_high")]


def _name(metric: object) -> str:
    """Return a metric's title without a comma, for an enumeration: LPIPS (AlexNet)."""
    name, _, variant = title_of(str(metric)).partition(", ")
    return f"{name} ({variant})" if variant else name
