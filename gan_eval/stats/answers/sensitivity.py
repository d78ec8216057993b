"""Rates and d′ with 95 % intervals from counts of many groups; *fake* is the signal."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.stats.clustering import t_critical
from gan_eval.stats.shares import Z95, proportion, wilson


class Detection(NamedTuple):
    """Sensitivity and bias, each an array of the counts' common shape; NaN without reals or without fakes."""

    dprime: np.ndarray
    """z(hit rate) - z(false-alarm rate)."""
    criterion: np.ndarray
    """-(z(hit rate) + z(false-alarm rate)) / 2; above 0: bias to `real`."""


def detection(hits: ArrayLike, misses: ArrayLike, false_alarms: ArrayLike, correct_rejections: ArrayLike) -> Detection:
    """Compute d′ and criterion with the log-linear correction: (count + 0.5) / (trials + 1) for both rates, always.

    The correction keeps both finite at rates of 0 and 1 (Hautus 1995, Behavior Research Methods, Instruments, &
    Computers 27, 46-51).

    >>> found = detection(15, 10, 7, 18)
    >>> round(float(found.dprime), 6), round(float(found.criterion), 6)
    (0.801289, 0.15724)
    """
    hits, false_alarms = np.asarray(hits, float), np.asarray(false_alarms, float)
    n_fake = hits + np.asarray(misses, float)
    n_real = false_alarms + np.asarray(correct_rejections, float)
    z_hit = ndtri((hits + 0.5) / (n_fake + 1))
    z_false_alarm = ndtri((false_alarms + 0.5) / (n_real + 1))
    known = (n_fake > 0) & (n_real > 0)
    return Detection(
        np.where(known, z_hit - z_false_alarm, np.nan),
        np.where(known, -(z_hit + z_false_alarm) / 2 + 0.0, np.nan),  # + 0.0 turns -0.0 into 0.0
    )


def probit_slope(z: np.ndarray) -> np.ndarray:
    """Compute dz/dp where p = Φ(z)."""
    return np.sqrt(2 * np.pi) * np.exp(z * z / 2)


class Answers(NamedTuple):
    """Judgements of reals and of fakes, one number for each group."""

    hits: np.ndarray
    """Fakes called fake."""
    n_fake: np.ndarray
    false_alarms: np.ndarray
    """Reals called fake."""
    n_real: np.ndarray

    def hit_rate(self) -> np.ndarray:
        """Rate with the log-linear correction, above 0 and below 1."""
        return (self.hits + 0.5) / (self.n_fake + 1.0)

    def false_alarm_rate(self) -> np.ndarray:
        """Rate with the log-linear correction."""
        return (self.false_alarms + 0.5) / (self.n_real + 1.0)


