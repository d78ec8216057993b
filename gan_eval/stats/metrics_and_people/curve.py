"""Curves from a metric to the fooling rate: the monotonic logistic one of the points (VQEG; ITU-T P.1401, section 7.2),
after which Pearson's correlation is taken, and the binomial regression of single answers, which is drawn."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from gan_eval.stats.clustering import freedom, t_critical, two_way
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.fit import plain_fit
from gan_eval.stats.mixed.likelihood import LINKS

FEWEST_FOR_CURVE = 8
"""Fewer points than twice the four parameters bend the curve to their noise."""
_FEWEST_VALUES = 4
_WIDTHS = (0.02, 20.0)
"""Bounds of the curve's width, in the spread of the metric."""
_LOWEST, _HIGHEST = -1.0, 2.0
"""Bounds of the asymptotes."""
_SHARP = 1e-12
"""Where the search ends: at 1e-7 and 1e-9 the last bits of a rate moved the correlation by up to 3e-4."""
_REACH = 3.0
"""How far beyond the values the curve's centre may lie, in the spread of the metric."""


@dataclass(frozen=True)
class LogisticCurve:
    """rate = low + (high - low) / (1 + exp(-(x - centre) / width)), low <= high; width < 0 falls with the metric.

    >>> float(LogisticCurve(low=0.2, high=0.8, centre=30.0, width=2.0)(np.array(30.0)))
    0.5
    """

    low: float
    """Lower asymptote, -1..1."""
    high: float
    """Upper asymptote, 0..2."""
    centre: float
    """Metric value half-way between the asymptotes."""
    width: float
    """In units of the metric; its sign is the direction."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The rate at metric values x."""
        return self.low + (self.high - self.low) * expit((np.asarray(x, float) - self.centre) / self.width)


def fit_logistic(x: np.ndarray, y: np.ndarray, *, rising: bool) -> LogisticCurve:
    """Least-squares logistic curve with four parameters, monotonic in the direction asked for.

    The asymptotes may lie up to 1 outside a rate's 0..1, so that the middle stretch of a curve can meet data that show
    no bend. The width is kept between 1/50 of and 20 times the values' spread (half their interquartile range, or
    their standard deviation where that is 0), and the centre within three spreads of the values: without bounds such
    fits run off to infinity.

    Args:
        x: (n,) metric values; points with a value that is not finite are left out.
        y: (n,) rates, 0..1.
        rising: the direction, usually that of Spearman's correlation.

    Raises:
        NoFitError: fewer than 8 points, fewer than 4 different values, or no convergence.
    """
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = np.asarray(x, float)[finite], np.asarray(y, float)[finite]
    if len(x) < FEWEST_FOR_CURVE:
        raise NoFitError(f"fewer than {FEWEST_FOR_CURVE} points: no logistic fit")
    if len(np.unique(x)) < _FEWEST_VALUES:
        raise NoFitError(f"fewer than {_FEWEST_VALUES} different metric values: no logistic fit")
    middle, quartiles = float(np.median(x)), np.quantile(x, [0.25, 0.75])
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(quartiles[1] - quartiles[0]) / 2 or float(np.std(x))
    direction = 1.0 if rising else -1.0
    z = direction * (x - middle) / spread
    if not np.isfinite(z).all():
        raise NoFitError("metric values too far apart: no logistic fit")
    # of z: low asymptote, proportion of the way from it to 2 that the curve rises, centre, log of the width
    bounds = ([_LOWEST, 0, z.min() - _REACH, np.log(_WIDTHS[0])], [1, 1, z.max() + _REACH, np.log(_WIDTHS[1])])

    def residuals(at: np.ndarray) -> np.ndarray:
        low, reach, centre, log_width = at
        return low + (_HIGHEST - low) * reach * expit((z - centre) * np.exp(-log_width)) - y

    def jacobian(at: np.ndarray) -> np.ndarray:
        low, reach, centre, log_width = at
        u = expit((z - centre) * np.exp(-log_width))
        slope = (_HIGHEST - low) * reach * u * (1 - u) * np.exp(-log_width)
        return np.stack([1 - reach * u, (_HIGHEST - low) * u, -slope, -slope * (z - centre)], axis=1)

    for method in ("dogbox", "trf"):  # the first ends sharply on a bound, where the second creeps
        fits = [
            least_squares(
                residuals, start, jac=jacobian, bounds=bounds, method=method, xtol=_SHARP, ftol=_SHARP, gtol=_SHARP
            )
            for start in _starts(z, y)
        ]
        converged = [fit for fit in fits if fit.status > 0 and np.isfinite(fit.cost)]
        if converged:
            break
    else:
        raise NoFitError("the logistic fit did not converge")
    best = min(converged, key=lambda fit: float(fit.cost))
    low, reach, centre, log_width = (float(value) for value in best.x)
    return LogisticCurve(
        low=low,
        high=low + (_HIGHEST - low) * reach,
        centre=middle + direction * spread * centre,
        width=direction * spread * float(np.exp(log_width)),
    )


