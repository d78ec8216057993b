import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from gan_eval.stats.metrics_and_people.ceiling import Pairing, ceiling, rank_correlations, spearman
from gan_eval.stats.metrics_and_people.scores import Replicates, Scores
from gan_eval.stats.mixed import NoFitError


def answers(rng: np.random.Generator, rate: np.ndarray, participants: int, share: float = 1.0) -> Scores:
    """Independent answers: every participant sees each picture with probability `share`."""
    called = rng.random((len(rate), participants)) < rate[:, None]
    shown = rng.random(called.shape) < share
    picture, person = np.nonzero(shown)
    frame = pd.DataFrame({"participant": person, "stimulus": picture, "score": called[shown].astype(float)})
    return Scores.of(frame)


def of(counts: Scores, seed: int = 0) -> float:
    size = len(counts.stimuli)
    return ceiling(counts, seed=seed, point=np.arange(size), use=np.ones(size, bool))


@pytest.mark.parametrize(("participants", "share"), [(6, 1.0), (20, 1.0), (60, 1.0), (60, 0.25)])
def test_equals_the_root_of_the_known_reliability(participants, share):
    """m answers on a true rate p: reliability var(p) / (var(p) + E[p(1 - p)] / m)."""
    rng = np.random.default_rng(participants)
    rate = rng.beta(6, 4, 1500)
    noise = (rate * (1 - rate)).mean() / (participants * share)
    assert of(answers(rng, rate, participants, share)) == pytest.approx(
        np.sqrt(rate.var() / (rate.var() + noise)), abs=0.03
    )


def test_pictures_that_do_not_differ_have_a_ceiling_near_zero():
    found = [of(answers(np.random.default_rng(seed), np.full(300, 0.5), 20)) for seed in range(5)]
    assert np.mean(np.square(found)) < 0.12
    assert min(found) >= 0


def test_models_pool_their_pictures():
    rng = np.random.default_rng(3)
    rate = np.repeat(np.linspace(0.2, 0.8, 8), 50)
    counts = answers(rng, rate, 20)
    point = np.repeat(np.arange(8), 50)
    assert ceiling(counts, seed=0, point=point, use=np.ones(8, bool)) > 0.99


@pytest.mark.parametrize(
    ("pictures", "participants", "share", "word"),
    [(30, 1, 1.0, "participant"), (4, 9, 1.0, "fewer than 5"), (12, 4, 0.25, "halves")],
)
def test_too_little_gives_a_word(pictures, participants, share, word):
    counts = answers(np.random.default_rng(0), np.full(pictures, 0.5), participants, share)
    with pytest.raises(NoFitError, match=word):
        of(counts)


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
