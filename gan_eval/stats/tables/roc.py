"""ROC curves from confidence ratings, by the Gaussian model with unequal variances.

Response and confidence together are one of J ratings, from "surely real" to "surely fake":

    P(rating <= j | real) = Φ(c_j),    P(rating <= j | fake) = Φ(s c_j - a),

so the ROC curve on z coordinates is the line z(hit rate) = a + s z(false-alarm rate) (Green & Swets 1966; Dorfman & Alf
1969, Journal of Mathematical Psychology 6, 487-496).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from gan_eval.base.inference import degrees_of_freedom, n_levels, t_critical, two_way
from gan_eval.judgements.trials import AnyTrials, items_of, typed
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.estimate.detection_rates import BY_PICTURE, TOO_FEW, TWO_WAY
from gan_eval.stats.groups import joined, n_known, one_participant, provenance_cells
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.models import scale_trouble
from gan_eval.stats.questions import KindRow, kind_rows
from gan_eval.tables.frames import Row, conform
from gan_eval.tables.schema import (
    ANALYSIS_RUN,
    DATASET,
    MODEL,
    PROVENANCE,
    SHARE,
    SIMULATED,
    Table,
    integer,
    number,
    text,
    with_interval,
)

ROC = Table(
    "roc",
    "Sensitivity by confidence ratings, all participants together: the Gaussian model with unequal variances.",
    (
        MODEL,
        DATASET,
        *with_interval("d_a", "distance of the means of fakes and reals, in units of the root mean square of both SDs"),
        *with_interval("slope", "slope of the zROC line, which is SD of reals / SD of fakes; 1: equal variances"),
        *with_interval("a_z", "area under the fitted ROC curve, Phi(d_a/sqrt 2)", unit=SHARE),
        number("intercept", "z(hit rate) where z(false-alarm rate) is 0, on the fitted line"),
        integer("n_ratings", "number of different ratings that were given, response and confidence together"),
        integer("n_real", "answers to real pictures with a confidence"),
        integer("n_fake", "answers to the model's pictures with a confidence"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        text("basis", f"what the intervals rest on: {TWO_WAY} or {BY_PICTURE}; empty: no interval"),
        *PROVENANCE,
    ),
    key=("model", "dataset"),
)
ROC_POINTS = Table(
    "roc_points",
    "The points of the ROC curves: rates where all ratings from a cut on count as `fake`.",
    (
        MODEL,
        DATASET,
        integer("cut", "number of the cut, the strictest first", filled=True),
        text("from_rating", "the lowest rating that counts as `fake`, such as `fake 3`", filled=True),
        number("hit_rate", "share of fakes with this rating or a higher one", unit=SHARE),
        number("false_alarm_rate", "share of reals with this rating or a higher one", unit=SHARE),
        number("z_hit", "z(hit rate); empty: the rate is 0 or 1"),
        number("z_false_alarm", "z(false-alarm rate); empty: the rate is 0 or 1"),
        SIMULATED,
        ANALYSIS_RUN,
    ),
    key=("model", "dataset", "cut"),
)
_STEPS = 200
"""Maximum number of scoring steps; an ordinary fit takes about five."""
_MAX_ESTIMATE = 6.0
"""Limit of intercept and criteria; beyond it, or with a slope beyond e^3 or e^-3, no estimate is finite."""


class GaussianFit(NamedTuple):
    """The model of one table of counts."""

    intercept: float
    """a"""
    slope: float
    """s"""
    log_likelihood: float
    covariance: np.ndarray
    """(J+1, J+1) of a, log s and the criteria, from the information of independent answers."""
    scores: np.ndarray
    """(2, J, J+1) derivatives of one answer's log-likelihood, of reals and of fakes with each rating."""

    @property
    def d_a(self) -> float:
        """Distance of the means in units of the root mean square SD."""
        return float(np.sqrt(2 / (1 + self.slope**2)) * self.intercept)


