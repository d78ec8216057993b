"""The answer in sentences: detection of generated pictures, comparison of models, and the basis."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.report.parts.folder import StudyFolder, common_notes, included_trials, without_common_notes
from gan_eval.report.parts.words import (
    BASES_IN_WORDS,
    NARROW,
    Record,
    equals,
    missing,
    number,
    percent,
    percent_interval,
    plural,
    points_text,
)
from gan_eval.report.people.comparisons import without_margin
from gan_eval.report.people.design import exploratory_mark, is_interim, look_sentence, margin_text
from gan_eval.report.people.pairs_and_grades import choice_bases, choice_sentences, grade_sentences
from gan_eval.report.people.participants import people_answering
from gan_eval.report.people.rates import shares
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.answers.hype import THRESHOLDS
from gan_eval.stats.answers.rates import UNEVEN
from gan_eval.stats.compare.comparisons import COMPARISONS, alpha_of
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.compare.questions import TOLD_APART
from gan_eval.stats.groups import SEVERAL_STUDIES
from gan_eval.stats.paper import PAPER, SINGLE
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials
from gan_eval.tables import TRIALS

_CHANCE = f"50{NARROW}%"
_OPEN = "Whether real and generated pictures can be told apart cannot be said"
MOST_PAIRS = 3
"""Pairs of models that the answer names; the table has all."""


class Verdict(NamedTuple):
    """Balanced accuracy, 0..1, which is 1/2 by chance with any response bias."""

    balanced: float
    low: float
    """NaN if it has no interval."""
    high: float
    p: float
    """Two-sided, against 1/2; NaN where there is none."""
    basis: str
    """The basis of the interval, a key of `words.BASES`."""
    note: str = ""
    margin: float = np.nan
    """Margin of equivalence, to both sides of 1/2; NaN: none was given."""
    margin_text: str = ""
    """The margin in words, with its standing."""
    equivalent: bool = False
    """The comparison's own verdict, from two one-sided tests."""
    low90: float = np.nan
    high90: float = np.nan
    alpha: float = ALPHA
    """Level that p is held against."""
    mark: str = ""
    """A mark where the study's plan does not have the comparison; else empty."""


def answer(folder: StudyFolder) -> list[str]:
    """Return the answer in a few sentences, the verdict first; nothing where there are no tables of answers.

    The verdict rests on balanced accuracy: the plain share of right answers rewards a response bias where real and
    generated pictures differ in number. While the study is interim, the verdict is pending.

    Args:
        folder: with the notes that stand in several tables.
    """
    sentences = []
    if len(folder.table(THRESHOLDS)):  # first: where exposures follow the answers, the threshold is the answer
        from gan_eval.report.people.thresholds import threshold_sentences  # imports Matplotlib

        sentences += threshold_sentences(folder)
    sentences += [
        *_single_pictures(folder),
        *choice_sentences(folder),
        *grade_sentences(folder),
    ]
    if not sentences:
        return [] if folder.scope("all").empty else [_no_answer(folder)]
    if look := look_sentence(folder):
        sentences = [look, "This may change with every answer."] if is_interim(folder) else [look, *sentences]
    if folder.simulated:
        trials = folder.table(TRIALS)
        people = len(trials) and not trials["simulated"].fillna(False).all()
        who = "Simulated participants gave some of the answers" if people else "No person answered"
        sentences.append(f"{who}: this is a rehearsal of the study and no result about people.")
    return sentences


def _no_answer(folder: StudyFolder) -> str:
    """Return why there is none: exclusions left none, tables are not made, or nobody answered."""
    included, trials = included_trials(folder), folder.answers()
    if len(included) and any(of(included)["answered"].any() for of in (pair_trials, graded_trials)):
        return "There are answers, and no tables of them yet: gan-eval analyze makes them."
    if len(trials):
        left_out = any(of(trials)["answered"].any() for of in (main_trials, pair_trials, graded_trials))
    else:
        note = str(folder.scope("all").iloc[0]["note"])
        left_out = re.search(r"\b[1-9]\d* of \d+ \w+ excluded", note) is not None
    if left_out:
        return "No answer is left after the exclusions: every trial with one was left out."
    return "There is no answer yet: no trial has been judged."


def basis(folder: StudyFolder) -> list[str]:
    """Return caveats of the answer, and the basis of its intervals.

    Args:
        folder: with the notes that stand in several tables.
    """
    everything = folder.scope("all")
    if everything.empty or missing(everything.iloc[0]["accuracy"]):
        return choice_bases(folder)
    row, share = everything.iloc[0], shares(folder, "all").iloc[0]
    real, fake = int(row["n_real"]), int(row["n_fake"])
    verdict = None if same_answer(row) or is_interim(folder) else told_apart(without_common_notes(folder), row)
    sentences = []
    if min(real, fake) == 0:
        sentences.append("With one kind of picture, response bias cannot be separated from sensitivity.")
    elif max(real, fake) / min(real, fake) >= UNEVEN:
        sentences.append(
            f"Real ({real}) and generated ({fake}) pictures differ in number: the plain share of right answers rewards "
            "a response bias. The verdict counts both kinds alike (balanced accuracy)."
        )
    sentences += sensitivity_sentences(folder)
    if SEVERAL_STUDIES in common_notes(folder):
        sentences.append("Trials of several studies are pooled: differences between them are in no interval.")
    return [
        *sentences,
        _basis(None if verdict is None or missing(verdict.low) else verdict, share),
        *choice_bases(folder),
    ]


