"""The answer in sentences: whether real and generated pictures were told apart, how models compare, and what that
rests on."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.report.parts.folder import StudyFolder, common_notes, included_trials, without_common_notes
from gan_eval.report.parts.words import (
    BASES_IN_WORDS,
    NARROW,
    Record,
    equals,
    listed,
    missing,
    number,
    percent,
    percent_interval,
    plural,
    points_text,
)
from gan_eval.report.people.choices import choice_bases, choice_sentences
from gan_eval.report.people.comparisons import without_margin
from gan_eval.report.people.design import exploratory_mark, is_interim, look_sentence, margin_text
from gan_eval.report.people.grades import grade_sentences
from gan_eval.report.people.participants import people_answering
from gan_eval.report.people.rates import id_text, shares
from gan_eval.report.people.thresholds import threshold_sentences
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.answers.rates import UNEVEN
from gan_eval.stats.compare.comparisons import COMPARISONS, alpha_of
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.compare.questions import TOLD_APART
from gan_eval.stats.groups import SEVERAL_STUDIES
from gan_eval.stats.paper import PAPER, SINGLE, verdict_text
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials
from gan_eval.tables import TRIALS

_GUESSING = f"50{NARROW}%"
_OPEN = "Whether real and generated pictures can be told apart cannot be said"
_MOST_DATASETS = 6
MOST_PAIRS = 3
_MOST_PARTS = 3
"""Models, or exposures, whose share the answer names; the table holds all."""


class Verdict(NamedTuple):
    """Whether the two kinds were told apart: balanced accuracy, 0..1, which is 1/2 for every guesser."""

    balanced: float
    low: float
    """NaN where there is no interval."""
    high: float
    p: float
    """Two-sided, against 1/2; NaN where there is none."""
    basis: str
    """What the interval rests on, a key of `words.BASES`."""
    note: str = ""
    margin: float = np.nan
    """Of equivalence, to both sides of 1/2; NaN: none was given."""
    margin_text: str = ""
    """The same in words, with its standing."""
    equivalent: bool = False
    """The comparison's own verdict, from two one-sided tests."""
    low90: float = np.nan
    high90: float = np.nan
    alpha: float = ALPHA
    """What p is held against."""
    mark: str = ""
    """That the study's plan does not hold it; else empty."""


def answer(folder: StudyFolder) -> list[str]:
    """The answer in a few sentences, the verdict first, or none where there are no tables of answers.

    The verdict rests on balanced accuracy: the plain share of right answers rewards a leaning to one answer wherever
    real and generated pictures are unequally many. While some people have answered and others are awaited there is
    none.

    Args:
        folder: with the notes that stand in several tables.
    """
    trials = folder.table(TRIALS)
    sentences = _verdicts(folder)
    if sentences and (look := look_sentence(folder)):
        awaits = is_interim(folder)
        sentences = [look, "What follows may change with every answer."] if awaits else [look, *sentences]
    if not sentences:
        if folder.scope("all").empty:
            return []
        return [_no_answer(folder)]
    if folder.simulated:
        people = len(trials) and not trials["simulated"].fillna(False).all()
        who = "Simulated participants gave some of the answers" if people else "No person answered"
        sentences.append(f"{who}: this rehearses the study and says nothing of people.")
    return sentences


def _no_answer(folder: StudyFolder) -> str:
    """Why there is none: exclusions left none, tables of pairs or grades are not made, or nobody answered."""
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
    """What the answer rests on: both error rates, the plain share of right answers, what was assumed.

    Args:
        folder: with the notes that stand in several tables.
    """
    sentences: list[str] = []
    everything = folder.scope("all")
    if len(everything) and not pd.isna(everything.iloc[0]["accuracy"]):
        row, share = everything.iloc[0], shares(folder, "all").iloc[0]
        verdict = None if same_answer(row) or is_interim(folder) else told_apart(without_common_notes(folder), row)
        pooled = "Trials of several studies are pooled: differences between them are in no interval."
        sentences += [
            *_called_real(folder, share),
            *_right_answers(row, share, verdict),
            *sensitivity_sentences(folder),
            pooled if SEVERAL_STUDIES in common_notes(folder) else "",
            _basis(None if verdict is None or pd.isna(verdict.low) else verdict, share),
        ]
    return [*filter(None, sentences), *choice_bases(folder)]


def _verdicts(folder: StudyFolder) -> list[str]:
    """What was found in each way of asking, and how models compare."""
    return [
        *threshold_sentences(folder),  # else nothing: exposures that follow the answers make this the answer
        *_single_pictures(folder),
        *choice_sentences(folder),
        *grade_sentences(folder),
    ]


