"""Which of two metrics follows people better? Tests of dependent rank correlations that share the people's side.

Which metric agrees with people? Correlations of metric values with fooling rates, per picture and per model.

Correlations of metrics with people and their differences from the same points and the same replicates.
"""

from collections.abc import Iterable
from itertools import combinations, permutations

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr

from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.groups import joined
from gan_eval.stats.metrics_and_people.ceiling import FEWEST, NoCeilingError, ceiling, spearman
from gan_eval.stats.metrics_and_people.curve import NoCurveError, fit_logistic
from gan_eval.stats.metrics_and_people.points import MEASURE, Cloud, Drawn, Wanted, clouds, drawn, wanted
from gan_eval.stats.resampling import percentile_interval
from gan_eval.stats.shares import holm
from gan_eval.tables import CORRELATION_DIFFERENCES, CORRELATIONS
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
        rows.append(_correlation_row(cloud, metric, pairing.use, replicates[metric, same], ceilings[same]))
    return rows


def _ceiling(cloud: Cloud, use: np.ndarray) -> float | str:
    """The ceiling, or why there is none."""
    try:
        return ceiling(cloud.counts, seed=(*cloud.seed, _SPLITS_STREAM), point=cloud.point, use=use)
    except NoCeilingError as reason:
        return str(reason)


def _correlation_row(
    cloud: Cloud, metric: str, use: np.ndarray, replicates: np.ndarray, highest: float | str
) -> dict[str, object]:
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
        notes += _correlation_inference(row, value, rate, replicates, estimate, float(rank.pvalue))
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


