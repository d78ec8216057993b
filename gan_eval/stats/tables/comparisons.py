"""The table `comparisons`: differences between kinds of pictures and between models, with Holm's correction."""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd

from gan_eval.base.inference import Estimate, cells, holm, n_levels
from gan_eval.judgements.trials import AnyTrials, TypedTrials, typed
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.stats.estimate.contrast import Question, estimate
from gan_eval.stats.estimate.detection_rates import BASES, Detection, RatesOfTable
from gan_eval.stats.estimate.differences import UNTESTED, Difference, no_interval, simultaneous_intervals
from gan_eval.stats.estimate.grades import GradeQuestion, estimate_grades
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed.fit import CrossedFit, too_many
from gan_eval.stats.questions import (
    Comparison,
    KindQuestion,
    Topic,
    grade_questions,
    kind_questions,
    model_questions,
    nothing_to_compare,
    pair_questions,
    with_same_reals,
)
from gan_eval.stats.recruitment import ALPHA, is_waiting
from gan_eval.stats.results import Result, compared_result
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.names import NOT_KNOWN
from gan_eval.tables.schema import NOTED, SHARE, Table, boolean, integer, interval_columns, number, text

ONE_ANSWER = "one answer only"
"""Name of the rule for participants who gave the same answer throughout."""
WITH_UNFINISHED = "with unfinished sessions"
COMPARISONS = Table(
    "comparisons",
    "Model against model, group against group.",
    (
        text("comparison", "what is compared, for readers", filled=True),
        text("question", "what is asked", words=get_args(Topic), filled=True),
        text("dataset", "of the trials; empty: all data sets, or trials without one"),
        text("model", "the only model that is judged next to real pictures; empty: several, or a and b are models"),
        text(
            "sensitivity",
            f"empty: the analysis; `{WITH_UNFINISHED}`; else the rule whose people are left out (`{ONE_ANSWER}`: those "
            "with one answer throughout)",
        ),
        text("a", "first group", filled=True),
        text("b", "second group", filled=True),
        text("measure", "the number that is compared", filled=True),
        number("difference", "a - b; measure `chosen`: share of pairs in which a was chosen, minus one half"),
        *interval_columns("ci", "its 95% interval, not adjusted for the number of comparisons"),
        number("p", "two-sided", unit=SHARE),
        *interval_columns("simultaneous", "the interval that agrees with p_holm (Guilbaud 2008)", optional=True),
        number(
            "p_holm",
            "after Holm's correction over the comparisons of one kind; exploratory ones among themselves",
            unit=SHARE,
        ),
        number("margin", "of equivalence, of |difference|; told apart: twice it; empty: not judged", unit=SHARE),
        *interval_columns(
            "ci90", "its 90% interval, to compare with the margin (told apart: twice the margin)", optional=True
        ),
        number(
            "p_equivalent",
            "the larger of two one-sided tests against the margin; not corrected",
            unit=SHARE,
            optional=True,
        ),
        text("basis", f"method behind difference, interval and p: {', '.join(BASES)} or independent", optional=True),
        number("check_p", "p of the two-way clustered shares, next to a crossed model", unit=SHARE, optional=True),
        text(
            "verdict",
            "different: p_holm below 0.05; else equivalent: p_equivalent below 0.05, which is the 90% interval within "
            "the margin (each row alone, without correction); else undecided; interim: the study waits for more "
            "people; empty: no test, as for one participant, or a sensitivity row",
            words=("different", "equivalent", "undecided", "interim"),
        ),
        integer("n_a", "trials of a; measure `chosen`: pairs in which a was chosen"),
        integer("n_b", "trials of b; measure `chosen`: pairs in which b was chosen"),
        integer("n_participants", "participants who gave the answers; 0: not known whose they are", optional=True),
        integer("n_pictures", "pictures that were judged; pairs, and models that share items: items", optional=True),
        number(
            "picture_variance",
            "share of the difference's variance that comes from differences between pictures, rather than between "
            "participants or single answers: clustered sums of all answers; high: more participants would help little",
            unit=SHARE,
            optional=True,
        ),
        boolean("exploratory", "not in the plan, or based on exclusions or a margin that are not; empty: no plan"),
        boolean("margin_exploratory", "the margin is not in the plan", optional=True),
        text("untested", "why a test is missing, or that of equivalence (nearly constant answers)", words=UNTESTED),
        *NOTED,
    ),
    key=("question", "dataset", "model", "sensitivity", "a", "b", "measure"),
)


