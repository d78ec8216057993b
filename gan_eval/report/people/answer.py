"""The answer in sentences: detection of generated pictures, comparison of models, and the basis."""

from collections.abc import Mapping

import pandas as pd
from scipy.special import ndtri

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    BASES_IN_WORDS,
    NARROW,
    Record,
    missing,
    percent,
    percent_interval,
    plural,
    points_text,
)
from gan_eval.report.people.caveats import exploratory_mark, is_interim, look_sentence, margin_text
from gan_eval.report.people.comparisons import size_text, without_margin
from gan_eval.report.people.pairs_and_grades import choice_bases, choice_sentences, grade_sentences
from gan_eval.report.people.participants import people_answering, who_text
from gan_eval.report.people.rates import shares
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.answers.hype import THRESHOLDS
from gan_eval.stats.answers.rates import UNEVEN
from gan_eval.stats.compare.comparisons import COMPARISONS, alpha_of
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.questions import TOLD_APART
from gan_eval.stats.compare.robustness import SENSITIVITY, WITH_UNFINISHED
from gan_eval.stats.groups import SEVERAL_STUDIES
from gan_eval.stats.paper import PAPER, SINGLE
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials
from gan_eval.tables import TRIALS

_CHANCE = f"50{NARROW}%"
_OPEN = "Whether real and generated pictures can be told apart cannot be said"
MOST_PAIRS = 3
"""Pairs of models that the answer names; the table has all."""


