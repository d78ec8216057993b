"""The result in APA sentences: one for each row of the table to cite, and one for each pair of models.

Numbers and verdicts of single pictures and of pairs come from the table `paper`.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

import pandas as pd
from scipy.special import ndtri

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    Record,
    apa_interval,
    apa_p,
    capital,
    listed,
    missing,
    number,
    on_dataset,
    percent,
    plural,
    whole,
)
from gan_eval.report.people.caveats import exploratory_mark, interim_sentence, is_interim, margin_text
from gan_eval.report.people.comparisons import HOLM, is_adjusted, reported_p, size_text, within_margin
from gan_eval.report.people.pairs_and_grades import grade_sentences, preference_sentences
from gan_eval.report.people.participants import who_text
from gan_eval.stats.answers.hype import THRESHOLDS
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.compare.detection_rates import NEARLY_CONSTANT
from gan_eval.stats.compare.questions import CHOSEN
from gan_eval.stats.paper import BELOW, EQUIVALENT, EVERYTHING, NONE, PAPER, SINGLE, TOLD, UNDECIDED, distinct_rows
from gan_eval.stats.recruitment import ALPHA
from gan_eval.stats.trials import PAIRED, graded_trials, main_trials, pair_trials
from gan_eval.tables import TRIALS

MAX_ROWS = 6
"""Maximum number of models with a sentence each in the answer; more models are grouped by verdict."""
MAX_PAIRS = 3
"""Maximum number of pairs of models with a sentence each in the answer; the table of differences has all pairs."""


def answer_sentences(folder: StudyFolder) -> Iterator[str]:
    """Yield the result in sentences, all models together first; none without tables of answers.

    There is no verdict while participants are missing.
    """
    results = _results(folder)
    first = next(results, None)
    if first is None:
        yield from _why_no_result(folder)
        return
    if is_interim(folder):
        yield interim_sentence(folder)
        yield "All numbers may change with every answer."
    else:
        yield first
        yield from results
    if folder.simulated:
        trials = folder.table(TRIALS)
        people = len(trials) and not trials["simulated"].fillna(False).all()
        who = "Simulated participants gave some of the answers" if people else "No person answered"
        yield f"{who}: this is a rehearsal, not a result about people."


def _results(folder: StudyFolder) -> Iterator[str]:
    if len(folder.table(THRESHOLDS)):  # first: where exposures follow the answers, the threshold is the answer
        from gan_eval.report.people.thresholds import threshold_sentences  # imports Matplotlib

        yield from threshold_sentences(folder)
    if has_all_sentences(folder):
        yield from row_sentences(folder)
    else:
        of_all = int((_detection_rows(folder)["model"] == EVERYTHING).sum())
        yield from islice(row_sentences(folder), of_all)
        yield from _verdicts(folder)
    yield from models_compared(folder)
    yield from preference_sentences(folder)
    yield from grade_sentences(folder)


def _why_no_result(folder: StudyFolder) -> Iterator[str]:
    if folder.scope("all").empty:
        return
    trials = folder.answers()
    if len(trials) and any(of(trials)["answered"].any() for of in (main_trials, pair_trials, graded_trials)):
        yield "No answer counts: each was excluded, or its session is not complete."
    else:
        yield "There is no answer yet: no trial has been judged."


def row_sentences(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each row of `paper` on single pictures or on pairs with a real one, all models first."""
    table = _detection_rows(folder)
    return (_row_sentence(folder, row, table) for row in table.to_dict("records"))


def has_all_sentences(folder: StudyFolder) -> bool:
    """Return whether the answer has a sentence for each model; else it groups models by verdict."""
    return len(_detection_rows(folder)) <= MAX_ROWS + 1


def _detection_rows(folder: StudyFolder) -> pd.DataFrame:
    table = folder.table(PAPER)
    table = distinct_rows(table[table["protocol"].isin([SINGLE, PAIRED])])
    return table.sort_values("model", key=lambda model: model != EVERYTHING, kind="stable")


_VERDICT_WORDS = {TOLD: "correctly above chance", BELOW: "below chance"}