def _starts(z: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Two starts of different width: the best of a grid of centres and widths, the asymptotes by regression."""
    best: list[tuple[float, np.ndarray]] = []
    for width in (0.15, 0.5, 1.5, 5.0):
        errors = []
        for centre in np.quantile(z, [0.02, 0.15, 0.3, 0.5, 0.7, 0.85, 0.98]):
            u = expit((z - centre) / width)
            moved = u - u.mean()
            slope = max(float(moved @ y) / max(float(moved @ moved), 1e-12), 0.0)
            low = float(np.clip(y.mean() - slope * u.mean(), _LOWEST + 0.001, 0.999))
            reach = float(np.clip(slope / (_HIGHEST - low), 0.001, 0.999))
            error = low + (_HIGHEST - low) * reach * u - y
            errors.append((float(error @ error), np.array([low, reach, centre, np.log(width)])))
        best.append(min(errors, key=lambda start: start[0]))
    return [start for _, start in sorted(best, key=lambda start: start[0])[:2]]


class BinomialCurve(NamedTuple):
    """A binomial (logistic) regression of answers on one metric, at M places; NaN where there are no errors."""

    slope_low: float
    """Ends of the slope's 95 % interval, log-odds for one standard deviation of the metric."""
    slope_high: float
    rate: np.ndarray
    """(M,) share of yes answers."""
    low: np.ndarray
    """(M,) ends of its 95 % interval."""
    high: np.ndarray

    @property
    def has_slope(self) -> bool:
        """The slope's interval leaves 0 out."""
        return bool(self.slope_low > 0 or self.slope_high < 0)


def binomial_curve(
    value: np.ndarray, yes: np.ndarray, participant: np.ndarray, point: np.ndarray, *, places: np.ndarray
) -> BinomialCurve:
    """Logistic regression of single answers, its errors clustered by participant and by picture or model.

    Student's t with one degree of freedom fewer than the smaller number of both is the reference.

    Args:
        value: (N,) finite, of the metric.
        yes: (N,) bool, the answers.
        participant: (N,) int, 0.. .
        point: (N,) int, 0.. : the picture, or the model where the value is a model's.
        places: (M,) values of the metric.

    Raises:
        NoFitError: the values are equal, or answers are foretold without error.
    """
    scale = float(np.std(value))
    if not scale > 0:
        raise NoFitError("all values of the metric are equal")
    X, at = (np.column_stack([np.ones(len(x)), (x - value.mean()) / scale]) for x in (value, places))
    beta = plain_fit(yes, X, "logit")
    terms = LINKS["logit"](X @ beta, np.asarray(yes, float))
    try:
        bread = np.linalg.inv(X.T @ (X * terms.observed[:, None]))
    except np.linalg.LinAlgError as error:
        raise NoFitError("the answers give no error of the slope") from error
    influence = (X * terms.score[:, None]) @ bread
    directions = np.vstack([[0.0, 1.0], at])
    parts = [two_way(influence @ part.T, participant, point) for part in np.array_split(directions, 8) if len(part)]
    half_width = t_critical(freedom(participant, point)) * np.sqrt(np.concatenate(parts))
    middle = at @ beta
    low, high = expit(middle - half_width[1:]), expit(middle + half_width[1:])
    return BinomialCurve(beta[1] - half_width[0], beta[1] + half_width[0], expit(middle), low, high)
