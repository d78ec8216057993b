"""The result in APA sentences: one for each row of the table to cite, and one for each pair of models."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from gan_eval.base.inference import Estimate, t_critical
from gan_eval.judgements.trials import TWO_MODELS, high_grade
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.words import missing, plural, rows_with
from gan_eval.report.people.caveats import interim_sentence, is_interim
from gan_eval.report.people.participants import included_count
from gan_eval.stats.estimate.detection_rates import NEARLY_CONSTANT
from gan_eval.stats.estimate.grades import MEAN
from gan_eval.stats.results import NONE, Result, is_adjusted
from gan_eval.stats.tables.agreement import AGREEMENT
from gan_eval.stats.tables.hype import THRESHOLDS, threshold_results
from gan_eval.tables import TRIALS

MAX_ROWS = 6
"""Maximum number of models with a sentence each in the answer; more models are grouped by verdict."""
MAX_PAIRS = 3
"""Maximum number of pairs of models with a sentence each in the answer; the table of differences has all pairs."""
FITS_BETTER = "fits the text better"
"""Predicate of the preferred one of two models, if the study asked which picture fits the text better."""
MAX_FEW_PICTURES = 10
"""Number of pictures up to which Student's t widens intervals by more than a tenth."""
MIN_OF_PICTURES = 0.5
"""Minimum share of the variance that comes from pictures for calling their number the reason for no verdict."""
MAX_SENTENCES = 8
"""Maximum number of preferences, grades or differences of grades in the answer; the section has all."""


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
            yield from said("results", "nothing", included_count(folder), has_answers)
        return
    if is_interim(folder):
        yield interim_sentence(folder)
        yield "All numbers may change with every answer."
    else:
        yield first
        yield from results
    if folder.simulated:
        trials = folder.table(TRIALS)
        yield from said("results", "rehearsal", len(trials) and not trials["simulated"].fillna(False).all())


def _results(folder: StudyFolder) -> Iterator[str]:
    yield from threshold_sentences(folder)  # first: where exposures follow the answers, the threshold is the answer
    if has_all_sentences(folder):
        yield from row_sentences(folder)
    else:
        of_all = sum(each.is_of_all for each in folder.results.detection)
        yield from row_sentences(folder)[:of_all]
        yield from _verdicts(folder.results.detection)
    yield from models_compared(folder)
    yield from preference_sentences(folder)
    yield from grade_sentences(folder)


def row_sentences(folder: StudyFolder) -> list[str]:
    """Return a sentence for each row of `paper` on single pictures or on pairs with a real one, all models first."""
    rows = folder.results.detection
    several = len({each.dataset for each in rows if not each.is_of_all and each.dataset}) > 1
    whose = [folder.who_text(row.counts["n_participants"] or 0, with_n=True) for row in rows]
    return [
        sentence("results", "detection", row, who, several, is_adjusted(rows), NEARLY_CONSTANT)
        for row, who in zip(rows, whose, strict=True)
    ]


def has_all_sentences(folder: StudyFolder) -> bool:
    """Return whether the answer has a sentence for each model; else it groups models by verdict."""
    return len(folder.results.detection) <= MAX_ROWS + 1


def _verdicts(rows: Sequence[Result]) -> Iterator[str]:
    """Yield a sentence for each verdict: the models that have it, by data set."""
    of_models = [row for row in rows if not row.is_of_all]
    several = len({row.dataset for row in of_models}) > 1
    by_verdict: dict[str, list[Result]] = {}
    for row in of_models:
        by_verdict.setdefault(row.verdict or NONE, []).append(row)
    for verdict, part in by_verdict.items():
        datasets = dict.fromkeys(row.dataset for row in part)
        groups = [([row.model for row in part if row.dataset == name], name * several) for name in datasets]
        yield sentence("results", "of_verdict", verdict, part, len(of_models), groups)


