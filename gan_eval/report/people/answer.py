"""The result in sentences, in APA style: one for each row of the table to cite, and one for each pair of models.

Every number of single pictures and of pairs is the row's own in the table `paper`; its verdict is repeated, not made.
"""

from collections.abc import Iterator, Mapping

import pandas as pd
from scipy.special import ndtri

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import Record, apa_interval, apa_p, apa_percent, missing, number, plural, text
from gan_eval.report.people.caveats import exploratory_mark, is_interim, look_sentence, margin_text
from gan_eval.report.people.comparisons import size_text
from gan_eval.report.people.pairs_and_grades import grade_sentences, preference_sentences
from gan_eval.report.people.participants import who_text
from gan_eval.stats.answers.hype import THRESHOLDS
from gan_eval.stats.compare.comparisons import COMPARISONS, alpha_of
from gan_eval.stats.compare.questions import TOLD_APART, TOLD_APART_IN_PAIRS
from gan_eval.stats.paper import BELOW, EQUIVALENT, EVERYTHING, NONE, PAPER, SINGLE, TOLD, distinct_rows
from gan_eval.stats.trials import PAIRED, graded_trials, main_trials, pair_trials
from gan_eval.tables import TRIALS

MOST_ROWS = 8
"""Rows of the table to cite that have a sentence."""
MOST_PAIRS = 3
"""Pairs of models that have a sentence; the table of differences has all."""


def answer(folder: StudyFolder) -> list[str]:
    """Return the result, the models together first; nothing where there are no tables of answers.

    While more people are to come, there is no verdict.
    """
    sentences = []
    if len(folder.table(THRESHOLDS)):  # first: where exposures follow the answers, the threshold is the answer
        from gan_eval.report.people.thresholds import threshold_sentences  # imports Matplotlib

        sentences += threshold_sentences(folder)
    sentences += [*_detection(folder), *preference_sentences(folder), *grade_sentences(folder)]
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


def _detection(folder: StudyFolder) -> list[str]:
    """Return a sentence for each row of the table to cite of single pictures and of pairs with the real one, the row of
    all models first; then one for each pair of models."""
    table = folder.table(PAPER)
    table = distinct_rows(table[table["protocol"].isin([SINGLE, PAIRED])])
    rows = sorted(table.to_dict("records"), key=lambda row: row["model"] != EVERYTHING)
    several = table["dataset"].nunique() > 1
    sentences = [_row_sentence(folder, row, several=several) for row in rows[:MOST_ROWS]]
    if more := len(rows) - len(sentences):
        sentences.append(f"For {plural(more, 'more model')} see Table 1.")
    return [*sentences, *models_compared(folder)]


def _row_sentence(folder: StudyFolder, row: Record, *, several: bool) -> str:
    """Return the verdict of a row of `paper` with its numbers.

    Args:
        folder: as read.
        row: of single pictures or of pairs with the real picture.
        several: there are several data sets, so the row's is named.
    """
    everything = row["model"] == EVERYTHING or missing(row["model"])
    of = "generated pictures" if everything else f"pictures of {row['model']}"
    if row["model"] == EVERYTHING:
        of += " (each model counted once)"
    if several and not missing(row["dataset"]) and row["dataset"] != EVERYTHING:
        of += f" on {row['dataset']}"
    who = who_text(folder, int(row["n_participants"])).rstrip(",")
    verdict, margin = row["verdict"], _margin(folder, row)
    mark = " (exploratory)" if "exploratory" in text(row["note"]) else ""
    small = f", though by less than {margin_text(margin)}" if margin and _is_small(row, margin["margin"]) else ""
    numbers = _numbers(row, has_margin=margin is not None)
    alone = ", which says nothing of people in general" if row["n_participants"] == 1 else ""
    if verdict == NONE or missing(verdict):
        if numbers and text(row["note"]).startswith("one participant"):
            return f"One participant gives no verdict on people in general. Of {of} and real ones, {numbers[2:]}."
        why = "" if missing(row["note"]) else f": {str(row['note']).partition('; ')[0]}"
        return f"There is no verdict on {of}{why}."
    if verdict == TOLD:
        return f"{who} judged {of} and real ones correctly above chance{small}{alone}{mark}{numbers}."
    if verdict == BELOW:
        return f"{who} judged {of} and real ones below chance{small}{alone}{mark}{numbers}."
    if verdict == EQUIVALENT:
        within = f" within {margin_text(margin)}" if margin else ""
        return f"The judgements of {of} and real ones by {who} were equivalent to chance{within}{alone}{mark}{numbers}."
    study = detectable(row["accuracy_low"], row["accuracy_high"])
    return f"It is undecided whether {who} could tell {of} from real ones{mark}{numbers}; {study}."


