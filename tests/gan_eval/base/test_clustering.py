"""Two-way clustered variances against statsmodels, sums written out, and each other."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from gan_eval.base.inference import cells, item_covariance, one_way, shared_items, two_way


def test_the_largest_of_the_three_stands() -> None:
    """Rows and columns of signs that cancel within each participant, so that the two-way sum is below one of them."""
    rng = np.random.default_rng(0)
    lesser = 0
    for _ in range(200):
        influence = rng.normal(size=(24, 1))
        person, picture = np.divmod(np.arange(24), 6)
        ways = [one_way(influence, code)[0] for code in (person, picture, np.arange(24))]
        found = two_way(influence, person, picture)[0]
        assert found == pytest.approx(max(ways[0] + ways[1] - ways[2], *ways[:2]))
        lesser += ways[0] + ways[1] - ways[2] < max(ways[:2])
    assert lesser > 20


def test_one_level_is_no_factor_and_nothing_is_nothing() -> None:
    influence = np.random.default_rng(0).normal(size=(10, 3))
    codes = np.arange(10) % 5
    assert two_way(influence, np.zeros(10, int), codes) == pytest.approx(one_way(influence, codes))
    assert two_way(influence, codes, np.zeros(10, int)) == pytest.approx(one_way(influence, codes))
    assert np.isfinite(two_way(influence[:1], codes[:1], codes[:1])).all()
    assert two_way(np.zeros((0, 3)), codes[:0], codes[:0]).tolist() == [0, 0, 0]


def test_shared_items_count_as_in_three_way_clustering() -> None:
    """Cameron, Gelbach & Miller 2011, equation 2.14: one way, minus each two together, plus all three together."""
    rng = np.random.default_rng(5)
    person, stimulus = np.divmod(rng.permutation(240), 24)
    item = stimulus % 12
    of_item = rng.normal(size=12)
    influence = (rng.normal(size=240) + (of_item - of_item.mean())[item] + rng.normal(size=10)[person])[:, None]
    of = [one_way(influence, code) for code in (person, stimulus, item)]
    both = [one_way(influence, cells(*two)) for two in ((person, stimulus), (person, item), (stimulus, item))]
    three_way = sum(of) - sum(both) + one_way(influence, cells(person, cells(stimulus, item)))
    without = of[0] + of[1] - both[0]
    assert three_way > 1.2 * without
    assert two_way(influence, person, stimulus, item=item) == pytest.approx(three_way)
    assert two_way(influence, person, stimulus) == pytest.approx(without)
    assert item_covariance(influence, person, stimulus, item) == pytest.approx((three_way - without)[None])


def test_the_covariance_of_items_is_that_between_the_pictures_of_an_item() -> None:
    """The products of influences of different pictures of one item: of all people, less those of one person."""
    rng = np.random.default_rng(6)
    person, stimulus = np.divmod(rng.permutation(60), 6)
    item, influence = stimulus % 3, rng.normal(size=(60, 2))
    is_partner = (item[:, None] == item) & (stimulus[:, None] != stimulus)
    is_same_person = person[:, None] == person
    by_all, by_one = influence.T @ is_partner @ influence, influence.T @ (is_partner & is_same_person) @ influence
    found = item_covariance(influence, person, stimulus, item, side=stimulus < 3)
    assert found == pytest.approx(by_all * 3 / 2 - by_one * 30 / 29)  # 3 pictures and 30 cells on each side
    assert item_covariance(influence, person, stimulus, None).tolist() == [[0, 0], [0, 0]]


def test_items_count_only_where_several_stimuli_share_one() -> None:
    stimulus, item = np.arange(8), np.arange(8) % 4
    assert shared_items(item, stimulus) is item
    assert shared_items(stimulus, stimulus) is None
    assert shared_items(item * 0, stimulus) is None
    assert shared_items(np.minimum(item, 1), stimulus, side=item < 1) is None


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_variances_of_a_regression_are_those_of_statsmodels(link):
    rng = np.random.default_rng(4)
    person, picture = np.divmod(rng.permutation(600), 30)
    X = np.stack([np.ones(600), picture % 2, rng.normal(size=20)[person]], axis=1)
    eta = 0.3 - 0.5 * X[:, 1] + 0.3 * X[:, 2] + 0.5 * rng.normal(size=20)[person] + 0.8 * rng.normal(size=30)[picture]
    model = {"logit": sm.Logit, "probit": sm.Probit}[link]((rng.random(600) < expit(eta)).astype(float), X)
    ways = [np.stack([person, picture], axis=1), person, picture]
    fitted = [model.fit(disp=False, cov_type="cluster", cov_kwds={"groups": way}) for way in ways]
    beta = fitted[0].params
    influence = model.score_obs(beta) @ -np.linalg.inv(model.hessian(beta))
    factor = (600 - 1) / (600 - 3)  # statsmodels multiplies by it, Cameron, Gelbach & Miller need not
    largest = np.max([each.bse for each in fitted], axis=0) ** 2
    assert two_way(influence, person, picture) == pytest.approx(largest / factor, rel=1e-5)
