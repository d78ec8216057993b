"""Differences between groups with their intervals, margins and verdicts."""

from typing import Any

import numpy as np
import pandas as pd

from gan_eval.report.parts.blocks import Charts, Lines, Section, Table
from gan_eval.report.parts.chart import MOST_GROUPS, Chart, Span, chart_of, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, if_filled, labelled, table_of
from gan_eval.report.parts.words import (
    BASES,
    MINUS,
    NARROW,
    NOTHING,
    Record,
    interval,
    listed,
    missing,
    number,
    p_value,
    plural,
    points_text,
    text,
    whole,
)
from gan_eval.report.people.design import BY_RULE, EXPLORATORY, PRESET, exploratory_mark, margin_standing
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.compare.grades import MEAN
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.looks import LOOKS, level, looks_text
from gan_eval.stats.paper import SINGLE, unadjusted, verdict_text

STOPPING = (
    "A verdict at this look may end the study, with this as its result. “Undecided” ends nothing: the answer waits for "
    "the next look. Ending for another reason costs power, not the level. What a study that ended early shows is on "
    "average too large, and the 95 % intervals are not adjusted for the looks."
)
_FIXED = {
    PRESET: "fixed before the data",
    EXPLORATORY: "exploratory, not in the plan",
    BY_RULE: "given to the analysis, no plan",
}


def comparisons_section(folder: StudyFolder) -> Section:
    """Margins and what was not planned, charts of the differences between models, and every comparison."""
    blocks = [
        Lines(comparison_sentences(folder)), Charts(comparison_charts(folder)), *_tables(folder), *looks_table(folder)
    ]  # fmt: skip
    return Section("comparisons", "Differences, and how sure they are", blocks)


def comparison_sentences(folder: StudyFolder) -> list[str]:
    """What the margin is, what was not planned, and where another basis says otherwise."""
    table = folder.table(COMPARISONS)
    sentences = []
    looks = folder.table(LOOKS)
    if margins := margin_texts(table):
        sentences.append(
            f"The equivalence margin is {listed(margins)}: groups are equivalent where the 90 % interval "
            "of their difference lies within it on both sides (two one-sided tests at 5 %"
            f"{', or at the level of the look' * (len(looks) > 1)})."
        )
        if (table["measure"] == "called_fake").any():
            sentences[-1] += (
                " Of “told apart” it is the distance of balanced accuracy from guessing, half the difference in the "
                "table."
            )
    if len(looks) > 1 and not np.isnan(alpha := level(looks)):
        text = looks_text(looks)
        sentences.append(
            f"This is {text.partition(':')[0]}: p values, corrected after Holm, and those of equivalence are held "
            f"against {alpha:.2g}, so that all looks together call equal groups different in 5 % of studies."
        )
        if looks["taken_at"].isna().any():
            sentences.append(STOPPING)
    sensitivity = table["comparison"].astype("str").str.contains(SENSITIVITY, regex=False).to_numpy(bool)
    unplanned = int((table["exploratory"].fillna(False).astype(bool) & ~sensitivity).sum())
    if unplanned:
        sentences.append(
            f"Exploratory, resting on what the plan does not have: {plural(unplanned, 'comparison')}, marked as such."
        )
    if sensitivity.any():
        sentences.append(
            f"Sensitivity: {plural(int(sensitivity.sum()), 'comparison')} without people whom a rule on their outcome "
            "names. Choosing people by how they answered decides the answer, so there is no verdict."
        )
    split = table[(table["p"] < 0.05) != (table["check_p"] < 0.05)]
    split = split[split["p"].notna() & split["check_p"].notna()]
    sentences += [
        f"Of {row['a']} and {row['b']} ({row['comparison']}) another basis says otherwise: p {p_value(row['p'])} here, "
        f"{p_value(row['check_p'])} there."
        for row in split.head(6).to_dict("records")
    ]
    return sentences


def looks_table(folder: StudyFolder) -> list[Table]:
    """The planned looks and what each may spend; none where there is but one."""
    looks = folder.table(LOOKS)
    columns = {
        "look": cell(whole, "look"),
        "due at, people": cell(whole, "due_at"),
        "taken at": cell(whole, "taken_at"),
        "spent of 5\u202f%": cell(p_value, "alpha_spent"),
        "critical z": cell(number, "z"),
        "p below": cell(p_value, "alpha"),
        "these answers": labelled({True: "yes", False: ""}, "current"),
    }
    notes = [
        "The alpha-spending function of Lan & DeMets (1983) of O'Brien-Fleming type; information is the share of the "
        "people wanted, and a look that was not taken spends nothing."
    ]
    looks = looks.assign(note=None) if len(looks) > 1 else looks.head(0)  # the sentences say it
    return table_of("Looks at the answers", looks, columns, notes=notes, label="look", source="looks")


def margin_texts(comparisons: pd.DataFrame) -> list[str]:
    """Each margin with its standing, such as `5 points (fixed before the data)`."""
    rows = comparisons[comparisons["margin"].notna()].to_dict("records")
    return list(dict.fromkeys(f"{points_text(row['margin'])} ({_FIXED[margin_standing(row)]})" for row in rows))


