"""Which metric agrees with people? Correlations of metric values with fooling rates, per picture and per model."""

from collections.abc import Iterable
from itertools import permutations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr

from gan_eval.stats.groups import joined
from gan_eval.stats.metrics_and_people.ceiling import FEWEST, spearman
from gan_eval.stats.metrics_and_people.ceiling_ import NoCeilingError, ceiling
from gan_eval.stats.metrics_and_people.curve import NoCurveError, fit_logistic
from gan_eval.stats.metrics_and_people.points import MEASURE, Cloud, Drawn, Wanted, clouds, drawn, wanted
from gan_eval.stats.resampling import percentile_interval
from gan_eval.tables import CORRELATIONS
from gan_eval.tabular import conform

FEWEST_FOR_INFERENCE = 5
"""Fewer points get neither an interval nor a p."""
MOST_FOR_EXACT = 9
"""Up to so many points p is exact: 9! = 362880 pairings."""
ABOVE_CEILING = "above the ceiling: the metric shares the answers' noise, or chance"
WIDENED = "an end of the interval is the estimate itself: drawing anew pulls the correlation towards 0"
_ROUNDING = 1e-9
_LARGE = 1e150
"""Squares of greater numbers are infinite; a correlation does not depend on the unit."""
_SPLITS_STREAM = 7
"""Keeps the random splits of the ceiling apart from the bootstrap of the same seed."""