class Detected(NamedTuple):
    """Detection of fakes among single pictures, as the table to cite has it."""

    test: Result
    """Its difference from chance."""
    question: KindQuestion
    numbers: Detection
    reals: Estimate
    """Share of the real pictures called real: one number for all models with the same answers to real pictures."""


class Compared(NamedTuple):
    """The rows of `comparisons`, and the numbers of detection behind them, first those of all models together."""

    rows: list[Row]
    detections: list[Detected]
    fit: CrossedFit | None = None
    """The fit behind the first of them."""

    @property
    def table(self) -> pd.DataFrame:
        """The table `comparisons`."""
        return frame_of(self.rows, COMPARISONS)

    @property
    def results(self) -> list[Result]:
        """The differences as results."""
        return [compared_result(row) for row in self.rows]


class Departures(NamedTuple):
    """Parts of an analysis that its plan does not have."""

    is_planned: bool = True
    """False: there is no plan to depart from."""
    margin: bool = False
    excluded: str = ""
    """Note on trials that only other rules than the plan's leave out; empty: there are none."""

    def marked(self, row: Row) -> Row:
        """Return a row of `comparisons` with its marks and notes on what is not in the plan."""
        if not self.is_planned:
            return row | {"exploratory": None}
        has_margin = self.margin and not np.isnan(row["margin"])
        is_marked = self.excluded != "" or (has_margin and row["verdict"] == "equivalent")
        of_margin = "the margin is exploratory, not in the plan" if has_margin else ""
        return row | {
            "exploratory": row["exploratory"] or is_marked,
            "margin_exploratory": has_margin if self.margin else None,
            "note": joined(self.excluded, of_margin, row["note"]),
        }


NO_DEPARTURES = Departures()


def estimate_of(asked: Comparison, rates: RatesOfTable) -> Difference:
    """Return the difference of a comparison; without p values if it cannot be tested."""
    why_not = asked.why_not or rates.why_not
    match asked.estimand:
        case KindQuestion() as kinds:
            group = rates.of(kinds, why_not)
            difference = group.bias() if asked.question == "bias" else group.difference(asked.margin)
        case GradeQuestion() as grades:
            difference = estimate_grades(grades, margin=asked.margin, why_not=why_not)
        case Question() as question:
            difference = estimate(question, margin=asked.margin, why_not=why_not)
    if asked.untested is None and difference.untested in (None, "nearly constant answers"):
        return difference
    if asked.untested == "one side":  # an interval of the share would be that of the draw of the sides
        difference = difference._replace(interval=no_interval, basis=None, note=None)
    return difference._replace(p=np.nan, p_equivalent=np.nan, untested=asked.untested or difference.untested)


def comparisons(trials: AnyTrials, **options: Any) -> pd.DataFrame:
    """Return the table `comparisons`; the arguments are those of `compare`."""
    return compare(trials, **options).table


