"""The answer first: one plain sentence with its numbers, then a few more.

Whether real and generated pictures were told apart, in one sentence.

After the verdict: which model fools more, and which metric follows people best, in a sentence each.

What pairs, grades and staircases say: sentences for the answer, and their tables.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.report.parts.folder import StudyFolder, several_studies, without_common_notes
from gan_eval.report.parts.shares import shares
from gan_eval.report.parts.words import (
    BASES_TOLD,
    NARROW,
    Record,
    equals,
    listed,
    missing,
    number,
    percent,
    percent_interval,
    plural,
    points_of,
    whole,
)
from gan_eval.report.people.choices import choices_told
from gan_eval.report.people.design import exploratory, the_margin
from gan_eval.report.people.grades import grade_sentences
from gan_eval.report.people.staircase import threshold_sentences
from gan_eval.stats.answers.rates import UNEVEN
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.compare.questions import TOLD_APART
from gan_eval.stats.trials import graded_trials, pair_trials
from gan_eval.tables import COMPARISONS, CORRELATION_DIFFERENCES, RATINGS, THRESHOLDS, TRIALS

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


MOST_PAIRS = 3
_MOST_COMPARED = 2


def models_compared(folder: StudyFolder) -> list[str]:
    """A sentence for each pair of models; of many pairs those with a verdict come first."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["difference"].notna()]
    if known.empty:
        return []
    settled = known["verdict"].isin(["different", "equivalent"])
    shown = pd.concat([known[settled], known[~settled]]).head(MOST_PAIRS) if len(known) > MOST_PAIRS else known
    rates = _fooling_rates(folder)
    sentences = [_pair(row, rates) for row in shown.to_dict("records")]
    if len(known) > len(shown):
        sentences.append(f"{plural(len(known) - len(shown), 'more pair')} of models: see the comparisons below.")
    return sentences


def _fooling_rates(folder: StudyFolder) -> dict[str, float]:
    models = shares(folder, "model")
    return dict(zip(models["id"].astype(str), models["fooling_rate"].astype(float), strict=True))


def _nothing_to_compare(row: Record, rates: Mapping[str, float]) -> bool:
    """Both models always fooled, or both never."""
    both = {rates.get(str(row[name]), 0.5) for name in ("a", "b")}
    return both in ({0.0}, {1.0})


def _pair(row: Record, rates: Mapping[str, float]) -> str:
    a, b = str(row["a"]), str(row["b"])
    difference = 100 * float(row["difference"])
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    if _nothing_to_compare(row, rates):
        often = "every" if rates[a] else "no"
        return f"Between {a} and {b}{where} there is nothing to compare: {often} picture of either passed as real."
    first, second = (a, b) if difference >= 0 else (b, a)
    by = f"{number(abs(difference), digits=1)}{NARROW}points"
    if _different(row):
        said = f"{first} fools people more often than {second}{where}, by {by} {_comparison_told(row, difference < 0)}"
        if row["verdict"] == "equivalent" or (not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < ALPHA):
            said += f", which lies within {the_margin(row)}"
    elif row["verdict"] == "equivalent":
        said = (
            f"{a} and {b} fool people equally often{where}, to within {the_margin(row)}: they "
            f"differ by {by} {_comparison_told(row, difference < 0)}"
        )
    else:
        said = f"Between {a} and {b} no difference is shown{where}: {by} {_comparison_told(row, difference < 0)}"
    return f"{said}{_not_inferior(row)}{exploratory(row)}."


def _different(row: Record) -> bool:
    """By Holm's p, which the verdict `equivalent` may stand beside."""
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    return row["verdict"] == "different" or (not missing(p) and float(p) < ALPHA)


def _comparison_told(row: Record, turned: bool) -> str:
    """Interval and corrected p of the difference, signs as the sentence has it."""
    ends = [row["ci_low"], row["ci_high"]]
    if missing(ends[0]):
        return "(no interval)"
    low, high = sorted((-1 if turned else 1) * 100 * float(end) for end in ends)
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    after = "" if missing(row["p_holm"]) else " after Holm"
    tested = "" if missing(p) else f"; p {equals(p)}{after}"
    return f"(95{NARROW}% interval {number(low, digits=1)} to {number(high, digits=1)}{tested})"


def _not_inferior(row: Record) -> str:
    if missing(row["noninferior"]):
        return ""
    if row["noninferior"]:
        return f"; {row['a']} is not inferior to {row['b']} by {the_margin(row)}"
    return f"; that {row['a']} is not inferior to {row['b']} by {the_margin(row)} is not shown"


def metrics_compared(folder: StudyFolder) -> list[str]:
    """Which metric follows people best over single pictures and over models, and how far that can be said."""
    table = folder.table(CORRELATION_DIFFERENCES)
    known = table[table["agreement_a"].notna() & table["agreement_b"].notna()]
    found = []
    for level in ("stimulus", "model"):
        at_level = known[known["level"] == level]
        pooled = at_level[at_level["dataset"].isna()]
        parts = at_level if pooled.empty else pooled
        groups = list(parts.groupby("dataset", dropna=False, sort=True))
        found += [_best(level, dataset, part) for dataset, part in groups[:_MOST_COMPARED]]
    return found


def _best(level: str, dataset: object, part: pd.DataFrame) -> str:
    agreement: dict[str, float] = {}
    for row in part.to_dict("records"):
        agreement |= {row["metric_a"]: float(row["agreement_a"]), row["metric_b"]: float(row["agreement_b"])}
    best = max(sorted(agreement), key=agreement.__getitem__)
    beaten = [
        row["metric_b"] if row["metric_a"] == best else row["metric_a"]
        for row in part.to_dict("records")
        if row["follows_better"] == best
    ]
    over = "single pictures" if level == "stimulus" else "models"
    where = "" if missing(dataset) else f" of {dataset}" if level == "stimulus" else f" on {dataset}"
    strength = f"|Spearman| {number(agreement[best])}"
    rivals = len(agreement) - 1
    if not beaten:
        return (
            f"Over {over}{where} no metric is shown to follow people best: {best} has the highest agreement "
            f"({strength}) of {whole(rivals + 1)}, and its lead over none of the others survives Holm's correction."
        )
    others = "each of the others" if len(beaten) == rivals else f"{listed(sorted(beaten))}, not over the rest"
    return (
        f"Over {over}{where} {best} follows people best ({strength}, of {plural(rivals + 1, 'metric')}); its lead "
        f"survives Holm's correction over {others}."
    )


def other_answers(folder: StudyFolder) -> list[str]:
    """Sentences on pairs, grades and staircases; none where a study has none, or none of them was answered."""
    return [
        *choices_told(folder),
        *grade_sentences(folder.table(RATINGS)),
        *threshold_sentences(folder.table(THRESHOLDS)),
    ]
