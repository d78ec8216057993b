"""Screening of graders: BT.500 against plain loops, P.910 against direct maximisation and the package sureal."""

import time

import numpy as np
import pytest
from make_grades import coded, simulated_grades
from scipy import stats
from scipy.optimize import minimize

from gan_eval.stats.answers.grades import Grades, bt500, p910, plain_raters


def bt500_by_loops(grades: Grades) -> tuple[list[float], list[float], list[bool]]:
    """The steps of the recommendation, one grade after the other."""
    high, low, n = (np.zeros(grades.raters) for _ in range(3))
    for picture in range(grades.pictures):
        chosen = grades.picture == picture
        own = grades.grade[chosen]
        n += np.bincount(grades.rater[chosen], minlength=grades.raters)
        if np.ptp(own) == 0:
            continue
        beta = stats.kurtosis(own, fisher=False)
        limit = (2 if 2 <= beta <= 4 else np.sqrt(20)) * np.std(own, ddof=1)
        for grade, rater in zip(own, grades.rater[chosen], strict=True):
            high[rater] += grade >= own.mean() + limit
            low[rater] += grade <= own.mean() - limit
    shares = ((high + low) / n).tolist()
    skews = [abs(p - q) / (p + q) if p + q else np.nan for p, q in zip(high, low, strict=True)]
    return shares, skews, [a > 0.05 and b < 0.3 for a, b in zip(shares, skews, strict=True)]


@pytest.mark.parametrize(("seed", "raters", "each"), [(1, 12, 25), (2, 30, 25), (3, 40, 14), (4, 60, 25)])
def test_bt500_follows_the_recommendation(seed: int, raters: int, each: int) -> None:
    grades = coded(simulated_grades(seed, raters=raters, pictures=25, each=each))
    found, (shares, skews, rejected) = bt500(grades), bt500_by_loops(grades)
    np.testing.assert_allclose(found.share, shares)
    np.testing.assert_allclose(found.skew, skews)
    assert found.rejected.tolist() == rejected


def test_bt500_rejects_the_erratic_and_keeps_the_strict() -> None:
    rng = np.random.default_rng(0)
    regular = np.clip(np.round(3 + 0.6 * rng.normal(size=(20, 40))), 2, 4)
    strict, erratic = np.ones((1, 40)), np.where(np.arange(40) % 2, 1.0, 5.0)[None]
    grade = np.vstack([regular, strict, erratic])
    rater, picture = np.indices(grade.shape)
    found = bt500(Grades(grade.ravel(), picture.ravel(), rater.ravel(), 40, 22))
    assert np.flatnonzero(found.rejected).tolist() == [21]
    assert found.share[20] > 0.05
    assert found.skew[20] == 1


def test_pictures_that_all_grade_alike_have_no_outliers() -> None:
    rater, picture = (part.ravel() for part in np.indices((6, 4)))
    found = bt500(Grades(np.full(24, 4.0), picture, rater, 4, 6))
    assert found.share.tolist() == [0.0] * 6
    assert np.isnan(found.skew).all()
    assert not found.rejected.any()


@pytest.mark.parametrize(("seed", "raters", "each"), [(1, 12, 20), (3, 25, 20), (5, 25, 15)])
def test_p910_is_the_maximum_of_the_likelihood(seed: int, raters: int, each: int) -> None:
    grades = coded(simulated_grades(seed, raters=raters, pictures=20, each=each))
    found = p910(grades)
    assert found.converged
    assert not found.held.any()

    def loss(place: np.ndarray) -> tuple[float, np.ndarray]:
        quality, bias, log_sd = np.split(place, [grades.pictures, grades.pictures + grades.raters])
        z = (grades.grade - quality[grades.picture] - bias[grades.rater]) / np.exp(log_sd[grades.rater])
        pull = -z / np.exp(log_sd[grades.rater])
        slope = [grades.by_picture(pull), grades.by_rater(pull), grades.by_rater(1 - z**2)]
        return float((z**2 / 2 + log_sd[grades.rater]).sum()), np.concatenate(slope)

    start = np.r_[np.full(grades.pictures, 3.0), np.zeros(2 * grades.raters)]
    best = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 3000}).x
    quality, bias, log_sd = np.split(best, [grades.pictures, grades.pictures + grades.raters])
    np.testing.assert_allclose(found.quality, quality + bias.mean(), atol=1e-4)
    np.testing.assert_allclose(found.bias, bias - bias.mean(), atol=1e-4)
    np.testing.assert_allclose(found.inconsistency, np.exp(log_sd), atol=1e-4)
    information = grades.by_picture(1 / np.exp(log_sd)[grades.rater] ** 2)
    np.testing.assert_allclose(found.std_error, 1 / np.sqrt(information), rtol=1e-3)


