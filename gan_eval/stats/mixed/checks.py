"""Regression of yes/no answers without random effects: two-way clustered errors, and a two-way bootstrap.

Both treat participants and stimuli as samples without a model of their spread. The clustered errors are those of
`gan_eval.stats.clustering.two_way`. The bootstrap is Owen's (2007, Annals of Applied Statistics 1,
386-411): a trial's weight is how often its participant was drawn times how often its stimulus was; it errs on the wide
side.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.special import stdtr, stdtrit

from gan_eval.stats.clustering import two_way
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.links import LINKS, linked, slopes
from gan_eval.stats.mixed.start import plain_fit

_FAR = 15.0
"""An estimate on the link's scale beyond this stands for an infinite one."""
_CELLS = 8_000_000
"""Numbers held at a time while bootstrapping."""


class Plain(NamedTuple):
    """Coefficients without random effects."""

    beta: np.ndarray
    """(K,)"""
    score: np.ndarray
    """(N,) d log-likelihood / dη of each trial."""
    information: np.ndarray
    """(K, K) observed."""


class Clustered(NamedTuple):
    """Two-way clustered errors, each (K,); NaN where there is one participant or one stimulus."""

    std_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def fit_plain(y: np.ndarray, X: np.ndarray, *, link: str) -> Plain | None:
    """Maximum likelihood of link(P(y = 1)) = Xβ; None where an estimate is infinite.

    Args:
        y: (N,) bool.
        X: (N, K) of full rank.
        link: `logit` or `probit`.
    """
    try:
        beta = plain_fit(y, X, link)
    except NoFitError:
        return None
    terms = LINKS[link](X @ beta, np.asarray(y, float))
    return Plain(beta, terms.score, X.T @ (X * terms.observed[:, None]))


