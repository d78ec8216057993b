"""Differences of grades between models, and between fakes and reals.

Two measures of the grades of a and of b, averaged over people and pictures by the crossed cumulative-logit model:

- `higher_grade`, P(a's grade is the higher one) - P(b's is), for two independent answers;
- `mean_grade`, the mean grade of a minus that of b.

With thresholds θ, fixed part η and standard deviation s of the random part, P(grade <= j) is the population proportion
at (θ_j - η, s) (`compare.contrast`). The check compares two-way clustered means, of grades or of placements (DeLong,
DeLong & Clarke-Pearson 1988, Biometrics 44, 837-845). These means replace the model if it gives no number.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gan_eval.base.inference import degrees_of_freedom, item_covariance, n_levels, two_way
from gan_eval.stats.estimate.contrast import CROSSED, population_proportions
from gan_eval.stats.estimate.differences import Difference, Untested, difference_of_proportions, other_p, wald
from gan_eval.stats.estimate.persons import (
    FAR_FROM_PEOPLE,
    is_far_from_people,
    person_weights,
    why_each_once,
    with_number,
)
from gan_eval.stats.groups import joined
from gan_eval.stats.mixed import CrossedFit, NoFitError, fit_crossed
from gan_eval.stats.mixed.models import GRADED_LINK, scale_trouble

HIGHER = "higher_grade"
MEAN = "mean_grade"
NO_OVERLAP = "the grades do not overlap: interval as if each picture had been judged once"


@dataclass(frozen=True)
class GradedAnswers:
    """Grades of a and of b, and their model."""

    values: np.ndarray
    """(J,) the grades that were given, ascending."""
    grade: np.ndarray
    """(N,) int, 0..J-1: the index of each answer's grade in `values`."""
    in_a: np.ndarray
    """(N,) bool, true for a's answers."""
    participant: np.ndarray
    """(N,) int, 0.. without gaps."""
    picture: np.ndarray
    """(N,) int: the stimulus, or the item that the models share."""
    picture_is: str
    """`stimulus` or `item`."""
    item: np.ndarray | None = None
    """(N,) int, 0..: items that several pictures share; their variance is added. None: none."""

    @cached_property
    def weights(self) -> np.ndarray:
        """The weights (N,) with which each participant counts once on each side."""
        return person_weights(self.participant, self.in_a.astype(int))

    @cached_property
    def fit(self) -> CrossedFit | NoFitError:
        """The model of a (1/2) against b (-1/2), with slopes of participants and, if models share items, of items."""
        side = np.where(self.in_a, 0.5, -0.5)
        sees = [np.bincount(self.participant, in_side) > 0 for in_side in (self.in_a, ~self.in_a)]
        try:
            return fit_crossed(
                self.grade,
                side[:, None],
                self.participant,
                self.picture,
                link=GRADED_LINK,
                slope=side if np.logical_and(*sees).sum() > 1 else None,
                slope_second=side if self.picture_is == "item" else None,
                factors=("participant", self.picture_is),
            )
        except NoFitError as reason:
            return reason


@dataclass(frozen=True)
class GradeQuestion:
    """One measure of the grades of a and of b."""

    answers: GradedAnswers
    measure: str
    """`HIGHER` or `MEAN`."""
    bound: float
    """Largest size of the difference."""

    def score(self, first: np.ndarray, second: np.ndarray) -> float:
        """Return the measure for the probabilities of a's and of b's grades, (J,) each."""
        return superiority(first, second) if self.measure == HIGHER else float(self.answers.values @ (first - second))


def estimate_grades(question: GradeQuestion, *, margin: float | None, why_not: str) -> Difference:
    """Return the difference by the crossed model, or by clustered means if the model gives no number.

    The arguments are those of `contrast.estimate`.
    """
    answers, bound = question.answers, question.bound
    items = [] if answers.item is None else [answers.item]
    df = degrees_of_freedom(answers.participant, answers.picture, *items, side=answers.in_a)
    check = _by_means(question, df, margin)
    _, influence = _influence(question)
    numbers = with_number(influence, answers.participant, answers.in_a.astype(int))
    why_not = why_not or why_each_once(numbers)
    too_few = "fewer than two participants or pictures behind a side" if df < 1 else ""
    try:
        if trouble := why_not or too_few or scale_trouble(len(answers.values)):
            raise NoFitError(trouble)
        value, error = _by_model(question)
    except NoFitError as reason:
        if np.isnan(check.p):
            return check._replace(note=str(reason), basis=None, untested=_why_untested(answers))
        return check._replace(note=joined(check.note, f"clustered means instead of the crossed model ({reason})"))
    error = float(np.sqrt(error**2 + _of_items(question)))
    result = wald(value, error, df, margin=margin, bound=bound, basis=CROSSED)
    if is_far_from_people(value, check.difference, error, numbers):
        return estimate_grades(question, margin=margin, why_not=FAR_FROM_PEOPLE)
    return result._replace(check_p=check.p, note=other_p(result.p, check.p, "means"))


