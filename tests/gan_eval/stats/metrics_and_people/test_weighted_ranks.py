import numpy as np
import pytest
from scipy.stats import spearmanr

from gan_eval.stats.metrics_and_people.ceiling import Pairing, rank_correlations, spearman
from gan_eval.stats.resampling import Replicates


def drawn(rng: np.random.Generator, size: int, *, levels: int) -> Replicates:
    weight = rng.multinomial(size, np.full(size, 1 / size), 6).astype(float)
    rate = rng.integers(0, levels, (6, size)) / levels
    unseen = rng.random((6, size)) < 0.1
    return Replicates(np.where(unseen, 0, weight), np.where(unseen, np.nan, rate))


@pytest.mark.parametrize("size", [5, 12, 80])
@pytest.mark.parametrize("levels", [2, 7, 10_000])
@pytest.mark.parametrize("metric", ["smooth", "ties", "gaps", "infinite", "groups"])
def test_equals_spearman_of_points_written_out(size, levels, metric):
    rng = np.random.default_rng([size, levels])
    value = rng.normal(size=size)
    if metric == "ties":
        value = np.round(value)
    if metric == "gaps":
        value[rng.random(size) < 0.2] = np.nan
    if metric == "infinite":
        value[0] = np.inf
    parts = [drawn(rng, size, levels=levels) for _ in range(2)]
    other = Pairing(rng.normal(size=size), np.ones(size, bool))
    group = np.arange(size) % 3 if metric == "groups" else None
    found = rank_correlations(parts, [other, Pairing(value, ~np.isnan(value), group)])[1]
    wanted = []
    for part in parts:
        for weight, rate in zip(part.weight, part.score, strict=True):
            times = np.where(np.isnan(value), 0, weight).astype(int)
            x, y = np.repeat(value, times), np.repeat(rate, times)
            few = len(x) < 3 or (~np.isnan(value)).sum() < 3 or len(np.unique(x)) < 2 or len(np.unique(y)) < 2
            if group is None:
                wanted.append(np.nan if few else spearmanr(x, y).statistic)
            else:
                wanted.append(spearman(x, y, np.repeat(group, times)))
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_without_replicates_there_is_no_column():
    assert rank_correlations([], [Pairing(np.ones(3), np.ones(3, bool))]).shape == (1, 0)