def fit_gaussian(counts: np.ndarray) -> GaussianFit:
    """Fit the Gaussian model with unequal variances by maximum likelihood, with Fisher scoring.

    Args:
        counts: (2, J) answers to reals and to fakes with each rating, in ascending order; each rating was given.

    Raises:
        NoFitError: fewer than three ratings, or ratings that hardly overlap.

    >>> counts = np.array([[174, 172, 104, 92, 41, 8], [46, 57, 66, 101, 154, 173]])
    >>> fit = fit_gaussian(counts)
    >>> round(fit.intercept, 3), round(fit.slope, 3), round(fit.d_a, 3)
    (1.072, 0.706, 1.239)
    """
    counts = np.asarray(counts, float)
    if counts.shape[1] < 3:
        raise NoFitError("fewer than three different ratings: a line needs two points")
    total = counts.sum(axis=1, keepdims=True)
    shares = (counts + 0.5) / (total + counts.shape[1] / 2)
    z_real, z_fake = ndtri(np.cumsum(shares, axis=1)[:, :-1])
    at = np.concatenate([[float(np.mean(z_real - z_fake)), 0.0], z_real])
    value, scores = _likelihood(counts, at)
    for _ in range(_STEPS):
        expected = np.exp(scores.log_share)[..., None] * total[..., None] * scores.by_parameter
        information = np.einsum("kjp,kjq->pq", expected, scores.by_parameter)
        uphill = np.einsum("kj,kjp->p", counts, scores.by_parameter)
        try:
            step = np.linalg.solve(information, uphill)
        except np.linalg.LinAlgError:
            break
        gain = float(uphill @ step)
        if max(abs(at[0]), np.abs(at[2:]).max()) > _MAX_ESTIMATE or abs(at[1]) > 3:
            break
        if gain < 1e-12:
            covariance = np.linalg.inv(information)
            return GaussianFit(float(at[0]), float(np.exp(at[1])), value, covariance, scores.by_parameter)
        for halving in range(30):
            trial = at + step * 0.5**halving
            reached, scores = _likelihood(counts, trial)
            if reached >= value - 1e-12 * abs(value):
                break
        at, value = trial, reached
    raise NoFitError("the ratings of reals and of fakes hardly overlap: no finite estimate")


class _Scores(NamedTuple):
    log_share: np.ndarray
    """(2, J) log-probability of each rating of reals and of fakes."""
    by_parameter: np.ndarray
    """(2, J, P) its derivatives."""


