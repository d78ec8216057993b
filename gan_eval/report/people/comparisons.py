"""Tables of answers: differences between groups with their verdicts, choices between two, grades, classes."""

from collections import Counter
from collections.abc import Sequence

from gan_eval.base.inference import Estimate
from gan_eval.report.parts.blocks import Lines, ReportSection, ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    BASES,
    MINUS,
    NOTHING,
    interval,
    missing,
    number,
    p_value,
    percent,
    row_notes,
    text,
    whole,
)
from gan_eval.report.people.answer import FITS_BETTER, better_than_other
from gan_eval.stats.cited import unadjusted
from gan_eval.stats.estimate.grades import MEAN
from gan_eval.stats.results import Result
from gan_eval.stats.tables.choices import BRADLEY_TERRY
from gan_eval.stats.tables.classes import CLASSES
from gan_eval.stats.tables.grades import RATINGS

MIN_SHOWN = 0.0005
"""Smallest end of an interval, as a share, that is not printed as 0.0 points."""
ABOVE_0, BELOW_0 = "> 0", "< 0"


def comparisons_section(folder: StudyFolder) -> ReportSection:
    """Return the section with margins, unplanned comparisons and every difference."""
    # without the differences from chance, which are in table 1
    rows = [each for each in folder.results.compared if each.question != "detection"]
    has_margin = any(each.margin for each in rows)
    cells = [_cells(each, has_margin=has_margin) for each in rows]
    head = ["difference", "points [95%, unadjusted]", "p", "p (Holm)", "simultaneous (95%)", "90% interval", "verdict"]
    notes = [*_notes(rows), *row_notes([(each.reason, each.name) for each in rows])]
    table = ShownTable("Differences", head, cells, notes=notes, last_is_text=True, source="comparisons")
    blocks = [Lines(comparison_sentences(folder)), table] if rows else []
    return ReportSection("comparisons", "Differences between models", blocks)


def _cells(result: Result, *, has_margin: bool) -> list[str]:
    """Return the cells of a difference; without any margin its 90% interval is not shown."""
    of = f"{result.a} {MINUS} {result.b}, {result.measure.replace('_', ' ')}"
    size = f"{_amount(result)} {_ends(result, result.estimate)}".removesuffix(f" {NOTHING}")
    return [
        f"{result.name}{' (exploratory)' * bool(result.exploratory)}: {of}",
        NOTHING if missing(result.estimate.value) else size,
        p_value(result.p_unadjusted),
        p_value(result.p_holm),
        _simultaneous(result),
        _ends(result, result.within) if has_margin else NOTHING,
        result.verdict or NOTHING,
    ]


def _notes(rows: Sequence[Result]) -> list[str]:
    bases = [BASES.get(name, name) for name, _ in Counter(each.basis for each in rows if each.basis).most_common()]
    only_sign = bool({ABOVE_0, BELOW_0} & {_simultaneous(each) for each in rows})
    has_grades = any(each.measure == MEAN for each in rows)
    has_undecided = any(each.verdict == "undecided" for each in rows)
    return said("comparisons", "notes", has_grades, bases, only_sign, unadjusted(rows), has_undecided)


def _amount(result: Result) -> str:
    value = result.estimate.value
    return number(value) if result.measure == MEAN else number(100 * value, digits=1)


def _ends(result: Result, of: Estimate) -> str:
    scale, digits = (1, 2) if result.measure == MEAN else (100, 1)
    return interval(scale * of.low, scale * of.high, digits=digits)


def _simultaneous(result: Result) -> str:
    """Return the interval, or only the sign of the difference if it shows no more: an end at 0."""
    _, low, high = result.simultaneous
    if 0 < low < MIN_SHOWN:
        return ABOVE_0
    return BELOW_0 if -MIN_SHOWN < high < 0 else _ends(result, result.simultaneous)


def comparison_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on the margin and unplanned comparisons."""
    compared = folder.results.compared
    n_sensitivity = sum(bool(each.sensitivity) for each in compared)
    return said("comparisons", "sentences", margin_texts(compared), _n_unplanned(compared), n_sensitivity)


def _n_unplanned(compared: list[Result]) -> int:
    return sum(bool(each.exploratory) and not each.sensitivity for each in compared)


def unplanned_text(compared: list[Result]) -> str:
    """Return a text with the number of unplanned comparisons, without sensitivity analyses; empty if there are none."""
    count = _n_unplanned(compared)
    return sentence("comparisons", "unplanned", count) if count else ""


def margin_texts(compared: list[Result]) -> list[str]:
    """Return each margin and how it was chosen, such as `5 points (fixed before the data)`."""
    rows = [each for each in compared if each.margin and not each.sensitivity]
    return list(dict.fromkeys(sentence("comparisons", "margin", each) for each in rows))


def choices_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the strengths of each data set's contestants, the strongest first; `choices` has every pair's counts."""
    note = "Bradley & Terry (1952); the strengths of a data set sum to 0; intervals clustered by participant and item."
    asked = better_than_other(folder)
    return table_of(
        "Strengths from choices between two" + f": which one {asked}" * (asked == FITS_BETTER),
        folder.table(BRADLEY_TERRY).sort_values(["dataset", "strength"], ascending=[True, False], kind="stable"),
        {
            "data set": cell(text, "dataset"),
            "contestant": labelled({"real": "real pictures"}, "contestant"),
            "pairs": cell(whole, "n"),
            "chosen": cell(whole, "wins"),
            "strength (log-odds)": cell(number, "strength"),
            INTERVAL: interval_cell(),
            "chosen against the average": cell(percent, "win_share"),
        },
        text_columns=2,
        notes=[note],
        label="contestant",
        source="bradley_terry",
    )


def classes_table(folder: StudyFolder) -> list[ShownTable]:
    """Return what each class of pictures was called, if answers name several classes of generated ones."""
    return table_of(
        "What was each class called?",
        folder.table(CLASSES),
        {
            "class": cell(text, "class"),
            "called": cell(text, "called"),
            "answers": cell(whole, "n"),
            "so called": cell(whole, "n_called"),
            "share": cell(percent, "share"),
            INTERVAL: interval_cell("share_low", "share_high", scale=100, digits=1),
        },
        text_columns=2,
        notes=["Elsewhere in this report these answers are one, fake: a class called another generated one is a hit."],
        source="classes",
    )


def grades_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the mean grades; the table `opinion_scores` has those of single pictures."""
    return table_of(
        "Grades" + ": how real the pictures look" * bool(folder.table(RATINGS)["kind"].notna().any()),
        folder.table(RATINGS),
        {
            "data set": cell(text, "dataset"),
            "pictures": labelled({"fake": "generated"}, "kind", "kind not known"),
            "model": lambda row: NOTHING if row["kind"] == "real" else labelled({}, "model", "all")(row),
            "grades": cell(whole, "n"),
            "participants": cell(whole, "n_participants"),
            "mean": cell(number, "mean"),
            "95% interval of the mean": interval_cell(),
        },
        text_columns=3,
        label=lambda row: "real pictures" if row["kind"] == "real" else labelled({}, "model", "all")(row),
        source="ratings",
    )