def compare(
    trials: AnyTrials,
    *,
    plan: AnalysisSettings = NO_PLAN,
    recruited: pd.DataFrame | None = None,
    grades: int | None = None,
    only_overall: bool = False,
    departures: Departures = NO_DEPARTURES,
) -> Compared:
    """Compare what a trials table allows: the questions of `compare.questions`.

    p_holm is corrected over the rows of one kind of question, separately for exploratory rows. If one kind of picture
    has no answers, the row `told apart` has the counts, and `note` has the reason.

    Args:
        plan: pairs of models, margin, link and slope; by default all pairs are compared, and no equivalence is judged.
        recruited: the table `recruitment`; while people are missing every verdict is `interim`. Default: none are.
        grades: number of grades of the scale; the margin is a share of its range. Default: the range of the grades in
            the trials.
        only_overall: only the detection of all models on all data sets together.
        departures: what the analysis has that its plan does not have.
    """
    trials = typed(trials)
    rates = RatesOfTable(plan, too_many(len(trials.every)))
    differences, rows, kinds = list[Difference](), list[Row](), list[tuple[int, KindQuestion, Detection]]()
    waits = is_waiting(recruited)
    questions = _questions(trials, plan, grades)
    for asked in filter(lambda asked: asked.is_overall, questions) if only_overall else questions:
        if isinstance(asked.estimand, KindQuestion) and asked.question == "detection":
            numbers = rates.of(asked.estimand).detection(plan.margin)
            kinds.append((len(rows), asked.estimand, numbers._replace(note=joined(asked.note, numbers.note))))
        differences.append(estimate_of(asked, rates))
        rows.append(_row(asked, differences[-1], plan))
    if len(trials.main) and not kinds:
        differences.insert(0, Difference(np.nan))
        rows.insert(0, _row(nothing_to_compare(trials.main), differences[0], plan))
    rows = [departures.marked(row) for row in _with_verdicts(rows, differences, waits=waits)]
    detections = [
        Detected(compared_result(rows[index]), question, numbers, numbers.real_called_real)
        for index, question, numbers in kinds
    ]
    if not detections:
        return Compared(rows, [])
    return Compared(rows, _with_shared_reals(detections, rates), rates.of(detections[0].question).fit)


def _questions(trials: TypedTrials, plan: AnalysisSettings, grades: int | None) -> Iterator[Comparison]:
    """Yield all questions one by one: the trials of all pairs of models together would take much memory."""
    yield from kind_questions(trials.answered, plan)
    yield from model_questions(trials.answered, plan)
    if len(trials.pairs):
        yield from pair_questions(trials.pairs, plan)
    if len(trials.graded):
        yield from grade_questions(trials.graded, plan, grades)


def _with_verdicts(rows: list[Row], differences: list[Difference], *, waits: bool) -> list[Row]:
    """Return the rows with Holm's correction over each family, and the verdicts; if people are missing, `interim`."""
    families: dict[tuple[str, bool], list[int]] = {}
    for index, row in enumerate(rows):
        families.setdefault((row.pop("family"), row["exploratory"]), []).append(index)
    judged = dict[int, Row]()
    for members in families.values():
        p_holm = holm([rows[index]["p"] for index in members])
        ends = simultaneous_intervals([differences[index] for index in members], p_holm)
        for index, p, (low, high) in zip(members, p_holm.tolist(), ends.tolist(), strict=True):
            simultaneous = {} if waits else {"simultaneous_low": low, "simultaneous_high": high}
            row = rows[index] | {"p_holm": p} | simultaneous
            judged[index] = row | _judged(row, waits=waits)
    return [judged[index] for index in range(len(rows))]


def _with_shared_reals(detections: list[Detected], rates: RatesOfTable) -> list[Detected]:
    """Return the detections with one share of reals for all models that share them; the first is that of all rows."""
    everything, shares = detections[0].question, dict[tuple[str | None, str | None], Estimate]()
    has_rows = any(len(one.question.rows) == 1 for one in detections)
    for alike in with_same_reals(everything) if has_rows else ():
        if len(alike) > 1:
            joint = rates.of(KindQuestion.of(alike, everything.answered)).detection(None)
            shares |= {(row.model, row.dataset): joint.real_called_real for row in alike}

    def reals_of(one: Detected) -> Estimate:
        row = one.question.rows[0]
        return one.reals if len(one.question.rows) > 1 else shares.get((row.model, row.dataset), one.reals)

    return [one._replace(reals=reals_of(one)) for one in detections]