def test_p910_equals_sureal() -> None:
    """sureal 0.9.0, SubjectMLEModelProjectionSolver, on `simulated_grades(1)`."""
    found = p910(coded(simulated_grades(1)))
    np.testing.assert_allclose(
        found.quality[:6], [2.927141, 4.195425, 1.953542, 4.134085, 2.426294, 2.879863], atol=2e-6
    )
    np.testing.assert_allclose(1.95996 * found.std_error, 0.285863, atol=2e-6)
    np.testing.assert_allclose(found.bias[:4], [0.0625, 0.0125, 0.3125, 0.5125], atol=2e-6)
    np.testing.assert_allclose(found.inconsistency[:4], [0.814198, 0.578463, 0.694625, 0.387831], atol=2e-6)


def test_p910_recovers_bias_and_inconsistency() -> None:
    rng = np.random.default_rng(3)
    quality, bias, spread = rng.uniform(1, 5, 300), rng.normal(size=40), rng.uniform(0.3, 1.5, 40)
    rater, picture = (part.ravel() for part in np.indices((40, 300)))
    chosen = rng.random(len(rater)) < 0.5
    rater, picture = rater[chosen], picture[chosen]
    grade = quality[picture] + bias[rater] + spread[rater] * rng.normal(size=len(rater))
    found = p910(Grades(grade, picture, rater, 300, 40))
    np.testing.assert_allclose(found.bias, bias - bias.mean(), atol=0.4)
    np.testing.assert_allclose(found.inconsistency, spread, rtol=0.25)
    off = (found.quality - quality - bias.mean()) / found.std_error
    assert 0.9 < (np.abs(off - off.mean()) < 1.96).mean() < 0.98


def test_nobody_is_taken_for_the_truth() -> None:
    """Alternating projection alone ends with the rater who grades at random having no inconsistency."""
    grades = coded(simulated_grades(2, each=12))
    found = p910(grades)
    assert found.held.any()
    assert found.inconsistency.min() > 0.3
    mean = grades.by_picture(grades.grade) / grades.by_picture(np.ones(len(grades.grade)))
    assert np.abs(found.quality - mean).max() < 1.5
    assert found.std_error.min() > 0.1


def test_parts_single_graders_and_grades_without_spread() -> None:
    apart = {(f"{side}{rater}", f"{side}{picture}"): float((rater * picture + rater) % 5 + 1)
             for side in "ab" for rater in range(4) for picture in range(6)}  # fmt: skip
    found = p910(coded(apart))
    assert found.parts == 2
    assert np.abs([found.bias[:4].sum(), found.bias[4:].sum()]).max() < 1e-9
    alone = p910(coded({**apart, ("z", "z1"): 3.0, ("a0", "a9"): 2.0}))
    assert np.isnan([alone.bias[-1], alone.inconsistency[-1], alone.quality[-1]]).all()
    assert alone.quality[6] == pytest.approx(2.0 - alone.bias[0])
    assert alone.std_error[6] == pytest.approx(alone.inconsistency[0])
    same = p910(coded(dict.fromkeys(apart, 3.0)))
    np.testing.assert_allclose(same.quality, 3.0)
    assert np.isnan(same.std_error).all()
    assert same.inconsistency.max() == 0


def test_plain_raters_are_differences_to_the_means() -> None:
    bias, inconsistency = plain_raters(
        coded({("a", "1"): 5, ("b", "1"): 3, ("a", "2"): 2, ("b", "2"): 4, ("b", "3"): 1})
    )
    assert bias.tolist() == [0.0, 0.0]
    assert inconsistency.tolist() == [1.0, 1.0]


def test_a_hundred_thousand_grades_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    rater, picture = rng.integers(500, size=100_000), rng.integers(1000, size=100_000)
    grade = np.clip(np.round(3 + rng.normal(size=1000)[picture] + 0.7 * rng.normal(size=100_000)), 1, 5)
    grades = Grades(grade, picture, rater, 1000, 500)
    start = time.process_time()
    bt500(grades)
    assert p910(grades).converged
    assert time.process_time() - start < 1
