"""The draw of each protocol: pairs, exposures, practice, catch trials, and the lists of stations."""

from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quiz_study import stimulus_rows

from gan_eval.errors import UserError
from gan_eval.quiz.draw import deal
from gan_eval.quiz.draw.deal import next_list
from gan_eval.settings.quiz import QuizSettings

MODELS = ("a", "b", "c")


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
    for number in range(1, 41):
        plan = deal(stimulus_rows(40, ("a", "b")), asked, seed=4, list_number=number).plan
        levels = Counter((row["kind"], row["requested_exposure_ms"]) for row in plan)
        assert set(levels.values()) == {2}
        for model in ("a", "b"):
            shares = Counter(row["requested_exposure_ms"] for row in plan if row["model"] == model)
            assert sorted(shares.values()) == [1, 1, 1, 1]
        used.update((row["stimulus"], row["requested_exposure_ms"]) for row in plan)
    assert len({level for _, level in used}) == 4
    assert (
        sum(1 for row in stimulus_rows(40, ("a", "b")) if len({lv for s, lv in used if s == row["stimulus"]}) > 1) > 100
    )


@settings(max_examples=15)
@given(practice=st.integers(0, 9), catch=st.integers(0, 5), number=st.integers(1, 30), pairs=st.booleans())
def test_practice_comes_first_and_catch_trials_lie_among_the_main_ones(
    practice: int, catch: int, number: int, pairs: bool
) -> None:
    stimuli = stimulus_rows(30, dataset="facades") + stimulus_rows(30, dataset="maps")
    asked = QuizSettings(
        protocol="paired" if pairs else "quick_response", real=4, fake=4, pairs=8, practice=practice, catch=catch
    )
    draw = deal(stimuli, asked, seed=2, list_number=number, catch=stimulus_rows(6, dataset="noise"))
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


@settings(max_examples=20)
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
    for number in range(1, 21):
        plan = deal(
            stimulus_rows(80, dataset="facades"),
            asked,
            seed=6,
            list_number=number,
            catch=stimulus_rows(6, dataset="noise"),
        ).plan
        places = [row["trial"] for row in plan if row["phase"] == "catch"]
        assert all(11 * stretch - 3 <= place <= 11 * stretch + 14 for stretch, place in enumerate(places))


@pytest.mark.parametrize(("phase", "protocol"), [("practice", "yes_no"), ("catch", "paired")])
def test_sets_that_lack_a_class_are_named_by_their_setting(phase: str, protocol: str) -> None:
    fakes = [row for row in stimulus_rows(6, dataset="noise") if row["kind"] == "fake"]
    asked = QuizSettings(protocol=protocol, real=5, fake=5, pairs=5, practice=2, catch=2)
    sets = {"practice": stimulus_rows(9, dataset="old"), "catch": stimulus_rows(9, dataset="noise"), phase: fakes}
    with pytest.raises(UserError, match=rf"stimuli\.{phase}_sets: data set noise: no real pictures"):
        deal(stimulus_rows(30, dataset="facades"), asked, seed=0, list_number=1, **sets)


def test_no_item_of_the_list_is_practised_though_the_sets_overlap() -> None:
    stimuli = stimulus_rows(14, dataset="facades")
    asked = QuizSettings(real=5, fake=5, practice=4, catch=2)
    for number in range(1, 41):
        plan = deal(
            stimuli, asked, seed=0, list_number=number, practice=stimuli, catch=stimulus_rows(6, dataset="noise")
        ).plan
        assert Counter(row["phase"] for row in plan) == {"practice": 4, "main": 10, "catch": 2}
        assert len({row["item"] for row in plan}) == len(plan)


def test_too_little_for_practice_is_said() -> None:
    asked = {"real": 5, "fake": 5, "practice": 4}
    draw = deal(stimulus_rows(12), QuizSettings(**asked), seed=0, list_number=1)
    assert Counter(row["phase"] for row in draw.plan) == {"practice": 2, "main": 10}
    assert any("quiz.practice = 4" in warning for warning in draw.warnings)
    with pytest.raises(UserError, match="practice_sets"):
        deal(stimulus_rows(12), QuizSettings(**asked, strict_counts=True), seed=0, list_number=1)


def test_catch_trials_need_pictures() -> None:
    with pytest.raises(UserError, match="catch_sets"):
        deal(stimulus_rows(30), QuizSettings(real=5, fake=5, catch=2), seed=0, list_number=1)


def test_one_shared_list_is_warned_of() -> None:
    asked = QuizSettings(real=5, fake=5)
    assert not deal(stimulus_rows(20), asked, seed=0, list_number=1).warnings
    (warning,) = deal(stimulus_rows(19), asked, seed=0, list_number=1).warnings
    assert "10 of only 19 items" in warning
    assert "between models" not in warning, "there is one"
    (warning,) = deal(stimulus_rows(19, ("a", "b")), asked, seed=0, list_number=1).warnings
    assert "pass for differences between models" in warning


@pytest.mark.parametrize(
    ("taken", "wanted", "share", "number"),
    [
        ([], None, None, 1),
        ([1, 2], None, None, 3),
        ([1, 7], None, None, 8),
        ([1, 2], 2, None, 2),
        ([1, 2, 5], None, "5-8", 6),
        ([], None, "21-40", 21),
    ],
)
def test_which_list_comes_next(taken: list[int], wanted: int | None, share: str | None, number: int) -> None:
    assert next_list(taken, wanted, share) == number


@pytest.mark.parametrize(
    ("taken", "wanted", "share", "message"),
    [
        ([1, 2], None, "1-2", "all of them are taken"),
        ([], 1, "1-2", "give one of them"),
        ([], 0, None, "from 1"),
        ([], None, "2-1", "smaller one first"),
        ([], None, "x", "1-20"),
        ([], 10**30, None, "1000000000"),
        ([], None, f"1-{10**30}", "1000000000"),
        ([], None, "1" * 5000, "1000000000"),
    ],
)
def test_lists_that_cannot_be_dealt(taken: list[int], wanted: int | None, share: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        next_list(taken, wanted, share)
