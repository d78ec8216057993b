"""AUC, interval and verdict of one clue, against brute force and independent implementations."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import hypergeom

from gan_eval.pictures.clues import CLUES
from gan_eval.pictures.compare import (
    Separation,
    auc_interval,
    category_auc,
    certain_share,
    compare,
    judge,
    separate_categories,
)


@pytest.mark.parametrize(("auc", "m", "n"), [(0.5, 20, 30), (0.8, 12, 9), (0.97, 50, 50), (0.1, 25, 40)])
def test_the_interval_holds_the_values_that_chance_reaches(auc, m, n):
    """Each bound, found by another root finder from Hanley and McNeil's variance as they print it."""

    def z(theta):
        q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)
        size = (m + n) / 2 - 1
        variance = (theta * (1 - theta) + size * (q1 - theta**2) + size * (q2 - theta**2)) / (m * n)
        return (auc - theta) / variance**0.5

    low, high = auc_interval(auc, m, n)
    assert low == pytest.approx(brentq(lambda theta: z(theta) - 1.959964, 1e-9, auc), abs=1e-6)
    assert high == pytest.approx(brentq(lambda theta: z(theta) + 1.959964, auc, 1 - 1e-9), abs=1e-6)


def test_the_interval_is_open_at_a_perfect_separation():
    low, high = auc_interval(1.0, 10, 10)
    assert high == 1.0
    assert 0.7 < low < 0.9
    assert auc_interval(0.0, 10, 10) == pytest.approx((0.0, 1 - low))


words = st.lists(st.sampled_from("abcde"), min_size=2, max_size=9)


def share_of_fakes(category, real, fake):
    """The score of a category among other pictures, from its definition."""
    in_real, in_fake = real.count(category) / len(real), fake.count(category) / len(fake)
    return 0.5 if in_real + in_fake == 0 else round(in_fake / (in_real + in_fake), 12)


def brute_force_category_auc(real, fake):
    won = 0.0
    for i, j in product(range(len(real)), range(len(fake))):
        others = real[:i] + real[i + 1 :], fake[:j] + fake[j + 1 :]
        of_real, of_fake = share_of_fakes(real[i], *others), share_of_fakes(fake[j], *others)
        won += (of_fake > of_real) + 0.5 * (of_fake == of_real)
    return won / (len(real) * len(fake))


def counts(real, fake):
    names = sorted({*real, *fake})
    return tuple(np.array([each.count(name) for name in names]) for each in (real, fake))


@given(words, words)
def test_the_auc_of_categories_is_that_of_leaving_each_pair_out(real, fake):
    assert category_auc(*counts(real, fake)) == pytest.approx(brute_force_category_auc(real, fake))


def test_categories_of_one_picture_tell_nothing_and_whole_classes_tell_all():
    assert separate_categories(list("abcdef"), list("ghijkl")).auc == 0.5
    assert separate_categories(["x"] * 6, list("abcdef")).auc == 1.0
    assert separate_categories(list("xxxyyy"), list("xxxyyy")).auc == 0.5  # not below chance


def test_what_only_some_pictures_of_a_class_have_tells_those():
    found = separate_categories(["EXIF"] * 9 + ["none"] * 16, ["none"] * 25)
    assert found.certain == pytest.approx(9 / 50)
    assert found.auc == pytest.approx(0.5 + 9 / 25 / 2, abs=0.01)


@pytest.mark.parametrize("count", [5, 6, 7, 8, 9, 10])
def test_a_value_of_one_class_counts_where_chance_does_not_give_it(count):
    chance = hypergeom(60, 30, count).pmf(count) * 2
    found = certain_share(np.array([count, 30 - count]), np.array([0, 30]))
    assert found == (pytest.approx(count / 60) if chance < 0.01 else 0.0)


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (["JPEG"] * 8, ["PNG"] * 8, ("JPEG", "PNG")),
        (["none"] * 8, ["none"] * 6 + ["pix2pix"] * 2, ("none in 100%", "none in 75%")),
        (["none"] * 4 + ["camera"] * 4, ["none"] * 4 + ["pix2pix"] * 4, ("camera in 50%", "camera in 0%")),
    ],
)
def test_the_value_that_tells_most_is_named(real: list[str], fake: list[str], words: tuple[str, str]) -> None:
    clue = CLUES["profile"]
    found = compare(clue, [{clue.name: value} for value in real], [{clue.name: value} for value in fake])
    assert (found.real, found.fake) == words


@pytest.mark.parametrize(
    ("sort", "found", "fewest", "verdict"),
    [
        ("metadata", Separation(0.8, 0.66, 0.9), 20, "gives_away"),
        ("metadata", Separation(0.2, 0.1, 0.34), 20, "gives_away"),
        ("picture", Separation(0.8, 0.66, 0.9), 20, "look"),
        ("metadata", Separation(0.8, 0.64, 0.9), 20, "look"),
        ("metadata", Separation(0.0, 0.0, 0.4), 5, "gives_away"),
        ("metadata", Separation(1.0, 0.55, 1.0), 4, "look"),
        ("metadata", Separation(0.7, 0.49, 0.9), 9, "ok"),
        ("picture", Separation(0.59, 0.55, 0.63), 500, "ok"),
        ("picture", Separation(0.3, 0.2, 0.45), 50, "look"),
        ("metadata", Separation(0.55, 0.45, 0.65, certain=0.05), 50, "gives_away"),
        ("metadata", Separation(0.52, 0.45, 0.6, certain=0.04), 50, "ok"),
    ],
)
def test_verdicts(sort, found, fewest, verdict):
    assert judge(sort, found, fewest) == verdict