def _single_pictures(folder: StudyFolder) -> list[str]:
    """What the rates say; nothing where no single picture was called real or fake."""
    everything = folder.scope("all")
    if everything.empty or pd.isna(everything.iloc[0]["accuracy"]):
        return []
    row = everything.iloc[0]
    verdict = told_apart(without_common_notes(folder), row)
    count = len(people_answering(folder))
    noun = "simulated participant" if folder.simulated else "participant"
    who = f"One {noun}" if count == 1 else plural(count, noun)
    if verdict is None:
        first = no_verdict(row)
    elif same_answer(row):
        answers = plural(int(row["n_real"] + row["n_fake"]), "answer")
        first = (
            f"{_OPEN}: all {answers} of {_lower(who)} were “{same_answer(row)}”, whatever was shown, so half of "
            "both kinds were judged rightly by leaning alone."
        )
    else:
        first = verdict_sentence(who, verdict)
        asked = folder.table(PAPER)["protocol"]
        if asked.isin(ADAPTIVE_PROTOCOLS).any() and not (asked == SINGLE).any():
            first += " Exposures that follow the answers hold this share near 75 %: it does not tell how well they can."
    return [first, *parts_sentences(folder), *models_compared(folder)]


def parts_sentences(folder: StudyFolder) -> list[str]:
    """How many were judged rightly of each model, with its verdict, and at each exposure."""
    cited = folder.table(PAPER)
    cited = cited[cited["protocol"] == SINGLE]
    # the total has the name of the only model; of several models a row without a data set is of trials without one
    unnamed = "everything" if cited["model"].nunique(dropna=False) == 1 else "no data set"
    cited = cited[cited["model"].notna() & cited["balanced_accuracy"].notna()]
    datasets = cited["dataset"].fillna(unnamed)
    by_model = [
        (f"{row['model']} on {dataset}" if datasets.nunique() > 1 else str(row["model"]), row)
        for dataset, row in zip(datasets, cited.to_dict("records"), strict=True)
    ]
    exposures = shares(folder, "exposure")
    judged = exposures[exposures["balanced_accuracy"].notna()]
    by_exposure = [(id_text(row), row) for row in judged.to_dict("records")]
    texts = [
        _parts_text(what, rows) for what, rows in (("model", by_model), ("exposure", by_exposure)) if len(rows) > 1
    ]
    return [*filter(None, texts)]


def _parts_text(what: str, rows: Sequence[tuple[str, Record]]) -> str:
    """The share judged rightly of each part with its interval; of many parts the verdicts, or which may be guesses;
    empty where none of many has an interval."""
    names_of: dict[str, list[str]] = {}
    for name, row in rows:
        names_of.setdefault(verdict_text(row), []).append(name)
    if len(rows) > _MOST_PARTS and "" not in names_of:
        return f"By {what}, {'; '.join(f'{verdict}: {listed(names)}' for verdict, names in names_of.items())}."
    guessed = [name for name, row in rows if row["balanced_accuracy_low"] <= 0.5 <= row["balanced_accuracy_high"]]
    if len(rows) > _MOST_PARTS:
        known = sum(not missing(row["balanced_accuracy_low"]) for _, row in rows)
        if not known:
            return ""
        without = len(rows) - known
        unknown = f"; {plural(without, 'other')} {'has' if without == 1 else 'have'} no interval" if without else ""
        judged = "of what was judged rightly"
        if not guessed and known == 1:
            return f"By {what}, the one interval {judged} does not include {_GUESSING}{unknown}."
        if not guessed:
            return f"By {what}, none of the {known} intervals {judged} includes {_GUESSING}{unknown}."
        rest = f"; those of the other {known - len(guessed)} do not" if len(guessed) < known else ""
        of_guessed = f"those of {listed(guessed)} include" if len(guessed) > 1 else f"that of {guessed[0]} includes"
        return f"By {what}, of the intervals {judged} {of_guessed} {_GUESSING}{rest}{unknown}."
    texts = []
    for name, row in rows:
        low, high = row["balanced_accuracy_low"], row["balanced_accuracy_high"]
        verdict = verdict_text(row) or ("as guesses may be" if name in guessed else "")
        within = "" if missing(low) else f" ({percent_interval(low, high)})"
        texts.append(f"{name} {percent(row['balanced_accuracy'])}{within}{', ' * bool(verdict)}{verdict}")
    return f"Judged rightly by {what}: {'; '.join(texts)}."


