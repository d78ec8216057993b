"""Correlations of metric values with fooling rates or mean grades, by picture and by model, and their differences."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from gan_eval.base.inference import REPLICATES, Z95, bootstrap_interval, holm, inner_rank
from gan_eval.stats.groups import joined, one_participant
from gan_eval.stats.metrics_and_people.ceiling import (
    MIN_POINTS,
    Pairing,
    ceiling,
    effective_points,
    rank_correlations,
    rank_deviations,
    spearman,
)
from gan_eval.stats.metrics_and_people.points import GRADE, PointSet, point_sets
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.recruitment import ALPHA
from gan_eval.tables.frames import Row, conform
from gan_eval.tables.schema import (
    CORRELATION,
    DATASET,
    NOTED,
    PROVENANCE,
    SHARE,
    Table,
    integer,
    interval_columns,
    number,
    text,
)

INTERVAL = "95% interval, normal, by the spread of a two-way bootstrap over participants and items"
OF_MODELS = "over models: these are the sample, by Fisher's z"
CORRELATIONS = Table(
    "correlations",
    "Agreement of a metric with people.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        DATASET,
        text("metric", "name of the metric", filled=True),
        text("measure", "fooling_rate: share of answers `real`; mean_grade: of graded pictures", filled=True),
        integer("n", "stimuli or models", filled=True),
        number(
            "spearman",
            "rank correlation; of several models' pictures pooled, so differences between models count",
            unit=CORRELATION,
        ),
        *interval_columns("ci", f"its {INTERVAL}; {OF_MODELS} (Bonett & Wright 2000)"),
        number("kendall", "tau-b", unit=CORRELATION),
        number("pearson", "linear correlation", unit=CORRELATION),
        number("p", "two-sided test of spearman against 0", unit=SHARE),
        number("ceiling", "of spearman: that of a metric which knows the true scores (Spearman, Brown)", unit=SHARE),
        number(
            "p_holm",
            "p after Holm's correction over metrics, measures, levels and data sets",
            unit=SHARE,
            optional=True,
        ),
        number(
            "within",
            "spearman with each picture ranked among its own model's; empty over models",
            unit=CORRELATION,
            optional=True,
        ),
        *interval_columns("within", f"its {INTERVAL}", optional=True),
        number(
            "within_p",
            "test of within against 0; alike pictures of an item are not unrelated",
            unit=SHARE,
            optional=True,
        ),
        number(
            "within_p_holm", "within_p after Holm's correction, together with p over models", unit=SHARE, optional=True
        ),
        number("within_ceiling", "ceiling of within", unit=SHARE, optional=True),
        *NOTED,
    ),
    key=("level", "dataset", "metric", "measure"),
)

CORRELATION_DIFFERENCES = Table(
    "correlation_differences",
    "Which of two metrics follows people better? Their rank correlations with people are dependent.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        DATASET,
        text("metric_a", "first metric", filled=True),
        text("metric_b", "second metric", filled=True),
        text("measure", "fooling_rate: share of answers `real`; mean_grade: of graded pictures", filled=True),
        integer("n", "points that have both", filled=True),
        number(
            "agreement_a",
            "strength of agreement, |Spearman|, of the first; of pictures within models",
            unit=CORRELATION,
        ),
        number("agreement_b", "of the second", unit=CORRELATION),
        number("difference", "a - b"),
        *interval_columns("ci", f"its {INTERVAL}; {OF_MODELS} (Zou 2007)"),
        number("z", "Steiger's test of two dependent correlations, for rank correlations; empty below 10 points"),
        number("p", "two-sided", unit=SHARE),
        number(
            "p_holm", "after Holm's correction over the pairs of metrics, measures, levels and data sets", unit=SHARE
        ),
        text("follows_better", "the metric whose lead is significant by p_holm and by the interval; empty: undecided"),
        *PROVENANCE,
    ),
    key=("level", "dataset", "metric_a", "metric_b", "measure"),
)

MIN_POINTS_FOR_INFERENCE = 5
"""Smallest number of points with an interval and a p."""
MAX_POINTS_FOR_EXACT = 9
"""Largest number of points with an exact p: 9! = 362880 pairings."""
MIN_POINTS_FOR_TEST = 10
"""Smallest number of points with a test of a difference."""
SPEARMAN_VARIANCE = 1.06
"""Variance of Fisher's z of Spearman's correlation, in units of Pearson's (Fieller, Hartley & Pearson 1957)."""
NONE_WITHIN = "no model's pictures differ both in the metric and in what people said: no correlation within models"
DISAGREE = "test and interval disagree: the test takes the points as independent, the interval also resamples people"
_SPLITS_STREAM = 7
"""Random stream of the ceiling's splits."""
Bootstrap = Mapping[tuple[str, bytes, bool], np.ndarray]
"""(B,) Spearman's correlation with the mean scores in each replicate, by metric and `Pairing.key`; empty at level
`model`."""


