"""The first page: verdict, one figure, the table to cite, which pictures fooled, and whether metrics follow people."""

from collections.abc import Sequence
from itertools import groupby

from gan_eval.report.metrics.data import higher_is_better, is_of_quality, title_of
from gan_eval.report.parts.blocks import Block, Charts, Lead, Paragraph, Section, Table
from gan_eval.report.parts.chart import MOST_GROUPS, Chart, Span, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    BASES_IN_WORDS,
    NARROW,
    Record,
    interval,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    whole,
)
from gan_eval.report.people.answer import answer
from gan_eval.report.people.caveats import is_interim
from gan_eval.report.people.comparisons import robustness_sentence
from gan_eval.report.people.pictures import fooling_galleries
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.metrics_and_people.correlations import CORRELATION_DIFFERENCES, CORRELATIONS
from gan_eval.stats.metrics_and_people.points import GRADE
from gan_eval.stats.paper import (
    EVERYTHING,
    PAPER,
    RATING,
    SINGLE,
    distinct_rows,
    interval_names,
    printed,
    shared_reals,
    skill_note,
    unadjusted,
)
from gan_eval.stats.trials import PAIRED, TWO_MODELS

_PAIR_TITLE = "How often the generated picture was called the real one"
_DRAWN: dict[str, tuple[str, str, str]] = {
    SINGLE: ("fooling_rate", "How often pictures were called real", "called real, %; dashed: chance"),
    PAIRED: ("fooling_rate", _PAIR_TITLE, "called real, %; dashed: chance"),
    TWO_MODELS: ("preference", "How often a model was preferred", "chosen, %; dashed: the average model"),
    RATING: ("grade", "How real the pictures looked", "mean grade"),
    **dict.fromkeys(ADAPTIVE_PROTOCOLS, ("threshold_ms", "How long pictures must be seen", "mean threshold, ms")),
}
"""The column of the table `paper`, a title and the axis of the figure for each way of asking."""
_MOST_CITED = 20
"""Rows of the table to cite on the page; the file holds all."""


def answer_section(folder: StudyFolder) -> Section:
    """Return the first page; nothing where there are no tables of answers."""
    blocks: list[Block] = [
        Lead(answer(folder)),
        Charts(people_charts(folder), "beside"),
        *cited_table(folder),
        Paragraph(robustness_sentence(folder)),
        *fooling_galleries(folder),
        Paragraph("" if is_interim(folder) else metrics_sentence(folder)),
    ]
    return Section("answer", "The answer", blocks, on_first_page=True)


def people_charts(folder: StudyFolder) -> list[Chart]:
    """Return a chart for each way of asking: each model's value, in the order of the table to cite."""
    table = folder.table(PAPER)
    several = table["dataset"].nunique() > 1
    charts = []
    for protocol, rows in groupby(table.to_dict("records"), key=lambda row: str(row["protocol"])):
        column, title, axis = _DRAWN[protocol]
        is_share, is_adaptive = "%" in axis, protocol in ADAPTIVE_PROTOCOLS
        records = [row for row in rows if not missing(row[column])]
        groups = []
        for row in [row for row in records if row["model"] != EVERYTHING] or records:
            ends = [row[column], *(row[name] for name in interval_names(column))]
            span = _span("real" if row["model"] == "real" else "fake", ends, is_share=is_share)
            if is_adaptive:
                span = span._replace(series="all", label=milliseconds(span.value))
            groups.append((_name_of(row, several=several), span))
        reals = _reals(records, several=several) if protocol == SINGLE else []
        more = first_of(len(groups) + len(reals))
        groups = groups[: max(MOST_GROUPS - len(reals), 0)] + reals
        if not groups:
            continue
        scale = (0, 100) if is_share else None
        if protocol == RATING and folder.study is not None:
            scale = (1, folder.study.quiz.grades)
            axis += f", {scale[0]} to {scale[1]}"
        figure = spans_figure(groups[:MOST_GROUPS], axis=axis, reference=50 if is_share else None, scale=scale)
        digits = 1 if is_share else 0 if is_adaptive else 2
        alternative = "; ".join(
            f"{name}: {span.label} ({interval(span.low, span.high, digits=digits)})" for name, span in groups
        )
        caption = _caption(folder, protocol, is_share=is_share) + more
        charts.append(Chart(title, [figure], caption, alternative, name=f"people-{protocol}"))
    return charts


def _name_of(row: Record, *, several: bool) -> str:
    everything = "all models" if row["protocol"] in ADAPTIVE_PROTOCOLS else "generated pictures"
    model = everything if missing(row["model"]) or row["model"] == EVERYTHING else str(row["model"])
    model = "real pictures" if model == "real" else model
    return f"{model} on {row['dataset']}" if several and not missing(row["dataset"]) else model


def _span(series: str, ends: Sequence[float], *, is_share: bool) -> Span:
    """Return a value and the ends of its interval, which may be missing."""
    scale = 100 if is_share else 1
    value, low, high = (scale * float(ends[0] if missing(end) else end) for end in ends)
    return Span(series, value, low, high, percent(value / 100) if is_share else number(value))


def _reals(rows: Sequence[Record], *, several: bool) -> list[tuple[str, Span]]:
    """Return how often the real pictures of each data set were called real, for comparison with generated ones.

    Args:
        rows: of the table to cite; the row for all, which is the last, has the reals of the only data set.
        several: name the data sets.
    """
    by_dataset = {str(row["dataset"]): row for row in rows if row["model"] != EVERYTHING or not several}
    return [
        (
            f"real pictures of {dataset}" if several else "real pictures",
            _span("real", [row["real_called_real"], row["real_low"], row["real_high"]], is_share=True),
        )
        for dataset, row in by_dataset.items()
        if not missing(row["real_called_real"])
    ]


