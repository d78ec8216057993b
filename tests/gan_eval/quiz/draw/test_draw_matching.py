"""Seating by augmenting paths, against scipy's matching."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from gan_eval.quiz.draw.choose import match


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


def test_takes_the_first_wishes_where_nobody_has_to_move() -> None:
    assert match([["c", "a"], ["c", "b"], ["d"]]) == ["c", "b", "d"]
