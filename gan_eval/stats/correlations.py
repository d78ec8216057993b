"""Which metric agrees with people? Correlations of metric values with fooling rates, per picture and per model."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr

from gan_eval.stats.groups import groups, provenance
from gan_eval.stats.resampling import Resamples, percentile_interval, resample
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import CORRELATIONS
from gan_eval.tabular import conform

MEASURE = "fooling_rate"
FEWEST = 3
"""Fewer points have no correlation worth a number."""
FEWEST_FOR_INFERENCE = 5
"""Fewer points get neither an interval nor a p."""
MOST_FOR_EXACT = 9
"""Up to so many points p is exact: 9! = 362880 pairings."""


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
    sets, over all models of all data sets (`dataset` empty). Intervals are percentiles of the two-way bootstrap over
    participants and stimuli. p is exact over all pairings up to 9 points, from Student's t approximation above that.

    Args:
        trials: the table `trials`.
        image_metrics: the table `image_metrics`.
        set_metrics: the table `set_metrics`.
        seed: of the bootstrap.
    """
    answered = answered_trials(trials)
    fakes = answered[answered["is_fake"]].reset_index(drop=True)
    rows: list[dict[str, object]] = []
    parts = [(str(name), part) for name, part in fakes.groupby("dataset", sort=True)]
    for number, (dataset, part) in enumerate(parts):
        images = _of_dataset(image_metrics, dataset)
        sets = _of_dataset(set_metrics, dataset)
        if images.empty and sets.empty:
            continue
        drawn = resample(part, seed=(seed, number))
        rows += [*_per_stimulus(part, dataset, images, drawn), *_per_model(part, dataset, images, sets, drawn)]
    if len(parts) > 1:
        known = fakes[fakes["dataset"].notna()].reset_index(drop=True)
        drawn = resample(known, seed=(seed, len(parts)))
        rows += _per_model(known, None, _all(image_metrics), _all(set_metrics), drawn)
    return conform(pd.DataFrame(rows, columns=list(CORRELATIONS.names)), CORRELATIONS, where="correlations")


def _of_dataset(table: pd.DataFrame | None, dataset: str) -> pd.DataFrame:
    every = _all(table)
    return every[every["dataset"] == dataset] if len(every) else every


def _all(table: pd.DataFrame | None) -> pd.DataFrame:
    """The rows that have a value."""
    if table is None:
        return pd.DataFrame(columns=["metric"])
    return table[table["value"].notna()]


def _per_stimulus(
    part: pd.DataFrame, dataset: str, images: pd.DataFrame, drawn: Resamples
) -> Iterator[dict[str, object]]:
    rate = (~part["says_fake"]).groupby(part["stimulus"]).mean().reindex(drawn.stimuli).to_numpy()
    with np.errstate(invalid="ignore"):
        rates = drawn.called_real / drawn.answers
    for metric, values in images.groupby("metric", sort=True):
        value = values.drop_duplicates("stimulus").set_index("stimulus")["value"].reindex(drawn.stimuli).to_numpy()
        replicates = _rank_correlations(value[drawn.drawn], np.take_along_axis(rates, drawn.drawn, axis=0))
        yield _row(part, "stimulus", dataset, str(metric), value, rate, replicates)


def _per_model(
    part: pd.DataFrame, dataset: str | None, images: pd.DataFrame, sets: pd.DataFrame, drawn: Resamples
) -> Iterator[dict[str, object]]:
    """A point is a model on a data set."""
    place = part.drop_duplicates("stimulus").set_index("stimulus").reindex(drawn.stimuli)
    point, points = pd.factorize(pd.MultiIndex.from_frame(place[["dataset", "model"]]))
    if place["model"].isna().any() or len(points) < 2:
        return
    rate = _grouped_share(drawn.called_real, drawn.answers, drawn.drawn, point)
    own = (~part["says_fake"]).groupby([part["dataset"], part["model"]]).mean().reindex(points).to_numpy()
    for source in (images, sets):
        if source.empty:
            continue
        fakes = source[source["kind"] == "fake"] if "kind" in source else source
        for metric, values in fakes.groupby("metric", sort=True):
            value = values.groupby(["dataset", "model"])["value"].mean().reindex(points).to_numpy()
            fixed = np.broadcast_to(value[:, None], rate.shape)
            yield _row(part, "model", dataset, str(metric), value, own, _rank_correlations(fixed, rate))