def models_compared(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each pair of models; of many pairs only for some with a verdict, and the counts."""
    tests = [each for each in folder.results.differences("models") if each.verdict]  # without a test, no verdict
    is_long = len(tests) > MAX_PAIRS
    named = [each for each in tests if each.verdict in ("different", "equivalent")][:MAX_PAIRS] if is_long else tests
    rates = {(each.model, each.dataset): each.numbers["fooling_rate"].value for each in folder.results.cited}
    for each in named:
        of_both = {rates.get((model, each.dataset), 0.5) for model in (each.a, each.b)}
        always = "every" if of_both == {1.0} else "no" if of_both == {0.0} else ""
        yield sentence("results", "models", each, always, is_adjusted(tests))
    if is_long:
        yield f"{sentence('results', 'counted', len(tests), _counts(tests), 'fooling rate')}; see Details."


def _counts(results: Sequence[Result]) -> dict[str, int]:
    """Return the number of results of each verdict, the most frequent first."""
    return dict(Counter(each.verdict for each in results if each.verdict).most_common())


def preference_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on which of two models was preferred."""
    rows = [each for each in folder.results.differences("preference") if each.is_known]
    rows.sort(key=lambda each: each.verdict != "different")
    of_models = [each for each in folder.results.cited if each.protocol == TWO_MODELS and each.is_known]
    sentences = _few_pictures(rows)
    if len(rows) > MAX_SENTENCES and not sentences:
        best = max(of_models, key=lambda each: each.estimate.value, default=None)
        sentences = said("results", "preferences", _counts(rows), len(rows), best)
    better, more = better_than_other(folder), len(rows) - MAX_SENTENCES
    adjusted = is_adjusted(rows)
    sentences += [sentence("results", "preference", each, better, adjusted) for each in rows[:MAX_SENTENCES]]
    sentences += [f"{plural(more, 'more comparison')} of choices: see the differences below."] * (more > 0)
    if of_models:
        has_both = all("chosen" in each.numbers and not missing(each.numbers["chosen"].value) for each in of_models)
        sentences += said("results", "strengths", has_both)
    return sentences


def _few_pictures(rows: Sequence[Result]) -> list[str]:
    """Return a sentence if nothing is decided and the pictures are the reason: few, or with most of the variance."""
    shares = [each.picture_variance for each in rows if not missing(each.picture_variance)]
    if not shares or any(each.verdict != "undecided" for each in rows):
        return []
    pictures, people = (max(each.counts[name] or 0 for each in rows) for name in ("n_pictures", "n_participants"))
    share, errors = median(shares), float(t_critical(max(pictures - 1, 1))) * (pictures <= MAX_FEW_PICTURES)
    share *= share > MIN_OF_PICTURES
    if not 2 <= pictures < people or not (share or errors):
        return []
    return said("results", "few_pictures", len(rows), pictures, share, errors)


def better_than_other(folder: StudyFolder) -> str:
    """Return what the preferred one of two models did, by the study's question, which is not known of other answers."""
    if folder.study is None:
        return "was chosen more often"
    return FITS_BETTER if folder.study.quiz.question == "fits" else "looked more real"


def grade_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on the mean grades of each data set, and on their differences."""
    graded = [each for each in folder.results.cited if each.measure == "grade" and each.is_known]
    sentences, direction = list[str](), high_grade(folder.table(TRIALS))
    for dataset in dict.fromkeys(each.dataset for each in graded):
        rows = [each for each in graded if each.dataset == dataset]
        more = max(len(rows) - MAX_SENTENCES, 0)
        sentences.append(sentence("results", "grades", dataset, rows[:MAX_SENTENCES], more, direction))
        sentences += _agreement(folder, dataset)
    return [*sentences, *_grade_differences(folder)]


def _grade_differences(folder: StudyFolder) -> Iterator[str]:
    """Yield a sentence for each difference of mean grades: of real and generated pictures, then of models."""
    compared = [each for each in folder.results.differences("grades") if each.measure == MEAN]
    compared = [each for each in compared if each.is_known]
    of_kinds = [each for each in compared if each.a in ("real", "fake")]
    of_models = [each for each in compared if each not in of_kinds]
    for family, shown in ((of_kinds, of_kinds), (of_models, of_models[:MAX_SENTENCES])):
        for each in shown:
            adjusted = is_adjusted(other for other in family if other.dataset == each.dataset)
            yield sentence("results", "grade_difference", each, adjusted)
    if (more := len(of_models) - MAX_SENTENCES) > 0:
        yield f"For {plural(more, 'more pair')} of models see the differences below."


def _agreement(folder: StudyFolder, dataset: str) -> list[str]:
    """Return a sentence on how far participants agree in their grades of a data set; empty without an alpha."""
    table = rows_with(folder.table(AGREEMENT), "dataset", dataset or None)
    table = table[(table["answer"] == "rating") & (table["kind"] == "all") & table["alpha"].notna()]
    alphas = table[["alpha", "ci_low", "ci_high"]].astype(float).itertuples(index=False)
    return [sentence("results", "agreement", dataset, Estimate(*alpha)) for alpha in alphas]


def threshold_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on the threshold of each data set by staircases or QUEST+."""
    means = threshold_results(folder.table(THRESHOLDS))
    return [sentence("results", "threshold", each) for each in means if not each.model]