def _verdicts(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each verdict: the models that have it, by data set."""
    table = _detection_rows(folder)
    table = table[table["model"] != EVERYTHING]
    for verdict, part in table.groupby(table["verdict"].fillna(NONE), sort=False):
        head = f"judged {_VERDICT_WORDS[str(verdict)]}" if str(verdict) in _VERDICT_WORDS else str(verdict)
        if verdict == EQUIVALENT and (margin := _margin(folder, part.iloc[0].to_dict())):
            head += f" within {margin_text(margin)}"
        places = []
        for dataset, rows in part.groupby("dataset", dropna=False, sort=False):
            where = on_dataset(dataset) * (table["dataset"].nunique() > 1)
            places.append(listed(list(rows["model"].astype(str))) + where)
        least = [_detectable(folder, row, table) for row in part.to_dict("records")] if verdict == UNDECIDED else []
        study = f"; {detectable_clause(min(least), max(least))}" if least else ""
        yield f"{capital(head)} ({len(part)} of {len(table)}): {'; '.join(places)}{study}."


def _row_sentence(folder: StudyFolder, row: Record, table: pd.DataFrame) -> str:
    """Return the verdict of a row of the `_detection_rows` table with its numbers."""
    several = table.loc[table["model"] != EVERYTHING, "dataset"].nunique() > 1
    is_all = row["model"] == EVERYTHING
    is_named = not (is_all or missing(row["model"]) or row["model"] == "generated")
    of = f"pictures of {row['model']}" if is_named else "generated pictures"
    if is_all:
        of += f" (averaged over models{' and data sets' * several})"
    if several and row["dataset"] != EVERYTHING:
        of += on_dataset(row["dataset"])
    who, verdict, margin = _who(folder, int(row["n_participants"])), row["verdict"], _margin(folder, row)
    mark = exploratory_mark(row)
    low, high, small = row["accuracy90_low"], row["accuracy90_high"], ""
    if margin and not missing(low) and max(abs(low - 0.5), abs(high - 0.5)) < margin["margin"]:
        small = f", though by less than {margin_text(margin)}"
    by_margin = verdict == EQUIVALENT or (bool(small) and verdict in (TOLD, BELOW))  # then the 90% interval decides
    numbers = _numbers(row, by_margin=by_margin, adjusted=not is_all and is_adjusted(table))
    if verdict == NONE or missing(verdict):
        if numbers and row["untested"] == "one participant":
            return f"One participant gives no verdict on people in general; on {of} and real pictures{numbers}."
        why = "" if missing(row["note"]) else f": {str(row['note']).partition('; ')[0]}"
        return f"There is no verdict on {of}{why}."
    pictures = f"{of} {'paired with' if row['protocol'] == PAIRED else 'and'} real ones"
    if str(verdict) in _VERDICT_WORDS:
        return f"{capital(who)} judged {pictures} {_VERDICT_WORDS[str(verdict)]}{small}{mark}{numbers}."
    if verdict == EQUIVALENT:
        within = f" within {margin_text(margin)}" if margin else ""
        return f"Judgements of {pictures} by {who} were equivalent to chance{within}{mark}{numbers}."
    least = _detectable(folder, row, table)
    why = NEARLY_CONSTANT if row["untested"] == "nearly constant answers" else detectable_clause(least, least)
    return f"It is undecided whether {who} could tell {of} from real pictures{mark}{numbers}; {why}."


def _who(folder: StudyFolder, count: int) -> str:
    """Return the participants of a row: `participants (N = 12)`."""
    who = who_text(folder, count)
    if count == 1:
        return f"one {who.removeprefix('1 ')}"
    number_of, _, words = who.partition(" ")
    words, _, of_them = words.partition(", ")
    return f"{words} (N = {number_of}{f', {of_them}' * bool(of_them)})"


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


def _margin(folder: StudyFolder, row: Record) -> Record | None:
    """Return a row of `comparisons` with the margin of the same question; None if there is none."""
    table = folder.table(COMPARISONS)
    measure = CHOSEN if row["protocol"] == PAIRED else "called_fake"
    known = table[(table["question"] == "detection") & (table["measure"] == measure) & table["margin"].notna()]
    return None if known.empty else known.to_dict("records")[0]


def _detectable(folder: StudyFolder, row: Record, table: pd.DataFrame) -> float:
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
    return 0.5 + (high - low) / 2 * float((ndtri(1 - level / 2) + ndtri(0.8)) / ndtri(0.975))


def detectable_clause(low: float, high: float) -> str:
    """Return a clause on the smallest accuracies, `low` to `high`, that such studies detect with 80% power.

    >>> detectable_clause(0.571, 0.6)
    'a study of this precision detects an accuracy of 57.1–60.0% with 80% power'
    """
    if low >= 1:
        return "a study of this precision cannot detect even perfect accuracy"
    least = percent(low) if round(low, 3) == round(high, 3) else f"{100 * low:.1f}–{percent(min(high, 1))}"
    return f"a study of this precision detects an accuracy of {least} with 80% power"


def models_compared(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each pair of models; of many pairs only for some with a verdict, and the counts."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["verdict"].notna()]  # without a test there is no verdict
    is_long = len(known) > MAX_PAIRS
    named = known[known["verdict"].isin(["different", "equivalent"])].head(MAX_PAIRS) if is_long else known
    paper = folder.table(PAPER)
    keys = zip(paper["model"].astype(str), paper["dataset"].fillna("").astype(str), strict=True)
    rates = dict(zip(keys, paper["fooling_rate"].astype(float), strict=True))
    yield from (_pair_sentence(row, rates, adjusted=is_adjusted(known)) for row in named.to_dict("records"))
    if is_long:
        counts = [f"{whole(count)} {verdict}" for verdict, count in known["verdict"].value_counts().items()]
        yield f"Of {plural(len(known), 'pair')} of models by fooling rate: {listed(counts)}; see Details."


def _pair_sentence(row: Record, rates: Mapping[tuple[str, str], float], *, adjusted: bool) -> str:
    a, b = str(row["a"]), str(row["b"])
    where, dataset = on_dataset(row["dataset"]), "" if missing(row["dataset"]) else str(row["dataset"])
    if (shares := {rates.get((model, dataset), 0.5) for model in (a, b)}) in ({0.0}, {1.0}):
        often = "every" if shares == {1.0} else "no"
        return f"Between {a} and {b}{where} there is nothing to compare: {often} picture of either was called real."
    numbers = f"difference = {size_text(row, adjusted=adjusted)}"
    if row["verdict"] == "different":
        first, second = (a, b) if row["difference"] >= 0 else (b, a)
        claim = f"{first} fooled participants more often than {second}{where}"
        claim += f", though by less than {margin_text(row)}" if within_margin(row) else ""
    elif row["verdict"] == "equivalent":
        claim = f"{a} and {b} fooled participants equally often{where}, within {margin_text(row)}"
    else:
        claim = f"The fooling rates of {a} and {b}{where} did not differ significantly"
    return f"{claim}, {numbers}{exploratory_mark(row)}."
