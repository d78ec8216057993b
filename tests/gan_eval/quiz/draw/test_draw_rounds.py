"""Rounds: every list alone, uses of pictures balanced over any number of lists."""

from collections import Counter
from itertools import islice

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gan_eval.quiz.draw.choose import Counts, feasible
from gan_eval.quiz.draw.offers import REAL, Pool
from gan_eval.quiz.draw.rounds import Choice, choices, edge_colours, rounds_of


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


@settings(max_examples=60, deadline=None)
@given(
    items=st.integers(2, 90), models=st.integers(1, 5), real=st.integers(1, 30), fake=st.integers(1, 30),
    begun=st.integers(0, 10**8), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_list_has_exact_counts_and_pictures_are_used_equally_often(
    items: int, models: int, real: int, fake: int, begun: int, seed: int
) -> None:
    pool, counts = _pool(items, models), Counts(real, fake)
    assume(counts.total <= items)
    rounds = rounds_of(pool, counts)
    assert rounds is not None
    first = begun * rounds.lists + 1
    uses: Counter[Choice] = Counter()
    for number, chosen in enumerate(
        islice(choices(pool, counts, seed=seed, first=first), max(2 * rounds.lists, 12)), 1
    ):
        shares = Counter(role for role, _ in chosen)
        assert shares[REAL] == real
        assert max(shares[role] for role in pool.generated) - min(shares[role] for role in pool.generated) <= 1
        assert len({item for _, item in chosen}) == len(chosen) == counts.total
        uses.update(chosen)
        # of a study's first lists; a stretch from anywhere begins in the midst of a lap
        assert _spread(uses, pool) <= (1 if not number % rounds.lists else 4) + (begun > 0)


def test_a_large_pool_is_used_evenly_from_the_first_list_on() -> None:
    pool, counts = _pool(300, 3), Counts(10, 10)
    uses: Counter[Choice] = Counter()
    for number, chosen in enumerate(islice(choices(pool, counts, seed=1), 200), 1):
        uses.update(chosen)
        assert _spread(uses, pool) <= 2
        if number == 15:
            assert len({item for _, item in uses}) > 280, "hardly an item comes twice in the first lap"


def test_a_list_is_dealt_without_those_before_it() -> None:
    pool, counts = _pool(40, 3), Counts(5, 5)
    in_turn = list(islice(choices(pool, counts, seed=3), 60))
    assert in_turn == [next(choices(pool, counts, seed=3, first=number)) for number in range(1, 61)]
    assert len(next(choices(pool, counts, seed=3, first=10**9))) == 10


def test_two_laps_have_different_orders() -> None:
    pool, counts = _pool(40, 1), Counts(2, 2)
    lists = list(islice(choices(pool, counts, seed=3), 40))
    together = [frozenset(item for role, item in chosen if role == REAL) for chosen in lists]
    assert len(set(together)) > 35


def test_scarce_pictures_keep_their_role_and_the_others_are_even() -> None:
    pool = _pool(30, 2, frozenset((1, item) for item in range(2, 30)))  # model b made two of the items
    uses = Counter(choice for chosen in islice(choices(pool, Counts(6, 4), seed=0), 100) for choice in chosen)
    assert [uses["b", item] for item in ("0", "1")] == [100, 100]
    for role in (REAL, "a"):
        others = [uses[role, str(item)] for item in range(2, 30)]
        assert max(others) - min(others) <= 2
        assert uses[role, "0"] == uses[role, "1"] == 0


@settings(max_examples=40, deadline=None)
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


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
def test_edges_at_a_vertex_differ_in_colour(edges: list[tuple[int, int]]) -> None:
    degrees = Counter((side, edge[side]) for edge in edges for side in (0, 1))
    colours = edge_colours(edges, max(degrees.values(), default=1))
    at = Counter((side, edge[side], colour) for edge, colour in zip(edges, colours, strict=True) for side in (0, 1))
    assert max(at.values(), default=1) == 1
