"""The result in APA sentences: one for each row of the table to cite, and one for each pair of models.

Numbers and verdicts of single pictures and of pairs come from the table `paper`.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import Record, capital, listed, missing, on_dataset, plural, whole
from gan_eval.report.people.caveats import interim_sentence, is_interim
from gan_eval.report.people.comparisons import size_text, within_margin
from gan_eval.report.people.pairs_and_grades import grade_sentences, preference_sentences
from gan_eval.report.people.participants import included_count
from gan_eval.report.people.thresholds import threshold_sentences
from gan_eval.report.people.verdicts import (
    VERDICT_WORDS,
    detectable,
    detectable_clause,
    detection_rows,
    exploratory_mark,
    is_adjusted,
    margin_of,
    margin_text,
    row_sentence,
)
from gan_eval.stats.paper import EQUIVALENT, EVERYTHING, NONE, PAPER, UNDECIDED
from gan_eval.stats.tables.comparisons import COMPARISONS
from gan_eval.stats.tables.hype import THRESHOLDS
from gan_eval.tables import TRIALS

MAX_ROWS = 6
"""Maximum number of models with a sentence each in the answer; more models are grouped by verdict."""
MAX_PAIRS = 3
"""Maximum number of pairs of models with a sentence each in the answer; the table of differences has all pairs."""


def answer_sentences(folder: StudyFolder) -> Iterator[str]:
    """Yield the result in sentences, all models together first; none without tables of answers.

    While participants are missing, no verdict is given.
    """
    results = _results(folder)
    first = next(results, None)
    if first is None:
        if not folder.scope("all").empty:
            answers = folder.answers_by_type
            has_answers = any(frame["answered"].any() for frame in (answers.main, answers.pairs, answers.graded))
            if included_count(folder):
                yield "The answers allow no comparison; the tables below describe them."
            elif has_answers:
                yield "No answer counts: each was excluded, or its session is not complete."
            else:
                yield "No answers yet: no trial has been judged."
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
        yield from threshold_sentences(folder)
    if has_all_sentences(folder):
        yield from row_sentences(folder)
    else:
        of_all = int((detection_rows(folder.table(PAPER))["model"] == EVERYTHING).sum())
        yield from islice(row_sentences(folder), of_all)
        yield from _verdicts(folder)
    yield from models_compared(folder)
    yield from preference_sentences(folder)
    yield from grade_sentences(folder)


def row_sentences(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each row of `paper` on single pictures or on pairs with a real one, all models first."""
    table, comparisons = detection_rows(folder.table(PAPER)), folder.table(COMPARISONS)
    for row in table.to_dict("records"):
        who = folder.who_text(int(row["n_participants"]), with_n=True)
        yield row_sentence(row, table, who, margin_of(row, comparisons))


def has_all_sentences(folder: StudyFolder) -> bool:
    """Return whether the answer has a sentence for each model; else it groups models by verdict."""
    return len(detection_rows(folder.table(PAPER))) <= MAX_ROWS + 1


def _verdicts(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each verdict: the models that have it, by data set."""
    table = detection_rows(folder.table(PAPER))
    table = table[table["model"] != EVERYTHING]
    for verdict, part in table.groupby(table["verdict"].fillna(NONE), sort=False):
        head = f"judged {VERDICT_WORDS[str(verdict)]}" if str(verdict) in VERDICT_WORDS else str(verdict)
        if verdict == EQUIVALENT and (margin := margin_of(part.iloc[0].to_dict(), folder.table(COMPARISONS))):
            head += f" within {margin_text(margin)}"
        places = []
        for dataset, rows in part.groupby("dataset", dropna=False, sort=False):
            where = on_dataset(dataset) * (table["dataset"].nunique() > 1)
            places.append(listed(list(rows["model"].astype(str))) + where)
        least = [detectable(row, table) for row in part.to_dict("records")] if verdict == UNDECIDED else []
        study = f"; {detectable_clause(min(least), max(least))}" if least else ""
        yield f"{capital(head)} ({len(part)} of {len(table)}): {'; '.join(places)}{study}."


def models_compared(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each pair of models; of many pairs only for some with a verdict, and the counts."""
    table = folder.table(COMPARISONS)
    tests = table[(table["measure"] == "fooling_rate") & table["verdict"].notna()]  # without a test, no verdict
    is_long = len(tests) > MAX_PAIRS
    named = tests[tests["verdict"].isin(["different", "equivalent"])].head(MAX_PAIRS) if is_long else tests
    paper = folder.table(PAPER)
    keys = zip(paper["model"].astype(str), paper["dataset"].fillna("").astype(str), strict=True)
    rates = dict(zip(keys, paper["fooling_rate"].astype(float), strict=True))
    yield from (_pair_sentence(row, rates, adjusted=is_adjusted(tests)) for row in named.to_dict("records"))
    if is_long:
        counts = [f"{whole(count)} {verdict}" for verdict, count in tests["verdict"].value_counts().items()]
        yield f"Of {plural(len(tests), 'pair')} of models by fooling rate: {listed(counts)}; see Details."


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