def clustered(fit: Plain, X: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> Clustered:
    """Errors, 95 % intervals and two-sided p by Student's t.

    Its degrees of freedom are one fewer than the smallest number of participants or stimuli: of all trials; where a
    coefficient's column has two values, as of reals and fakes, behind either of them.
    """
    if min(int(participant.max()), int(stimulus.max())) < 1:
        empty = np.full(len(fit.beta), np.nan)
        return Clustered(empty, empty, empty, empty)
    error = np.sqrt(two_way((X * fit.score[:, None]) @ np.linalg.inv(fit.information), participant, stimulus))
    df = np.array([_freedom(column, participant, stimulus) for column in X.T], float)
    known = np.where((df > 0) & (error > 0), df, np.nan)
    half = stdtrit(known, 0.975) * error
    error = np.where(error > 0, error, np.nan)
    return Clustered(error, fit.beta - half, fit.beta + half, 2 * stdtr(known, -np.abs(fit.beta) / error))


def _freedom(column: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> int:
    """Degrees of freedom behind a coefficient; 0 where one participant or stimulus stands alone on a side."""
    sides = [column == value for value in values] if len(values := np.unique(column)) == 2 else [column == column]
    return min(len(np.unique(level[side])) for level in (participant, stimulus) for side in sides) - 1


def bootstrap(
    y: np.ndarray,
    X: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    link: str,
    replicates: int,
    seed: int | tuple[int, ...],
) -> np.ndarray:
    """(B, K) coefficients under B draws of participants and stimuli; NaN where they are infinite or undefined.

    Args:
        y: (N,) bool.
        X: (N, K) of full rank.
        participant: (N,) 0.. without gaps; numbered by sorted names, the draws do not depend on the order of rows.
        stimulus: (N,) likewise.
        link: `logit` or `probit`.
        replicates: B.
        seed: of the draws.
    """
    patterns, inverse = np.unique(X, axis=0, return_inverse=True)
    n_people, n_stimuli = int(participant.max()) + 1, int(stimulus.max()) + 1
    pair, row = np.unique(inverse.ravel().astype(np.int64) * n_people + participant, return_inverse=True)
    pattern, person = np.divmod(pair, n_people)
    shape = (len(pair), n_stimuli)
    shown = csr_array((np.ones(len(y)), (row.ravel(), stimulus)), shape=shape)
    said = csr_array((y.astype(float), (row.ravel(), stimulus)), shape=shape)
    gather = csr_array((np.ones(len(pair)), (pattern, np.arange(len(pair)))), shape=(len(patterns), len(pair)))
    everybody = gather @ np.stack([said.sum(axis=1), shown.sum(axis=1)], axis=1)
    whole = _solve(patterns, everybody[:, :1], everybody[:, 1:], link, np.zeros(X.shape[1]))[:, 0]
    near = np.where(np.isfinite(whole), whole, 0.0)
    rng = np.random.default_rng(seed)
    step = max(1, min(replicates, _CELLS // max(len(pair), n_stimuli, len(patterns) * X.shape[1])))
    found = np.empty((replicates, X.shape[1]))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        people = _draws(rng, n_people, size)[person]
        pictures = _draws(rng, n_stimuli, size)
        yes, total = gather @ (people * (said @ pictures)), gather @ (people * (shown @ pictures))
        found[start : start + size] = _solve(patterns, yes, total, link, near).T
    return found


def _draws(rng: np.random.Generator, levels: int, size: int) -> np.ndarray:
    """(levels, size): how often each level is drawn, with replacement, in each replicate."""
    return rng.multinomial(levels, np.full(levels, 1 / levels), size).T.astype(float)


def _solve(patterns: np.ndarray, yes: np.ndarray, total: np.ndarray, link: str, near: np.ndarray) -> np.ndarray:
    """(K, B) coefficients of B weighted tables of answers; NaN where they are infinite or undefined.

    Args:
        patterns: (J, K) the distinct rows of X.
        yes: (J, B) weighted answers yes.
        total: (J, B) weighted answers.
        link: `logit` or `probit`.
        near: (K,) where a search starts.
    """
    n_patterns, n_terms = patterns.shape
    if n_patterns == n_terms:
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = linked(yes / total, link)
            return np.asarray(np.linalg.solve(patterns, np.where(np.abs(eta) <= _FAR, eta, np.nan)))
    return _newton(patterns, yes, total, link, near)


def _newton(patterns: np.ndarray, yes: np.ndarray, total: np.ndarray, link: str, near: np.ndarray) -> np.ndarray:
    """Newton's method for all tables at once; the log-likelihoods are concave, and steps are bounded.

    It ends after a step below 1e-6, which leaves an error of its square.
    """
    n_terms = patterns.shape[1]
    left, right = np.triu_indices(n_terms)
    products = (patterns[:, left] * patterns[:, right]).T
    size = yes.shape[1]
    beta, done = np.repeat(near[:, None], size, axis=1), np.zeros(size, bool)
    for _ in range(60):
        active = np.flatnonzero(~done)
        if len(active) == 0:
            break
        up, down, curve_up, curve_down = slopes(patterns @ beta[:, active], link)
        no = total[:, active] - yes[:, active]
        gradient = patterns.T @ (yes[:, active] * up + no * down)
        sums = products @ (yes[:, active] * curve_up + no * curve_down)
        information = np.empty((len(active), n_terms, n_terms))
        information[:, left, right] = sums.T
        information[:, right, left] = sums.T
        trace = np.trace(information, axis1=1, axis2=2)
        undefined = ~(np.linalg.eigvalsh(information)[:, 0] > 1e-10 * trace)
        information[undefined] = np.eye(n_terms)
        step = np.linalg.solve(information, gradient.T[:, :, None])[:, :, 0]
        largest = np.abs(step).max(axis=1)
        beta[:, active] += (step * np.minimum(1.0, 2.0 / np.maximum(largest, 1e-300))[:, None]).T
        lost = undefined | ~np.isfinite(step).all(axis=1) | (np.abs(patterns @ beta[:, active]).max(axis=0) > 2 * _FAR)
        beta[:, active[lost]] = np.nan
        done[active[lost | (largest < 1e-6)]] = True
    beta[:, ~done] = np.nan
    return np.where((np.abs(patterns @ beta) <= _FAR).all(axis=0), beta, np.nan)
