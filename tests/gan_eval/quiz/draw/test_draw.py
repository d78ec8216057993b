"""The draw: properties of every list for any seed."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quiz_study import stimulus_rows

from gan_eval.errors import UserError
from gan_eval.quiz.draw import deal
from gan_eval.quiz.draw.order import class_order
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables import PLANS

FIVE = QuizSettings(real=5, fake=5)


@pytest.mark.parametrize("models", [("a",), ("a", "b"), ("a", "b", "c")])
@pytest.mark.parametrize("seed", range(3))
def test_every_list_has_exact_counts_and_no_item_twice(models: tuple[str, ...], seed: int) -> None:
    for number in (1, 2, 7):
        plan = deal(stimulus_rows(14, models), FIVE, seed=seed, list_number=number).plan

        assert Counter(row["kind"] for row in plan) == {"real": 5, "fake": 5}
        shares = Counter(row["model"] for row in plan if row["kind"] == "fake")
        assert max(shares.values()) - min(shares[model] for model in models) <= 1
        assert len({row["item"] for row in plan}) == 10
        assert [row["trial"] for row in plan] == list(range(1, 11))
        assert set(plan[0]) == set(PLANS.names)


def test_a_list_is_a_function_of_seed_and_number() -> None:
    def stimuli(seed: int, number: int) -> list[str]:
        return [row["stimulus"] for row in deal(stimulus_rows(30), FIVE, seed=seed, list_number=number).plan]

    assert stimuli(1, 5) == stimuli(1, 5)
    assert stimuli(1, 5) != stimuli(1, 6)
    assert stimuli(1, 5) != stimuli(2, 5)


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert deal(stimulus_rows(20), FIVE, seed=1, list_number=3) == deal(
        reversed(stimulus_rows(20)), FIVE, seed=1, list_number=3
    )


def test_each_data_set_is_a_block_and_their_order_changes() -> None:
    pool = stimulus_rows(12, dataset="facades") + stimulus_rows(12, dataset="maps") + stimulus_rows(12, dataset="shoes")
    orders = set()
    for number in range(1, 9):
        plan = deal(pool, FIVE, seed=0, list_number=number).plan
        blocks = [(block, dataset) for (block, dataset), _ in groupby(plan, lambda row: (row["block"], row["dataset"]))]
        assert [block for block, _ in blocks] == [1, 2, 3]
        orders.add(tuple(dataset for _, dataset in blocks))
    assert len(orders) > 1


@settings(max_examples=80)
@given(
    real=st.integers(0, 4), fake=st.integers(0, 4), before=st.integers(0, 5), longest=st.integers(1, 3),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_a_run_goes_on_from_what_came_before_and_is_the_shortest_possible(
    real: int, fake: int, before: int, longest: int, seed: int
) -> None:
    after = ["real", *["fake"] * before]
    order = class_order({"real": real, "fake": fake}, np.random.default_rng(seed), longest=longest, after=after)

    def longest_run(ending: Sequence[str]) -> int:
        """The longest run that ends after what came before."""
        longest, run, last = 0, max(before, 1), after[-1]
        for word in ending:
            last, run = word, run + 1 if word == last else 1
            longest = max(longest, run)
        return longest

    possible = set(permutations(["real"] * real + ["fake"] * fake))
    assert tuple(order) in possible
    assert longest_run(order) <= max(longest, min(map(longest_run, possible)))


def test_both_classes_are_equally_likely_in_every_place() -> None:
    orders = [class_order({"real": 5, "fake": 5}, np.random.default_rng(seed)) for seed in range(2000)]
    for place in range(10):
        share = sum(order[place] == "fake" for order in orders) / len(orders)
        assert abs(share - 0.5) < 0.05  # 4.5 standard errors


@pytest.mark.parametrize(("items", "shown"), [(10, 5), (9, 4), (7, 3), (2, 1)])
def test_a_small_pool_gives_the_largest_equal_counts_and_one_warning(items: int, shown: int) -> None:
    draw = deal(stimulus_rows(items), QuizSettings(real=25, fake=25), seed=0, list_number=1)

    assert Counter(row["kind"] for row in draw.plan) == {"real": shown, "fake": shown}
    assert len(draw.warnings) == 1
    assert f"{shown} real + {shown} fake" in draw.warnings[0]


def test_a_small_pool_is_an_error_under_strict_counts() -> None:
    with pytest.raises(UserError, match=r"9 items .*strict_counts"):
        deal(stimulus_rows(9), QuizSettings(real=5, fake=5, strict_counts=True), seed=0, list_number=1)


@pytest.mark.parametrize(
    ("kept", "message"),
    [("real", "no fake pictures"), ("fake", "no real pictures"), ("", "no stimuli")],
)
def test_a_class_without_pictures_is_an_error(kept: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        deal([row for row in stimulus_rows(10) if row["kind"] == kept], FIVE, seed=0, list_number=1)


def test_two_pictures_of_one_name_are_an_error() -> None:
    other = [{**row, "sha256": "other"} for row in stimulus_rows(10) if row["kind"] == "real"]
    with pytest.raises(UserError, match="two different pictures"):
        deal(stimulus_rows(10) + other, FIVE, seed=0, list_number=1)
