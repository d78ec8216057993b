"""The psychometric function of correct answers over a level, crossed in participants and pictures.

For trial i of participant p and picture s at the level x (the logarithm to base 2, if all levels are above 0),

    P(correct) = γ + (1 - γ)(1 - 2λ) F(η),    η = α + βx + b_p + a_s,    b ~ N(0, σ_p²),    a ~ N(0, σ_s²),

with F the inverse link and λ the lapse rate (Wichmann & Hill 2001, Perception & Psychophysics 63, 1293-1313). For
pairs, γ = 1/2. For single pictures, a guess is `fake` with the probability g_p, the participant's response bias: γ =
g_p for a fake and 1 - g_p for a real. Averaged over both kinds, the share of correct answers is 1/2 + (1/2 - λ) F(η).

The threshold is the level where F(η) = 1/2 for the typical participant and picture, x = -α/β; the slope is β. Levels
that followed a participant's earlier answers cause no bias, because the crossed model's likelihood is the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.base.inference import Estimate, item_covariance, n_levels, t_critical, two_way
from gan_eval.stats.mixed.fit import Spread, Start, fit_crossed
from gan_eval.stats.mixed.likelihood import CUMULATIVE, NoFitError, NotConvergedError, guessing_terms

LAPSES = (0.0, 0.025, 0.06)
"""Lapse rates over which fits are averaged."""
_LAPSE_PRIOR = {0.0: 1.25, 0.025: 1.44, 0.06: 0.81}
"""Prior of LAPSES: the probability of the neighbourhood of each under Beta(1, 30), mostly below 0.06 as in Wichmann &
Hill. Answers hold little information on the lapse rate if the highest level is close to the threshold."""
_LEANING = 10.0
"""Weight of the mean response bias in each participant's, as a number of guesses."""


class Judgements(NamedTuple):
    """Correct and wrong answers at levels."""

    right: np.ndarray
    """(N,) bool, correct."""
    level: np.ndarray
    """(N,) x, finite."""
    participant: np.ndarray
    """(N,) int, 0.. without gaps."""
    picture: np.ndarray
    """(N,) int, 0.. without gaps."""
    model: np.ndarray
    """(N,) int, the fakes' model, 0.. without gaps; -1: a single real picture."""
    is_single: bool
    """Single pictures, both reals and fakes of each model; else pairs."""
    item: np.ndarray | None = None
    """(N,) int, 0..: items that several pictures share; None: none."""

    def sides(self) -> list[np.ndarray]:
        """Return the answers (N,) bool of each line; for single pictures, the reals come first."""
        return [self.model == index for index in range(-1 if self.is_single else 0, self.model.max() + 1)]

    def degrees_of_freedom(self) -> int:
        """Return the fewest participants, pictures or shared items behind a line, minus 1.

        One participant does not count.
        """
        factors = [factor for factor in (self.picture, self.item) if factor is not None]
        factors += [self.participant] if self.participant.any() else []
        return min(n_levels(factor[side]) for factor in factors for side in self.sides()) - 1


class Curve(NamedTuple):
    """Estimates of α and β: (α, β), or (α_a, α_b, β_a, β_b) for two models."""

    beta: np.ndarray
    covariance: np.ndarray
    lapse: float
    guess: float
    """Mean response bias g for single pictures; 1/2 for pairs."""
    lines: np.ndarray
    """Fitted α, then β, of each of `Judgements.sides`."""
    evidence: float = np.nan
    """Approximate log of the integrated likelihood; NaN of a pooled fit."""
    sd_participant: float = np.nan
    sd_picture: float = np.nan
    of_items: np.ndarray | None = None
    """Covariance of `beta` that items have beyond pictures, without negative variances; None unless pooled."""


