"""The answer first: one plain sentence with its numbers, then a few more."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.notes import several_studies, without_common_notes
from gan_eval.report.parts.shares import shares
from gan_eval.report.parts.words import BASES_TOLD, number, percent, percent_interval, plural
from gan_eval.report.people.answer_more import metrics_compared, models_compared
from gan_eval.report.people.other_answers import other_answers
from gan_eval.report.people.verdict import (
    Told,
    beside_the_answer,
    no_verdict,
    one_answer,
    same_answer,
    told_apart,
    verdict,
)
from gan_eval.stats.answers.rates import UNEVEN
from gan_eval.stats.trials import graded_trials, pair_trials
from gan_eval.tables import TRIALS

_MOST_DATASETS = 6


def answer(folder: StudyFolder) -> list[str]:
    """The sentences, the answer itself first, or none where there are no tables of answers.

    The verdict rests on balanced accuracy: the plain share of right answers rewards a leaning to one answer wherever
    real and generated pictures are unequally many.
    """
    sentences = [*_of_single_pictures(folder), *other_answers(folder)]
    if not sentences:
        return [] if folder.scope("all").empty else [_no_answer(folder.table(TRIALS))]
    if folder.simulated:
        people = len(folder.table(TRIALS)) and not folder.table(TRIALS)["simulated"].fillna(False).all()
        who = "Simulated participants gave some of the answers" if people else "No person answered"
        sentences.append(f"{who}: this rehearses the study and says nothing of people.")
    return sentences


def _no_answer(trials: pd.DataFrame) -> str:
    if len(trials) and (pair_trials(trials)["answered"].any() or graded_trials(trials)["answered"].any()):
        return "There are answers, and no tables of them yet: gan-eval analyze makes them."
    return "There is no answer yet: no trial has been judged."


def _of_single_pictures(folder: StudyFolder) -> list[str]:
    """What the rates say; nothing where no single picture was called real or fake."""
    everything = folder.scope("all")
    if everything.empty or pd.isna(everything.iloc[0]["accuracy"]):
        return []
    row, share = everything.iloc[0], shares(folder, "all").iloc[0]
    found = told_apart(without_common_notes(folder), row)
    if found is None:
        said = no_verdict(row)
    elif same_answer(row):
        said, found = one_answer(_who(folder), row), None
    else:
        said = verdict(_who(folder), found)
        found = None if pd.isna(found.low) else found
    sentences = [
        said,
        *beside_the_answer(folder),
        *several_studies(folder),
        _errors(share),
        _by_dataset(folder),
        *models_compared(folder),
        *metrics_compared(folder),
        _right(row),
        _caution(row),
        _basis(found, share),
    ]
    return [sentence for sentence in sentences if sentence]


def _who(folder: StudyFolder) -> str:
    count = len(folder.scope("participant"))
    noun = "simulated participant" if folder.simulated else "participant"
    return f"One {noun}" if count == 1 else plural(count, noun)


def _errors(share: pd.Series) -> str:
    """Both error rates: accuracy alone hides a leaning to one answer."""
    parts = []
    if not pd.isna(share["fooling_rate"]):
        parts.append(f"{_told(share, 'fooling_rate')} of the generated pictures passed as real")
    if not pd.isna(share["false_alarm_rate"]):
        parts.append(f"{_told(share, 'false_alarm_rate')} of the real ones were taken for generated")
    return "; ".join(parts) + "."


def _told(share: pd.Series, name: str) -> str:
    if pd.isna(share[f"{name}_low"]):
        return percent(share[name])
    return f"{percent(share[name])} ({percent_interval(share[f'{name}_low'], share[f'{name}_high'])})"


def _by_dataset(folder: StudyFolder) -> str:
    table = shares(folder, "dataset")
    known = table[table["fooling_rate"].notna()]
    if len(table) < 2 or known.empty:
        return ""
    each = [f"{row['id']} {_told(row, 'fooling_rate')}" for _, row in known.head(_MOST_DATASETS).iterrows()]
    more = f"; {plural(len(known) - len(each), 'more data set')} below" if len(known) > len(each) else ""
    return f"Passed as real, by data set: {', '.join(each)}{more}."


def _right(row: pd.Series) -> str:
    count = plural(int(row["n_real"] + row["n_fake"]), "answer")
    sensitivity = "" if pd.isna(row["dprime"]) else f"; sensitivity d′ = {number(row['dprime'])} (0 is guessing)"
    were = "was" if row["n_real"] + row["n_fake"] == 1 else "were"
    return f"{percent(row['accuracy'])} of {count} {were} right{sensitivity}."


def _caution(row: pd.Series) -> str:
    real, fake = int(row["n_real"]), int(row["n_fake"])
    if min(real, fake) == 0:
        return "With one kind of picture a leaning to one answer cannot be told from skill."
    if max(real, fake) / min(real, fake) >= UNEVEN:
        return (
            f"Real ({real}) and generated ({fake}) pictures were not equally many: the plain share of right answers "
            "rewards leaning to one answer. The verdict counts both kinds alike (balanced accuracy)."
        )
    return ""


def _basis(found: Told | None, share: pd.Series) -> str:
    """What verdict and intervals rest on: different models, so each is named."""
    extreme = {0.0, 1.0} >= {rate for rate in share[["fooling_rate", "false_alarm_rate"]] if not pd.isna(rate)}
    if extreme and share["basis"] == "two_way_cluster":
        return "All answers to a kind of picture agree, so the intervals count each picture or participant once."
    if found is None:
        return f"Intervals rest on {BASES_TOLD[share['basis']]}."
    note = f" Of the verdict: {found.note}." if found.note else ""
    if found.basis == share["basis"]:
        return f"Verdict and intervals rest on {BASES_TOLD[found.basis]}.{note}"
    if (found.basis, share["basis"]) == ("crossed_model", "two_way_cluster"):
        return (
            "All this allows for differences between participants and between pictures: the verdict by the crossed "
            f"mixed model, the other intervals by clustering.{note}"
        )
    return f"The verdict rests on {BASES_TOLD[found.basis]}; the other intervals on {BASES_TOLD[share['basis']]}.{note}"