def _numbers(row: Record, *, has_margin: bool) -> str:
    """Return balanced accuracy, its p and d′, then both rates, in APA style; empty without an accuracy.

    Args:
        row: of `paper`.
        has_margin: equivalence is asked, so the 90 % interval is given, too.
    """
    if missing(row["accuracy"]):
        return ""
    name = "balanced accuracy" if row["protocol"] == SINGLE else "accuracy"
    parts = [f"{name} = {apa_percent(row['accuracy'])}"]
    if missing(row["accuracy_low"]):
        return f", {parts[0]} (too few participants or pictures for an interval)"
    parts.append(apa_interval(100 * row["accuracy_low"], 100 * row["accuracy_high"], digits=1))
    if has_margin and row["verdict"] != BELOW and not missing(row["accuracy90_low"]):
        ends = (100 * row["accuracy90_low"], 100 * row["accuracy90_high"])
        parts.append(apa_interval(*ends, digits=1, level=90))
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    if not missing(p):
        parts.append(apa_p(p) + " (Holm-corrected)" * (float(p) > float(row["p"])))
    if not missing(row["dprime"]):
        parts.append(f"d′ = {number(row['dprime'])}")
        if not missing(row["dprime_low"]):
            parts.append(apa_interval(row["dprime_low"], row["dprime_high"]))
    words = ", " + ", ".join(parts)
    if row["protocol"] == SINGLE and not missing(row["fooling_rate"]) and not missing(row["real_called_real"]):
        fooling, real = (
            f"{apa_percent(row[name])}{_ci(row, short)}"
            for name, short in (("fooling_rate", "fooling"), ("real_called_real", "real"))
        )
        words += f"; {fooling} of the generated and {real} of the real pictures were called real"
    return words


def _ci(row: Record, short: str) -> str:
    if missing(row[f"{short}_low"]):
        return ""
    return f", {apa_interval(100 * row[f'{short}_low'], 100 * row[f'{short}_high'], digits=1)},"


def _margin(folder: StudyFolder, row: Record) -> Record | None:
    """Return a row of `comparisons` of the same question that has the margin; None where there is no margin."""
    start = TOLD_APART_IN_PAIRS if row["protocol"] == PAIRED else TOLD_APART
    table = folder.table(COMPARISONS)
    known = table[table["comparison"].astype("str").str.contains(start, regex=False) & table["margin"].notna()]
    return None if known.empty else known.to_dict("records")[0]


def _is_small(row: Record, margin: float) -> bool:
    """Return whether the 90 % interval of accuracy lies within the margin around one half."""
    low, high = row["accuracy90_low"], row["accuracy90_high"]
    return not missing(low) and max(abs(low - 0.5), abs(high - 0.5)) < margin


def detectable(low: float, high: float) -> str:
    """Return the smallest accuracy that such a study shows in 80 % of cases, from its 95 % interval, as a clause.

    At half the width w of the interval it lies (1 + z(0.8) / z(0.975)) w above chance.

    >>> detectable(0.45, 0.55)
    'a study of this size shows an accuracy of 57.1% or more in 80% of cases'
    """
    if missing(low) or missing(high):
        return "so few answers can show no accuracy"
    least = 0.5 + (high - low) / 2 * (1 + float(ndtri(0.8) / ndtri(0.975)))
    if least >= 1:
        return "so few answers can show no accuracy"
    return f"a study of this size shows an accuracy of {apa_percent(least)} or more in 80% of cases"


def models_compared(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each pair of models; of many pairs those with a verdict come first."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["difference"].notna()]
    settled = known["verdict"].isin(["different", "equivalent"])
    named = pd.concat([known[settled], known[~settled]]).head(MOST_PAIRS) if len(known) > MOST_PAIRS else known
    paper = folder.table(PAPER)
    rates = dict(zip(paper["model"].astype(str), paper["fooling_rate"].astype(float), strict=True))
    yield from (_pair_sentence(row, rates) for row in named.to_dict("records"))
    if more := len(known) - len(named):
        yield f"{plural(more, 'more pair')} of models: see the differences in the details."


def _pair_sentence(row: Record, rates: Mapping[str, float]) -> str:
    """Return which of two models fools more, with the difference and its interval."""
    a, b = str(row["a"]), str(row["b"])
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    if {rates.get(model, 0.5) for model in (a, b)} in ({0.0}, {1.0}):
        often = "every" if rates[a] else "no"
        return f"Between {a} and {b}{where} there is nothing to compare: {often} picture of either was called real."
    numbers = f"difference = {size_text(row)}"
    if row["verdict"] == "different":
        first, second = (a, b) if row["difference"] >= 0 else (b, a)
        claim = f"{first} fooled people more often than {second}{where}"
        small = not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < alpha_of(row)
        claim += f", though by less than {margin_text(row)}" if small else ""
    elif row["verdict"] == "equivalent":
        claim = f"{a} and {b} fooled people equally often{where}, within {margin_text(row)}"
    else:
        claim = f"No difference is shown between {a} and {b}{where}"
    return f"{claim}, {numbers}{exploratory_mark(row)}."