def _tables(folder: StudyFolder) -> list[Table]:
    """Model against model and real against fake; columns that no row fills are left out, margin and bases are told in
    sentences: a page shows the whole width."""

    def amount(row: Record, name: str) -> str:
        if row["measure"] == MEAN:  # in grades
            return number(row[name])
        return points(row[name], unit=False)

    def ends(row: Record, name: str) -> str:
        low, high = (amount(row, f"{name}_{end}") for end in ("low", "high"))
        return NOTHING if NOTHING in (low, high) else f"{low} to {high}"

    frame = folder.table(COMPARISONS)
    columns = {
        "difference": _difference_name,
        "points (95\u202f%, unadjusted)": lambda row: (
            NOTHING if missing(row["difference"]) else f"{amount(row, 'difference')} ({ends(row, 'ci')})"
        ),
        "p": cell(p_value, "p"),
        "p (Holm)": cell(p_value, "p_holm"),
        "90\u202f% interval": if_filled(frame, "margin", lambda row: ends(row, "ci90")),
        "p (equivalence)": if_filled(frame, "margin", cell(p_value, "p_equivalent")),
        "not inferior": if_filled(frame, "noninferior", labelled({True: "yes", False: "not shown"}, "noninferior")),
        "verdict": _verdict,
    }
    rows_by_basis = {
        BASES[str(basis)]: [_difference_name(row) for row in rows.to_dict("records")]
        for basis, rows in frame.groupby("basis")
    }
    commonest = max(rows_by_basis, key=lambda basis: len(rows_by_basis[basis]), default="")
    others = [f"; {basis}: {listed(names)}" for basis, names in rows_by_basis.items() if basis != commonest]
    grades = ["Differences of mean grades are in grades, all others in points."]
    notes = grades * bool((frame["measure"] == MEAN).any())
    notes += [f"Basis: {commonest}{''.join(others)}."] if commonest else []
    if note := unadjusted(frame["verdict"]):
        so = " So an interval may leave out 0 where the verdict is undecided."
        notes.append(note + so * ("undecided" in set(frame["verdict"])))
    return table_of(
        "Differences",
        frame.assign(note=frame["note"].map(without_margin)),
        columns,
        last_is_text=True,
        notes=notes,
        label="comparison",
        source="comparisons",
    )


def _verdict(row: Record) -> str:
    """Of the rows `told apart` the words of the table to cite."""
    if row["measure"] != "called_fake" or row["verdict"] == "interim":
        return text(row["verdict"])
    return verdict_text({**row, "protocol": SINGLE, "balanced_accuracy": (1 + row["difference"]) / 2}) or NOTHING


def without_margin(note: object) -> str | None:
    """A row's note without the margin of `told apart`, which the section's head explains.

    >>> without_margin("held against twice the margin, 0.1 in the probability; few people")
    'few people'
    """
    parts = [] if missing(note) else str(note).split("; ")
    return "; ".join(part for part in parts if not part.startswith("held against twice the margin")) or None


def _difference_name(row: Record) -> str:
    what = f"{row['a']} {MINUS} {row['b']}, {str(row['measure']).replace('_', ' ')}"
    return f"{row['comparison']}{exploratory_mark(row)}: {what}"


def points(difference: Any, *, unit: bool = True) -> str:
    """A difference of proportions in percentage points."""
    if missing(difference):
        return NOTHING
    return number(100 * float(difference), digits=1) + (f"{NARROW}points" if unit else "")


def comparison_charts(folder: StudyFolder) -> list[Chart]:
    """The differences between models, a chart for each comparison's name."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["ci_low"].notna() & table["difference"].notna()]
    charts = []
    for place, (name, part) in enumerate(known.groupby("comparison", sort=True)):
        groups = []
        for row in part.head(MOST_GROUPS).to_dict("records"):
            span = Span("fake", *(100 * row[column] for column in ("difference", "ci_low", "ci_high")))
            span = span._replace(label="" if missing(row["verdict"]) else str(row["verdict"]))
            groups.append((f"{row['a']} {MINUS} {row['b']}", [span]))
        margins = part["margin"].dropna().unique()
        band = 100 * float(margins[0]) if len(margins) == 1 else None
        axis = "fooling rate of the first less the second, points"
        charts.append(
            chart_of(
                f"Fooling rates: {name}",
                spans_figure(groups, axis=axis, reference=0, limits=None, band=band),
                name=f"differences-{place}",
                caption=f"Bars: 95 % intervals. Dashed: no difference.{' Wash: within the margin.' * bool(band)} "
                f"{unadjusted(table['verdict'])}".strip()
                + first_of(len(part)),
                alternative="; ".join(
                    f"{title}: {number(span.value, digits=1)} points, {interval(span.low, span.high, digits=1)}"
                    for title, (span,) in groups
                ),
            )
        )
    return charts
