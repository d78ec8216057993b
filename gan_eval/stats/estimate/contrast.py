"""One difference of two proportions, or of one proportion and one half, by the crossed mixed model and by a check.

At the fixed effects η, the proportion of yes answers of many participants to many pictures is an average over the
random effects, whose sum is normal with the standard deviation s:

    P(η, s) = ∫ F(η + s z) φ(z) dz,    F the inverse link.

For probit it is Φ(η / sqrt(1 + s²)); for logit it has no closed form (Zeger, Liang & Albert 1988, Biometrics 44,
1049-1060). Standard errors come by the delta method over the fixed effects and the standard deviations together.

The model is fitted to the answer itself, never to its correctness: a participant's response bias raises the share of
correct answers on one kind of picture and lowers it on the other.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr, ndtri

from gan_eval.base.inference import (
    degrees_of_freedom,
    equivalence_p,
    item_covariance,
    n_levels,
    t_critical,
    two_sided_p,
)
from gan_eval.stats.estimate.differences import (
    HALF,
    Difference,
    difference_of_proportions,
    few_people,
    other_p,
    other_variance,
    proportion_less_half,
    wald,
)
from gan_eval.stats.estimate.persons import (
    FAR_FROM_PEOPLE,
    Correlation,
    is_far_from_people,
    person_weights,
    why_each_once,
    with_number,
)
from gan_eval.stats.groups import joined
from gan_eval.stats.mixed import NoFitError, fit_crossed

FEW_ANSWERS = 10
"""Mean number of answers to a picture; below it the error is at least that of the clustered shares."""
MANY_GROUPS = 16
"""Minimum number of people for that rule; with fewer, Student's t has few degrees of freedom."""
FEW_GROUPS = 10
"""Number of people or of items that two models share; up to it the error is at least that of the clustered shares."""
CROSSED = "crossed_model"
CROSSED_CLUSTERED = "crossed_model_clustered_error"
FROM_MODELS = (CROSSED, CROSSED_CLUSTERED)
"""Bases of estimates by a crossed model."""
NODES = np.linspace(-9.0, 9.0, 301)
"""Nodes of the trapezoidal rule, whose error for this integrand is below exp(-2π² / (0.06 s))."""
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()


class PopulationProportions(NamedTuple):
    """Proportions and their derivatives, each (R,)."""

    share: np.ndarray
    by_eta: np.ndarray
    """dP / dη"""
    by_sd: np.ndarray
    """dP / ds"""


def population_proportions(eta: np.ndarray, sd: np.ndarray, *, link: str = "logit") -> PopulationProportions:
    """Return P(η, s) for fixed parts η (R,) and standard deviations s (R,), exact to about 1e-9 up to s = 15.

    >>> proportions = population_proportions(np.array([0.0, 1.0]), np.array([2.0, 0.0]))
    >>> proportions.share.round(6).tolist()
    [0.5, 0.731059]
    """
    eta, sd = np.broadcast_arrays(np.asarray(eta, float), np.asarray(sd, float))
    if link == "probit":
        scale = np.sqrt(1 + sd**2)
        density = np.exp(-((eta / scale) ** 2) / 2) / np.sqrt(2 * np.pi)
        return PopulationProportions(ndtr(eta / scale), density / scale, -density * eta * sd / scale**3)
    share = expit(eta[:, None] + sd[:, None] * NODES)
    slope = share * (1 - share)
    return PopulationProportions(
        (share * WEIGHTS).sum(axis=1), (slope * WEIGHTS).sum(axis=1), (slope * NODES * WEIGHTS).sum(axis=1)
    )


def cell_proportions(
    rows: np.ndarray,
    beta: np.ndarray,
    covariance: np.ndarray,
    variances: np.ndarray,
    variances_by_random: np.ndarray,
    *,
    link: str = "logit",
) -> tuple[np.ndarray, np.ndarray]:
    """Return P(x_r'β, s_r) of each row of a design (R,), and their covariance (R, R) by the delta method.

    Args:
        rows: (R, K) fixed effects of each proportion.
        beta: (K,) their estimates.
        covariance: (K + Q, K + Q) of β and of the Q parameters of the random effects.
        variances: (R,) s_r².
        variances_by_random: (R, Q) their derivatives by the parameters of the random effects.
    """
    sd = np.sqrt(np.maximum(variances, 0.0))
    shares = population_proportions((rows * beta).sum(axis=1), sd, link=link)
    # dP/d(s²) = (dP/ds) / 2s stays finite, but the derivative of s² by a standard deviation held at 0 is 0 anyway
    by_variance = np.divide(shares.by_sd, 2 * sd, out=np.zeros_like(sd), where=sd > 0)
    gradient = np.hstack([shares.by_eta[:, None] * rows, by_variance[:, None] * variances_by_random])
    return shares.share, gradient.dot(covariance).dot(gradient.T)