def _caption(folder: StudyFolder, protocol: str, *, is_share: bool) -> str:
    bars = "Bars: 95 % intervals" + (" between participants." if protocol in (RATING, *ADAPTIVE_PROTOCOLS) else ".")
    if protocol == SINGLE:
        table = folder.table(PAPER)
        bases = dict.fromkeys(distinct_rows(table[table["protocol"] == SINGLE])["basis"].dropna())
        if bases:
            bars = f"Bars: 95 % intervals by {' or '.join(BASES_IN_WORDS[basis] for basis in bases)}."
    chance = "the average model" if protocol == TWO_MODELS else "chance"
    if not is_share:
        return bars
    return f"{bars} Dashed: {chance}, 50 %. {unadjusted(folder.table(PAPER)['verdict'])}".strip()


def cited_table(folder: StudyFolder) -> list[Table]:
    """Return the table to cite, each number with one interval; none before there is a verdict."""
    frame = folder.table(PAPER)
    if frame.empty or is_interim(folder):
        return []
    head, rows = printed(frame)
    to_cite = "" if folder.simulated else " to cite; do not cite other shares and intervals of the details"
    notes = [f"In brackets the 95{NARROW}% interval{to_cite}.", *skill_note(frame)]
    if between := [noun for noun, name in (("grades", "Grade"), ("thresholds", "Threshold, ms")) if name in head]:
        notes.append(f"Those of {listed(between)} are between participants, for these pictures.")
    looked = "The intervals are not adjusted for the looks." * (len(folder.looks) > 1)
    notes += [note for note in (unadjusted(frame["verdict"]), looked, shared_reals(frame)) if note]
    if len(rows) > _MOST_CITED:
        notes.append(f"The first {_MOST_CITED} of {whole(len(rows))} rows; the file holds all.")
    return [
        Table(
            "A rehearsal, not to cite" if folder.simulated else "Table 1. Discrimination by model",
            head,
            rows[:_MOST_CITED],
            2 + ("Asked" in head),
            notes,
            last_is_text=head[-1] == "Verdict",
            source="paper",
            style="rows cite",
        )
    ]


def metrics_sentence(folder: StudyFolder) -> str:
    """Return whether metrics of quality follow people over single pictures, ranked within models; else nothing.

    A metric follows people where p survives Holm's correction on the side that its direction predicts.
    """
    table = folder.table(CORRELATIONS)
    table = table[(table["level"] == "stimulus") & table["metric"].map(is_of_quality).astype(bool)]
    sentences = []
    for measure, of_measure in table.groupby("measure", sort=True):
        whom = "people's grades" if measure == GRADE else "people"
        sentences.append(f"Do metrics follow {whom}, picture by picture of a model?")
        pooled = of_measure[of_measure["dataset"].isna()]
        parts = [("", pooled)] if len(pooled) else list(of_measure.groupby("dataset", sort=True))
        sentences += [_followed(folder, str(dataset), part.to_dict("records")) for dataset, part in parts]
    adjusted = "Decided by p after Holm's correction; the intervals are unadjusted."
    return f"{' '.join(sentences)} {adjusted}" if sentences else ""


def _followed(folder: StudyFolder, dataset: str, rows: Sequence[Record]) -> str:
    where = f"On {dataset} " if dataset else "Here "
    known = [row for row in rows if not missing(row["within"]) and not missing(row["within_low"])]
    if not known:
        return f"{where}there are too few pictures to say (n = {max(int(row['n']) for row in rows)})."
    # an interval that excludes 0 in this direction, and p after Holm; a missing p is not below alpha
    following = [row for row in known if min(_directed(row)) > 0 and row["within_p_holm"] < folder.alpha]
    best = max(known, key=_directed)
    strength = (
        f"{title_of(str(best['metric']))}: Spearman {number(best['within'])}, 95{NARROW}% interval "
        f"{interval(best['within_low'], best['within_high'])}, n = {int(best['n'])}"
    )
    if not following:
        return f"{where}none is shown to ({'highest: ' * (len(known) > 1)}{strength})."
    if len(known) == 1:
        return f"{where}it does ({strength})."
    names = [title_of(str(row["metric"])) for row in following]
    beaten = _beaten(folder, best, dataset)
    if len(beaten) == len(known) - 1:
        lead = "it is significantly better than each of the others"
    else:
        lead = f"its lead over {listed(beaten)} is significant" if beaten else "its lead is not significant"
    return f"{where}{listed(names)} {'do' if len(names) > 1 else 'does'}; highest is {strength}; {lead}."


def _directed(row: Record) -> tuple[float, float, float]:
    """Return the correlation and the ends of its interval in the direction that the metric predicts."""
    better = higher_is_better(str(row["metric"]))
    value, low, high = (float(row[f"within{end}"]) for end in ("", "_low", "_high"))
    is_turned = better is False or (better is None and value < 0)
    return (-value, -high, -low) if is_turned else (value, low, high)


def _beaten(folder: StudyFolder, best: Record, dataset: str) -> list[str]:
    """Return the metrics over which the lead of one survives Holm's correction."""
    table, metric = folder.table(CORRELATION_DIFFERENCES), str(best["metric"])
    won = table[(table["level"] == "stimulus") & (table["follows_better"] == metric)]
    won = won[(won["dataset"].fillna("") == dataset) & (won["measure"] == best["measure"])]
    losers = [str(b if a == metric else a) for a, b in zip(won["metric_a"], won["metric_b"], strict=True)]
    return [title_of(loser) for loser in losers if is_of_quality(loser)]