def _grouped_share(called: np.ndarray, answers: np.ndarray, drawn: np.ndarray, point: np.ndarray) -> np.ndarray:
    """(points, B) fooling rate of each point over the stimuli and participants drawn."""
    size, replicates = int(point.max()) + 1, drawn.shape[1]
    cell = point[drawn] * replicates + np.arange(replicates)
    sums = [
        np.bincount(cell.ravel(), np.take_along_axis(values, drawn, axis=0).ravel(), size * replicates)
        for values in (called, answers)
    ]
    with np.errstate(invalid="ignore"):
        return (sums[0] / sums[1]).reshape(size, replicates)


def _rank_correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(B,) Spearman's correlation of each column of x and y (n, B); a point missing in either is left out."""
    found = np.full(x.shape[1], np.nan)
    complete = ~np.isnan(x) & ~np.isnan(y)
    whole = complete.all(axis=0)
    if whole.any():
        found[whole] = _columns_pearson(rankdata(x[:, whole], axis=0), rankdata(y[:, whole], axis=0))
    for column in np.flatnonzero(~whole):
        use = complete[:, column]
        if use.sum() >= FEWEST:
            ranks = [rankdata(values[use, column])[:, None] for values in (x, y)]
            found[column] = _columns_pearson(*ranks)[0]
    return found


def _columns_pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))


def _exact_p(x: np.ndarray, y: np.ndarray) -> float:
    """Two-sided permutation p of Spearman's correlation of x and y (n,): the share of all n! pairings as far from 0."""
    x, y = (rankdata(values) - (len(values) + 1) / 2 for values in (x, y))
    pairings = np.array(list(permutations(range(len(x)))), np.intp)
    products = np.abs(y[pairings] @ x)
    return float((products >= abs(x @ y) - 1e-9).mean())


def _row(
    part: pd.DataFrame,
    level: str,
    dataset: str | None,
    metric: str,
    value: np.ndarray,
    rate: np.ndarray,
    replicates: np.ndarray,
) -> dict[str, object]:
    known = ~np.isnan(value) & ~np.isnan(rate)
    value, rate = value[known], rate[known]
    carried = provenance(part, groups(part, "all")).iloc[0]
    row: dict[str, object] = {
        "level": level,
        "dataset": dataset,
        "metric": metric,
        "measure": MEASURE,
        "n": len(value),
        "simulated": bool(carried["simulated"]),
        "fraction": carried["fraction"],
    }
    notes = [carried["note"]]
    if len(value) < FEWEST:
        notes.append(f"fewer than {FEWEST} {'stimuli' if level == 'stimulus' else 'models'}: no correlation")
    elif len(np.unique(value)) < 2:
        notes.append("all metric values are equal: no correlation")
    elif len(np.unique(rate)) < 2:
        notes.append("all fooling rates are equal: no correlation")
    else:
        rank, finite = spearmanr(value, rate), np.isfinite(value)
        row["spearman"] = float(rank.statistic)
        row["kendall"] = float(kendalltau(value, rate).statistic)
        if finite.sum() >= FEWEST and len(np.unique(value[finite])) > 1 and len(np.unique(rate[finite])) > 1:
            row["pearson"] = float(pearsonr(value[finite], rate[finite]).statistic)
        if not finite.all():
            notes.append(f"{int((~finite).sum())} infinite values are left out of pearson")
        if len(value) < FEWEST_FOR_INFERENCE:
            notes.append(f"fewer than {FEWEST_FOR_INFERENCE} points: no interval and no p")
        else:
            exact = len(value) <= MOST_FOR_EXACT
            row["p"] = _exact_p(value, rate) if exact else float(rank.pvalue)
            if exact:
                notes.append(f"p exact over all pairings of {len(value)} points")
            row["ci_low"], row["ci_high"] = percentile_interval(replicates, float(rank.statistic))
            if part["participant"].nunique() == 1:
                notes.append("one participant: interval over stimuli only")
    row["note"] = "; ".join(filter(None, notes)) or None
    return row
