"""The answer first: one plain sentence with its numbers, then one for each data set."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.report.folder import StudyFolder
from gan_eval.report.words import number, percent, percent_interval, plural
from gan_eval.stats.comparisons import ALPHA, TOLD_APART
from gan_eval.stats.intervals import newcombe
from gan_eval.stats.rates import UNEVEN
from gan_eval.tables import COMPARISONS


def answer(folder: StudyFolder) -> list[str]:
    """The sentences, the answer itself first, or none where there are no rates.

    The verdict rests on balanced accuracy: the plain share of right answers rewards a leaning to one answer wherever
    real and generated pictures are unequally many.
    """
    everything = folder.scope("all")
    if everything.empty:
        return []
    row = everything.iloc[0]
    if pd.isna(row["accuracy"]):
        return ["There is no answer yet: no trial has been judged."]
    found = _told_apart(folder, row)
    sentences = [
        _no_verdict(row) if found is None else _verdict(_who(folder), found),
        f"{percent(row['accuracy'])} of {plural(int(row['n_real'] + row['n_fake']), 'answer')} were right "
        f"(95 % interval {percent_interval(row['accuracy_low'], row['accuracy_high'])}).",
        _errors(row),
        *_by_dataset(folder.scope("dataset")),
        _caution(row),
        found.basis if found else "",
    ]
    if folder.simulated:
        sentences.append("No person answered: this rehearses the study and says nothing of people.")
    return [sentence for sentence in sentences if sentence]


class _Told(NamedTuple):
    """Whether the two kinds were told apart: balanced accuracy, 0..1, which is 1/2 for every guesser."""

    balanced: float
    low: float
    """NaN where there is no interval."""
    high: float
    p: float
    """Two-sided, against 1/2; NaN where there is none."""
    basis: str
    """What the interval rests on."""


def _told_apart(folder: StudyFolder, row: pd.Series) -> _Told | None:
    """From the comparison `told apart`; from the counts where there are no comparisons; None where both kinds were not
    judged on one data set."""
    if min(row["n_real"], row["n_fake"]) == 0:
        return None
    comparisons = folder.table(COMPARISONS)
    known = comparisons[comparisons["comparison"] == TOLD_APART]
    if len(comparisons) and known.empty:
        return None
    if len(known):
        told = known.iloc[0]
        difference, low, high, p = (told[name] for name in ("difference", "ci_low", "ci_high", "p"))
        allowance = "The verdict allows for differences between participants and between pictures."
        basis = allowance if pd.isna(told["note"]) else f"Of the verdict: {told['note']}."
    else:
        counts = (row["hits"], row["n_fake"], row["false_alarms"], row["n_real"])
        difference = row["hits"] / row["n_fake"] - row["false_alarms"] / row["n_real"]
        (low, high), p = newcombe(*counts), np.nan
        basis = "The verdict takes all answers as independent: the table of comparisons is not here."
    return _Told((1 + difference) / 2, (1 + low) / 2, (1 + high) / 2, p, basis)


def _who(folder: StudyFolder) -> str:
    count = len(folder.scope("participant"))
    noun = "simulated participant" if folder.simulated else "participant"
    return f"One {noun}" if count == 1 else plural(count, noun)


def _verdict(who: str, found: _Told) -> str:
    """What balanced accuracy says beside guessing; nothing is claimed unless interval and p agree."""
    doubtful = found.p >= ALPHA  # a p that is missing does not object
    if found.low > 0.5 and not doubtful:
        said = f"{who} told real from generated pictures better than by guessing"
    elif found.high < 0.5 and not doubtful:
        said = f"{who} mistook real and generated pictures for each other more often than guesses would"
    else:
        said = (
            f"The answers of {who[0].lower() + who[1:]} do not show that real and generated pictures can be told apart"
        )
    return (
        f"{said}: real and generated pictures counting alike, {percent(found.balanced)} were judged rightly (balanced "
        f"accuracy, {_interval_words(found)}; guessing gives 50 %, whichever answer one leans to)."
    )


def _interval_words(found: _Told) -> str:
    if pd.isna(found.low):
        return "too few participants or pictures for an interval"
    return f"95 % interval {percent_interval(found.low, found.high)}"


def _no_verdict(row: pd.Series) -> str:
    open_question = "Whether real and generated pictures can be told apart cannot be said"
    if min(row["n_real"], row["n_fake"]) > 0:
        return f"{open_question}: on no data set both kinds were judged."
    return f"{open_question}: only {'generated' if row['n_real'] == 0 else 'real'} ones were judged."


def _errors(row: pd.Series) -> str:
    """Both error rates and d′: accuracy alone hides a leaning to one answer."""
    parts = []
    if not pd.isna(row["fake_correct"]):
        parts.append(
            f"{percent(1 - row['fake_correct'])} of the generated pictures passed as real "
            f"({percent_interval(1 - row['fake_high'], 1 - row['fake_low'])})"
        )
    if not pd.isna(row["real_correct"]):
        parts.append(
            f"{percent(1 - row['real_correct'])} of the real ones were taken for generated "
            f"({percent_interval(1 - row['real_high'], 1 - row['real_low'])})"
        )
    if not pd.isna(row["dprime"]):
        parts.append(f"sensitivity d′ = {number(row['dprime'])}")
    return "; ".join(parts) + "."


def _by_dataset(rates: pd.DataFrame) -> list[str]:
    if len(rates) < 2:
        return []
    return [
        f"{row['id']}: {percent(row['accuracy'])} right "
        f"({percent_interval(row['accuracy_low'], row['accuracy_high'])}); "
        + (
            "no generated picture was judged."
            if pd.isna(row["fake_correct"])
            else f"{percent(1 - row['fake_correct'])} of the generated pictures passed as real "
            f"({percent_interval(1 - row['fake_high'], 1 - row['fake_low'])})."
        )
        for _, row in rates.iterrows()
        if not pd.isna(row["accuracy"])
    ]


def _caution(row: pd.Series) -> str:
    real, fake = int(row["n_real"]), int(row["n_fake"])
    if min(real, fake) == 0:
        return "With one kind of picture a leaning to one answer cannot be told from skill."
    if max(real, fake) / min(real, fake) >= UNEVEN:
        return (
            f"Real ({real}) and generated ({fake}) pictures were not equally many: the plain share of right "
            "answers rewards leaning to one answer; balanced accuracy and d′ do not."
        )
    return ""