def _basis(verdict: Verdict | None, share: pd.Series) -> str:
    extreme = {0.0, 1.0} >= {rate for rate in share[["fooling_rate", "false_alarm_rate"]] if not missing(rate)}
    if extreme and share["basis"] == "two_way_cluster":
        return "All answers to a kind of picture agree, so the intervals count each picture or participant once."
    others = BASES_IN_WORDS[share["basis"]]
    if verdict is None:
        return f"Intervals rest on {others}."
    note = f" Note on the verdict: {verdict.note}." if verdict.note else ""
    if verdict.basis == share["basis"]:
        return f"Verdict and intervals rest on {others}.{note}"
    return f"The verdict rests on {BASES_IN_WORDS[verdict.basis]}; the other intervals on {others}.{note}"


def _single_pictures(folder: StudyFolder) -> list[str]:
    """Return the verdict on single pictures and on models; nothing where none was called real or fake."""
    everything = folder.scope("all")
    if everything.empty or missing(everything.iloc[0]["accuracy"]):
        return []
    row = everything.iloc[0]
    verdict = told_apart(without_common_notes(folder), row)
    count = len(people_answering(folder))
    who = plural(count, "simulated participant" if folder.simulated else "participant")
    if verdict is None:
        one_kind = "generated" if row["n_real"] == 0 else "real"
        why = f"only {one_kind} ones were judged" if min(row["n_real"], row["n_fake"]) == 0 else ""
        first = f"{_OPEN}: {why or 'on no data set both kinds were judged'}."
    elif same_answer(row):
        answers = plural(int(row["n_real"] + row["n_fake"]), "answer")
        first = f"{_OPEN}: all {answers} of {who} were “{same_answer(row)}”, which response bias alone explains."
    else:
        first = verdict_sentence(who, verdict)
        asked = folder.table(PAPER)["protocol"]
        if asked.isin(ADAPTIVE_PROTOCOLS).any() and not (asked == SINGLE).any():
            first += " Exposures that follow the answers hold this share near 75 %: it does not measure sensitivity."
    return [first, *models_compared(folder)]


def same_answer(row: pd.Series) -> str:
    """Return the only answer that was given to pictures of both kinds; empty where there are two answers."""
    count = row["n_real"] + row["n_fake"]
    fakes = row["hits"] + row["false_alarms"]
    if min(row["n_real"], row["n_fake"]) == 0 or 0 < fakes < count:
        return ""
    return "fake" if fakes else "real"


def told_apart(folder: StudyFolder, row: pd.Series) -> Verdict | None:
    """Return the verdict from the comparison `told apart`, or from the shares where there are no comparisons.

    None where both kinds were not judged on one data set.
    """
    if min(row["n_real"], row["n_fake"]) == 0:
        return None
    comparisons = folder.table(COMPARISONS)
    known = comparisons[comparisons["comparison"] == TOLD_APART]
    if comparisons.empty:
        share = shares(folder, "all").iloc[0]
        balanced, low, high = (share[f"balanced_accuracy{end}"] for end in ("", "_low", "_high"))
        return Verdict(balanced, low, high, np.nan, share["basis"], "the table of comparisons is missing")
    if known["difference"].isna().all():
        return None
    compared = known.to_dict("records")[0]
    # from a difference of shares to balanced accuracy: half of it, about 1/2
    balanced, low, high, low90, high90 = (
        (1 + compared[name]) / 2 for name in ("difference", "ci_low", "ci_high", "ci90_low", "ci90_high")
    )
    return Verdict(
        balanced,
        low,
        high,
        compared["p"],
        basis="two_way_cluster" if missing(compared["basis"]) else str(compared["basis"]),
        note=without_margin(compared["note"]) or "",
        margin=compared["margin"],
        margin_text=margin_text(compared),
        equivalent=compared["verdict"] == "equivalent" or bool(compared["p_equivalent"] < alpha_of(compared)),
        low90=low90,
        high90=high90,
        alpha=alpha_of(compared),
        mark=exploratory_mark(compared),
    )


