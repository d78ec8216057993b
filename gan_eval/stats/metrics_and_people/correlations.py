"""Which of two metrics follows people better? Tests of dependent rank correlations that share the people's side."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.groups import joined
from gan_eval.stats.metrics_and_people.ceiling import spearman
from gan_eval.stats.metrics_and_people.correlations_ import FEWEST_FOR_INFERENCE, why_none
from gan_eval.stats.metrics_and_people.points import MEASURE, Cloud, Drawn, Wanted, clouds, drawn, wanted
from gan_eval.stats.resampling import percentile_interval
from gan_eval.stats.shares import holm
from gan_eval.tables import CORRELATION_DIFFERENCES
from gan_eval.tabular import conform

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