class Covariance(NamedTuple):
    """Covariance of hit rate and false-alarm rate, each (G,); NaN where a rate rests on a single cluster."""

    hit: np.ndarray
    both: np.ndarray
    false_alarm: np.ndarray

    def of(self, a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
        """The variance of a hit rate + b false-alarm rate."""
        with np.errstate(invalid="ignore"):  # of rates that have no variance
            return np.asarray(a * a * self.hit + 2 * a * b * self.both + b * b * self.false_alarm)


class GroupEstimate(NamedTuple):
    """A number of each group with the ends of its 95 % interval, each (G,), NaN where there is none."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def symmetric(cls, value: np.ndarray, half_width: np.ndarray) -> "GroupEstimate":
        """Return the estimate whose interval goes as far down as up."""
        return cls(value, value - half_width, value + half_width)

    def covering(self, other: "GroupEstimate") -> "GroupEstimate":
        """Return the same value with the interval that covers both intervals; NaN where either has none."""
        return GroupEstimate(self.value, np.minimum(self.low, other.low), np.maximum(self.high, other.high))


class CrossedRates(NamedTuple):
    """Variances of the rates of groups with several participants and stimuli."""

    covariances: tuple[Covariance, ...]
    """Candidates; the largest variance counts."""
    freedom_hit: np.ndarray
    """(G,) degrees of freedom of the hit rate; below 1: no interval."""
    freedom_false_alarm: np.ndarray
    """(G,)"""

    def freedom(self) -> np.ndarray:
        """(G,) degrees of freedom of both together."""
        return np.minimum(self.freedom_hit, self.freedom_false_alarm)


def rate_estimates(
    answers: Answers, effective: Answers | None = None, crossed: CrossedRates | None = None
) -> dict[str, GroupEstimate]:
    """Estimate hit rate, false-alarm rate, fooling rate and balanced accuracy, by their names in the table `detection`.

    Answers taken as independent: Wilson's interval for rates; the mean of two rates by the hybrid of theirs (Newcombe
    1998, Statistics in Medicine 17, 873-890). With `crossed` Student's t on the logit scale, and the interval also
    covers the one of independent answers.

    Args:
        answers: (G,) counts.
        effective: counts for the intervals of independent answers, of the same rates; None: `answers`.
        crossed: variances; None: answers are independent.
    """
    own = effective or answers
    hit = GroupEstimate(proportion(answers.hits, answers.n_fake), *wilson(own.hits, own.n_fake))
    false_alarm = GroupEstimate(proportion(answers.false_alarms, answers.n_real), *wilson(own.false_alarms, own.n_real))
    value = (hit.value + 1 - false_alarm.value) / 2
    down = np.hypot(hit.value - hit.low, false_alarm.high - false_alarm.value) / 2
    up = np.hypot(hit.high - hit.value, false_alarm.value - false_alarm.low) / 2
    balanced = GroupEstimate(value, np.maximum(value - down, 0.0), np.minimum(value + up, 1.0))
    if crossed is not None:
        of_hit = np.max([covariance.hit for covariance in crossed.covariances], axis=0)
        of_false_alarm = np.max([covariance.false_alarm for covariance in crossed.covariances], axis=0)
        of_mean = np.max([covariance.of(0.5, -0.5) for covariance in crossed.covariances], axis=0)
        hit_rate, false_alarm_rate = answers.hit_rate(), answers.false_alarm_rate()
        middle = (hit_rate + 1 - false_alarm_rate) / 2
        hit = hit.covering(_on_logit_scale(hit_rate, of_hit, crossed.freedom_hit))
        false_alarm = false_alarm.covering(
            _on_logit_scale(false_alarm_rate, of_false_alarm, crossed.freedom_false_alarm)
        )
        balanced = balanced.covering(_on_logit_scale(middle, of_mean, crossed.freedom()))
    return {
        "hit_rate": hit,
        "false_alarm_rate": false_alarm,
        "fooling_rate": GroupEstimate(1 - hit.value, 1 - hit.high, 1 - hit.low),
        "balanced_accuracy": balanced,
    }


def sensitivity_estimates(
    answers: Answers, effective: Answers | None = None, crossed: CrossedRates | None = None
) -> dict[str, GroupEstimate]:
    """Estimate d′, criterion, β and area, by their names in the table `detection`; NaN without reals or without fakes.

    Answers taken as independent: d′ and criterion with the variances of Gourevitch & Galanter (1967, Psychometrika 32,
    25-33), of log-linear rates; ln β by the delta method to second order, because the first order is 0 where both rates
    are 1/2; the area from d′. With `crossed` the delta method with its variances and Student's t, and the interval also
    covers the one of independent answers. The arguments are those of `rate_estimates`.
    """
    own = effective or answers
    hit, false_alarm = answers.hit_rate(), answers.false_alarm_rate()
    with np.errstate(divide="ignore", invalid="ignore"):
        of_hit, of_false_alarm = hit * (1 - hit) / own.n_fake, false_alarm * (1 - false_alarm) / own.n_real
    independent = Covariance(of_hit, np.zeros_like(of_hit), of_false_alarm)
    z_hit, z_false_alarm = ndtri(hit), ndtri(false_alarm)
    slopes = slope_hit, slope_false_alarm = probit_slope(z_hit), probit_slope(z_false_alarm)
    values = {
        "dprime": (z_hit - z_false_alarm, slope_hit, -slope_false_alarm),
        "criterion": (-(z_hit + z_false_alarm) / 2 + 0.0, -slope_hit / 2, -slope_false_alarm / 2),
        "beta": ((z_false_alarm**2 - z_hit**2) / 2, -z_hit * slope_hit, z_false_alarm * slope_false_alarm),
    }
    known = (answers.n_fake > 0) & (answers.n_real > 0)
    estimates = {}
    for name, (value, a, b) in values.items():
        curved = slopes if name == "beta" else None
        estimate = GroupEstimate.symmetric(value, Z95 * np.sqrt(_delta_variance(independent, a, b, curved)))
        if crossed is not None:
            variances = [_delta_variance(covariance, a, b, curved) for covariance in crossed.covariances]
            half_width = t_critical(crossed.freedom()) * np.sqrt(np.max(variances, axis=0))
            estimate = estimate.covering(GroupEstimate.symmetric(value, half_width))
        estimates[name] = GroupEstimate(*(np.where(known, part, np.nan) for part in estimate))
    return {
        "dprime": estimates["dprime"],
        "criterion": estimates["criterion"],
        "beta": GroupEstimate(*(np.exp(part) for part in estimates["beta"])),
        "auc": GroupEstimate(*(ndtr(part / np.sqrt(2)) for part in estimates["dprime"])),
    }


def _delta_variance(
    covariance: Covariance, a: np.ndarray, b: np.ndarray, slopes: tuple[np.ndarray, ...] | None
) -> np.ndarray:
    """Delta method; `slopes`, those of both z, add the second order of (z_b² - z_a²) / 2."""
    variance = covariance.of(a, b)
    if slopes is not None:
        hit, false_alarm = covariance.hit * slopes[0] ** 2, covariance.false_alarm * slopes[1] ** 2
        variance = variance + (hit**2 + false_alarm**2) / 2 - (covariance.both * slopes[0] * slopes[1]) ** 2
    return np.maximum(variance, 0.0)


def _on_logit_scale(rate: np.ndarray, variance: np.ndarray, freedom: np.ndarray) -> GroupEstimate:
    """A rate within 0..1 with an interval that is symmetric on the logit scale."""
    half_width = t_critical(freedom) * np.sqrt(np.maximum(variance, 0.0)) / (rate * (1 - rate))
    return GroupEstimate(*(expit(part) for part in GroupEstimate.symmetric(logit(rate), half_width)))
