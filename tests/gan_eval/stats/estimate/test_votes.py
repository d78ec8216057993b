"""2AFC scores, their ceiling and differences, against plain loops, a jackknife and other programs' formulas."""

from itertools import permutations

import numpy as np
import pytest

from gan_eval.base.inference import t_critical, two_way, wilson
from gan_eval.stats.estimate.votes import (
    Votes,
    agreement,
    ceiling,
    score,
    score_difference,
    votes_of_counts,
)


def drawn(people: int = 6, pairs: int = 9, *, seed: int = 0) -> Votes:
    rng = np.random.default_rng(seed)
    person, pair = (index.ravel() for index in np.indices((people, pairs)))
    chose = rng.random(len(pair)) < rng.random(pairs)[pair]
    return Votes(chose, pair, pair // 3, person)


def plain_ceiling(votes: Votes) -> float:
    """Each vote against the majority of the other votes of its pair."""
    found = []
    for at, pair in enumerate(votes.pair):
        others = [chose for n, chose in enumerate(votes.chose_first) if votes.pair[n] == pair and n != at]
        if others:
            share = np.mean(others)
            guess = 0.5 if share == 0.5 else float(share > 0.5)
            found.append(0.5 if guess == 0.5 else float(guess == votes.chose_first[at]))
    return float(np.mean(found))


def test_score_is_the_share_of_votes_with_the_metric() -> None:
    votes = drawn()
    first, second = np.random.default_rng(1).normal(size=(2, 9))
    second[0] = first[0]
    agrees = agreement(votes, first[votes.pair], second[votes.pair])
    expected = [
        0.5 if first[p] == second[p] else float((first[p] > second[p]) == c)
        for p, c in zip(votes.pair, votes.chose_first, strict=True)
    ]
    assert score(votes, agrees).value == pytest.approx(np.mean(expected))


def test_interval_is_clustered_by_participant_and_by_item() -> None:
    votes = drawn(people=8, pairs=30)
    agrees = agreement(votes, np.ones(len(votes.pair)), np.zeros(len(votes.pair)))
    n = len(agrees)
    residual = (agrees - (agrees.sum() + 1) / (n + 2)) / n
    reach = t_critical(7) * np.sqrt(two_way(residual[:, None], votes.participant, votes.picture)[0])
    found = score(votes, agrees)
    assert [found.low, found.high] == pytest.approx([found.value - reach, found.value + reach])
    low, high = wilson(agrees.sum(), n)
    assert found.low < low < high < found.high


@pytest.mark.parametrize("seed", range(5))
def test_ceiling_is_the_majority_of_the_other_votes(seed: int) -> None:
    votes = drawn(people=3 + seed, seed=seed)
    assert ceiling(votes).value == pytest.approx(plain_ceiling(votes))
    alone = votes.of(np.arange(len(votes.pair)) != 4)
    assert ceiling(alone).value == pytest.approx(plain_ceiling(alone))


def test_votes_alone_in_their_pair_have_no_ceiling() -> None:
    assert np.isnan(ceiling(drawn(people=1)).value)


def test_counts_are_votes_of_unknown_people() -> None:
    votes = votes_of_counts(np.array([35, 15, 26]), np.array([12, 32, 21]), np.array([0, 1, 2]))
    agrees = agreement(votes, np.ones(141), np.zeros(141))
    found = score(votes, agrees)
    assert found.value == pytest.approx((35 + 15 + 26) / 141)
    sums = np.array([np.sum(agrees[votes.picture == n] - (76 + 1) / 143) for n in range(3)]) / 141
    reach = t_critical(2) * np.sqrt(3 / 2 * (sums**2).sum())  # clustered by picture alone
    assert found.high == pytest.approx(min(1.0, found.value + reach))


def test_order_of_votes_and_of_sides_does_not_matter() -> None:
    votes, rng = drawn(), np.random.default_rng(3)
    order = rng.permutation(len(votes.pair))
    mixed = Votes(votes.chose_first[order], votes.pair[order], votes.picture[order], votes.participant[order])
    swapped = Votes(~votes.chose_first, votes.pair, votes.picture, votes.participant)
    for other in (mixed, swapped):
        assert ceiling(other) == pytest.approx(ceiling(votes))


def test_difference_of_metrics_that_prefer_the_same_pictures_has_no_test() -> None:
    votes = drawn()
    agrees = agreement(votes, np.ones(54), np.zeros(54))
    found = score_difference(votes, agrees, agrees)
    assert (found.difference.value, found.n_apart) == (0.0, 0)
    assert np.isnan([found.p, found.difference.low]).all()


def test_difference_is_that_of_the_two_scores_and_changes_its_sign() -> None:
    votes, rng = drawn(people=10, pairs=30), np.random.default_rng(5)
    a, b = (agreement(votes, values[votes.pair], np.zeros(len(votes.pair))) for values in rng.normal(size=(2, 30)))
    found, other = score_difference(votes, a, b), score_difference(votes, b, a)
    assert found.difference.value == pytest.approx(score(votes, a).value - score(votes, b).value)
    assert list(other.difference) == pytest.approx(
        [-found.difference.value, -found.difference.high, -found.difference.low]
    )
    assert found.p == pytest.approx(other.p)
    assert found.n_apart == len({p for p, x, y in zip(votes.pair, a, b, strict=True) if x != y})
    assert (found.p < 0.05) == (found.difference.low > 0 or found.difference.high < 0)


def test_unanimous_votes_still_have_an_interval() -> None:
    votes = drawn(people=4, pairs=12)
    votes = Votes(np.ones(48, bool), votes.pair, votes.picture, votes.participant)
    agrees = agreement(votes, np.ones(48), np.zeros(48))
    for found in (score(votes, agrees), ceiling(votes)):
        assert found.value == found.high == 1.0
        assert found.low == pytest.approx(wilson(4, 4)[0], abs=0.02)  # 4 people, 4 items
    apart = score_difference(votes, agrees, 1 - agrees)
    assert apart.difference.value == 1.0
    assert apart.difference.low < 1.0


def test_any_two_pictures_paired_count_both_pictures() -> None:
    """All pairs of five pictures: two pairs that share a picture are alike."""
    rng = np.random.default_rng(2)
    pairs = np.array([pair for pair in permutations(range(5), 2) if pair[0] < pair[1]])
    person, pair = (index.ravel() for index in np.indices((30, len(pairs))))
    strength = 3 * rng.normal(size=5)
    chose = rng.random(len(pair)) < 1 / (1 + np.exp(strength[pairs[pair, 1]] - strength[pairs[pair, 0]]))
    both = pairs[pair, 0], pairs[pair, 1]
    agrees = chose.astype(float)
    by_pair = score(Votes(chose, pair, pair, person), agrees)
    by_pictures = score(Votes(chose, pair, pair, person, both), agrees)
    assert by_pictures.value == by_pair.value
    assert by_pictures.high - by_pictures.low > by_pair.high - by_pair.low


def study(people: int, pairs: int, rng: np.random.Generator) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Votes of people who differ, and two equally good metrics of the pairs' log-odds."""
    quality, noise, share = rng.normal(size=pairs), rng.normal(size=(2, pairs)), rng.normal(1, 0.5, people)
    person, pair = (index.ravel() for index in np.indices((people, pairs)))
    chose = rng.random(len(pair)) < 1 / (1 + np.exp(-share[person] * quality[pair]))
    votes = Votes(chose, pair, pair, person)
    a, b = (agreement(votes, (quality + error)[pair], np.zeros(len(pair))) for error in noise)
    return votes, a, b


def test_intervals_hold_the_truth_in_simulated_studies() -> None:
    """370 of 400 intervals or more hold it, and at most 30 of 400 tests of equal metrics are significant."""
    many = [study(10, 2000, np.random.default_rng([1, seed])) for seed in range(40)]  # of 400 people
    truth, highest = (
        float(np.mean(values)) for values in zip(*((a.mean(), ceiling(v).value) for v, a, _ in many), strict=True)
    )
    held, alarms = np.zeros(3, int), 0
    for seed in range(400):
        votes, a, b = study(10, 15, np.random.default_rng([2, seed]))
        apart = score_difference(votes, a, b)
        for index, (found, true) in enumerate(((score(votes, a), truth), (ceiling(votes), highest), (apart[0], 0.0))):
            held[index] += np.isnan(found.low) or found.low <= true <= found.high
        alarms += apart.p < 0.05
    assert (held >= 370).all(), held
    assert alarms <= 30