def balanced(lines: np.ndarray, guess: float, *, is_single: bool, link: str) -> tuple[np.ndarray, np.ndarray]:
    """Return α and β of each model's share of correct answers over both kinds (2M,), and derivatives by the lines.

    For single pictures that share is z(x), F(z) = (1 - g) F(α_f + β_f x) + g F(α_r + β_r x), as a line at the x where
    z = 0. For g = 1/2 the lines of fakes and reals have the sum 0 there, because F is symmetric.

    Args:
        lines: (2C,) α of each line, then β; for single pictures, the reals' comes first.
        is_single: single pictures; pairs are returned unchanged.
    """
    if not is_single:
        return lines, np.eye(len(lines))
    from scipy.optimize import brentq

    count = len(lines) // 2
    inverse, densities = expit if link == "logit" else ndtr, CUMULATIVE[f"cumulative_{link}"][1]
    turn, constants = np.zeros((2, count - 1, 2, count)), np.zeros((2, count - 1))
    shares = np.array([1 - guess, guess])
    for model in range(count - 1):
        alpha, beta = lines[[model + 1, 0]], lines[[count + model + 1, count]]
        linear = -(shares @ alpha) / (shares @ beta)
        reach = np.linspace(-30.0, 30.0, 601)
        above = inverse(alpha + np.outer(reach, beta)) @ shares > 0.5
        steps = np.flatnonzero(above[1:] != above[:-1])
        if len(steps):
            step = steps[np.argmin(np.abs(reach[steps] - linear))]
            x = brentq(lambda x, a=alpha, b=beta: inverse(a + b * x) @ shares - 0.5, reach[step], reach[step + 1])
            eta = alpha + beta * x
            weight = shares * densities(eta)[0] / densities(np.zeros(1))[0]
        else:
            eta, weight = np.zeros(2), shares
        for kind in range(2):
            turn[kind, model, kind, [model + 1, 0]] = weight
        constants[0, model] = -(weight @ eta)
    both = turn.reshape(2 * (count - 1), 2 * count)
    return both @ lines + constants.ravel(), both


def guess_rates(data: Judgements, seen: np.ndarray, lapse: float) -> tuple[np.ndarray, float]:
    """Return γ of each trial (N,), and the mean response bias g.

    A participant answers `fake` with probability g (1 - F') + F' [fake], F' = (1 - 2λ) F. The g_p are the modes under a
    Beta prior around the g of all.

    Args:
        seen: (N,) F.
    """
    if not data.is_single:
        return np.full(len(data.right), 0.5), 0.5
    seen_share, is_fake = (1 - 2 * lapse) * seen, data.model >= 0
    says_fake = data.right == is_fake
    offset, room = np.where(is_fake, seen_share, 0.0), 1 - seen_share

    def modes(group: np.ndarray, centre: float, strength: float) -> np.ndarray:
        low, high = np.full(group.max() + 1, 1e-3), np.full(group.max() + 1, 1 - 1e-3)
        for _ in range(16):  # the log posterior is concave
            middle = (low + high) / 2
            says = np.clip(offset + middle[group] * room, 1e-9, 1 - 1e-9)
            rise = strength * (centre / middle - (1 - centre) / (1 - middle))
            rise = rise + np.bincount(group, np.where(says_fake, room / says, -room / (1 - says)))
            low, high = np.where(rise > 0, middle, low), np.where(rise > 0, high, middle)
        return (low + high) / 2

    mean = float(modes(np.zeros_like(data.participant), 0.5, 2.0)[0])
    leaning = modes(data.participant, mean, _LEANING)[data.participant]
    return np.where(is_fake, leaning, 1 - leaning), mean


def pooled(
    data: Judgements, lapse: float, *, link: str = "logit", lines: np.ndarray | None = None
) -> tuple[Curve, np.ndarray, np.ndarray]:
    """Fit the function without random effects, with errors clustered two ways.

    Returns:
        The curve, the fixed effects of its lines (N, K), and γ (N,).

    Raises:
        NoFitError: one level, all answers the same, or a level that separates the answers.
    """
    sides = data.sides()
    _require_change(data, sides)
    X = np.column_stack([*sides, *(side * data.level for side in sides)]).astype(float)
    right, inverse = data.right.astype(float), expit if link == "logit" else ndtr
    if lines is None:
        rises = np.sign(np.cov(data.level, data.right)[0, 1]) or 1.0
        lines = np.repeat([0.0, rises / max(float(np.std(data.level)), 1e-9)], len(sides))
    guess, mean = guess_rates(data, inverse(X @ lines), lapse)
    for _ in range(3):
        lines = _scored(X, right, guess, lapse, lines, link=link)
        guess, mean = guess_rates(data, inverse(X @ lines), lapse)
    terms = guessing_terms(X @ lines, right, guess, 2 * lapse * (1 - guess), link=link)
    information = (X * np.asarray(terms.expected)[:, None]).T @ X
    scores = (X * terms.score[:, None]) @ np.linalg.inv(information)
    beta, turn = balanced(lines, mean, is_single=data.is_single, link=link)
    scores = scores @ turn.T
    covariance = _clustered_covariance(data, scores)
    values, vectors = np.linalg.eigh(item_covariance(scores, data.participant, data.picture, data.item))
    of_items = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return Curve(beta, covariance, lapse, mean, lines, of_items=of_items), X, guess


