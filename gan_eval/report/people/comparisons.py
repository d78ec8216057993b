"""Differences between groups with their intervals, margins and verdicts."""

from typing import Any

import pandas as pd

from gan_eval.report.parts.chart import Picture, Span, picture, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, filled, known_as, of, view_of
from gan_eval.report.parts.words import (
    BASES,
    MINUS,
    NARROW,
    NOTHING,
    View,
    interval,
    listed,
    missing,
    number,
    p_value,
    plural,
    points_of,
    text,
)
from gan_eval.report.people.design import BY_RULE, EXPLORATORY, PRESET, exploratory, of_margin
from gan_eval.report.people.rates import MOST_GROUPS
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.tables import COMPARISONS

_FIXED = {
    PRESET: "fixed before the data",
    EXPLORATORY: "exploratory, not in the plan",
    BY_RULE: "given to the analysis, no plan",
}


def comparison_sentences(folder: StudyFolder) -> list[str]:
    """What the margin is, and what was not planned."""
    table = folder.table(COMPARISONS)
    sentences = []
    if margins_told(table):
        sentences.append(
            f"The equivalence margin is {listed(margins_told(table))}: groups are equivalent where the 90 % interval "
            "of their difference lies within it on both sides (two one-sided tests at 5 %). Of `told apart` it is the "
            "distance of balanced accuracy from guessing, half the difference in the table."
        )
    beside = table["comparison"].astype("str").str.contains(SENSITIVITY, regex=False).to_numpy(bool)
    unplanned = int((table["exploratory"].fillna(False).astype(bool) & ~beside).sum())
    if unplanned:
        sentences.append(
            f"Exploratory, resting on what the plan does not have: {plural(unplanned, 'comparison')}, marked as such."
        )
    if beside.any():
        sentences.append(
            f"Sensitivity: {plural(int(beside.sum()), 'comparison')} without people whom a rule on their outcome "
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


def margins_told(comparisons: pd.DataFrame) -> list[str]:
    """Each margin with its standing, such as `5 points (fixed before the data)`."""
    rows = comparisons[comparisons["margin"].notna()].to_dict("records")
    return list(dict.fromkeys(f"{points_of(row['margin'])} ({_FIXED[of_margin(row)]})" for row in rows))


def comparison_views(folder: StudyFolder) -> list[View]:
    """Model against model and real against fake; columns that no row fills are left out."""
    table = folder.table(COMPARISONS)
    columns = {
        "comparison": lambda row: f"{row['comparison']}{exploratory(row)}",
        "difference of": lambda row: f"{row['a']} {MINUS} {row['b']}",
        "measure": lambda row: str(row["measure"]).replace("_", " "),
        "difference": of(points, "difference"),
        INTERVAL: lambda row: _span(row["ci_low"], row["ci_high"]),
        "p": of(p_value, "p"),
        "p (Holm)": of(p_value, "p_holm"),
        "p (other basis)": filled(table, "check_p", of(p_value, "check_p")),
        "90\u202f% interval": filled(table, "margin", lambda row: _span(row["ci90_low"], row["ci90_high"])),
        "margin": filled(table, "margin", of(points, "margin")),
        "p (equivalence)": filled(table, "margin", of(p_value, "p_equivalent")),
        "not inferior": filled(table, "noninferior", known_as({True: "yes", False: "not shown"}, "noninferior")),
        "basis": filled(table, "basis", known_as(BASES, "basis")),
        "verdict": of(text, "verdict"),
    }
    return view_of(
        "Differences", table, columns, text_columns=3, last_is_text=True, label="comparison", source="comparisons"
    )


def points(share: Any, *, unit: bool = True) -> str:
    """A difference of shares in percentage points."""
    if missing(share):
        return NOTHING
    return number(100 * float(share), digits=1) + (f"{NARROW}points" if unit else "")


def _span(low: object, high: object) -> str:
    return NOTHING if missing(low) else f"{points(low, unit=False)} to {points(high, unit=False)}"


def comparison_figures(folder: StudyFolder) -> list[Picture]:
    """The differences between models, a figure for each comparison's name."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["ci_low"].notna() & table["difference"].notna()]
    return [
        _figure(str(name), part, place) for place, (name, part) in enumerate(known.groupby("comparison", sort=True))
    ]


def _figure(name: str, part: pd.DataFrame, place: int) -> Picture:
    groups = [
        (
            f"{row['a']} {MINUS} {row['b']}",
            [Span("fake", 100 * row["difference"], 100 * row["ci_low"], 100 * row["ci_high"])],
        )
        for row in part.head(MOST_GROUPS).to_dict("records")
    ]
    margins = part["margin"].dropna().unique()
    band = 100 * float(margins[0]) if len(margins) == 1 else None
    axis = "fooling rate of the first less the second, points"
    washed = " Wash: within the margin." if band else ""
    return picture(
        f"Fooling rates: {name}",
        spans_figure(groups, axis=axis, reference=0, limits=None, band=band),
        name=f"differences-{place}",
        caption=f"Bars: 95 % intervals. Dashed: no difference.{washed}",
        alternative="; ".join(
            f"{title}: {number(span.value, digits=1)} points, {interval(span.low, span.high, digits=1)}"
            for title, (span,) in groups
        ),
    )
