"""Whether real and generated pictures were told apart, in one sentence."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.shares import shares
from gan_eval.report.parts.words import NARROW, Record, missing, percent, percent_interval, plural, points_of
from gan_eval.report.people.standing import the_margin
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.compare.questions import TOLD_APART
from gan_eval.tables import COMPARISONS

_GUESSING = f"50{NARROW}%"
_OPEN = "Whether real and generated pictures can be told apart cannot be said"


class Told(NamedTuple):
    """Whether the two kinds were told apart: balanced accuracy, 0..1, which is 1/2 for every guesser."""

    balanced: float
    low: float
    """NaN where there is no interval."""
    high: float
    p: float
    """Two-sided, against 1/2; NaN where there is none."""
    basis: str
    """What the interval rests on, a word of `words.BASES`."""
    note: str = ""
    margin: float = np.nan
    """Of equivalence, to both sides of 1/2; NaN: none was given."""
    the_margin: str = ""
    """The same in words, with its standing."""
    equivalent: bool = False
    """The comparison's own verdict, from two one-sided tests."""
    low90: float = np.nan
    high90: float = np.nan


def told_apart(folder: StudyFolder, row: pd.Series) -> Told | None:
    """From the comparison `told apart`; from the shares where there are no comparisons; None where both kinds were not
    judged on one data set."""
    if min(row["n_real"], row["n_fake"]) == 0:
        return None
    comparisons = folder.table(COMPARISONS)
    known = comparisons[comparisons["comparison"] == TOLD_APART]
    if len(comparisons):
        return None if known["difference"].isna().all() else _compared(known.to_dict("records")[0])
    share = shares(folder, "all").iloc[0]
    balanced, low, high = (share[f"balanced_accuracy{end}"] for end in ("", "_low", "_high"))
    return Told(balanced, low, high, np.nan, share["basis"], "the table of comparisons is not here")


def beside_the_answer(folder: StudyFolder) -> list[str]:
    """A sentence for each sensitivity row: what would be said without people chosen by how they answered."""
    comparisons = folder.table(COMPARISONS)
    start = f"{TOLD_APART}, {SENSITIVITY} "
    return [
        f"Sensitivity, not the answer: without participants with {str(row['comparison']).removeprefix(start)} (a rule "
        f"on the outcome) {percent((1 + row['difference']) / 2)} would have been judged rightly"
        + ("" if missing(row["ci_low"]) else f" ({_compared_interval(row)})")
        + "."
        for row in comparisons.to_dict("records")
        if str(row["comparison"]).startswith(start) and not missing(row["difference"])
    ]


def _compared_interval(row: Record) -> str:
    return f"95 % interval {percent_interval((1 + row['ci_low']) / 2, (1 + row['ci_high']) / 2)}"


def _compared(told: Record) -> Told:
    """The comparison `told apart`, from a difference of shares to balanced accuracy: halves, about 1/2."""
    balanced, low, high, low90, high90 = (
        (1 + told[name]) / 2 for name in ("difference", "ci_low", "ci_high", "ci90_low", "ci90_high")
    )
    basis = "two_way_cluster" if missing(told["basis"]) else str(told["basis"])
    note = "" if missing(told["note"]) else str(told["note"])
    equivalent = told["verdict"] == "equivalent" or bool(told["p_equivalent"] < ALPHA)
    return Told(
        balanced, low, high, told["p"], basis, note, told["margin"], the_margin(told), equivalent, low90, high90
    )


def same_answer(row: pd.Series) -> str:
    """The only answer that was given to pictures of both kinds, at least two; empty where there are two answers."""
    count = row["n_real"] + row["n_fake"]
    fakes = row["hits"] + row["false_alarms"]
    if min(row["n_real"], row["n_fake"]) == 0 or 0 < fakes < count:
        return ""
    return "fake" if fakes else "real"


def one_answer(who: str, row: pd.Series) -> str:
    """The verdict on everybody's giving one answer throughout."""
    count = plural(int(row["n_real"] + row["n_fake"]), "answer")
    return (
        f"{_OPEN}: all {count} of {who[0].lower() + who[1:]} were “{same_answer(row)}”, whatever was shown, so half of "
        "both kinds were judged rightly by leaning alone."
    )


def verdict(who: str, found: Told) -> str:
    """What balanced accuracy says beside guessing; nothing is claimed unless interval and p agree."""
    if pd.isna(found.low):
        return (
            f"{_OPEN}: too few participants or pictures for an interval ({percent(found.balanced)} were judged "
            f"rightly, where guessing gives {_GUESSING})."
        )
    doubtful = found.p >= ALPHA  # a p that is missing does not object
    small = f", though by less than {found.the_margin}" if found.equivalent else ""
    lower = who[0].lower() + who[1:]
    if found.low > 0.5 and not doubtful:
        said = f"{who} told real from generated pictures better than by guessing{small}"
    elif found.high < 0.5 and not doubtful:
        said = f"{who} mistook real and generated pictures for each other more often than guesses would{small}"
    elif found.equivalent:
        said = (
            f"Real and generated pictures cannot be told apart by more than {points_of(found.margin)}, as the answers "
            f"of {lower} show"
        )
    else:
        said = f"The answers of {lower} do not show that real and generated pictures can be told apart"
        said += "" if pd.isna(found.margin) else f", nor that they cannot by more than {points_of(found.margin)}"
    return (
        f"{said}: {percent(found.balanced)} were judged rightly ({_interval(found)}), where guessing gives {_GUESSING}."
    )


def _interval(found: Told) -> str:
    told = f"95 % interval {percent_interval(found.low, found.high)}"
    if pd.isna(found.margin) or pd.isna(found.low90):
        return told
    edges = percent_interval(0.5 - found.margin, 0.5 + found.margin)
    return f"{told}; 90 % interval {percent_interval(found.low90, found.high90)}, held against {edges}"


def no_verdict(row: pd.Series) -> str:
    """Why there is none."""
    if min(row["n_real"], row["n_fake"]) > 0:
        return f"{_OPEN}: on no data set both kinds were judged."
    return f"{_OPEN}: only {'generated' if row['n_real'] == 0 else 'real'} ones were judged."