def _correlation_inference(
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


FEWEST_FOR_TEST = 10
"""Fewer points get no test: it rests on large numbers."""
SPEARMAN_VARIANCE = 1.06
"""Variance of Fisher's z of Spearman's correlation, in units of Pearson's (Fieller, Hartley & Pearson 1957)."""

DISAGREE = "test and interval disagree: the test takes the points as independent, the interval draws people anew too"


def correlation_differences(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The table `correlation_differences`: every two metrics of a level and data set.

    A metric of which less is better agrees negatively, so strengths |Spearman| are compared, over the points that have
    both metrics. In the replicates of the two-way bootstrap, the same for both, each metric keeps the sign that it has
    over all the data: a replicate that turns it round counts as negative agreement. The test is `dependent_z`, for
    Spearman's correlations, and takes the points as independent; Holm's correction is over the pairs of a level and
    data set. A metric follows better where the corrected test and the interval both say so.

    Args:
        trials: the table `trials`.
        image_metrics: the table `image_metrics`.
        set_metrics: the table `set_metrics`.
        seed: of the bootstrap: that of `correlations` gives the same replicates.
    """
    found = clouds(trials, image_metrics=image_metrics, set_metrics=set_metrics, seed=seed)
    several = (cloud for cloud in found if len(cloud.metrics) > 1)
    return difference_table([difference_frame(cloud, drawn(cloud, in_pairs(cloud))) for cloud in several])


def difference_table(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The frames of levels and data sets as the table `correlation_differences`."""
    table = pd.concat(frames) if frames else pd.DataFrame(columns=list(CORRELATION_DIFFERENCES.names))
    return conform(table, CORRELATION_DIFFERENCES, where="correlation_differences")


def in_pairs(cloud: Cloud) -> Wanted:
    """Each metric over the points that it shares with each other one."""
    pairs = _pairs(cloud)
    return wanted(each for a, b in pairs for each in zip((a, b), cloud.pairing(a, b), strict=True))


def dependent_z(r_a: float, r_b: float, r_ab: float, n: int, *, variance: float = 1.0) -> float:
    """z for the difference of two correlations that share a variable.

    Dunn and Clark's z (1969, JASA 64, 366-377) with the covariance at the mean of the two correlations, as Steiger
    proposes (1980, Psychological Bulletin 87, 245-251, eq. 3, 11 and 14).

    Args:
        r_a: correlation of the shared variable with a.
        r_b: with b.
        r_ab: of a with b.
        n: points, more than 3.
        variance: of Fisher's z, times n - 3: 1 for Pearson's correlations, 1.06 for Spearman's.

    Returns:
        z, standard normal where the two are equal; NaN where a correlation is ±1 or a and b are as good as the same.

    >>> round(dependent_z(0.2493, 0.3395, 0.4082, 553), 3)
    -2.066
    """
    mean = (r_a + r_b) / 2
    psi = r_ab * (1 - 2 * mean**2) - mean**2 * (1 - 2 * mean**2 - r_ab**2) / 2
    if max(abs(r_a), abs(r_b)) >= 1 or abs(mean) >= 1:
        return np.nan
    together = psi / (1 - mean**2) ** 2
    if 1 - together < 1e-9:
        return np.nan
    return float((np.arctanh(r_a) - np.arctanh(r_b)) * np.sqrt((n - 3) / (2 * variance * (1 - together))))


def _pairs(cloud: Cloud) -> list[tuple[str, str]]:
    return list(combinations(sorted(cloud.metrics), 2))


def difference_frame(cloud: Cloud, replicates: Drawn) -> pd.DataFrame:
    """The rows of one level and data set; `replicates` hold at least those of `in_pairs`."""
    pairings = in_pairs(cloud)
    shared = {(a, b): cloud.pairing(a, b)[0].use.tobytes() for a, b in _pairs(cloud)}
    sides = [((a, use), (b, use)) for (a, b), use in shared.items()]
    signed = {key: spearman(np.where(one.use, one.value, np.nan), cloud.rate) for key, one in pairings.items()}
    rows = [
        _row(cloud, pairings[a].use, (a[0], b[0]), (signed[a], signed[b]), (replicates[a], replicates[b]))
        for a, b in sides
    ]
    table = pd.DataFrame(rows, columns=list(CORRELATION_DIFFERENCES.names))
    table["p_holm"] = holm(table["p"].astype("float64"))
    leader = np.where(table["difference"].astype("float64") > 0, table["metric_a"], table["metric_b"])
    low, high, p = (table[name].to_numpy("float64") for name in ("ci_low", "ci_high", "p"))
    apart = (low > 0) | (high < 0)
    sure = apart & (table["p_holm"] < ALPHA).to_numpy(bool)
    table["follows_better"] = pd.Series(leader, dtype="object").where(sure, None)
    differ = np.isfinite(p) & np.isfinite(low) & ((p < ALPHA) != apart)
    table["note"] = [joined(note, DISAGREE if odd else "") for note, odd in zip(table["note"], differ, strict=True)]
    return table


def _row(
    cloud: Cloud,
    use: np.ndarray,
    names: tuple[str, str],
    signed: tuple[float, float],
    replicates: tuple[np.ndarray, np.ndarray],
) -> dict[str, object]:
    values, rate, n = [cloud.metrics[name][use] for name in names], cloud.rate[use], int(use.sum())
    row: dict[str, object] = {
        "level": cloud.level,
        "dataset": cloud.dataset,
        "metric_a": names[0],
        "metric_b": names[1],
        "measure": MEASURE,
        "n": n,
        "simulated": cloud.carried["simulated"],
        "fraction": cloud.carried["fraction"],
    }
    reasons = [why_none(cloud.level, value, rate) for value in values]
    notes = [cloud.carried["note"], *(_left_out(cloud, name) for name in names), *reasons]
    row |= {
        f"agreement_{side}": abs(rank)
        for side, rank, reason in zip("ab", signed, reasons, strict=True)
        if reason is None
    }
    if reasons == [None, None]:
        row["difference"] = abs(signed[0]) - abs(signed[1])
        notes += _inference(row, values, signed, replicates, n)
        if len(cloud.counts.people) == 1:
            notes.append("one participant: interval over stimuli only")
    row["note"] = joined(*notes)
    return row


def _left_out(cloud: Cloud, metric: str) -> str | None:
    return f"{metric}: {cloud.left_out[metric]}" if metric in cloud.left_out else None


def _inference(
    row: dict[str, object],
    values: list[np.ndarray],
    signed: tuple[float, float],
    replicates: tuple[np.ndarray, np.ndarray],
    n: int,
) -> list[str]:
    """Fill in interval and test; return what is to be said of them."""
    if n < FEWEST_FOR_INFERENCE:
        return [f"fewer than {FEWEST_FOR_INFERENCE} points: no interval and no test"]
    signs = [-1.0 if rank < 0 else 1.0 for rank in signed]
    difference = abs(signed[0]) - abs(signed[1])
    oriented = signs[0] * replicates[0] - signs[1] * replicates[1]
    row["ci_low"], row["ci_high"] = percentile_interval(oriented, difference)
    if n < FEWEST_FOR_TEST:
        return [f"fewer than {FEWEST_FOR_TEST} points: no test"]
    between = signs[0] * signs[1] * spearman(values[0], values[1])
    z = dependent_z(abs(signed[0]), abs(signed[1]), between, n, variance=SPEARMAN_VARIANCE)
    if np.isnan(z):
        same = between > 1 - 1e-9
        return ["the two metrics rank all points alike: no test" if same else "a correlation of 1: no test"]
    row |= {"z": z, "p": float(2 * ndtr(-abs(z)))}
    return []


def correlations_and_differences(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `correlations` and `correlation_differences`, as their own functions give them, at once.

    Args:
        trials: the table `trials`.
        image_metrics: the table `image_metrics`.
        set_metrics: the table `set_metrics`.
        seed: of the bootstrap.
    """
    rows, frames = [], []
    for cloud in clouds(trials, image_metrics=image_metrics, set_metrics=set_metrics, seed=seed):
        replicates = drawn(cloud, alone(cloud) | in_pairs(cloud))
        rows += correlation_rows(cloud, replicates)
        if len(cloud.metrics) > 1:
            frames.append(difference_frame(cloud, replicates))
    return correlation_table(rows), difference_table(frames)