def told_apart(folder: StudyFolder, row: pd.Series) -> Verdict | None:
    """From the comparison `told apart`; from the shares where there are no comparisons; None where both kinds were not
    judged on one data set."""
    if min(row["n_real"], row["n_fake"]) == 0:
        return None
    comparisons = folder.table(COMPARISONS)
    known = comparisons[comparisons["comparison"] == TOLD_APART]
    if comparisons.empty:
        share = shares(folder, "all").iloc[0]
        balanced, low, high = (share[f"balanced_accuracy{end}"] for end in ("", "_low", "_high"))
        return Verdict(balanced, low, high, np.nan, share["basis"], "the table of comparisons is not here")
    if known["difference"].isna().all():
        return None
    compared = known.to_dict("records")[0]
    # from a difference of shares to balanced accuracy: halves, about 1/2
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


def sensitivity_sentences(folder: StudyFolder) -> list[str]:
    """A sentence for each sensitivity row: what would be said without people chosen by how they answered."""
    start = f"{TOLD_APART}, {SENSITIVITY} "
    sentences = []
    for row in folder.table(COMPARISONS).to_dict("records"):
        if str(row["comparison"]).startswith(start) and not missing(row["difference"]):
            rule = str(row["comparison"]).removeprefix(start)
            ends = percent_interval((1 + row["ci_low"]) / 2, (1 + row["ci_high"]) / 2)
            within = "" if missing(row["ci_low"]) else f" (95 % interval {ends})"
            sentences.append(
                f"Sensitivity, not the answer: without participants with {rule} (a rule on the outcome) "
                f"{percent((1 + row['difference']) / 2)} would have been judged rightly{within}."
            )
    return sentences


def same_answer(row: pd.Series) -> str:
    """The only answer that was given to pictures of both kinds, at least two; empty where there are two answers."""
    count = row["n_real"] + row["n_fake"]
    fakes = row["hits"] + row["false_alarms"]
    if min(row["n_real"], row["n_fake"]) == 0 or 0 < fakes < count:
        return ""
    return "fake" if fakes else "real"


def no_verdict(row: pd.Series) -> str:
    """Why there is none."""
    if min(row["n_real"], row["n_fake"]) > 0:
        return f"{_OPEN}: on no data set both kinds were judged."
    return f"{_OPEN}: only {'generated' if row['n_real'] == 0 else 'real'} ones were judged."


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def verdict_sentence(who: str, verdict: Verdict) -> str:
    """What balanced accuracy says beside guessing; nothing is claimed unless interval and p agree."""
    if pd.isna(verdict.low):
        return (
            f"{_OPEN}: too few participants or pictures for an interval ({percent(verdict.balanced)} were judged "
            f"rightly, where guessing gives {_GUESSING})."
        )
    doubtful = verdict.p >= verdict.alpha  # a p that is missing does not object
    differs = not doubtful and not verdict.low <= 0.5 <= verdict.high
    small = f", though by less than {verdict.margin_text}" if verdict.equivalent else ""
    if verdict.low > 0.5 and not doubtful:
        claim = f"{who} told real from generated pictures better than by guessing{small}"
    elif verdict.high < 0.5 and not doubtful:
        claim = f"{who} mistook real and generated pictures for each other more often than guesses would{small}"
    elif verdict.equivalent:
        claim = (
            f"Real and generated pictures cannot be told apart by more than {points_text(verdict.margin)}, as the "
            f"answers of {_lower(who)} show"
        )
    else:
        claim = f"The answers of {_lower(who)} do not show that real and generated pictures can be told apart"
        claim += "" if pd.isna(verdict.margin) else f", nor that they cannot by more than {points_text(verdict.margin)}"
    interval = f"95 % interval {percent_interval(verdict.low, verdict.high)}"
    near = verdict.equivalent or (not differs and verdict.alpha == ALPHA)  # at 5 % the 90 % interval tells
    if near and not pd.isna(verdict.margin) and not pd.isna(verdict.low90):
        edges = percent_interval(0.5 - verdict.margin, 0.5 + verdict.margin)
        interval += f"; 90 % interval {percent_interval(verdict.low90, verdict.high90)}, held against {edges}"
    share = f"{percent(verdict.balanced)} were judged rightly ({interval}), where guessing gives {_GUESSING}"
    return f"{claim}{verdict.mark}: {share}."


def _called_real(folder: StudyFolder, share: pd.Series) -> list[str]:
    """Both error rates, since accuracy alone hides a leaning to one answer; then by data set, where there are some."""
    parts = []
    if not pd.isna(share["fooling_rate"]):
        parts.append(f"{_with_interval(share, 'fooling_rate')} of the generated pictures were called real")
    if not pd.isna(share["false_alarm_rate"]):
        parts.append(f"{_with_interval(share, 'false_alarm_rate')} of the real ones were called fake")
    sentences = ["; ".join(parts) + "."]
    table = shares(folder, "dataset")
    known = table[table["fooling_rate"].notna()]
    if len(table) > 1 and len(known):
        rows = known.head(_MOST_DATASETS)
        rates = ", ".join(f"{row['id']} {_with_interval(row, 'fooling_rate')}" for _, row in rows.iterrows())
        more = f"; {plural(len(known) - len(rows), 'more data set')} below" if len(known) > len(rows) else ""
        sentences.append(f"Called real, by data set: {rates}{more}.")
    return sentences


