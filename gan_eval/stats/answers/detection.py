"""Signal detection with *fake* as the signal: how well people tell, and which way they lean."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri


class Detection(NamedTuple):
    """Sensitivity and bias, each an array of the counts' common shape; NaN without reals or without fakes."""

    dprime: np.ndarray
    """z(hit rate) - z(false-alarm rate); 0 is guessing."""
    criterion: np.ndarray
    """-(z(hit rate) + z(false-alarm rate)) / 2; above 0 leans to answering `real`."""


def detection(hits: ArrayLike, misses: ArrayLike, false_alarms: ArrayLike, correct_rejections: ArrayLike) -> Detection:
    """d′ and criterion with the log-linear correction: (count + 0.5) / (trials + 1) for both rates, always.

    The correction keeps both finite at rates of 0 and 1 and shrinks them slightly elsewhere (Hautus 1995,
    Behavior Research Methods, Instruments, & Computers 27, 46-51).

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
