"""The draw: every list alone, of each protocol, and the uses of pictures over many lists."""

import pickle
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, islice, permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from quiz_study import deal, stimulus_rows
from refusals import refused
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from gan_eval.quiz.draw import rounds
from gan_eval.quiz.draw.choose import Counts, feasible, match
from gan_eval.quiz.draw.deal import next_list
from gan_eval.quiz.draw.offers import Pool
from gan_eval.quiz.draw.order import class_order
from gan_eval.quiz.draw.rounds import LISTS, Choice, Lists, choices, never_shown
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables import PLANS
from gan_eval.tables.frames import Row
from gan_eval.tables.names import REAL

FIVE = QuizSettings(real=5, fake=5)


def test_a_list_is_a_function_of_seed_and_number_whatever_the_order_of_the_rows() -> None:
    rows = stimulus_rows(30)
    draws = [deal(rows, FIVE, seed=seed, list_number=number) for seed, number in ((1, 5), (1, 6), (2, 5))]
    assert draws[0] == deal(reversed(rows), FIVE, seed=1, list_number=5)
    assert draws[0] not in draws[1:]
    assert [row["trial"] for row in draws[0].plan] == list(range(1, 11))
    assert set(draws[0].plan[0]) == set(PLANS.names)


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


@pytest.mark.parametrize(
    ("items", "asked", "counts", "warning"),
    [
        (10, {"real": 25, "fake": 25}, {"real": 5, "fake": 5}, "5 real + 5 fake"),
        (9, {"real": 25, "fake": 25}, {"real": 4, "fake": 4}, "4 real + 4 fake"),
        (7, {"real": 25, "fake": 25}, {"real": 3, "fake": 3}, "3 real + 3 fake"),
        (2, {"real": 25, "fake": 25}, {"real": 1, "fake": 1}, "1 real + 1 fake"),
        (12, {"practice": 4}, {"practice": 2, "real": 5, "fake": 5}, "quiz.practice = 4"),
        (19, {}, {"real": 5, "fake": 5}, "10 of only 19 items"),
        (20, {}, {"real": 5, "fake": 5}, None),
    ],
)
def test_a_small_pool_gives_the_largest_equal_counts_and_a_warning(
    items: int, asked: dict[str, int], counts: dict[str, int], warning: str | None
) -> None:
    draw = deal(stimulus_rows(items), QuizSettings(**{"real": 5, "fake": 5, **asked}), seed=0, list_number=1)
    assert Counter(row["phase"] if row["phase"] == "practice" else row["kind"] for row in draw.plan) == counts
    if warning is None:
        assert not draw.warnings
    else:
        assert any(warning in line for line in draw.warnings)
        assert len(draw.warnings) == 1 + ("practice" in asked)


MODELS = ("a", "b", "c")
NOISE = stimulus_rows(6, dataset="noise")


@pytest.mark.parametrize(
    ("layout", "positions"), [("side_by_side", {"left", "right"}), ("one_after_other", {"first", "second"})]
)
def test_pairs_show_the_real_and_a_fake_of_one_item(layout: str, positions: set[str]) -> None:
    asked = QuizSettings(protocol="paired", pairs=12, layout=layout, exposure_ms=1000)
    for number in (1, 2, 3):
        plan = deal(stimulus_rows(40, MODELS), asked, seed=1, list_number=number).plan

        assert len({row["item"] for row in plan}) == len(plan) == 12
        for row in plan:
            dataset, stem = row["item"].split("/")
            assert row["stimulus"] == f"{dataset}/real/{stem}"
            assert row["stimulus_b"] == f"{dataset}/{row['model']}/{stem}"
            assert (row["kind"], row["sha256"], row["sha256_b"]) == (None, f"None-{stem}", f"{row['model']}-{stem}")
        assert Counter(row["model"] for row in plan) == dict.fromkeys(MODELS, 4)
        assert Counter(row["position"] for row in plan) == dict.fromkeys(positions, 6)
        assert max(len(list(run)) for _, run in groupby(row["position"] for row in plan)) <= 3


def test_models_are_compared_with_each_other_in_equal_shares() -> None:
    asked = QuizSettings(protocol="model_vs_model", pairs=9)
    plan = deal(stimulus_rows(30, MODELS), asked, seed=1, list_number=1).plan

    assert Counter(row["model"] for row in plan) == {"a|b": 3, "a|c": 3, "b|c": 3}
    for row in plan:
        one, other = row["model"].split("|")
        assert (row["stimulus"].split("/")[1], row["stimulus_b"].split("/")[1]) == (one, other)
        assert row["stimulus"].split("/")[2] == row["stimulus_b"].split("/")[2]
    assert not {row["kind"] for row in plan} - {None}