def _judged(row: Row, *, waits: bool) -> Row:
    """Return the cells `verdict` and `note` of a row.

    Equivalence needs two one-sided tests at 5% each, which is the same as the 90% interval within the margin.
    """
    different, equivalent = (not waits and row[name] < ALPHA for name in ("p_holm", "p_equivalent"))
    cases = {"different": different, "equivalent": equivalent, "interim": waits, "undecided": not np.isnan(row["p"])}
    verdict = next((word for word, holds in cases.items() if holds), None)
    less = "differs, but by less than the margin" * (different and equivalent)
    return {"verdict": None if np.isnan(row["difference"]) else verdict, "note": joined(less, row["note"])}


def _sources(asked: Comparison) -> Row:
    """Return the numbers of participants and pictures of a comparison, and the pictures' share of the variance.

    The squared sums of the answers' influences by participant and by picture each contain those of single cells, which
    are subtracted, as in two-way clustering (Cameron et al. 2011).
    """
    if asked.estimand is None:
        return {}
    value, in_a, participant, picture = _arrays(asked.estimand)
    influence = np.zeros(len(value))
    for side, sign in ((in_a, 1), (~in_a, -1)):
        if side.any():
            influence[side] = sign * (value[side] - value[side].mean()) / side.sum()
    by_person, by_picture, by_cell = (
        float((np.bincount(factor, influence) ** 2).sum())
        for factor in (participant, picture, cells(participant, picture))
    )
    of_people, of_pictures = max(by_person - by_cell, 0.0), max(by_picture - by_cell, 0.0)
    total = of_people + of_pictures + by_cell
    share = of_pictures / total if total > 0 else np.nan
    people = n_levels(participant) - bool((asked.trials["participant"] == NOT_KNOWN).any())
    return {"n_participants": people, "n_pictures": n_levels(picture), "picture_variance": share}


def _arrays(
    estimand: Question | KindQuestion | GradeQuestion,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the answers (N,) of a question as numbers, whether they are a's, their participants and pictures."""
    match estimand:
        case KindQuestion(trials=trials):
            units = [pd.factorize(trials[name])[0] for name in ("participant", "stimulus")]
            return trials["says_fake"].to_numpy(float), trials["is_fake"].to_numpy(bool), units[0], units[1]
        case GradeQuestion(answers=answers):
            grades = answers.values[answers.grade].astype(float)  # noqa: PD011 (not of pandas)
            return grades, answers.in_a, answers.participant, answers.picture
        case Question() as asked:
            in_a = np.ones(len(asked.answer), bool) if asked.in_a is None else asked.in_a
            return asked.answer.astype(float), in_a, asked.participant, asked.picture


def _row(asked: Comparison, difference: Difference, plan: AnalysisSettings) -> Row:
    (ci_low, ci_high), (ci90_low, ci90_high) = difference.interval(0.95), difference.interval(0.9)
    return {
        "family": asked.family,
        "comparison": asked.comparison,
        "question": asked.question,
        "dataset": asked.dataset,
        "model": asked.model,
        "a": asked.a,
        "b": asked.b,
        "measure": asked.measure,
        "difference": difference.difference,
        "ci_low": ci_low,
        "ci_high": ci_high,
        "p": difference.p,
        "margin": np.nan if asked.margin is None else plan.margin,
        "ci90_low": ci90_low,
        "ci90_high": ci90_high,
        "p_equivalent": difference.p_equivalent,
        "basis": difference.basis,
        "check_p": difference.check_p,
        "n_a": asked.counts[0],
        "n_b": asked.counts[1],
        **_sources(asked),
        "exploratory": not asked.planned,
        "untested": difference.untested or ("too few" if np.isnan(difference.p) else None),
        **provenance_cells(
            asked.trials, asked.note, difference.note_on(asked.trials["participant"]), asked.margin_note
        ),
    }
