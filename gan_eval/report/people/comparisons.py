"""Report: differences between groups with their verdicts."""

import pandas as pd

from gan_eval.report.parts.blocks import Lines, ReportSection
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, table_of
from gan_eval.report.parts.words import (
    BASES,
    MINUS,
    NOTHING,
    Record,
    apa_interval,
    apa_p,
    listed,
    missing,
    number,
    p_value,
    plural,
    points_text,
    text,
)
from gan_eval.report.people.verdicts import (
    BY_RULE,
    EXPLORATORY,
    HOLM,
    PRESET,
    exploratory_mark,
    margin_source,
    reported_p,
)
from gan_eval.stats.estimate.grades import MEAN
from gan_eval.stats.paper import unadjusted
from gan_eval.stats.recruitment import ALPHA
from gan_eval.stats.tables.comparisons import COMPARISONS

MIN_SHOWN = 0.0005
"""Smallest end of an interval, as a share, that is not printed as 0.0 points."""
ABOVE_0, BELOW_0 = "> 0", "< 0"
_MARGIN_SOURCES = {
    PRESET: "fixed before the data",
    EXPLORATORY: "exploratory, not in the plan",
    BY_RULE: "set for the analysis, without a plan",
}


def comparisons_section(folder: StudyFolder) -> ReportSection:
    """Return the section with margins, unplanned comparisons and every difference."""

    def amount(row: Record, name: str) -> str:
        return number(row[name]) if row["measure"] == MEAN else number(100 * row[name], digits=1)

    def ends(row: Record, name: str) -> str:
        low, high = (amount(row, f"{name}_{end}") for end in ("low", "high"))
        return NOTHING if NOTHING in (low, high) else f"{low} to {high}"

    def simultaneous(row: Record) -> str:
        """Return the interval, or only the sign of the difference if it shows no more: an end at 0."""
        if 0 < row["simultaneous_low"] < MIN_SHOWN:
            return ABOVE_0
        return BELOW_0 if -MIN_SHOWN < row["simultaneous_high"] < 0 else ends(row, "simultaneous")

    frame = folder.table(COMPARISONS)  # without the differences from chance, which are in table 1
    frame = frame[(frame["question"] != "detection").to_numpy(bool)]
    has_margin = frame["margin"].notna().any()
    columns = {
        "difference": lambda row: (
            f"{row['comparison']}{exploratory_mark(row)}: {row['a']} {MINUS} {row['b']}, "
            f"{str(row['measure']).replace('_', ' ')}"
        ),
        "points (95%, unadjusted)": lambda row: (
            NOTHING if missing(row["difference"]) else f"{amount(row, 'difference')} ({ends(row, 'ci')})"
        ),
        "p": cell(p_value, "p"),
        "p (Holm)": cell(p_value, "p_holm"),
        "simultaneous (95%)": simultaneous,
        "90% interval": lambda row: ends(row, "ci90") if has_margin else NOTHING,
        "verdict": cell(text, "verdict"),
    }
    bases = [BASES.get(str(basis), str(basis)) for basis in frame["basis"].value_counts().index]
    grades = ["Differences of mean grades are in grades, all others in points."]
    notes = grades * bool((frame["measure"] == MEAN).any())
    notes += [f"Basis of the intervals: {listed(bases)}."] if bases else []
    if {ABOVE_0, BELOW_0} & {simultaneous(row) for row in frame.to_dict("records")}:
        notes.append(
            f"Simultaneous {ABOVE_0} or {BELOW_0}: the interval shows the sign of the difference, not its size."
        )
    if note := unadjusted(frame["verdict"]):
        consequence = " So an interval may exclude 0 although the verdict is undecided."
        notes.append(note + consequence * ("undecided" in set(frame["verdict"])))
    differences = table_of(
        "Differences", frame, columns, last_is_text=True, notes=notes, label="comparison", source="comparisons"
    )
    blocks = [Lines(comparison_sentences(folder)), *differences]
    return ReportSection("comparisons", "Differences between models", blocks if differences else [])


def comparison_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on the margin and unplanned comparisons."""
    table = folder.table(COMPARISONS)
    sentences = []
    if margins := margin_texts(table):
        sentences.append(
            f"The equivalence margin is {listed(margins)}. Groups are equivalent if the 90% interval of their "
            f"difference lies within it on both sides (two one-sided tests at 5%)."
        )
    if unplanned := unplanned_text(table):
        sentences.append(f"{unplanned}, marked as such.")
    if count := int(_is_sensitivity(table).sum()):
        sentences.append(
            f"Sensitivity analyses: {plural(count, 'comparison')} without participants that a rule on their answers "
            "selects, or with unfinished sessions. Selecting participants by their answers biases the result, so these "
            "comparisons have no verdict."
        )
    return sentences


def _is_sensitivity(comparisons: pd.DataFrame) -> pd.Series:
    return comparisons["sensitivity"].notna()


def unplanned_text(comparisons: pd.DataFrame) -> str:
    """Return a text with the number of unplanned comparisons, without sensitivity analyses; empty if there are none."""
    count = int((comparisons["exploratory"].fillna(False).astype(bool) & ~_is_sensitivity(comparisons)).sum())
    return f"Exploratory, not in the plan: {plural(count, 'comparison')}" if count else ""


def margin_texts(comparisons: pd.DataFrame) -> list[str]:
    """Return each margin and how it was chosen, such as `5 points (fixed before the data)`."""
    rows = comparisons[comparisons["margin"].notna() & ~_is_sensitivity(comparisons)].to_dict("records")
    sizes = (
        f"{100 * row['margin']:g}% of the range of grades" if row["measure"] == MEAN else points_text(row["margin"])
        for row in rows
    )
    return list(
        dict.fromkeys(f"{size} ({_MARGIN_SOURCES[margin_source(row)]})" for size, row in zip(sizes, rows, strict=True))
    )


def within_margin(row: Record) -> bool:
    """Return whether the difference of a row of `comparisons` lies within its margin of equivalence."""
    return not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < ALPHA


def size_text(row: Record, *, adjusted: bool) -> str:
    """Return a difference without its sign, with interval and p in APA style: `6.9 points, 95% CI [1.2, 12.6]`.

    The interval agrees with p: it is the simultaneous one if Holm's p is not significant.

    Args:
        adjusted: true if p is one of several that Holm's method corrected.
    """
    is_grade = row["measure"] == MEAN
    scale, digits = (1, 2) if is_grade else (100, 1)
    size = f"{number(scale * abs(row['difference']), digits=digits)}{'' if is_grade else ' points'}"
    if missing(row["ci_low"]):
        return f"{size} (no interval)"
    sign = -scale if row["difference"] < 0 else scale
    is_simultaneous = adjusted and row["verdict"] == "undecided" and not missing(row["simultaneous_low"])
    low, high = sorted(sign * row[f"{'simultaneous' if is_simultaneous else 'ci'}_{end}"] for end in ("low", "high"))
    p = reported_p(row)
    mark = " (Holm)" if is_simultaneous else HOLM
    tested = "" if missing(p) else f", {apa_p(p)}{mark * adjusted}"
    return f"{size}, {'simultaneous ' * is_simultaneous}{apa_interval(low, high, digits=digits)}{tested}"