def test_exposures_are_shared_out_equally_in_each_class_and_model() -> None:
    asked = QuizSettings(protocol="yes_no", real=8, fake=8, exposures_ms=(100, 200, 500, "until-answer"))
    used: Counter[tuple[str, float | None]] = Counter()
    for number in range(1, 21):
        plan = deal(stimulus_rows(20, ("a", "b")), asked, seed=4, list_number=number).plan
        levels = Counter((row["kind"], row["requested_exposure_ms"]) for row in plan)
        assert set(levels.values()) == {2}
        for model in ("a", "b"):
            shares = Counter(row["requested_exposure_ms"] for row in plan if row["model"] == model)
            assert sorted(shares.values()) == [1, 1, 1, 1]
        used.update((row["stimulus"], row["requested_exposure_ms"]) for row in plan)
    assert {level for _, level in used} == {100, 200, 500, None}


@settings(max_examples=15)
@given(practice=st.integers(0, 9), catch=st.integers(0, 5), number=st.integers(1, 30), pairs=st.booleans())
def test_practice_comes_first_and_catch_trials_lie_among_the_main_ones(
    practice: int, catch: int, number: int, pairs: bool
) -> None:
    stimuli = stimulus_rows(30, dataset="facades") + stimulus_rows(30, dataset="maps")
    asked = QuizSettings(
        protocol="paired" if pairs else "quick_response", real=4, fake=4, pairs=8, practice=practice, catch=catch
    )
    draw = deal(stimuli, asked, seed=2, list_number=number, catch=NOISE)
    phases = [row["phase"] for row in draw.plan]

    assert Counter(phases) == Counter({"practice": practice, "main": 16, "catch": catch}) - Counter()
    assert phases[:practice] == ["practice"] * practice
    assert phases[practice] == "main"
    assert len({row["item"] for row in draw.plan}) == len(draw.plan)
    assert {row["dataset"] for row in draw.plan if row["phase"] == "catch"} <= {"noise"}
    assert [row["trial"] for row in draw.plan] == list(range(1, len(draw.plan) + 1))
    blocks = [row["block"] for row in draw.plan]
    assert blocks == sorted(blocks)
    assert not draw.warnings


@settings(max_examples=12)
@given(
    each=st.integers(1, 8),
    caught=st.integers(0, 8),
    kinds=st.sampled_from([("real",), ("fake",), ("real", "fake")]),
    number=st.integers(1, 60),
    pairs=st.booleans(),
)
def test_catch_trials_and_block_borders_make_no_longer_runs(
    each: int, caught: int, kinds: tuple[str, ...], number: int, pairs: bool
) -> None:
    catch = min(caught, each)
    protocol = "paired" if pairs else "quick_response"
    asked = QuizSettings(protocol=protocol, real=each, fake=each, pairs=2 * each, catch=catch)
    pictures = [row for row in stimulus_rows(9, dataset="noise") if pairs or row["kind"] in kinds]
    stimuli = [row for name in ("facades", "maps", "shoes") for row in stimulus_rows(16, dataset=name)]
    plan = deal(stimuli, asked, seed=5, list_number=number, catch=pictures).plan

    assert Counter(row["phase"] for row in plan) == Counter({"main": 6 * each, "catch": catch}) - Counter()
    assert plan[0]["phase"] == "main"
    assert max(len(list(run)) for _, run in groupby(row["position" if pairs else "kind"] for row in plan)) <= 3


def test_catch_trials_lie_in_equal_stretches_of_the_list() -> None:
    asked = QuizSettings(real=20, fake=20, catch=4)
    for number in range(1, 11):
        plan = deal(stimulus_rows(80), asked, seed=6, list_number=number, catch=NOISE).plan
        places = [row["trial"] for row in plan if row["phase"] == "catch"]
        assert all(11 * stretch - 3 <= place <= 11 * stretch + 14 for stretch, place in enumerate(places))


TEN = stimulus_rows(10)
FAKES = [row for row in NOISE if row["kind"] == "fake"]
APART = [*TEN, *[row | {"item": f"facades/of {row['item']}"} for row in stimulus_rows(10, ("lone",)) if row["model"]]]
"""Pictures of a second model, of other items."""