def _why_untested(answers: GradedAnswers) -> Untested:
    """Return why grades give no test."""
    if len(answers.values) == 1:
        return "constant answers"
    return "one participant" if n_levels(answers.participant) == 1 else "too few"


def _by_means(question: GradeQuestion, df: int, margin: float | None) -> Difference:
    """Return the observed difference with clustered errors.

    If the grades do not overlap, the observed placements have no error. Their interval is then that of "every grade of
    one side is high, every one of the other is low" with each picture judged once, and their p that of the mean grades,
    so that both measures have one verdict. Where no side's grades vary either, both measures have that interval and p.
    """
    difference = wald(*_clustered(question), df, margin=margin, bound=question.bound, basis="two_way_cluster")
    grade, in_a = question.answers.grade, question.answers.in_a
    a_is_above = bool(grade[in_a].min() > grade[~in_a].max())
    if df < 1 or not (a_is_above or grade[in_a].max() < grade[~in_a].min()) or not np.isnan(difference.p):
        return difference
    reach = abs(difference.difference)
    share = None if margin is None else margin / reach
    units, item = (question.answers.participant, question.answers.picture), question.answers.item
    apart = difference_of_proportions(in_a == a_is_above, in_a, *units, item=item, margin=share)
    p = wald(*_clustered(replace(question, measure=MEAN)), df).p

    def interval(coverage: float) -> tuple[float, float]:
        low, high = apart.interval(coverage)
        return reach * low, reach * high

    return apart._replace(
        difference=difference.difference,
        p=apart.p if np.isnan(p) else p,
        note=NO_OVERLAP,
        interval=interval,
        bound=question.bound,
    )


def _by_model(question: GradeQuestion) -> tuple[float, float]:
    """Return estimate and standard error of the measure, from the two sides' probabilities of grades."""
    fit = question.answers.fit
    if isinstance(fit, NoFitError):
        raise fit
    count = len(fit.thresholds)
    at = np.concatenate([fit.thresholds, fit.beta, fit.scales])

    def value(parameters: np.ndarray) -> float:
        thresholds, beta, scales = parameters[:count], parameters[count], parameters[count + 1 :]
        sides = []
        for side in (0.5, -0.5):
            (variance,), _ = fit.random_variance(np.array([side]), scales)
            below = population_proportions(thresholds - side * beta, np.full(count, np.sqrt(max(variance, 0.0)))).share
            sides.append(np.diff(below, prepend=0.0, append=1.0))
        return question.score(*sides)

    steps = 1e-5 * np.eye(len(at))
    gradient = np.array([(value(at + step) - value(at - step)) / 2e-5 for step in steps])
    return value(at), float(np.sqrt(max(gradient @ fit.covariance @ gradient, 0.0)))


def superiority(first: np.ndarray, second: np.ndarray) -> float:
    """Return P(a's grade is higher) - P(b's is), from each side's probabilities of the grades."""
    return float(first[1:] @ np.cumsum(second)[:-1] - second[1:] @ np.cumsum(first)[:-1])


def _of_items(question: GradeQuestion) -> float:
    """Return the variance of the observed difference that items have beyond their pictures, clustered; 0: none."""
    answers = question.answers
    influence = _influence(question)[1][:, None]
    units = answers.participant, answers.picture, answers.item
    return max(0.0, float(item_covariance(influence, *units, side=answers.in_a)[0, 0]))


def _clustered(question: GradeQuestion) -> tuple[float, float]:
    """Return the observed difference and its two-way clustered standard error; each participant counts once a side."""
    answers = question.answers
    difference, influence = _influence(question)
    units = answers.participant, answers.picture
    variance = float(two_way(influence[:, None], *units, item=answers.item, side=answers.in_a)[0])
    return difference, float(np.sqrt(variance)) if variance > 0 else np.nan


def _influence(question: GradeQuestion) -> tuple[float, np.ndarray]:
    """Return the observed difference and what each trial (N,) adds to its error."""
    answers = question.answers
    grade, in_a, weights = answers.grade, answers.in_a, answers.weights
    scores, of_a, of_b = answers.values[grade], weights[in_a].sum(), weights[~in_a].sum()
    if question.measure == HIGHER:  # each grade's placement among those of the other side
        counts = [
            np.bincount(grade[side], weights[side], len(answers.values)) / total
            for side, total in ((in_a, of_a), (~in_a, of_b))
        ]
        above_b, above_a = (np.cumsum(count) - count - (1 - np.cumsum(count)) for count in counts[::-1])
        scores = np.where(in_a, above_b[grade], -above_a[grade])
        difference = float((weights * scores)[in_a].sum() / of_a)
        residual = scores - difference
    else:
        means = (weights * scores)[in_a].sum() / of_a, (weights * scores)[~in_a].sum() / of_b
        difference = float(means[0] - means[1])
        residual = np.where(in_a, scores - means[0], means[1] - scores)
    return difference, residual * weights / np.where(in_a, of_a, of_b)
