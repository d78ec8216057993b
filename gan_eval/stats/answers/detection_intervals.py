"""Signal detection with 95 % intervals, for many groups at once: fake is the signal."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.stats.clustering import Answers, Covariance, t95
from gan_eval.stats.shares import Z95, share, wilson

_SQRT_2PI = float(np.sqrt(2 * np.pi))


class GroupEstimate(NamedTuple):
    """A number of each group with the ends of its 95 % interval, each (G,), NaN where there is none."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class CrossedRates(NamedTuple):
    """What several participants and stimuli behind each group say of the rates' variance."""

    covariances: tuple[Covariance, ...]
    """Candidates; the largest variance counts."""
    freedom_hit: np.ndarray
    """(G,) degrees of freedom behind the hit rate; below 1: there is no interval."""
    freedom_false_alarm: np.ndarray
    """(G,)"""


def estimates(answers: Answers, *, effective: Answers, crossed: CrossedRates | None) -> Mapping[str, GroupEstimate]:
    """Rates, balanced accuracy, d′, criterion, β and area, by their names in the table `detection`.

    Answers taken as independent: Wilson's interval for rates; the mean of two rates by the hybrid of theirs (Newcombe
    1998, Statistics in Medicine 17, 873-890); d′ and criterion with the variances of Gourevitch & Galanter (1967,
    Psychometrika 32, 25-33), of log-linear rates; ln β by the delta method to second order, so that it does not
    collapse where both rates are near 1/2; the area from d′. With `crossed` the delta method with its variances and
    Student's t, rates on the logit scale; an interval then also covers the one of independent answers.

    Args:
        answers: (G,) counts.
        effective: counts for the intervals of independent answers, of the same rates; mostly `answers` itself.
        crossed: variances; None: answers are independent.
    """
    z_hit, z_false_alarm = ndtri(answers.hit_rate()), ndtri(answers.false_alarm_rate())
    slope_hit, slope_false_alarm = (_SQRT_2PI * np.exp(z * z / 2) for z in (z_hit, z_false_alarm))
    hit = _rate(answers.hits, answers.n_fake, effective.hits, effective.n_fake)
    false_alarm = _rate(answers.false_alarms, answers.n_real, effective.false_alarms, effective.n_real)
    balanced = _balanced(hit, false_alarm)
    independent = _binomial(answers, effective)
    gradients = {
        "dprime": (z_hit - z_false_alarm, slope_hit, -slope_false_alarm),
        "criterion": (-(z_hit + z_false_alarm) / 2 + 0.0, -slope_hit / 2, -slope_false_alarm / 2),
        "beta": ((z_false_alarm**2 - z_hit**2) / 2, -z_hit * slope_hit, z_false_alarm * slope_false_alarm),
    }
    known = (answers.n_fake > 0) & (answers.n_real > 0)
    curved = {"beta": (slope_hit, slope_false_alarm)}
    found = {}
    for name, (value, a, b) in gradients.items():
        bend = curved.get(name)
        estimate = _around(value, Z95 * np.sqrt(_variance(independent, a, b, bend)))
        if crossed is not None:
            variance = np.max([_variance(each, a, b, bend) for each in crossed.covariances], axis=0)
            both = np.minimum(crossed.freedom_hit, crossed.freedom_false_alarm)
            estimate = _covering(estimate, _around(value, t95(both) * np.sqrt(variance)))
        found[name] = GroupEstimate(*(np.where(known, part, np.nan) for part in estimate))
    if crossed is not None:
        hit = _covering(hit, _logit_rate(answers.hit_rate(), _hit_variance(crossed), crossed.freedom_hit))
        variance = np.max([each.false_alarm for each in crossed.covariances], axis=0)
        false_alarm = _covering(
            false_alarm, _logit_rate(answers.false_alarm_rate(), variance, crossed.freedom_false_alarm)
        )
        balanced = _covering(balanced, _logit_balanced(answers, crossed))
    dprime = found["dprime"]
    return {
        "hit_rate": hit,
        "false_alarm_rate": false_alarm,
        "fooling_rate": GroupEstimate(1 - hit.value, 1 - hit.high, 1 - hit.low),
        "balanced_accuracy": balanced,
        "dprime": dprime,
        "criterion": found["criterion"],
        "beta": GroupEstimate(*(np.exp(part) for part in found["beta"])),
        "auc": GroupEstimate(*(ndtr(part / np.sqrt(2)) for part in dprime)),
    }


def _rate(k: np.ndarray, n: np.ndarray, effective_k: np.ndarray, effective_n: np.ndarray) -> GroupEstimate:
    return GroupEstimate(share(k, n), *wilson(effective_k, effective_n))


def _balanced(hit: GroupEstimate, false_alarm: GroupEstimate) -> GroupEstimate:
    """(hit rate + 1 - false-alarm rate) / 2: squares of the two rates' distances to their ends, added."""
    value = (hit.value + 1 - false_alarm.value) / 2
    down = np.hypot(hit.value - hit.low, false_alarm.high - false_alarm.value) / 2
    up = np.hypot(hit.high - hit.value, false_alarm.value - false_alarm.low) / 2
    return GroupEstimate(value, np.maximum(value - down, 0.0), np.minimum(value + up, 1.0))


def _binomial(answers: Answers, effective: Answers) -> Covariance:
    """Of independent answers."""
    hit, false_alarm = answers.hit_rate(), answers.false_alarm_rate()
    with np.errstate(divide="ignore", invalid="ignore"):
        of_hit, of_false_alarm = hit * (1 - hit) / effective.n_fake, false_alarm * (1 - false_alarm) / effective.n_real
    return Covariance(of_hit, np.zeros_like(of_hit), of_false_alarm)


def _variance(
    covariance: Covariance, a: np.ndarray, b: np.ndarray, bend: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """Delta method; `bend`, the slopes of both z, adds the second order of (z_b² - z_a²) / 2."""
    variance = covariance.of(a, b)
    if bend is not None:
        hit, false_alarm = covariance.hit * bend[0] ** 2, covariance.false_alarm * bend[1] ** 2
        variance = variance + (hit**2 + false_alarm**2) / 2 - (covariance.both * bend[0] * bend[1]) ** 2
    return np.maximum(variance, 0.0)


def _hit_variance(crossed: CrossedRates) -> np.ndarray:
    return np.asarray(np.max([each.hit for each in crossed.covariances], axis=0))


def _logit_rate(rate: np.ndarray, variance: np.ndarray, freedom: np.ndarray) -> GroupEstimate:
    half = t95(freedom) * np.sqrt(np.maximum(variance, 0.0)) / (rate * (1 - rate))
    return GroupEstimate(*(expit(part) for part in _around(logit(rate), half)))


def _logit_balanced(answers: Answers, crossed: CrossedRates) -> GroupEstimate:
    middle = (answers.hit_rate() + 1 - answers.false_alarm_rate()) / 2
    variance = np.max([each.of(0.5, -0.5) for each in crossed.covariances], axis=0)
    return _logit_rate(middle, variance, np.minimum(crossed.freedom_hit, crossed.freedom_false_alarm))


def _around(value: np.ndarray, half: np.ndarray) -> GroupEstimate:
    return GroupEstimate(value, value - half, value + half)


def _covering(narrow: GroupEstimate, wide: GroupEstimate) -> GroupEstimate:
    """The first's value with the interval that covers both; none where either has none."""
    return GroupEstimate(narrow.value, np.minimum(narrow.low, wide.low), np.maximum(narrow.high, wide.high))