@pytest.mark.parametrize(
    ("stimuli", "asked", "sets", "message"),
    [
        (stimulus_rows(9), {"strict_counts": True}, {}, r"9 items .*strict_counts"),
        ([row for row in TEN if row["kind"] == "real"], {}, {}, "no fake pictures"),
        ([row for row in TEN if row["kind"] == "fake"], {}, {}, "no real pictures"),
        ([], {}, {}, "no stimuli"),
        ([*TEN, {**TEN[0], "sha256": "other"}], {}, {}, "two different pictures"),
        (stimulus_rows(12), {"practice": 4, "strict_counts": True}, {}, "practice_sets"),
        (TEN, {"catch": 2}, {}, "catch_sets"),
        (TEN, {"practice": 2}, {"practice": FAKES}, r"stimuli\.practice_sets:"),
        (TEN, {"protocol": "paired", "catch": 2}, {"catch": FAKES}, r"stimuli\.catch_sets:"),
        (APART, {"protocol": "paired"}, {}, r"facades: .*lone .*real"),
        (APART, {"protocol": "model_vs_model"}, {}, r"facades: .*lone .*pix2pix"),
    ],
)
def test_what_cannot_be_dealt_is_an_error(
    stimuli: list[Row], asked: dict[str, object], sets: dict[str, list[Row]], message: str
) -> None:
    settings = QuizSettings(**{"real": 5, "fake": 5, "pairs": 5, **asked})
    refused(message, deal, stimuli, settings, seed=0, list_number=1, **sets)


def test_no_item_of_the_list_is_practised_though_the_sets_overlap() -> None:
    stimuli = stimulus_rows(14, dataset="facades")
    asked = QuizSettings(real=5, fake=5, practice=4, catch=2)
    for number in range(1, 13):
        plan = deal(stimuli, asked, seed=0, list_number=number, practice=stimuli, catch=NOISE).plan
        assert Counter(row["phase"] for row in plan) == {"practice": 4, "main": 10, "catch": 2}
        assert len({row["item"] for row in plan}) == len(plan)


def test_the_list_that_comes_next_is_the_requested_one_or_follows_all_that_are_taken() -> None:
    assert [next_list(taken, None) for taken in ([], [1, 2], [1, 7])] == [1, 3, 8]
    assert next_list([1, 2], 2) == 2
    for taken, wanted, message in (
        ([], 0, "from 1"),
        ([], 10**30, "999999999"),
        ([10**9 - 1], None, "the last list is 999999999; choose one with --list NUMBER"),
    ):
        refused(message, next_list, taken, wanted)


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