def correlations_and_differences(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `correlations` and `correlation_differences`, from the same points and the same replicates.

    `correlations`: metric against the share of fakes called real and, for graded pictures, against their mean grade.
    Level `stimulus`: over the fakes of a data set, its models pooled (`spearman`) and each picture ranked among its own
    model's (`within`); intervals come from the two-way bootstrap over participants and items (`bootstrap_interval`).
    Level `model`: over the models of a data set, and of all data sets (`dataset` empty); the models are the sample, and
    intervals are `rank_interval`. p is exact over all pairings up to 9 points, above that from Student's t with
    `effective_points`.

    `correlation_differences`: every two metrics of a level and data set, over pictures within models, or over models
    (`difference_interval`). Strengths |Spearman| are compared; each metric keeps its sign. The test is `dependent_z`
    and takes participants as given. A metric follows better if test, after Holm's correction, and interval both say so.
    """
    rows: list[Row] = []
    differences: list[Row] = []
    for points in point_sets(trials, image_metrics=image_metrics, set_metrics=set_metrics, seed=seed):
        bootstrap = bootstrapped(points, replicates)
        rows += correlation_rows(points, bootstrap)
        differences += [_difference_row(points, pair, bootstrap) for pair in combinations(sorted(points.metrics), 2)]
    table = pd.DataFrame(rows, columns=list(CORRELATIONS.names))
    p, within_p = (table[name].to_numpy("float64") for name in ("p", "within_p"))
    of_models = (table["level"] == "model").to_numpy(bool)
    table["p_holm"] = holm(p)
    table["within_p_holm"] = np.where(of_models, np.nan, holm(np.where(of_models, p, within_p)))
    return (
        conform(table, CORRELATIONS, where="correlations"),
        conform(_judged_differences(differences), CORRELATION_DIFFERENCES, where="correlation_differences"),
    )


def bootstrapped(points: PointSet, replicates: int) -> Bootstrap:
    """Correlations of all metrics in the same replicates: of each over its pictures, pooled and, if there are several
    models, ranked within them, and over the pictures that it shares with each other one, within models."""
    if points.level == "model":
        return {}
    asked: list[tuple[tuple[str, ...], np.ndarray | None]]
    asked = [((metric,), group) for metric in points.metrics for group in (None, points.group)]
    asked += [(pair, points.group) for pair in combinations(sorted(points.metrics), 2)]
    pairings = {
        (metric, *pairing.key): pairing
        for metrics, group in asked
        for metric, pairing in zip(metrics, points.pairing(*metrics, group=group), strict=True)
    }
    return dict(zip(pairings, rank_correlations(points.replicates(replicates), [*pairings.values()]), strict=True))


def correlation_rows(points: PointSet, bootstrap: Bootstrap) -> list[Row]:
    """Return the rows of one level and data set."""
    ceilings: dict[tuple[bytes, bool], tuple[float, str]] = {}
    rows = []
    for metric in points.metrics:
        (pooled,), (within,) = points.pairing(metric), points.pairing(metric, group=points.group)
        for pairing in (pooled, within):
            if pairing.key not in ceilings:
                ceilings[pairing.key] = _ceiling(points, pairing)
        row = _pooled_row(points, metric, pooled, bootstrap.get((metric, *pooled.key)), *ceilings[pooled.key])
        if within.group is not None:
            cells, note = _within(points, metric, within, bootstrap[metric, *within.key], ceilings[within.key][0])
            row |= {**cells, "note": joined(row["note"], note)}
        elif points.level == "stimulus":
            names = {"spearman": "within"} | {f"ci_{end}": f"within_{end}" for end in ("low", "high")}
            names |= {name: f"within_{name}" for name in ("p", "ceiling")}
            row |= {names[name]: cell for name, cell in row.items() if name in names}
        rows.append(row)
    return rows


def _inference(
    points: PointSet, metric: str, pairing: Pairing, estimate: float, replicates: np.ndarray | None, highest: float
) -> Row:
    """Return low, high, p and ceiling of a correlation, from its replicates (B,); None: over models."""
    n = int(pairing.use.sum())
    cells: Row = {}
    if n >= MIN_POINTS_FOR_INFERENCE:
        cells["low"], cells["high"] = (
            rank_interval(estimate, n) if replicates is None else bootstrap_interval(replicates, estimate, n=n)
        )
    if n > MAX_POINTS_FOR_EXACT:
        df = _effective_points(points, pairing.use, metric, pairing.group) - 2
        t = abs(estimate) * np.sqrt(max(df, 0.0) / (1 - estimate**2)) if abs(estimate) < 1 else np.inf
        cells["p"] = float(2 * stdtr(df, -t)) if df > 0 else np.nan
    return cells | {"ceiling": highest}


def _ceiling(points: PointSet, pairing: Pairing) -> tuple[float, str]:
    """Return the highest correlation that people's answers allow, or NaN and why there is none."""
    seed = (*points.seed, _SPLITS_STREAM)
    try:
        return ceiling(points.scores, seed=seed, point=points.point, use=pairing.use, group=pairing.group), ""
    except NoFitError as reason:
        return np.nan, str(reason)


def _within(points: PointSet, metric: str, pairing: Pairing, replicates: np.ndarray, highest: float) -> tuple[Row, str]:
    """Return the cells of the correlation within models, and a note."""
    use, group = pairing.use, pairing.group
    estimate = spearman(pairing.value[use], points.score[use], None if group is None else group[use])
    if np.isnan(estimate):
        return {}, NONE_WITHIN
    cells = _inference(points, metric, pairing, estimate, replicates, highest)
    few = f"fewer than {MIN_POINTS_FOR_TEST} pictures: no p within models"
    note = few if use.sum() < MIN_POINTS_FOR_TEST else ""
    return {"within": estimate, **{f"within_{name}": cell for name, cell in cells.items()}}, note


def _pooled_row(
    points: PointSet, metric: str, pairing: Pairing, replicates: np.ndarray | None, highest: float, no_ceiling: str
) -> Row:
    """Return the row of one metric without the cells within models."""
    value, score = pairing.value[pairing.use], points.score[pairing.use]
    row: Row = {
        "level": points.level,
        "dataset": points.dataset,
        "metric": metric,
        "measure": points.measure,
        "n": len(value),
    }
    notes: list[object] = [points.left_out.get(metric)]
    if (reason := missing_reason(points, value, score)) is not None:
        return row | points.carried(*notes, reason)
    from scipy.stats import kendalltau, pearsonr, spearmanr

    estimate = float(spearmanr(value, score).statistic)
    cells = _inference(points, metric, pairing, estimate, replicates, highest)
    row |= {"spearman": estimate, "kendall": float(kendalltau(value, score).statistic)}
    row |= {f"ci_{name}" if name in ("low", "high") else name: cell for name, cell in cells.items()}
    finite = np.isfinite(value)
    if left_out := int((~finite).sum()):
        notes.append(f"{left_out} infinite value{' is' if left_out == 1 else 's are'} left out of pearson")
    if missing_reason(points, value[finite], score[finite]) is None:
        row["pearson"] = float(pearsonr(value[finite], score[finite]).statistic)
    if len(value) < MIN_POINTS_FOR_INFERENCE:
        notes.append(f"fewer than {MIN_POINTS_FOR_INFERENCE} points: no interval and no p")
    elif len(value) <= MAX_POINTS_FOR_EXACT:
        row["p"] = _exact_p(value, score)
        notes.append(f"p exact over all pairings of {len(value)} points")
    if len(points.scores.people) == 1:
        notes.append(one_participant(points.scores.people))
    return row | points.carried(*notes, no_ceiling)


def _exact_p(value: np.ndarray, score: np.ndarray) -> float:
    """Return the two-sided p of Spearman's correlation of values and scores (n,) over all their pairings."""
    from scipy.stats import permutation_test, rankdata

    x, y = (rankdata(values) - (len(values) + 1) / 2 for values in (value, score))
    test = permutation_test(
        (y,),
        lambda paired, axis: np.abs(paired @ x),
        permutation_type="pairings",
        alternative="greater",
        vectorized=True,
        n_resamples=factorial(len(x)),
    )
    return float(test.pvalue)


def _effective_points(points: PointSet, use: np.ndarray, metric: str, group: np.ndarray | None) -> float:
    """Return the number of unrelated points that those in use (n,) count for, ranked within groups (n,)."""
    if points.group is None:  # one model's pictures, or models
        return float(use.sum())
    model = None if group is None else group[use]
    value, score = rank_deviations(np.stack([points.metrics[metric][use], points.score[use]]), model)
    item = np.unique(points.item[use], return_inverse=True)[1]
    return effective_points(value, score, item, 1 if model is None else len(np.unique(model)))


def missing_reason(points: PointSet, value: np.ndarray, score: np.ndarray) -> str | None:
    """Return the reason why metric values and mean scores (n,) have no correlation; None if they have one."""
    if len(value) < MIN_POINTS:
        return f"fewer than {MIN_POINTS} {'stimuli' if points.level == 'stimulus' else 'models'}: no correlation"
    if len(np.unique(value)) < 2:
        return "all metric values are equal: no correlation"
    if len(np.unique(score)) < 2:
        return f"all {'mean grades' if points.measure == GRADE else 'fooling rates'} are equal: no correlation"
    return None


def rank_interval(r: float, n: int) -> tuple[float, float]:
    """Return the 95% interval of Spearman's correlation of n points, which are the sample.

    Fisher's z with the variance (1 + r²/2) / (n - 3) (Bonett & Wright 2000, Psychometrika 65, 23-28). ±1 is taken as
    the middle between it and the next value that n ranks without ties can have.

    >>> low, high = rank_interval(0.6, 10)
    >>> round(low, 4), round(high, 4)
    (-0.1111, 0.9048)
    """
    inner = inner_rank(r, n)
    half_width = Z95 * np.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = np.tanh(np.arctanh(inner) + np.array([-half_width, half_width]))
    return min(float(low), r), max(float(high), r)


def difference_interval(r_a: float, r_b: float, r_ab: float, n: int) -> tuple[float, float]:
    """Return the 95% interval of the difference of two strengths, rank correlations of n points that share a variable.

    It combines the `rank_interval` of each and the correlation of the two estimates (Zou 2007, Psychological Methods
    12, 399-413, eq. 11 and 15).

    Args:
        r_a: correlation of the shared variable with a, 0..1.
        r_b: with b.
        r_ab: of a with b.
        n: points, more than 3.
    """
    a, b, ab = inner_rank([r_a, r_b, r_ab], n)
    shared = (ab - a * b / 2) * (1 - a**2 - b**2 - ab**2) + ab**3
    shared = float(np.clip(shared / ((1 - a**2) * (1 - b**2)), -1, 1))
    (low_a, high_a), (low_b, high_b) = rank_interval(r_a, n), rank_interval(r_b, n)

    def reach(one: float, other: float) -> float:
        return float(np.sqrt(max(one**2 + other**2 - 2 * shared * one * other, 0.0)))

    low = r_a - r_b - reach(r_a - low_a, high_b - r_b)
    high = r_a - r_b + reach(high_a - r_a, r_b - low_b)
    return max(low, -1.0), min(high, 1.0)


def dependent_z(r_a: float, r_b: float, r_ab: float, n: float, *, variance: float = 1.0) -> float:
    """Compute z for the difference of two correlations that share a variable.

    Dunn and Clark's z (1969, JASA 64, 366-377) with the covariance at the mean of the two correlations, as Steiger
    proposes (1980, Psychological Bulletin 87, 245-251, eq. 3, 11 and 14).

    Args:
        r_a: correlation of the shared variable with a.
        r_b: with b.
        r_ab: of a with b.
        n: points, more than 3.
        variance: of Fisher's z, times n - 3: 1 for Pearson's correlations, 1.06 for Spearman's.

    Returns:
        z, standard normal where the two are equal; NaN where a correlation is ±1 or a and b are nearly the same.

    >>> round(dependent_z(0.2493, 0.3395, 0.4082, 553), 3)
    -2.066
    """
    mean = (r_a + r_b) / 2
    psi = r_ab * (1 - 2 * mean**2) - mean**2 * (1 - 2 * mean**2 - r_ab**2) / 2
    if max(abs(r_a), abs(r_b)) >= 1 or abs(mean) >= 1:
        return np.nan
    shared = psi / (1 - mean**2) ** 2
    if 1 - shared < 1e-9:
        return np.nan
    return float((np.arctanh(r_a) - np.arctanh(r_b)) * np.sqrt((n - 3) / (2 * variance * (1 - shared))))


def _judged_differences(rows: list[Row]) -> pd.DataFrame:
    """Return the table of all rows, with Holm's correction and the metric that follows better."""
    table = pd.DataFrame(rows, columns=list(CORRELATION_DIFFERENCES.names))
    table["p_holm"] = holm(table["p"].astype("float64"))
    leader = np.where(table["difference"].astype("float64") > 0, table["metric_a"], table["metric_b"])
    low, high, p = (table[name].to_numpy("float64") for name in ("ci_low", "ci_high", "p"))
    apart = (low > 0) | (high < 0)
    sure = apart & (table["p_holm"] < ALPHA).to_numpy(bool)
    table["follows_better"] = pd.Series(leader, dtype="object").where(sure, None)
    differ = np.isfinite(p) & np.isfinite(low) & ((p < ALPHA) != apart) & (table["level"] == "stimulus").to_numpy(bool)
    disagree = np.where(differ, DISAGREE, "")
    table["note"] = [joined(*notes) for notes in zip(table["note"].fillna(""), disagree, strict=True)]
    return table


def _missing_reasons(
    points: PointSet, values: Sequence[np.ndarray], score: np.ndarray, ranks: Sequence[float]
) -> list[str | None]:
    """Return the reason why each of two metrics has no correlation; None if it has one."""
    reasons = [missing_reason(points, value, score) for value in values]
    if np.isnan(ranks).any() and reasons == [None, None]:
        reasons[0] = NONE_WITHIN
    return reasons


def _difference_test(r_a: float, r_b: float, r_ab: float, n: int, size: float) -> tuple[Row, str]:
    """Return z and p of the difference of two strengths, or the note why there is no test.

    Args:
        n: points.
        size: the number of unrelated points that they count for.
    """
    if n < MIN_POINTS_FOR_TEST:
        return {}, f"fewer than {MIN_POINTS_FOR_TEST} points: no test"
    z = dependent_z(r_a, r_b, r_ab, size, variance=SPEARMAN_VARIANCE) if size > 3 else np.nan
    if np.isnan(z):
        alike = "the two metrics rank all points alike: no test"
        return {}, alike if r_ab > 1 - 1e-9 else "a correlation of 1, or few items: no test"
    return {"z": z, "p": float(2 * ndtr(-abs(z)))}, ""


def _difference_row(points: PointSet, names: tuple[str, str], bootstrap: Bootstrap) -> Row:
    """Return the row of two metrics over the points that have both, unjudged."""
    pairing, *_ = points.pairing(*names, group=points.group)
    use = pairing.use
    (value_a, value_b), score, n = (points.metrics[name][use] for name in names), points.score[use], int(use.sum())
    group = None if points.group is None else np.unique(points.group[use], return_inverse=True)[1]
    rank_a, rank_b = spearman(value_a, score, group), spearman(value_b, score, group)
    reasons = _missing_reasons(points, (value_a, value_b), score, (rank_a, rank_b))
    row: Row = {
        "level": points.level,
        "dataset": points.dataset,
        "metric_a": names[0],
        "metric_b": names[1],
        "measure": points.measure,
        "n": n,
        "agreement_a": None if reasons[0] else abs(rank_a),
        "agreement_b": None if reasons[1] else abs(rank_b),
    }
    notes: list[object] = [f"{name}: {points.left_out[name]}" for name in names if name in points.left_out]
    notes += reasons
    if reasons != [None, None]:
        return row | points.carried(*notes)
    row["difference"] = difference = abs(rank_a) - abs(rank_b)
    if n < MIN_POINTS_FOR_INFERENCE:
        notes.append(f"fewer than {MIN_POINTS_FOR_INFERENCE} points: no interval and no test")
    else:
        signs = [-1.0 if rank < 0 else 1.0 for rank in (rank_a, rank_b)]
        between = signs[0] * signs[1] * spearman(value_a, value_b, group)
        if points.level == "model":
            row["ci_low"], row["ci_high"] = difference_interval(abs(rank_a), abs(rank_b), between, n)
        else:
            of_a, of_b = (sign * bootstrap[name, *pairing.key] for sign, name in zip(signs, names, strict=True))
            row["ci_low"], row["ci_high"] = bootstrap_interval(of_a - of_b, difference)
        size = min(_effective_points(points, use, name, points.group) for name in names)
        cells, note = _difference_test(abs(rank_a), abs(rank_b), between, n, size)
        row |= cells
        notes.append(note)
    if len(points.scores.people) == 1:
        notes.append(one_participant(points.scores.people))
    return row | points.carried(*notes)
