"""Categories: AUC, test, and certain giveaways, against brute force and other implementations."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from gan_eval.giveaways.clues import CLUES
from gan_eval.giveaways.compare import compare
from gan_eval.giveaways.separation import category_auc, category_p, certain_share, separate_categories

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


def test_without_a_give_away_the_auc_of_categories_is_a_half_on_average():
    rng = np.random.default_rng(0)
    found = [
        category_auc(*(np.bincount(rng.integers(0, 3, size), minlength=3) for size in (14, 9))) for _ in range(4000)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=4 * np.std(found) / 4000**0.5)


def test_categories_of_one_picture_tell_nothing_and_whole_classes_tell_all():
    assert separate_categories(list("abcdef"), list("ghijkl")).auc == 0.5
    assert separate_categories(["x"] * 6, list("abcdef")).auc == 1.0
    assert separate_categories(["x"] * 6, ["x"] * 6).auc == 0.5
    assert separate_categories(["x"] * 6, ["y"] * 6, test=False).p is None


def test_the_test_of_categories_is_that_of_fisher_for_two_by_two():
    # All pictures of a kind in one class, 5 and 5: 2 of the 252 ways to choose 5 of 10 are as far apart.
    assert category_p(np.array([5, 0]), np.array([0, 5])) == pytest.approx(2 / 252, abs=0.006)
    assert category_p(np.array([5]), np.array([7])) == 1.0
    assert category_p(np.array([3, 3]), np.array([3, 3])) == 1.0


def test_what_only_some_pictures_of_a_class_have_tells_those():
    found = separate_categories(["EXIF"] * 9 + ["none"] * 16, ["none"] * 25)
    assert found.certain == pytest.approx(9 / 50)
    assert found.auc == pytest.approx(0.5 + 9 / 25 / 2, abs=0.01)
    assert separate_categories(["x"] * 6, ["y"] * 6).certain == 1.0
    assert separate_categories(["x"] * 6, ["x"] * 6).certain == 0.0


@pytest.mark.parametrize(("count", "tried"), [(5, 2), (6, 2), (7, 2), (8, 20), (9, 20), (10, 20)])
def test_a_value_of_one_class_counts_where_chance_does_not_give_it(count, tried):
    chance = hypergeom(60, 30, count).pmf(count) * tried
    found = certain_share(np.array([count, 30 - count]), np.array([0, 30]), tried=tried)
    assert found == (pytest.approx(count / 60) if chance < 0.01 else 0.0)


def test_values_that_vary_by_chance_are_hardly_ever_taken_for_certain():
    rng = np.random.default_rng(5)
    draws = [tuple(np.bincount(rng.integers(0, 12, 25), minlength=12) for _ in range(2)) for _ in range(2000)]
    assert np.mean([certain_share(*draw) > 0 for draw in draws]) < 0.01


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (["JPEG"] * 8, ["PNG"] * 8, ("JPEG", "PNG")),
        (["none"] * 8, ["none"] * 6 + ["pix2pix"] * 2, ("none in 100 %", "none in 75 %")),
        (["none"] * 4 + ["camera"] * 4, ["none"] * 4 + ["pix2pix"] * 4, ("camera in 50 %", "camera in 0 %")),
    ],
)
def test_the_value_that_tells_most_is_named(real: list[str], fake: list[str], words: tuple[str, str]) -> None:
    clue = CLUES["profile"]
    found = compare(clue, [{clue.name: value} for value in real], [{clue.name: value} for value in fake], test=False)
    assert (found.real, found.fake) == words