def verdict_sentence(who: str, verdict: Verdict) -> str:
    """Return the verdict; nothing is claimed unless interval and p agree."""
    if missing(verdict.low):
        return (
            f"{_OPEN}: too few participants or pictures for an interval ({percent(verdict.balanced)} were judged "
            f"correctly; chance gives {_CHANCE})."
        )
    doubtful = verdict.p >= verdict.alpha  # False without a p
    differs = not doubtful and not verdict.low <= 0.5 <= verdict.high
    small = f", though by less than {verdict.margin_text}" if verdict.equivalent else ""
    if verdict.low > 0.5 and not doubtful:
        claim = f"{who} told real from generated pictures better than by chance{small}"
    elif verdict.high < 0.5 and not doubtful:
        claim = f"{who} mistook real and generated pictures for each other more often than by chance{small}"
    elif verdict.equivalent:
        claim = (
            f"Real and generated pictures cannot be told apart by more than {points_text(verdict.margin)}, as the "
            f"answers of {who} show"
        )
    else:
        claim = f"The answers of {who} do not show that real and generated pictures can be told apart"
        claim += "" if missing(verdict.margin) else f", nor that they cannot by more than {points_text(verdict.margin)}"
    interval = f"95 % interval {percent_interval(verdict.low, verdict.high)}"
    near = verdict.equivalent or (not differs and verdict.alpha == ALPHA)  # at 5 % the 90 % interval shows it
    if near and not missing(verdict.margin) and not missing(verdict.low90):
        edges = percent_interval(0.5 - verdict.margin, 0.5 + verdict.margin)
        interval += f"; 90 % interval {percent_interval(verdict.low90, verdict.high90)}, held against {edges}"
    share = f"{percent(verdict.balanced)} were judged correctly ({interval}); chance gives {_CHANCE}"
    return f"{claim}{verdict.mark}: {share}."


def sensitivity_sentences(folder: StudyFolder) -> list[str]:
    """Return a sentence for each sensitivity analysis: the answer without participants chosen by how they answered."""
    start = f"{TOLD_APART}, {SENSITIVITY} "
    sentences = []
    for row in folder.table(COMPARISONS).to_dict("records"):
        if str(row["comparison"]).startswith(start) and not missing(row["difference"]):
            rule = str(row["comparison"]).removeprefix(start)
            ends = percent_interval((1 + row["ci_low"]) / 2, (1 + row["ci_high"]) / 2)
            within = "" if missing(row["ci_low"]) else f" (95 % interval {ends})"
            sentences.append(
                f"Sensitivity, not the answer: without participants with {rule} (a rule on the outcome) "
                f"{percent((1 + row['difference']) / 2)} would have been judged correctly{within}."
            )
    return sentences


def models_compared(folder: StudyFolder) -> list[str]:
    """Return a sentence for each pair of models; of many pairs those with a verdict come first."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["difference"].notna()]
    if known.empty:
        return []
    settled = known["verdict"].isin(["different", "equivalent"])
    named = pd.concat([known[settled], known[~settled]]).head(MOST_PAIRS) if len(known) > MOST_PAIRS else known
    models = shares(folder, "model")
    rates = dict(zip(models["id"].astype(str), models["fooling_rate"].astype(float), strict=True))
    sentences = [_pair_sentence(row, rates) for row in named.to_dict("records")]
    if more := len(known) - len(named):
        sentences.append(f"{plural(more, 'more pair')} of models: see the differences below.")
    return sentences


def _pair_sentence(row: Record, rates: Mapping[str, float]) -> str:
    """Return which of two models fools more, with the difference and its interval.

    Args:
        row: of the table `comparisons`.
        rates: fooling rates (0..1) by model.
    """
    a, b = str(row["a"]), str(row["b"])
    difference = 100 * float(row["difference"])
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    if {rates.get(model, 0.5) for model in (a, b)} in ({0.0}, {1.0}):
        often = "every" if rates[a] else "no"
        return f"Between {a} and {b}{where} there is nothing to compare: {often} picture of either was called real."
    p, after = (row["p"], "") if missing(row["p_holm"]) else (row["p_holm"], " after Holm")
    adjusted = not missing(p) and float(p) > float(row["p"])
    by = f"{number(abs(difference), digits=1)}{NARROW}points"
    if missing(row["ci_low"]):
        by += " (no interval)"
    else:  # signs as in the sentence
        sign = -1 if difference < 0 else 1
        low, high = sorted(sign * 100 * float(row[end]) for end in ("ci_low", "ci_high"))
        tested = "" if missing(p) else f"{', unadjusted' * adjusted}; p {equals(p)}{after}"
        by += f" (95{NARROW}% interval {number(low, digits=1)} to {number(high, digits=1)}{tested})"
    is_equivalent = row["verdict"] == "equivalent"
    if row["verdict"] == "different" or (not missing(p) and float(p) < alpha_of(row)):
        first, second = (a, b) if difference >= 0 else (b, a)
        claim = f"{first} fools people more often than {second}{where}, by {by}"
        if is_equivalent or (not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < alpha_of(row)):
            claim += f", which lies within {margin_text(row)}"
    elif is_equivalent:
        claim = f"{a} and {b} fool people equally often{where}, to within {margin_text(row)}: they differ by {by}"
    else:
        claim = f"Between {a} and {b} no difference is shown{where}: {by}"
    if not missing(row["noninferior"]):
        not_inferior = f"{a} is not inferior to {b} by {margin_text(row)}"
        claim += f"; {not_inferior}" if row["noninferior"] else f"; that {not_inferior} is not shown"
    return f"{claim}{exploratory_mark(row)}."
