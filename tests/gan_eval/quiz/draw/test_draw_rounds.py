"""Rounds: every list alone, uses of pictures balanced over any number of lists."""

from collections import Counter
from itertools import islice

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from gan_eval.quiz.draw.choose import Counts, feasible, match
from gan_eval.quiz.draw.offers import REAL, Pool
from gan_eval.quiz.draw.rounds import LISTS, Choice, choices, never_shown


def _pool(items: int, models: int, without: frozenset[tuple[int, int]] = frozenset()) -> Pool:
    roles = ["abcdef"[model] for model in range(models)]
    offers = {
        role: {str(item): {} for item in range(items) if (at, item) not in without} for at, role in enumerate(roles)
    }
    return Pool("maps", {REAL: {str(item): {} for item in range(items)}, **offers})


def _spread(uses: Counter[Choice], pool: Pool) -> int:
    """The largest difference of uses between two pictures of one role."""
    each = [[uses[role, item] for item in items] for role, items in pool.roles.items()]
    return max(max(numbers) - min(numbers) for numbers in each)


@settings(max_examples=20, deadline=None)
@given(
    items=st.integers(2, 90), models=st.integers(1, 5), real=st.integers(1, 30), fake=st.integers(1, 30),
    begun=st.integers(0, 10**8), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_list_has_exact_counts_and_pictures_are_used_equally_often(
    items: int, models: int, real: int, fake: int, begun: int, seed: int
) -> None:
    pool, counts = _pool(items, models), Counts(real, fake)
    assume(counts.total <= items)
    first = begun * LISTS + 1
    uses: Counter[Choice] = Counter()
    for number, chosen in enumerate(islice(choices(pool, counts, seed=seed, first=first), 40), 1):
        shares = Counter(role for role, _ in chosen)
        assert shares[REAL] == real
        assert max(shares[role] for role in pool.generated) - min(shares[role] for role in pool.generated) <= 1
        assert len({item for _, item in chosen}) == len(chosen) == counts.total
        uses.update(chosen)
        assert _spread(uses, pool) <= (1 if number in (1, 2, 4, 8, 16, 32) else 4)


def test_a_whole_round_is_even_and_the_next_one_differs() -> None:
    pool, counts = _pool(33, 2), Counts(5, 5)
    lists = list(islice(choices(pool, counts, seed=1), LISTS + 50))
    assert _spread(Counter(choice for chosen in lists[:LISTS] for choice in chosen), pool) <= 1
    assert lists[:50] != lists[LISTS:]


def test_a_list_is_dealt_without_those_before_it() -> None:
    pool, counts = _pool(40, 3), Counts(5, 5)
    in_turn = list(islice(choices(pool, counts, seed=3), 60))
    assert in_turn == [next(choices(pool, counts, seed=3, first=number)) for number in range(1, 61)]
    assert len(next(choices(pool, counts, seed=3, first=10**9))) == 10


def test_scarce_pictures_keep_their_role_and_the_others_are_even() -> None:
    pool = _pool(30, 2, frozenset((1, item) for item in range(2, 30)))  # model b made two of the items
    uses = Counter(choice for chosen in islice(choices(pool, Counts(6, 4), seed=0), 100) for choice in chosen)
    assert [uses["b", item] for item in ("0", "1")] == [100, 100]
    for role in (REAL, "a"):
        others = [uses[role, str(item)] for item in range(2, 30)]
        assert max(others) - min(others) <= 2
        assert uses[role, "0"] == uses[role, "1"] == 0


@settings(max_examples=15, deadline=None)
@given(
    real=st.integers(1, 9), fake=st.integers(1, 9), lacking=st.sets(st.tuples(st.integers(0, 2), st.integers(0, 19)))
)
def test_pools_with_gaps_have_exact_lists(real: int, fake: int, lacking: set[tuple[int, int]]) -> None:
    pool, counts = _pool(20, 3, frozenset(lacking)), Counts(real, fake)
    assume(all(pool.roles.values()) and feasible(pool, counts))
    for chosen in islice(choices(pool, counts, seed=1), 12):
        assert Counter(role for role, _ in chosen)[REAL] == real
        assert len({item for _, item in chosen}) == len(chosen) == counts.total
        assert all(item in pool.roles[role] for role, item in chosen)


def test_reals_of_items_without_a_fake_are_shown_and_those_of_the_others_too() -> None:
    pool, counts = _pool(26, 1, frozenset((0, item) for item in range(13))), Counts(10, 10)
    uses = Counter(choice for chosen in islice(choices(pool, counts, seed=0), 256) for choice in chosen)
    without, others = ([uses[REAL, str(item)] for item in items] for items in (range(13), range(13, 26)))
    assert set(map(len, (without, others))) == {13}
    assert max(without) - min(without) <= 3, "7 of 13 in each list"
    assert max(others) - min(others) <= 3, "3 of 13 in each list"
    assert min(others) >= 256 * 3 // 13 - 1
    assert never_shown(pool, counts) is None


@settings(max_examples=8, deadline=None)
@given(lacking=st.sets(st.tuples(st.integers(0, 2), st.integers(0, 59)), max_size=90), seed=st.integers(0, 99))
def test_pools_with_gaps_are_even_where_no_item_is_scarce(lacking: set[tuple[int, int]], seed: int) -> None:
    pool = _pool(60, 3, frozenset(lacking))
    # the share of the lists with an item that has all roles
    assume(8 / 60 + sum(8 / 3 / max(len(pool.roles[role]), 1) for role in pool.generated) < 0.95)
    uses: Counter[Choice] = Counter()
    for chosen in islice(choices(pool, Counts(8, 8), seed=seed), 200):
        uses.update(chosen)
        assert _spread(uses, pool) <= 5


def test_pictures_that_no_list_can_show_are_named() -> None:
    pool = _pool(30, 2, frozenset((1, item) for item in range(2, 30)))
    assert never_shown(pool, Counts(6, 4)) == (
        "data set maps: 2 real pictures, 2 pictures of a are never shown, because every list needs their items for "
        "other pictures; add pictures of the model that has the fewest"
    )
    assert never_shown(_pool(5000, 3), Counts(5, 5)) is None


@given(st.lists(st.lists(st.integers(0, 7), unique=True, max_size=8), min_size=1, max_size=8))
def test_seats_everybody_exactly_when_a_perfect_matching_exists(wishes: list[list[int]]) -> None:
    table = np.zeros((len(wishes), 8), dtype=int)
    for slot, items in enumerate(wishes):
        table[slot, items] = 1
    possible = (maximum_bipartite_matching(csr_array(table), perm_type="column") >= 0).all()

    seats = match([[str(item) for item in items] for items in wishes])

    assert (seats is not None) == possible
    if seats is not None:
        assert len(set(seats)) == len(wishes)
        assert all(int(seat) in items for seat, items in zip(seats, wishes, strict=True))
