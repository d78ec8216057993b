"""The verdict of a row of the table to cite as a sentence in APA style, and the words that it shares with sections."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from gan_eval.judgements.trials import PAIRED
from gan_eval.report.parts.words import (
    Record,
    apa_interval,
    apa_p,
    capital,
    missing,
    number,
    on_dataset,
    percent,
    points_text,
    who_text,
)
from gan_eval.stats.estimate.detection_rates import NEARLY_CONSTANT
from gan_eval.stats.paper import ABOVE, BELOW, EQUIVALENT, EVERYTHING, NONE, SINGLE, distinct_rows, with_shared_reals
from gan_eval.stats.questions import CHOSEN
from gan_eval.stats.recruitment import ALPHA

if TYPE_CHECKING:
    import pandas as pd

HOLM = " (Holm; CI unadjusted)"
"""Text after a p value in a sentence; the unadjusted interval may disagree with this p."""
PRESET, EXPLORATORY, BY_RULE = "preset", "exploratory", "by rule"
"""Origin of a rule or a margin: in the study's plan, not in the plan, or given without a plan."""
_MARGINS = {PRESET: "planned margin", EXPLORATORY: "exploratory margin", BY_RULE: "margin"}
VERDICT_WORDS = {ABOVE: "correctly above chance", BELOW: "below chance"}