@dataclass(frozen=True)
class Question:
    """Proportion of a minus that of b, or minus one half if no trial is b's; and the model that estimates it."""

    answer: np.ndarray
    """(N,) bool: the answer that is modelled, and that the proportions count."""
    in_a: np.ndarray | None
    """(N,) bool, true for a's trials, false for b's; None: all are a's, whose proportion is compared with one half."""
    participant: np.ndarray
    """(N,) int, 0.. without gaps."""
    picture: np.ndarray
    """(N,) int: the stimulus, or the item that the models share."""
    cell: np.ndarray
    """(N,) int, 0..C-1 without gaps: groups that each have a fixed effect in the model."""
    cell_weights: np.ndarray
    """(C,): the difference is Σ weight x P(answer), minus one half if all trials are a's."""
    slopes: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    """Covariates (N,) of the random slopes of participants and of pictures, constant within a cell: -1/2 and 1/2, so
    that neither side varies more by construction."""
    picture_is: str = "stimulus"
    """Name of the second factor in messages: `stimulus` or `item`."""
    link: str = "logit"
    rows: "tuple[Question, ...]" = ()
    """Questions of one proportion each, in the order of the cells; the difference is their mean. Empty: none."""
    item: np.ndarray | None = None
    """(N,) int, 0..: items that several pictures share; their variance is added. None: none, or all trials are a's."""
    other: np.ndarray | None = None
    """(N,) int, 0..: the other picture of each pair, if any two are paired: a third factor, whose variance is added."""


def estimate(question: Question, *, margin: float | None, why_not: str = "") -> Difference:
    """Return the difference by the crossed model, or by clustered proportions if the model gives no number.

    Args:
        margin: equivalence margin of the difference; None: equivalence is not judged.
        why_not: a reason not to fit the model; empty: none.
    """
    weights = person_weights(question.participant, question.cell)
    once, numbers = _each_once(question, weights)
    why_not = why_not or why_each_once(numbers)
    mean, reach_apart = None, 0.0
    if question.rows:  # as in `detection_rates`: the rows' mean, with the larger of two errors
        rows = [estimate(row, margin=None, why_not=why_not) for row in question.rows]
        mean = float(np.mean([row.difference for row in rows]))
        reach_apart = float(np.linalg.norm([np.diff(row.interval(0.95))[0] / 2 for row in rows])) / len(rows)
    check = _clustered(question, weights, margin, mean)
    few_note = few_people(n_levels(question.participant)) if check.basis else ""
    if why_not:
        reason = f"clustered shares instead of the crossed model ({why_not})"
        return check._replace(note=joined(reason, check.note, few_note))
    try:
        result, error = _crossed(question, weights, check, margin=margin, mean=mean, reach_apart=reach_apart)
    except NoFitError as reason:
        return check._replace(note=joined(f"the crossed model gives no number ({reason})", check.note, few_note))
    if is_far_from_people(result.difference, once, error, numbers):
        return estimate(question, margin=margin, why_not=FAR_FROM_PEOPLE)
    return result._replace(check_p=check.p, note=joined(other_p(result.p, check.p), few_note))


def _crossed(
    question: Question,
    weights: np.ndarray,
    check: Difference,
    *,
    margin: float | None,
    mean: float | None,
    reach_apart: float,
) -> tuple[Difference, float]:
    """Return the difference by the crossed model, and its standard error; NoFitError if the model gives no number.

    Args:
        check: the difference of clustered proportions.
        mean: the mean of the rows' differences, if there are rows.
        reach_apart: half the width of the mean's 95% interval if the rows are estimated one by one; 0: no rows.
    """
    others = [factor for factor in (question.other, question.item) if factor is not None]
    df = degrees_of_freedom(question.participant, question.picture, *others, side=question.in_a)
    if df < 1:
        raise NoFitError("fewer than two participants or pictures behind a group")
    clustered = 0.0
    each_answer = np.ones(len(weights))
    is_within_items = question.in_a is not None and question.picture_is == "item"
    has_few_answers = len(question.answer) < FEW_ANSWERS * (int(question.picture.max()) + 1) and df >= MANY_GROUPS - 1
    if (has_few_answers or (is_within_items and df < FEW_GROUPS)) and check.basis == "two_way_cluster":
        of_answers = check if (weights == 1).all() else _clustered(question, each_answer, margin, mean)
        low, high = of_answers.interval(0.95)
        clustered = max(high - of_answers.difference, of_answers.difference - low) / float(t_critical(df))
    difference, error = _by_model(question)
    difference = difference if mean is None else mean
    if question.other is not None:
        of_others = other_variance(question.answer, question.cell, question.other, each_answer)
        error = float(np.hypot(error, np.sqrt(of_others)))
    error = max(float(np.sqrt(error**2 + _of_items(question))), float(np.nan_to_num(reach_apart / t_critical(df))))
    basis, error = (CROSSED, error) if error >= clustered else (CROSSED_CLUSTERED, clustered)
    test = _from_half if question.in_a is None else wald
    return test(difference, error, df, margin=margin, basis=basis), error