def _likelihood(counts: np.ndarray, at: np.ndarray) -> tuple[float, _Scores]:
    """Return log-likelihood and derivatives at a, log s and the criteria; -inf where these do not ascend."""
    intercept, slope, criteria = at[0], np.exp(np.clip(at[1], -20, 20)), at[2:]
    bounds = np.stack([criteria, slope * criteria - intercept])
    below = np.pad(ndtr(bounds), ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    share = np.diff(below, axis=1)
    if (share <= 0).any():
        return -np.inf, _Scores(share, np.zeros((*share.shape, len(at))))
    density = np.exp(-(bounds**2) / 2) / np.sqrt(2 * np.pi)
    moved = np.zeros((2, len(criteria) + 2, len(at)))  # derivatives of `below`
    inner = np.arange(len(criteria))
    moved[0, inner + 1, inner + 2] = density[0]
    moved[1, inner + 1, inner + 2] = slope * density[1]
    moved[1, 1:-1, 0] = -density[1]
    moved[1, 1:-1, 1] = slope * criteria * density[1]
    log_share = np.log(share)
    return float((counts * log_share).sum()), _Scores(log_share, np.diff(moved, axis=1) / share[..., None])


def roc(trials: AnyTrials) -> dict[str, pd.DataFrame]:
    """Return the tables `roc` and `roc_points`: a row, and a curve, for each model on each data set.

    The answers of all participants count as those of one observer. If people use the confidence scale differently, the
    curve is below the curves of single people. Fakes are compared with the real pictures of the data set that the same
    participants judged. Errors are clustered by participant and by stimulus, and by item where stimuli share some. They
    are not below those of independent answers. The reference is Student's t.

    Args:
        trials: the table `trials`. Answers without a confidence are left out. So are those of staircases, unless there
            are no others.
    """
    answered = typed(trials).answered
    follows = answered["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)
    is_rated = np.isfinite(answered["confidence"].to_numpy("float64", na_value=np.nan))
    rated = answered[is_rated & ~follows if (is_rated & ~follows).any() else is_rated].reset_index(drop=True)
    curves = [_curve(rated.iloc[row.positions], row) for row in kind_rows(rated)]
    tables = {ROC: [fit for fit, _ in curves], ROC_POINTS: [point for _, points in curves for point in points]}
    return {
        table.name: conform(pd.DataFrame(rows, columns=list(table.names)), table, where=table.name)
        for table, rows in tables.items()
    }


def _curve(rated: pd.DataFrame, row: KindRow) -> tuple[Row, list[Row]]:
    """Return the rows of one model on one data set: the fit, and the points of the curve."""
    is_fake, says_fake = (rated[name].to_numpy(bool) for name in ("is_fake", "says_fake"))
    level, levels = pd.factorize(rated["confidence"].astype("float64"), sort=True)
    ratings, rating = np.unique(np.where(says_fake, level + 1, -1 - level), return_inverse=True)
    counts = np.bincount(len(ratings) * is_fake + rating, minlength=2 * len(ratings)).reshape(2, -1)
    cells = provenance_cells(rated)
    fit: Row = {
        "model": row.model,
        "dataset": row.dataset,
        "n_ratings": len(ratings),
        "n_real": int(counts[0].sum()),
        "n_fake": int(counts[1].sum()),
        "n_participants": n_known(rated["participant"]),
        "n_stimuli": rated["stimulus"].nunique(),
    }
    trouble = scale_trouble(len(levels)) if len(levels) > 1 else ""
    points: list[Row] = []
    rates = np.cumsum(counts[:, ::-1], axis=1) / counts.sum(axis=1, keepdims=True)
    z = np.where((rates > 0) & (rates < 1), ndtri(rates), np.nan)
    for index, lowest in enumerate(() if trouble else ratings[:0:-1]):  # at the last cut everything counts as `fake`
        answer = f"{'fake' if lowest > 0 else 'real'} {levels[abs(lowest) - 1]:g}"
        (false_alarms, hits), (z_false_alarm, z_hit) = rates[:, index].tolist(), z[:, index].tolist()
        point = {"hit_rate": hits, "false_alarm_rate": false_alarms, "z_hit": z_hit, "z_false_alarm": z_false_alarm}
        points.append({**fit, **cells, "cut": index + 1, "from_rating": answer, **point})
    try:
        if trouble:
            raise NoFitError(trouble)
        estimates = _estimates(fit_gaussian(counts), rated, is_fake, rating)
    except NoFitError as reason:
        estimates = {"note": str(reason)}
    return fit | cells | estimates | {"note": joined(estimates["note"], cells["note"])}, points


def _estimates(fit: GaussianFit, rated: pd.DataFrame, is_fake: np.ndarray, rating: np.ndarray) -> Row:
    """Return the numbers of a fit with their intervals; that of the slope is symmetric in its logarithm."""
    participant, stimulus = (pd.factorize(rated[name])[0] for name in ("participant", "stimulus"))
    item = items_of(rated, side=is_fake)
    half = 1 + fit.slope**2
    gradient = np.zeros((2, len(fit.covariance)))  # of d_a and of log s
    gradient[0, :2] = np.sqrt(2 / half), -fit.d_a * fit.slope**2 / half
    gradient[1, 1] = 1
    onto = gradient @ fit.covariance
    influence = (fit.scores @ onto.T)[is_fake.astype(int), rating]
    several = n_levels(participant) > 1
    shown = [stimulus] if item is None else [stimulus, item]
    df = degrees_of_freedom(*([participant] if several else []), *shown, side=is_fake)
    clustered = two_way(influence, participant, stimulus, item=item, side=is_fake)
    variance = np.maximum(clustered, np.diag(onto @ gradient.T))
    reach = t_critical(df) * np.sqrt(variance)
    d_a = fit.d_a + np.array([0, -reach[0], reach[0]])
    slope = fit.slope * np.exp([0, -reach[1], reach[1]])
    row: Row = {"intercept": fit.intercept}
    for name, numbers in (("d_a", d_a), ("slope", slope), ("a_z", ndtr(d_a / np.sqrt(2)))):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), map(float, numbers), strict=True))
    is_finite = bool(np.isfinite(reach).all())
    who, few = "" if several else one_participant(rated["participant"]), "" if is_finite else TOO_FEW
    basis = (TWO_WAY if several else BY_PICTURE) if is_finite else None
    return row | {"basis": basis, "note": joined(who, few)}
