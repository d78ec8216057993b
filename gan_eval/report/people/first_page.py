"""The first page: the result in sentences, figure 1, table 1, six pairs of pictures, five facts, the Methods."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gan_eval.report.figure_content import content_of
from gan_eval.report.metrics.summaries import direction, is_of_quality, title_of
from gan_eval.report.metrics.values import summary_table
from gan_eval.report.parts.blocks import Block, Cell, Drawing, FactList, Folded, Lead, Lines, ReportSection, ShownTable
from gan_eval.report.parts.chart import svg_element
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    NBSP,
    Record,
    basis_text,
    capital,
    interval,
    listed,
    missing,
    number,
    on_dataset,
    plural,
    row_notes,
    whole,
)
from gan_eval.report.people.answer import has_all_sentences, row_sentences
from gan_eval.report.people.caveats import caveats, is_interim, trained_text
from gan_eval.report.people.methods import design_text, method_blocks, pictures_sentences
from gan_eval.report.people.participants import participation_sentences
from gan_eval.report.people.pictures import six_pairs
from gan_eval.report.people.verdicts import is_adjusted
from gan_eval.stats.latex import TexCell, booktabs, folded
from gan_eval.stats.metrics_and_people.correlations import (
    CORRELATION_DIFFERENCES,
    CORRELATIONS,
    MIN_POINTS_FOR_INFERENCE,
)
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORE_DIFFERENCES, METRIC_SCORES
from gan_eval.stats.metrics_and_people.points import GRADE
from gan_eval.stats.paper import EVERYTHING, PAPER, distinct_rows, printed, shared_reals, skill_note, unadjusted
from gan_eval.stats.recruitment import ALPHA
from gan_eval.tables import IMAGE_METRICS, SESSIONS, SET_METRICS

if TYPE_CHECKING:
    import pandas as pd

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

        in_words = "; ".join(" ".join(row[:1] + row[-1:]) for row in printed(folder.table(PAPER))[1])
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
    frame = folder.table(PAPER)
    if frame.empty or is_interim(folder):
        return []
    head, rows = printed(frame)
    rows_of_table, basis = distinct_rows(frame), basis_text(distinct_rows(frame))
    notes = [f"In brackets the 95% interval{f': {basis}' * bool(basis)}.", *skill_note(frame)]
    if "Threshold, ms" in head:
        notes.append("Those of thresholds are over participants only.")
    what = next((what for name, what in _WHAT.items() if frame[name].notna().any()), "Discrimination")
    one_test = "The p of all is not adjusted, since it is one test." * (
        is_adjusted(frame) and bool((rows_of_table["model"] == EVERYTHING).any())
    )
    notes += [note for note in (unadjusted(rows_of_table["verdict"]), one_test, shared_reals(frame)) if note]
    several = rows_of_table["dataset"].nunique() > 1

    def name_of(row: Record) -> str:
        name = EVERYTHING if missing(row["model"]) else str(row["model"])
        return name + on_dataset(row["dataset"]) * (several and name != EVERYTHING)

    notes += [f"{note}." for note in row_notes(rows_of_table, name_of)]
    if len(rows) > _MAX_CITED:
        notes.append(f"The first {_MAX_CITED} of {whole(len(rows))} rows; the file holds all.")
    return [
        ShownTable(
            "A rehearsal, not to cite" if folder.simulated else f"Table 1. {what} by model",
            head,
            rows[:_MAX_CITED],
            2 + ("Asked" in head),
            [" ".join(notes)],
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
    paper = folder.table(PAPER)
    rows = paper[paper["fooling_rate"].notna() & (paper["model"] != EVERYTHING)].to_dict("records")
    measured, fooling = folder.measured, {}
    for row in [] if is_interim(folder) else rows:
        ends = interval(100 * row["fooling_low"], 100 * row["fooling_high"], digits=1)
        cell = Cell(number(100 * row["fooling_rate"], digits=1), "" if missing(row["fooling_low"]) else ends)
        for dataset in measured.datasets if missing(row["dataset"]) else [str(row["dataset"])]:
            fooling[str(row["model"]), dataset] = cell
    caption = f"Metrics{' and fooling rate' * bool(fooling)} by model"
    return [summary_table(measured, caption, fooling)]


_MARKED = {"best": r"\textbf{%s}", "tied": r"\underline{%s}"}


def models_latex(folder: StudyFolder) -> str:
    """Return the table of `summary_of_models` as LaTeX; empty without one."""
    if not (tables := [table for table in summary_of_models(folder) if table]):
        return ""
    (table,) = tables

    def latex_of(cell: str | Cell) -> TexCell:
        if isinstance(cell, str):
            return TexCell(*folded(cell))
        low, _, high = cell.interval.partition(" to ")
        return TexCell(cell.value, f"[{low}, {high}]" if high else "", _MARKED.get(cell.mark, "%s"))

    heads = [head if isinstance(head, str) else ", ".join(filter(None, (head.name, head.unit))) for head in table.head]
    heads = [head.replace(NBSP, " ") for head in heads]
    marks = {cell.mark for row in table.rows for cell in row if isinstance(cell, Cell)}
    caption = [f"{table.caption}."]
    caption += ["Simulated participants: a rehearsal, not evidence about people."] * folder.simulated
    if partial := trained_text(folder.fractions, "Models trained"):
        caption.append(f"{partial}.")
    has_interval = any(cell.interval for row in table.rows for cell in row if isinstance(cell, Cell))
    caption += ["In brackets 95% intervals."] * has_interval
    caption += ["Bold: better than every other model by the intervals of the differences."] * ("best" in marks)
    caption += ["Underlined: not shown to be worse than another one."] * ("tied" in marks)
    return booktabs(
        heads,
        [[latex_of(cell) for cell in row] for row in table.rows],
        words=heads[:1],
        caption=" ".join(caption),
        label="tab:metrics-and-fooling",
    )


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
        whom = "people's grades" if measure == GRADE else "people"
        sentences.append(f"Do metrics rank each model's pictures as {whom} do?")
        pooled = of_measure[of_measure["dataset"].isna()]
        parts = [("", pooled)] if len(pooled) else list(of_measure.groupby("dataset", sort=True))
        sentences += [_followed(folder, str(dataset), part.to_dict("records")) for dataset, part in parts]
    adjusted = "Decided by p after Holm's correction; the intervals are unadjusted."
    return f"{' '.join(sentences)} {adjusted}" if sentences else ""


def score_sentences(folder: StudyFolder) -> str:
    """Return a sentence on the highest 2AFC score of each kind of pairs; of several data sets on all votes together."""
    scores, differences = folder.table(METRIC_SCORES), folder.table(METRIC_SCORE_DIFFERENCES)
    sentences = []
    for _, of_protocol in scores[scores["score"].notna()].groupby("protocol", sort=True):
        pooled = of_protocol[of_protocol["dataset"].isna()]
        parts = [pooled] if len(pooled) else [part for _, part in of_protocol.groupby("dataset", sort=True)]
        sentences += [_score_sentence(part.to_dict("records"), differences) for part in parts]
    return " ".join(["Do metrics choose between two pictures as people do?", *sentences] if sentences else [])


def _score_sentence(rows: Sequence[Record], differences: "pd.DataFrame") -> str:
    """Return the sentence on the metrics of one kind of pairs."""
    best = max(rows, key=lambda row: float(row["score"]))
    has_interval, has_ceiling = (not missing(best[name]) for name in ("score_low", "ceiling"))
    cells = [
        f"2AFC score {number(best['score'], digits=3)}",
        f"95% interval {interval(best['score_low'], best['score_high'], digits=3)}" * has_interval,
        f"{whole(best['n_votes'])} votes on {plural(int(best['n_pairs']), 'pair')}",
        f"the majority of the other votes has {number(best['ceiling'], digits=3)}" * has_ceiling,
    ]
    said = f"{_name(best['metric'])}{on_dataset(best['dataset'])}: {', '.join(filter(None, cells))}"
    if len(rows) == 1:
        return f"{said}."
    won = differences[(differences["follows_better"] == best["metric"]).fillna(False).to_numpy(bool)]
    same_place = (won["dataset"].fillna("") == ("" if missing(best["dataset"]) else best["dataset"])).to_numpy(bool)
    return f"Highest is {said}{_lead(str(best['metric']), won[same_place & (won['protocol'] == best['protocol'])])}."


def _lead(metric: str, won: "pd.DataFrame") -> str:
    """Return the clause on the metrics over which a lead is significant, by the rows whose metric it is."""
    losers = [str(b if a == metric else a) for a, b in zip(won["metric_a"], won["metric_b"], strict=True)]
    beaten = [_name(loser) for loser in losers if is_of_quality(loser)]
    return f"; its lead over {listed(beaten)} is significant" if beaten else "; its lead is not significant"


def _followed(folder: StudyFolder, dataset: str, rows: Sequence[Record]) -> str:
    where = f"On {dataset} " if dataset else "Here "
    measured = [row for row in rows if not missing(row["within"]) and not missing(row["within_low"])]
    if not measured:
        if all(missing(row["within"]) and row["n"] >= MIN_POINTS_FOR_INFERENCE for row in rows):
            return f"{where}no model's pictures differ both in a metric and in people's answers, so this has no answer."
        return f"{where}there are too few pictures to say (n = {max(int(row['n']) for row in rows)})."
    # an interval that excludes 0 in this direction, and p after Holm; a missing p is not below alpha
    following = [row for row in measured if min(_directed(row)) > 0 and row["within_p_holm"] < ALPHA]
    best = max(measured, key=_directed)
    strength = (
        f"{_name(best['metric'])}: Spearman {number(best['within'])}, 95% interval "
        f"{interval(best['within_low'], best['within_high'])}, n = {int(best['n'])}"
    )
    if not following:
        return f"{where}no metric does significantly ({'the highest is ' * (len(measured) > 1)}{strength})."
    if len(measured) == 1:
        return f"{where}it does ({strength})."
    names = [_name(row["metric"]) for row in following]
    table, metric = folder.table(CORRELATION_DIFFERENCES), str(best["metric"])
    won = table[(table["level"] == "stimulus") & (table["follows_better"] == metric)]
    won = won[(won["dataset"].fillna("") == dataset) & (won["measure"] == best["measure"])]
    return f"{where}{listed(names)} {'do' if len(names) > 1 else 'does'}; highest is {strength}{_lead(metric, won)}."


def _directed(row: Record) -> list[float]:
    """Return the correlation and the ends of its interval, positive in the direction that the metric predicts."""
    sign = direction(str(row["metric"]), row["within"])
    return [sign * row[f"within{end}"] for end in ("", "_low", "_high")]


def _name(metric: object) -> str:
    """Return a metric's title without a comma, for an enumeration: LPIPS (AlexNet)."""
    name, _, variant = title_of(str(metric)).partition(", ")
    return f"{name} ({variant})" if variant else name