@settings(max_examples=15)
@given(
    items=st.integers(2, 90), models=st.integers(1, 5), real=st.integers(1, 30), fake=st.integers(1, 30),
    lacking=st.sets(st.tuples(st.integers(0, 2), st.integers(0, 19))), begun=st.integers(0, 10**8),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_every_list_has_exact_counts_and_without_gaps_pictures_are_used_equally_often(
    items: int, models: int, real: int, fake: int, lacking: set[tuple[int, int]], begun: int, seed: int
) -> None:
    pool, counts = _pool(items, models, frozenset(lacking)), Counts(real, fake)
    assume(all(pool.roles.values()) and feasible(pool, counts))
    first = begun * LISTS + 1
    uses: Counter[Choice] = Counter()
    for number, chosen in enumerate(islice(choices(pool, counts, seed=seed, first=first), 40), 1):
        shares = Counter(role for role, _ in chosen)
        assert shares[REAL] == real
        assert max(shares[role] for role in pool.generated) - min(shares[role] for role in pool.generated) <= 1
        assert len({item for _, item in chosen}) == len(chosen) == counts.total
        assert all(item in pool.roles[role] for role, item in chosen)
        uses.update(chosen)
        if not lacking:
            assert _spread(uses, pool) <= min(number, 5)


def test_a_whole_round_is_even_and_the_next_one_differs() -> None:
    pool, counts = _pool(33, 2), Counts(5, 5)
    lists = list(islice(choices(pool, counts, seed=1), LISTS + 50))
    assert _spread(Counter(choice for chosen in lists[:LISTS] for choice in chosen), pool) <= 1
    assert lists[:50] != lists[LISTS:]


def test_a_list_is_dealt_without_those_before_it() -> None:
    pool, counts = _pool(40, 3), Counts(5, 5)
    in_turn = list(islice(choices(pool, counts, seed=3), 20))
    assert in_turn == [next(choices(pool, counts, seed=3, first=number)) for number in range(1, 21)]
    assert len(next(choices(pool, counts, seed=3, first=10**9))) == 10


def test_lists_are_drawn_once_however_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 50th participant's list took the time of 50 lists."""
    pool, counts = _pool(40, 3), Counts(5, 5)
    matched = list[int]()
    monkeypatch.setattr(rounds, "match", lambda candidates: matched.append(1) or match(candidates))
    lists = Lists(pool, counts, 3)
    asked = [1, 2, 3, 7, 5, LISTS, LISTS + 2, 4]
    drawn = [lists[number] for number in asked]
    assert len(matched) == LISTS + 2 + 4
    assert [*map(pickle.loads(pickle.dumps(lists)).__getitem__, asked)] == drawn
    assert drawn == [next(choices(pool, counts, seed=3, first=number)) for number in asked]


def test_scarce_pictures_keep_their_role_and_the_others_are_even() -> None:
    pool = _pool(30, 2, frozenset((1, item) for item in range(2, 30)))  # model b made two of the items
    uses = Counter(choice for chosen in islice(choices(pool, Counts(6, 4), seed=0), 100) for choice in chosen)
    assert [uses["b", item] for item in ("0", "1")] == [100, 100]
    for role in (REAL, "a"):
        others = [uses[role, str(item)] for item in range(2, 30)]
        assert max(others) - min(others) <= 2
        assert uses[role, "0"] == uses[role, "1"] == 0


def test_reals_of_items_without_a_fake_are_shown_and_those_of_the_others_too() -> None:
    pool, counts = _pool(26, 1, frozenset((0, item) for item in range(13))), Counts(10, 10)
    uses = Counter(choice for chosen in islice(choices(pool, counts, seed=0), 256) for choice in chosen)
    without, others = ([uses[REAL, str(item)] for item in items] for items in (range(13), range(13, 26)))
    assert set(map(len, (without, others))) == {13}
    assert max(without) - min(without) <= 3, "7 of 13 in each list"
    assert max(others) - min(others) <= 3, "3 of 13 in each list"
    assert min(others) >= 256 * 3 // 13 - 2
    assert never_shown(pool, counts) is None


@settings(max_examples=5)
@given(lacking=st.sets(st.tuples(st.integers(0, 2), st.integers(0, 59)), max_size=90), seed=st.integers(0, 99))
def test_pools_with_gaps_are_even_where_no_item_is_scarce(lacking: set[tuple[int, int]], seed: int) -> None:
    pool = _pool(60, 3, frozenset(lacking))
    # the share of the lists with an item that has all roles
    assume(8 / 60 + sum(8 / 3 / max(len(pool.roles[role]), 1) for role in pool.generated) < 0.95)
    uses: Counter[Choice] = Counter()
    for chosen in islice(choices(pool, Counts(8, 8), seed=seed), 100):
        uses.update(chosen)
        assert _spread(uses, pool) <= 5


def test_pictures_that_no_list_can_show_are_named() -> None:
    pool = _pool(30, 2, frozenset((1, item) for item in range(2, 30)))
    assert str(never_shown(pool, Counts(6, 4))).startswith("data set maps: 2 real pictures, 2 pictures of a ")
    assert never_shown(_pool(5000, 3), Counts(5, 5)) is None


@given(st.lists(st.lists(st.integers(0, 7), unique=True, max_size=8), min_size=1, max_size=8))
def test_assigns_every_slot_exactly_when_a_perfect_matching_exists(candidates: list[list[int]]) -> None:
    table = np.zeros((len(candidates), 8), dtype=int)
    for slot, items in enumerate(candidates):
        table[slot, items] = 1
    possible = (maximum_bipartite_matching(csr_array(table), perm_type="column") >= 0).all()

    assigned = match([[str(item) for item in items] for items in candidates])

    assert (assigned is not None) == possible
    if assigned is not None:
        assert len(set(assigned)) == len(candidates)
        assert all(int(item) in items for item, items in zip(assigned, candidates, strict=True))


def unpaired_rows(reals: int, fakes: int, models: tuple[str, ...] = ("gan",)) -> list[Row]:
    """Stimulus rows of pictures without partners; the models share their items."""
    photographs = [row for row in stimulus_rows(reals) if row["kind"] == "real"]
    samples = [row for row in stimulus_rows(fakes, models) if row["kind"] == "fake"]
    return [{**row, "item": row["stimulus"]} for row in photographs] + samples


@pytest.mark.parametrize("protocol", ["quick_response", "yes_no", "staircase", "quest_plus", "rating"])
def test_pictures_without_partners_are_dealt_in_equal_numbers_and_an_item_once(protocol: str) -> None:
    pool, chosen = unpaired_rows(9, 14, ("gan", "diffusion")), QuizSettings(protocol=protocol, real=6, fake=6)
    uses: Counter[str] = Counter()
    for number in range(1, 13):
        plan = deal(pool, chosen, seed=3, list_number=number).plan
        assert Counter(row["model"] for row in plan) == {None: 6, "gan": 3, "diffusion": 3}
        assert len({row["item"] for row in plan}) == 12
        uses.update(row["stimulus"] for row in plan)
    reals = [uses[row["stimulus"]] for row in pool if row["kind"] == "real"]
    assert max(reals) - min(reals) <= 1


def test_random_pairs_show_each_real_picture_once_in_a_list_and_all_equally_often() -> None:
    asked = QuizSettings(protocol="paired", pairs_of="random", pairs=6, practice=2)
    pool = unpaired_rows(8, 14, ("gan", "diffusion"))
    uses, partners = Counter[str](), set()
    for number in range(1, 9):
        plan = deal(pool, asked, seed=3, list_number=number).plan
        assert len({row["stimulus"] for row in plan}) == len({row["item"] for row in plan}) == len(plan) == 8
        main = [row for row in plan if row["phase"] == "main"]
        assert Counter(row["model"] for row in main) == {"gan": 3, "diffusion": 3}
        assert all(row["stimulus_b"].endswith(row["item"].partition("/")[2]) for row in plan)  # the item is the fake's
        assert all(row["sha256"] == "None-" + row["stimulus"].rpartition("/")[2] for row in plan)
        uses.update(row["stimulus"] for row in main)
        partners |= {(row["stimulus"], row["stimulus_b"]) for row in main}
    assert {*uses.values()} == {6}
    assert len(partners) > 40  # of 48: the pairs are not the same in all lists


def test_random_pairs_of_a_paired_set_avoid_the_real_pictures_of_their_own_items() -> None:
    asked = QuizSettings(protocol="paired", pairs_of="random", pairs=6)
    for number in range(1, 6):
        plan = deal(stimulus_rows(12), asked, seed=3, list_number=number).plan
        assert not {row["stimulus"].rpartition("/")[2] for row in plan} & {
            row["item"].rpartition("/")[2] for row in plan
        }


def test_random_pairs_are_as_many_as_there_are_real_pictures() -> None:
    asked = QuizSettings(protocol="paired", pairs_of="random", pairs=6)
    draw = deal(unpaired_rows(4, 20), asked, seed=3, list_number=1)
    assert len(draw.plan) == 4
    assert "4 real pictures" in draw.warnings[0]
    refused("pairs_of", deal, unpaired_rows(4, 20), QuizSettings(protocol="paired"), seed=3, list_number=1)


def test_captions_are_shown_only_where_there_are_some_and_a_pair_has_one() -> None:
    rows = [{**row, "caption": "a house"} for row in stimulus_rows(8, ("one", "two"))]
    single = QuizSettings(real=2, fake=2, show_caption=True)
    fits = QuizSettings(protocol="model_vs_model", pairs=2, show_caption=True, question="fits")
    for chosen in (single, fits):
        deal(rows, chosen, seed=1, list_number=1)
        refused("show_caption:", deal, [{**row, "caption": " "} for row in rows], chosen, seed=1, list_number=1)
    some = [{**row, "caption": row["caption"] if int(row["item"][-1]) < 3 else None} for row in rows]
    dealt = deal(some, fits.model_copy(update={"pairs": 8}), seed=1, list_number=1)
    assert sorted(row["item"] for row in dealt.plan) == ["facades/0", "facades/1", "facades/2"]
    assert "5 of 8 items have no caption" in " ".join(dealt.warnings)
    given_away = [{**row, "caption": row["model"] and "a house"} for row in rows]
    warned = "0% of real and 100% of generated pictures have captions"
    assert warned in " ".join(deal(given_away, single, seed=1, list_number=1).warnings)
    assert "captions" not in " ".join(deal(rows, single, seed=1, list_number=1).warnings)
    deal(given_away, fits, seed=1, list_number=1)
    refused("item facades/0", deal, [{**row, "caption": row["model"]} for row in rows], fits, seed=1, list_number=1)