def detection_rows(paper: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of `paper` on single pictures or on pairs with a real one, all models first."""
    table = with_shared_reals(distinct_rows(paper[paper["protocol"].isin([SINGLE, PAIRED])]))
    return table.iloc[(table["model"] != EVERYTHING).to_numpy(bool).argsort(kind="stable")]


def first_sentence(tables: "Mapping[str, pd.DataFrame]", trials: "pd.DataFrame") -> str | None:
    """Return the first sentence of the answer from the tables of an analysis that no one waits for; None: another one.

    Args:
        tables: by name, as `analyze` returns them.
        trials: the table `trials`.
    """
    if "paper" not in tables or {"thresholds", "recruitment"} & tables.keys():
        return None
    table = detection_rows(tables["paper"])
    if table.empty:
        return None
    row = table.iloc[0].to_dict()
    is_simulated = bool(table["simulated"].fillna(False).any())
    who = who_text(int(row["n_participants"]), trials, simulated=is_simulated, with_n=True)
    return row_sentence(row, table, who, margin_of(row, tables["comparisons"]))


def row_sentence(row: Record, table: "pd.DataFrame", who: str, margin: Record | None) -> str:
    """Return the verdict of a row of the `detection_rows` table with its numbers.

    Args:
        who: the participants (`who_text`, with N).
        margin: the row of `comparisons` with the margin (`margin_of`); None: equivalence was not judged.
    """
    several = table.loc[table["model"] != EVERYTHING, "dataset"].nunique() > 1
    is_all = row["model"] == EVERYTHING
    is_named = not (is_all or missing(row["model"]) or row["model"] == "generated")
    of = f"pictures of {row['model']}" if is_named else "generated pictures"
    if is_all:
        of += f" (averaged over models{' and data sets' * several})"
    if several and row["dataset"] != EVERYTHING:
        of += on_dataset(row["dataset"])
    verdict = row["verdict"]
    mark = "" if missing(row["exploratory"]) else exploratory_mark(row)
    low, high, small = row["accuracy90_low"], row["accuracy90_high"], ""
    if margin and not missing(low) and max(abs(low - 0.5), abs(high - 0.5)) < margin["margin"]:
        small = f", though by less than {margin_text(margin)}"
    by_margin = verdict == EQUIVALENT or (bool(small) and verdict in (ABOVE, BELOW))  # then the 90% interval decides
    numbers = _numbers(row, by_margin=by_margin, adjusted=not is_all and is_adjusted(table))
    if verdict == NONE or missing(verdict):
        if numbers and row["untested"] == "one participant":
            give = "gives" if who.startswith("one ") else "give"
            return f"{capital(who)} {give} no verdict on people in general; on {of} and real pictures{numbers}."
        why = "" if missing(row["note"]) else f": {row['note']}"
        return f"No verdict on {of}{why}."
    pictures = f"{of} {'paired with' if row['protocol'] == PAIRED else 'and'} real ones"
    if str(verdict) in VERDICT_WORDS:
        return f"{capital(who)} judged {pictures} {VERDICT_WORDS[str(verdict)]}{small}{mark}{numbers}."
    if verdict == EQUIVALENT:
        within = f" within {margin_text(margin)}" if margin else ""
        return f"Judgements of {pictures} by {who} were equivalent to chance{within}{mark}{numbers}."
    least = detectable(row, table)
    why = NEARLY_CONSTANT if row["untested"] == "nearly constant answers" else detectable_clause(least, least)
    return f"It is undecided whether {who} could distinguish {of} from real pictures{mark}{numbers}; {why}."


def _numbers(row: Record, *, by_margin: bool, adjusted: bool) -> str:
    """Return balanced accuracy, its p and d′, then both rates, in APA style; empty without an accuracy.

    Args:
        row: of the table `paper`.
        by_margin: the 90% interval is printed, too.
        adjusted: p is one of several that Holm's method corrected.
    """
    if missing(row["accuracy"]):
        return ""
    name = "balanced accuracy" if row["protocol"] == SINGLE else "accuracy"
    parts = [f"{name} = {percent(row['accuracy'])}"]
    if missing(row["accuracy_low"]):
        return f", {parts[0]} (too few participants or pictures for an interval)"
    parts.append(apa_interval(100 * row["accuracy_low"], 100 * row["accuracy_high"], digits=1))
    if by_margin and not missing(row["accuracy90_low"]):
        ends = (100 * row["accuracy90_low"], 100 * row["accuracy90_high"])
        parts.append(apa_interval(*ends, digits=1, level=90))
    p = reported_p(row)
    if not missing(p) and row["verdict"] != EQUIVALENT:
        parts.append(apa_p(p) + HOLM * adjusted)
    if not missing(row["dprime"]):
        parts.append(f"d′ = {number(row['dprime'])}")
        if not missing(row["dprime_low"]):
            parts.append(apa_interval(row["dprime_low"], row["dprime_high"]))
    words = ", " + ", ".join(parts)
    if row["protocol"] == SINGLE and not missing(row["fooling_rate"]) and not missing(row["real_called_real"]):
        rates = []
        for name, short in (("fooling_rate", "fooling"), ("real_called_real", "real")):
            low, high = (100 * row[f"{short}_{end}"] for end in ("low", "high"))
            within = "" if missing(low) else f", {apa_interval(low, high, digits=1)}"
            rates.append(f"{percent(row[name])}{within}")
        words += f"; fooling rate = {rates[0]}, real pictures called real = {rates[1]}"
    return words


def margin_of(row: Record, table: "pd.DataFrame") -> Record | None:
    """Return a row of the table `comparisons` with the margin of the same question; None if there is none."""
    measure = CHOSEN if row["protocol"] == PAIRED else "called_fake"
    tested = table[(table["question"] == "detection") & (table["measure"] == measure) & table["margin"].notna()]
    return None if tested.empty else tested.to_dict("records")[0]


def detectable(row: Record, table: "pd.DataFrame") -> float:
    """Return the smallest accuracy that a study of a row's precision detects with 80% power; 2.0: unknown.

    A model's test is at the first level of Holm's method, all models' at the study's level.
    """
    if missing(row["accuracy_low"]):
        return 2.0
    of_models = (table["protocol"] == row["protocol"]) & (table["model"] != EVERYTHING)
    tests = int(table.loc[of_models, "p_holm"].count())
    level = ALPHA / (1 if row["model"] == EVERYTHING else max(tests, 1))
    return detectable_accuracy(row["accuracy_low"], row["accuracy_high"], level)


def detectable_accuracy(low: float, high: float, level: float) -> float:
    """Return the smallest accuracy that a study with this 95% interval detects with 80% power.

    It is 0.5 + w (z(1 − level / 2) + z(0.8)) / z(0.975), where w is half the width of the interval.

    >>> round(detectable_accuracy(0.45, 0.55, 0.05), 3), round(detectable_accuracy(0.45, 0.55, 0.05 / 8), 3)
    (0.571, 0.591)
    """
    z = NormalDist().inv_cdf
    return 0.5 + (high - low) / 2 * (z(1 - level / 2) + z(0.8)) / z(0.975)


def detectable_clause(low: float, high: float) -> str:
    """Return a clause on the smallest accuracies, `low` to `high`, that such studies detect with 80% power.

    >>> detectable_clause(0.571, 0.6)
    'a study of this precision detects an accuracy of 57.1–60.0% with 80% power'
    """
    if low >= 1:
        return "a study of this precision cannot detect even perfect accuracy"
    least = percent(low) if round(low, 3) == round(high, 3) else f"{100 * low:.1f}–{percent(min(high, 1))}"
    return f"a study of this precision detects an accuracy of {least} with 80% power"


def margin_source(row: Record) -> str:
    """Return how the margin of a comparison was chosen (PRESET, EXPLORATORY or BY_RULE), from its other columns."""
    if not missing(row["margin_exploratory"]) and row["margin_exploratory"]:
        return EXPLORATORY
    return BY_RULE if missing(row["exploratory"]) else PRESET


def margin_text(row: Record) -> str:
    """Return a comparison's margin and how it was chosen: `the planned margin of 5 points`."""
    return f"the {_MARGINS[margin_source(row)]} of {points_text(row['margin'])}"


def exploratory_mark(row: Record) -> str:
    """Return a mark if the row is not in the study's plan."""
    mark = row.get("exploratory")
    return " (exploratory)" if not missing(mark) and bool(mark) else ""


def is_adjusted(table: "pd.DataFrame") -> bool:
    """Return whether Holm's method has changed a p value of `comparisons` or `paper`."""
    return bool((table["p_holm"] > table["p"]).any())


def reported_p(row: Record) -> Any:
    """Return Holm's p of a row; the unadjusted p if there is none; NaN or NA without a test."""
    return row["p"] if missing(row["p_holm"]) else row["p_holm"]