def _each_once(question: Question, weights: np.ndarray) -> tuple[float, Correlation | None]:
    """Return the difference if each participant counts once, and how it goes together with the number of answers."""
    answer, cell, of_cell = question.answer, question.cell, question.cell_weights
    n = np.bincount(cell, weights)
    shares = np.bincount(cell, weights * answer) / n
    influence = (answer - shares[cell]) * (of_cell / n)[cell] * weights
    half = HALF if question.in_a is None else 0.0
    return float(of_cell.dot(shares)) - half, with_number(influence, question.participant, cell)


def _clustered(question: Question, weights: np.ndarray, margin: float | None, mean: float | None) -> Difference:
    """Return the difference of clustered proportions; `weights` (N,) have a mean of 1 in each cell."""
    answer, units = question.answer, (question.participant, question.picture)
    if question.in_a is not None:
        item = question.item
        return difference_of_proportions(answer, question.in_a, *units, item=item, margin=margin, weights=weights)
    row, other = question.cell, question.other
    return proportion_less_half(answer, *units, margin=margin, row=row, mean=mean, other=other, weights=weights)


def _of_items(question: Question) -> float:
    """Return the variance of a difference that items have beyond their pictures, clustered; 0: none."""
    if question.item is None or question.in_a is None:
        return 0.0
    in_a, answer = question.in_a, question.answer
    residual = answer - np.where(in_a, answer[in_a].mean(), answer[~in_a].mean())
    influence = residual / np.where(in_a, in_a.sum(), -np.sum(~in_a))
    units = question.participant, question.picture, question.item
    return max(0.0, float(item_covariance(influence[:, None], *units, side=in_a)[0, 0]))


def _by_model(question: Question) -> tuple[float, float]:
    """Return the difference by the crossed model, and its standard error."""
    X, weights = np.eye(len(question.cell_weights)), question.cell_weights
    fit = fit_crossed(
        question.answer,
        X[question.cell],
        question.participant,
        question.picture,
        link=question.link,
        slope=question.slopes[0],
        slope_second=question.slopes[1],
        factors=("participant", question.picture_is),
    )
    _, at = np.unique(question.cell, return_index=True)
    slope = next((slope[at] for slope in question.slopes if slope is not None), np.zeros(len(at)))
    variance = fit.random_variance(slope)
    shares, covariance = cell_proportions(X, fit.beta, fit.covariance, *variance, link=question.link)
    difference = float(weights.dot(shares)) - (HALF if question.in_a is None else 0.0)
    return difference, float(np.sqrt(max(weights.dot(covariance).dot(weights), 0.0)))


def _from_half(difference: float, error: float, df: int, *, margin: float | None, basis: str) -> Difference:
    """Test a proportion minus 1/2 on the probit scale, as in `detection_rates`; its intervals stay within 0 and 1."""
    if abs(difference) >= HALF:
        raise NoFitError("every answer of every row is the same")
    z = float(ndtri(HALF + difference))
    error *= float(np.sqrt(2 * np.pi) * np.exp(z**2 / 2))

    def interval(coverage: float) -> tuple[float, float]:
        reach = float(t_critical(df, coverage=coverage)) * error
        return float(ndtr(z - reach)) - HALF, float(ndtr(z + reach)) - HALF

    p = float(two_sided_p(z, error, df))
    p_equivalent = np.nan if margin is None else float(equivalence_p(z, error, df, float(ndtri(HALF + margin))))
    return Difference(difference, p, None, interval, p_equivalent, basis, bound=HALF)