def correlations(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The table `correlations`: metric against the share of fakes called real.

    Level `stimulus`: over the fakes of a data set, all its models together. Level `model`: over the models of a data
    set, with the mean of a metric of pictures or the value of a metric of sets; and, where there are several data
    sets, over all models of all data sets (`dataset` empty). Infinite values have a rank among pictures, but are in no
    model's mean and in no Pearson's correlation, as the note then tells. Intervals are percentiles of the two-way
    bootstrap over participants and stimuli. p is exact over all pairings up to 9 points, from Student's t
    approximation above that.
    `pearson_logistic` is Pearson's correlation of the rates with a monotonic logistic curve of the metric fitted to
    them (`logistic_fit`), so 0 or more whatever the direction; `ceiling` the rank correlation that a
    metric knowing the true rates would reach (`ceiling`).

    Args:
        trials: the table `trials`.
        image_metrics: the table `image_metrics`.
        set_metrics: the table `set_metrics`.
        seed: of the bootstrap and of the ceiling's random splits.
    """
    found = clouds(trials, image_metrics=image_metrics, set_metrics=set_metrics, seed=seed)
    return correlation_table(row for cloud in found for row in correlation_rows(cloud, drawn(cloud, alone(cloud))))


def correlation_table(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """The rows as the table `correlations`."""
    frame = pd.DataFrame(list(rows), columns=list(CORRELATIONS.names))
    return conform(frame, CORRELATIONS, where="correlations")


def alone(cloud: Cloud) -> Wanted:
    """Each metric over the points that have it."""
    return wanted((metric, cloud.pairing(metric)[0]) for metric in cloud.metrics)


def correlation_rows(cloud: Cloud, replicates: Drawn) -> list[dict[str, object]]:
    """The rows of one level and data set; `replicates` hold at least those of `alone`."""
    ceilings: dict[bytes, float | str] = {}
    rows = []
    for (metric, same), pairing in alone(cloud).items():
        if same not in ceilings:
            ceilings[same] = _ceiling(cloud, pairing.use)
        rows.append(_row(cloud, metric, pairing.use, replicates[metric, same], ceilings[same]))
    return rows


def _ceiling(cloud: Cloud, use: np.ndarray) -> float | str:
    """The ceiling, or why there is none."""
    try:
        return ceiling(cloud.counts, seed=(*cloud.seed, _SPLITS_STREAM), point=cloud.point, use=use)
    except NoCeilingError as reason:
        return str(reason)


def _row(cloud: Cloud, metric: str, use: np.ndarray, replicates: np.ndarray, highest: float | str) -> dict[str, object]:
    value, rate = cloud.metrics[metric][use], cloud.rate[use]
    row: dict[str, object] = {
        "level": cloud.level,
        "dataset": cloud.dataset,
        "metric": metric,
        "measure": MEASURE,
        "n": len(value),
        "simulated": cloud.carried["simulated"],
        "fraction": cloud.carried["fraction"],
    }
    notes = [cloud.carried["note"], cloud.left_out.get(metric)]
    if (reason := why_none(cloud.level, value, rate)) is not None:
        notes.append(reason)
    else:
        rank = spearmanr(value, rate)
        estimate = float(rank.statistic)
        row |= {"spearman": estimate, "kendall": float(kendalltau(value, rate).statistic)}
        notes += _linear(row, value, rate)
        notes += _inference(row, value, rate, replicates, estimate, float(rank.pvalue))
        if len(cloud.counts.people) == 1:
            notes.append("one participant: interval over stimuli only")
        if isinstance(highest, str):
            notes.append(highest)
        else:
            row["ceiling"] = highest
            if abs(estimate) > highest + _ROUNDING:
                notes.append(ABOVE_CEILING)
    row["note"] = joined(*notes)
    return row


def why_none(level: str, value: np.ndarray, rate: np.ndarray) -> str | None:
    """Why these metric values and rates (n,) have no correlation; None where they have."""
    if len(value) < FEWEST:
        return f"fewer than {FEWEST} {'stimuli' if level == 'stimulus' else 'models'}: no correlation"
    if len(np.unique(value)) < 2:
        return "all metric values are equal: no correlation"
    if len(np.unique(rate)) < 2:
        return "all fooling rates are equal: no correlation"
    return None


def _linear(row: dict[str, object], value: np.ndarray, rate: np.ndarray) -> list[str]:
    """Fill in Pearson's correlations, which need finite values; return what is to be said of them."""
    notes: list[str] = []
    finite = np.isfinite(value)
    if not finite.all():
        left_out = int((~finite).sum())
        notes.append(f"{left_out} infinite value{' is' if left_out == 1 else 's are'} left out of pearson")
    value, rate = value[finite], rate[finite]
    if len(value) < FEWEST or len(np.unique(value)) < 2 or len(np.unique(rate)) < 2:
        return notes
    value = value / max(1.0, float(np.abs(value).max()) / _LARGE)
    row["pearson"] = float(pearsonr(value, rate).statistic)
    try:
        mapped = fit_logistic(value, rate, rising=spearman(value, rate) >= 0)(value)
    except NoCurveError as reason:
        return [*notes, str(reason)]
    if np.ptp(mapped) < 1e-6:
        return [*notes, "the logistic fit is flat: no pearson_logistic"]
    row["pearson_logistic"] = float(pearsonr(mapped, rate).statistic)
    return notes


def _inference(
    row: dict[str, object], value: np.ndarray, rate: np.ndarray, replicates: np.ndarray, estimate: float, p: float
) -> list[str]:
    """Fill in interval and p; return what is to be said of them."""
    if len(value) < FEWEST_FOR_INFERENCE:
        return [f"fewer than {FEWEST_FOR_INFERENCE} points: no interval and no p"]
    exact = len(value) <= MOST_FOR_EXACT
    row["p"] = _exact_p(value, rate) if exact else p
    row["ci_low"], row["ci_high"] = percentile_interval(replicates, estimate)
    notes = [f"p exact over all pairings of {len(value)} points"] if exact else []
    drawn_low, drawn_high = percentile_interval(replicates)
    if estimate < drawn_low - _ROUNDING or estimate > drawn_high + _ROUNDING:
        notes.append(WIDENED)
    return notes


def _exact_p(x: np.ndarray, y: np.ndarray) -> float:
    """Two-sided permutation p of Spearman's correlation of x and y (n,): the share of all n! pairings as far from 0."""
    x, y = (rankdata(values) - (len(values) + 1) / 2 for values in (x, y))
    pairings = np.array(list(permutations(range(len(x)))), np.intp)
    products = np.abs(y[pairings] @ x)
    return float((products >= abs(x @ y) - 1e-9).mean())