def _require_change(data: Judgements, sides: Sequence[np.ndarray]) -> None:
    """Refuse answers that do not show how their correctness changes with the level, on one side or both."""
    if not all(side.any() for side in sides):
        raise NoFitError("only fakes or only reals")
    if any(len(np.unique(data.level[side])) < 2 for side in sides):
        raise NoFitError("one level: a function needs several")
    if any(data.right[side].all() or not data.right[side].any() for side in sides):
        raise NoFitError("all answers are correct, or all are wrong")


def _clustered_covariance(data: Judgements, scores: np.ndarray) -> np.ndarray:
    """Return the two-way clustered covariance (K, K) of estimates, from (N, K) what each answer adds to their error."""
    count = scores.shape[1]
    pairs = [(i, j) for i in range(count) for j in range(i)]
    sums = np.column_stack([scores, *(scores[:, i] + scores[:, j] for i, j in pairs)])
    variances = two_way(sums, data.participant, data.picture, item=data.item)
    covariance = np.diag(variances[:count])
    for (i, j), both in zip(pairs, variances[count:], strict=True):
        covariance[i, j] = covariance[j, i] = (both - variances[i] - variances[j]) / 2
    return covariance


def _scored(
    X: np.ndarray, right: np.ndarray, guess: np.ndarray, lapse: float, lines: np.ndarray, *, link: str
) -> np.ndarray:
    """Fit the lines for given guess rates by Fisher scoring, with halved steps if the likelihood falls."""
    lapses = 2 * lapse * (1 - guess)
    terms = guessing_terms(X @ lines, right, guess, lapses, link=link)
    for _ in range(60):
        information = (X * np.asarray(terms.expected)[:, None]).T @ X
        if np.linalg.cond(information) > 1e12:
            break
        score = X.T @ terms.score
        step = np.linalg.solve(information, score)
        if score @ step < 1e-8:
            return lines
        value = terms.log_likelihood.sum()
        for _ in range(12):
            terms = guessing_terms(X @ (lines + step), right, guess, lapses, link=link)
            if terms.log_likelihood.sum() > value:
                break
            step = step / 2
        else:
            return lines
        lines = lines + step
        if np.abs(X @ lines).max() > 60:
            break
    raise NoFitError("the answers do not change with the level as a psychometric function does")