def answer(folder: StudyFolder) -> list[str]:
    """Return the answer in a few sentences, the verdict first; nothing where there are no tables of answers.

    The verdict rests on balanced accuracy: the plain share of right answers rewards a response bias where real and
    generated pictures differ in number. While the study is interim, the verdict is pending.
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
    """Return why there is none: exclusions left none, or nobody answered."""
    trials = folder.answers()
    if len(trials) and any(of(trials)["answered"].any() for of in (main_trials, pair_trials, graded_trials)):
        return "No answer is left after the exclusions: every trial with one was left out."
    return "There is no answer yet: no trial has been judged."


def basis(folder: StudyFolder) -> list[str]:
    """Return caveats of the answer, and the basis of its intervals."""
    everything = folder.scope("all")
    if everything.empty or missing(everything.iloc[0]["accuracy"]):
        return choice_bases(folder)
    row = everything.iloc[0]
    real, fake = int(row["n_real"]), int(row["n_fake"])
    verdict = None if same_answer(row) or is_interim(folder) else told_apart(folder, row)
    sentences = []
    if min(real, fake) == 0:
        sentences.append("With one kind of picture, response bias cannot be separated from sensitivity.")
    elif max(real, fake) / min(real, fake) >= UNEVEN:
        sentences.append(
            f"Real ({real}) and generated ({fake}) pictures differ in number: the plain share of right answers rewards "
            "a response bias. The verdict counts both kinds alike (balanced accuracy)."
        )
    sentences += sensitivity_sentences(folder)
    if not missing(row["note"]) and SEVERAL_STUDIES in str(row["note"]):
        sentences.append("Trials of several studies are pooled: differences between them are in no interval.")
    return [
        *sentences,
        *_basis(verdict),
        *choice_bases(folder),
    ]


def _basis(verdict: Record | None) -> list[str]:
    """Return the basis of the numbers of single pictures, and the note on the verdict."""
    if verdict is None or missing(verdict["basis"]):
        return []
    note = without_margin(verdict["note"])
    note = f" Note on the verdict: {note}." if note else ""
    return [f"Verdict and intervals rest on {BASES_IN_WORDS[str(verdict['basis'])]}.{note}"]


def _single_pictures(folder: StudyFolder) -> list[str]:
    """Return the verdict on single pictures and on models; nothing where none was called real or fake."""
    everything = folder.scope("all")
    if everything.empty or missing(everything.iloc[0]["accuracy"]):
        return []
    row = everything.iloc[0]
    verdict = told_apart(folder, row)
    count = len(people_answering(folder))
    who = who_text(folder, count)
    if verdict is None:
        why = "there is no table of comparisons"
        if min(row["n_real"], row["n_fake"]) == 0:
            why = f"only {'generated' if row['n_real'] == 0 else 'real'} ones were judged"
        elif len(folder.table(COMPARISONS)):
            why = "on no data set both kinds were judged"
        first = f"{_OPEN}: {why}."
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


def told_apart(folder: StudyFolder, row: pd.Series) -> Record | None:
    """Return the comparison `told apart`; None where both kinds were not judged on one data set.

    Its differences are of shares: balanced accuracy, which is 1/2 by chance with any response bias, is half of them
    added to 1/2.
    """
    comparisons = folder.table(COMPARISONS)
    known = comparisons[(comparisons["comparison"] == TOLD_APART) & comparisons["difference"].notna()]
    return None if min(row["n_real"], row["n_fake"]) == 0 or known.empty else known.to_dict("records")[0]


def verdict_sentence(who: str, compared: Record) -> str:
    """Return the verdict; nothing is claimed unless interval and p agree."""
    balanced, low, high, low90, high90 = (
        (1 + compared[name]) / 2 for name in ("difference", "ci_low", "ci_high", "ci90_low", "ci90_high")
    )
    if missing(low):
        return (
            f"{_OPEN}: too few participants or pictures for an interval ({percent(balanced)} were judged correctly; "
            f"chance gives {_CHANCE})."
        )
    alpha, margin = alpha_of(compared), compared["margin"]
    is_equivalent = compared["verdict"] == "equivalent" or bool(compared["p_equivalent"] < alpha)
    doubtful = compared["p"] >= alpha  # False without a p
    small = f", though by less than {margin_text(compared)}" if is_equivalent else ""
    if low > 0.5 and not doubtful:
        claim = f"{who} told real from generated pictures better than by chance{small}"
    elif high < 0.5 and not doubtful:
        claim = f"{who} judged real and generated pictures below chance{small}"
    elif is_equivalent:
        claim = (
            f"Real and generated pictures cannot be told apart by more than {points_text(margin)}, as the answers of "
            f"{who} show"
        )
    else:
        claim = f"The answers of {who} do not show that real and generated pictures can be told apart"
        claim += "" if missing(margin) else f", nor that they cannot by more than {points_text(margin)}"
    interval = f"95 % interval {percent_interval(low, high)}"
    is_open = alpha == ALPHA and (doubtful or low <= 0.5 <= high)  # at 5 % the 90 % interval shows it
    if (is_equivalent or is_open) and not missing(margin) and not missing(low90):
        edges = percent_interval(0.5 - margin, 0.5 + margin)
        interval += f"; 90 % interval {percent_interval(low90, high90)}, held against {edges}"
    share = f"{percent(balanced)} were judged correctly ({interval}); chance gives {_CHANCE}"
    if is_open and not is_equivalent:
        share += f"; {detectable(low, high)}"
    return f"{claim}{exploratory_mark(compared)}: {share}."


def detectable(low: float, high: float) -> str:
    """Return the smallest accuracy that such a study shows in 80 % of cases, from its 95 % interval, as a clause.

    At half the width w of the interval it lies (1 + z(0.8) / z(0.975)) w above chance.

    >>> detectable(0.45, 0.55).replace(NARROW, " ")
    'such a study shows an accuracy of 57.1 % or more in 80 % of cases'
    """
    least = 0.5 + (high - low) / 2 * (1 + float(ndtri(0.8) / ndtri(0.975)))
    if least >= 1:
        return "so few answers can show no accuracy"
    return f"such a study shows an accuracy of {percent(least)} or more in 80{NARROW}% of cases"


def sensitivity_sentences(folder: StudyFolder) -> list[str]:
    """Return a sentence for each sensitivity analysis: the answer without some participants, or with more sessions."""
    start = f"{TOLD_APART}, {SENSITIVITY} "
    sentences = []
    for row in folder.table(COMPARISONS).to_dict("records"):
        if str(row["comparison"]).startswith(start) and not missing(row["difference"]):
            name = str(row["comparison"]).removeprefix(start)
            whose = f"without participants with {name.removeprefix('without ')} (a rule on the outcome)"
            if name == WITH_UNFINISHED:
                whose = "with the answers of unfinished sessions"
            ends = percent_interval((1 + row["ci_low"]) / 2, (1 + row["ci_high"]) / 2)
            within = "" if missing(row["ci_low"]) else f" (95 % interval {ends})"
            sentences.append(
                f"Sensitivity, not the answer: {whose} {percent((1 + row['difference']) / 2)} would have been judged "
                f"correctly{within}."
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
    """Return which of two models fools more, with the difference and its interval."""
    a, b = str(row["a"]), str(row["b"])
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    if {rates.get(model, 0.5) for model in (a, b)} in ({0.0}, {1.0}):
        often = "every" if rates[a] else "no"
        return f"Between {a} and {b}{where} there is nothing to compare: {often} picture of either was called real."
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    by = size_text(row, percent=True)
    is_equivalent = row["verdict"] == "equivalent"
    if row["verdict"] == "different" or (not missing(p) and float(p) < alpha_of(row)):
        first, second = (a, b) if row["difference"] >= 0 else (b, a)
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