def _with_interval(share: pd.Series, name: str) -> str:
    if pd.isna(share[f"{name}_low"]):
        return percent(share[name])
    return f"{percent(share[name])} ({percent_interval(share[f'{name}_low'], share[f'{name}_high'])})"


def _right_answers(row: pd.Series, share: pd.Series, verdict: Verdict | None) -> list[str]:
    """The plain share of right answers, how those in the figures and in the verdict differ from it, and what it may
    hide."""
    real, fake = int(row["n_real"]), int(row["n_fake"])
    were = "was" if real + fake == 1 else "were"
    plain, alike = percent(row["accuracy"]), percent(share["balanced_accuracy"])
    shares_told = f"{plain} of {plural(real + fake, 'answer')} {were} right"
    if alike not in (plain, percent(np.nan)):
        shares_told += f", {alike} where both kinds count alike (figures and signal detection)"
    if verdict is not None and percent(verdict.balanced) not in (plain, alike):
        whose = (
            "is the crossed model's, for people and pictures in general"
            if verdict.basis == "crossed_model"
            else "counts each data set as much among real as among generated pictures"
        )
        shares_told += f"; the verdict's {percent(verdict.balanced)} {whose}"
    sentences = [f"{shares_told}."]
    if not pd.isna(row["dprime"]):
        sentences.append(f"Sensitivity d′ = {number(row['dprime'])} (0 is guessing).")
    if min(real, fake) == 0:
        sentences.append("With one kind of picture a leaning to one answer cannot be told from skill.")
    elif max(real, fake) / min(real, fake) >= UNEVEN:
        sentences.append(
            f"Real ({real}) and generated ({fake}) pictures were not equally many: the plain share of right answers "
            "rewards leaning to one answer. The verdict counts both kinds alike (balanced accuracy)."
        )
    return sentences


def _basis(verdict: Verdict | None, share: pd.Series) -> str:
    """What verdict and intervals rest on: different models, so each is named."""
    extreme = {0.0, 1.0} >= {rate for rate in share[["fooling_rate", "false_alarm_rate"]] if not pd.isna(rate)}
    if extreme and share["basis"] == "two_way_cluster":
        return "All answers to a kind of picture agree, so the intervals count each picture or participant once."
    others = BASES_IN_WORDS[share["basis"]]
    if verdict is None:
        return f"Intervals rest on {others}."
    note = f" Of the verdict: {verdict.note}." if verdict.note else ""
    if verdict.basis == share["basis"]:
        return f"Verdict and intervals rest on {others}.{note}"
    if (verdict.basis, share["basis"]) == ("crossed_model", "two_way_cluster"):
        return (
            "All this allows for differences between participants and between pictures: the verdict by the crossed "
            f"mixed model, the other intervals by clustering.{note}"
        )
    return f"The verdict rests on {BASES_IN_WORDS[verdict.basis]}; the other intervals on {others}.{note}"


def models_compared(folder: StudyFolder) -> list[str]:
    """A sentence for each pair of models; of many pairs those with a verdict come first."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["difference"].notna()]
    if known.empty:
        return []
    settled = known["verdict"].isin(["different", "equivalent"])
    listed_pairs = pd.concat([known[settled], known[~settled]]).head(MOST_PAIRS) if len(known) > MOST_PAIRS else known
    models = shares(folder, "model")
    rates = dict(zip(models["id"].astype(str), models["fooling_rate"].astype(float), strict=True))
    sentences = [_pair_sentence(row, rates) for row in listed_pairs.to_dict("records")]
    more = len(known) - len(listed_pairs)
    if more:
        sentences.append(f"{plural(more, 'more pair')} of models: see the comparisons below.")
    return sentences


def _pair_sentence(row: Record, rates: Mapping[str, float]) -> str:
    """Which of two models fools more, by how much, and how sure that is.

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
    else:  # signs as the sentence has it
        sign = -1 if difference < 0 else 1
        low, high = sorted(sign * 100 * float(row[end]) for end in ("ci_low", "ci_high"))
        tested = "" if missing(p) else f"{', unadjusted' * adjusted}; p {equals(p)}{after}"
        by += f" (95{NARROW}% interval {number(low, digits=1)} to {number(high, digits=1)}{tested})"
    is_equivalent = row["verdict"] == "equivalent"
    differs = row["verdict"] == "different" or (not missing(p) and float(p) < alpha_of(row))
    if differs:  # `equivalent` may stand beside it
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