def crossed(data: Judgements, lapse: float, *, link: str = "logit", start: Curve | None = None) -> Curve:
    """Fit the function with random effects of participants and pictures, at one lapse rate.

    The variance that items have beyond pictures is added. It is that of the pooled fit, whose coefficients are about
    1 / sqrt(1 + c²s²) times as large, with the standard deviation s of the random part and c² = 0.346 for the logit, 1
    for the probit (Zeger, Liang & Albert 1988, Biometrics 44, 1049-1060).
    """
    flat, X, guess = pooled(data, lapse, link=link, lines=None if start is None else start.lines)
    slope = None  # people differ in how they see two models
    judged_by = [set(data.participant[data.model == index]) for index in range(data.model.max() + 1)]
    if len(judged_by) == 2 and len(judged_by[0] & judged_by[1]) > 1:
        slope = np.select([data.model == 0, data.model == 1], [0.5, -0.5], 0.0)
    spreads = [(0.5, 0.5), (0.15, 0.15)]
    if start is not None:
        spreads.insert(0, (max(start.sd_participant, 0.2), max(start.sd_picture, 0.2)))
    lines = flat.lines if start is None else start.lines
    for attempt, (sd, sd_picture) in enumerate(spreads, 1):  # the likelihood need not have one maximum
        begin = Start(lines, Spread(sd, sd, 0.0), Spread(sd_picture))
        try:
            fit = fit_crossed(
                data.right, X, data.participant, data.picture, link=link, slope=slope, start=begin,
                guessing=(guess, 2 * lapse * (1 - guess)),
            )  # fmt: skip
            break
        except NotConvergedError:
            if attempt == len(spreads):
                raise
    covariance = fit.covariance[: len(fit.beta), : len(fit.beta)]
    sign, log_determinant = np.linalg.slogdet(covariance)
    if sign <= 0 or not np.isfinite(log_determinant):
        raise NotConvergedError("did not converge: the estimates have no covariance")
    evidence = fit.log_likelihood + log_determinant / 2
    mean = flat.guess
    beta, turn = balanced(fit.beta, mean, is_single=data.is_single, link=link)
    covariance = turn @ covariance @ turn.T
    if flat.of_items is not None:
        squared = 0.346 if link == "logit" else 1.0
        covariance = covariance + (1 + squared * (fit.first.sd**2 + fit.second.sd**2)) * flat.of_items
    return Curve(beta, covariance, lapse, mean, fit.beta, evidence, fit.first.sd, fit.second.sd)


def averaged(curves: list[Curve], weights: np.ndarray, *, link: str = "logit") -> Curve:
    """Return the weighted mean of curves of several lapse rates; its covariance includes the spread between them.

    All curves are compared at one share of correct answers, midway between chance and 1 - the mean lapse rate. A
    curve's own midway would move with its lapse rate; the level of a given share hardly moves.
    """
    lapse, guess, sd_participant, sd_picture = (
        float(weights @ [getattr(curve, name) for curve in curves])
        for name in ("lapse", "guess", "sd_participant", "sd_picture")
    )
    quantile, moved = logit if link == "logit" else ndtri, []
    for curve in curves:
        beta = curve.beta.copy()
        beta[: len(beta) // 2] -= quantile((0.5 - lapse) / (1 - 2 * curve.lapse))
        moved.append(beta)
    beta = weights @ np.array(moved)
    within = sum(weight * curve.covariance for weight, curve in zip(weights, curves, strict=True))
    between = (weights * (np.array(moved) - beta).T) @ (np.array(moved) - beta)
    return Curve(beta, within + between, lapse, guess, np.zeros(0), np.nan, sd_participant, sd_picture)


def lapse_weights(evidence: Sequence[Sequence[float]], lapses: Sequence[float] = LAPSES) -> np.ndarray:
    """Return the probability (L,) of each lapse rate.

    Args:
        evidence: log evidence of each lapse rate, for each model that the same people judged; empty: the prior.
        lapses: a subset of LAPSES.

    >>> lapse_weights([]).round(2).tolist()
    [0.36, 0.41, 0.23]
    """
    logs = np.log([_LAPSE_PRIOR[lapse] for lapse in lapses])
    if len(evidence):
        logs = logs + np.sum(evidence, axis=0)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def one_of(curve: Curve, model: int) -> Curve:
    """Return the curve of one of several models."""
    indices = [model, len(curve.beta) // 2 + model]
    return curve._replace(beta=curve.beta[indices], covariance=curve.covariance[np.ix_(indices, indices)])


def threshold(beta: np.ndarray, covariance: np.ndarray, df: int) -> Estimate:
    """Return -α/β with Fieller's interval: the levels at which η = 0 is not rejected (Student's t).

    It has no ends if β = 0 is not rejected.

    Args:
        beta: (2,) α and β.
        covariance: (2, 2).
    """
    t = float(t_critical(df))
    a, b = beta
    A, B, C = (
        x * y - t**2 * v for x, y, v in ((b, b, covariance[1, 1]), (a, b, covariance[0, 1]), (a, a, covariance[0, 0]))
    )
    if not A > 0:
        return Estimate(-a / b, np.nan, np.nan)
    root = np.sqrt(max(B * B - A * C, 0.0))
    return Estimate(-a / b, (-B - root) / A, (-B + root) / A)
