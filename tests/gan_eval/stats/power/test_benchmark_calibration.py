"""The benchmark of false alarms: every kind of study gives an answer in every row."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from make_trials import judged

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.tables.comparisons import comparisons

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("calibration")


@pytest.mark.nightly
def test_every_study_answers_every_row(calibration: ModuleType) -> None:
    for number, block in enumerate(calibration.BLOCKS.values()):
        rows = sum(len(part.rows) for part in block.parts)
        for column in range(len(block.parts[0].columns)):
            said = calibration.one_study(0, (number, column, 0))
            assert len(said) == rows
            may_have_none = "table to cite" in block.heading  # a row of one person may have no p
            assert {answer for answer in said if not (may_have_none and np.isnan(answer))} <= {0.0, 1.0}


@pytest.mark.nightly
@pytest.mark.parametrize("lists", ["shared", "pool"])
@pytest.mark.parametrize(("level", "design"), [("chance", "10 × 25"), ("middling", "3 × 25"), ("ceiling", "40 × 25")])
def test_every_interval_of_a_row_holds_the_truth(calibration: ModuleType, level: str, design: str, lists: str) -> None:
    """Require 34 of 40 intervals to hold the truth, and at most 8 false alarms or false equivalences."""
    names, block = list(calibration.BLOCKS), calibration.BLOCKS[f"row, {level}, {lists}"]
    column = block.parts[0].columns.index(design)
    index = names.index(f"row, {level}, {lists}")
    said = np.array([calibration.one_study(0, (index, column, number)) for number in range(40)])
    held, others = said[:, :4], dict(zip(block.parts[1].rows, said[:, 4:].T, strict=True))
    assert (np.nansum(held, axis=0) >= 34).all()
    assert others["no interval"].sum() == 0
    if level == "chance":
        assert max(np.nansum(outcome) for outcome in others.values()) <= 8


@pytest.mark.parametrize("effect", [0.4, -0.4])
def test_ours_is_what_the_table_says(calibration: ModuleType, effect: float) -> None:
    blocks, answers = (importlib.import_module(f"calibration_{name}") for name in ("blocks", "answers"))
    study = answers.simulate(answers.World(50, 0.4, effect, sd_skill=0.8), np.random.default_rng(1))
    plan, trials = AnalysisSettings(margin=0.1), judged(study.participant, study.stimulus, study.in_a, study.yes)
    row = comparisons(trials, plan=plan).set_index("comparison").loc["told apart"]
    ours = blocks._told_apart(study, plan)
    names = ["ci_low", "ci_high", "p", "p_equivalent"]
    np.testing.assert_allclose([*ours.interval(0.95), ours.p, ours.p_equivalent], row[names].astype(float), rtol=1e-6)


@pytest.fixture
def designs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("calibration_designs")


@pytest.mark.nightly
def test_every_design_has_a_truth_and_a_value(designs: ModuleType) -> None:
    for name in designs.DESIGNS:
        numbers, _ = designs.one_study(0, (name, 0))
        assert numbers
        assert all(np.isfinite([number.truth, number.value]).all() for number in numbers), name


def test_true_shares_are_those_of_very_many_people_and_pictures(designs: ModuleType) -> None:
    single = importlib.import_module("calibration_single")
    world = single.SingleWorld(
        people=800, fakes=800, reals=800, poll=False, each=20, skill=1.2, leaning=0.4, sd_item=0.7, unsure=0.4,
        always_real=0.1, learning=1.0, drift=0.8, sd_person_picture=0.6, sd_session=0.5,
    )  # fmt: skip
    said = single.answers(world, np.random.default_rng(0)).answered
    shares = said.groupby("is_fake")["says_fake"].mean()
    np.testing.assert_allclose([shares[True], shares[False]], single.true_shares(world), atol=0.02)


def test_a_true_preference_is_that_of_very_many_choices(designs: ModuleType) -> None:
    two = importlib.import_module("calibration_two_models")
    world = two.PairsWorld(people=300, items=100, strengths=(0.9, 0.0, -0.5), tie=0.3, side=0.6, sd_side=0.5)
    numbers = two.pairs_study(world, np.random.default_rng(1))
    assert len(numbers) == 3
    assert all(abs(number.value - number.truth) < 0.03 for number in numbers)


def test_runs_of_designs_are_added(designs: ModuleType) -> None:
    first, second = (
        {"alpha, 4 people x 60": designs.simulated("alpha, 4 people x 60", studies=2, seed=seed)} for seed in (0, 1)
    )
    both = designs.merged([first, second])["alpha, 4 people x 60"]
    held = [run["alpha, 4 people x 60"]["numbers"]["alpha"]["held"] for run in (first, second)]
    assert both["runs"] == [[0, 2], [1, 2]]
    assert both["numbers"]["alpha"]["held"] == [held[0][0] + held[1][0], 4]
    with pytest.raises(SystemExit, match="seed 0"):
        designs.merged([first, first])


@pytest.mark.parametrize(
    ("kind", "share", "is_miss"),
    [("held", 0.95, False), ("held", 0.91, False), ("held", 0.90, True), ("held", 1.0, True),
     ("p < .05", 0.05, False), ("p < .05", 0.10, True), ("p < .05", 0.01, True),
     ("equivalent", 0.0, False), ("equivalent", 0.08, False), ("equivalent", 0.09, True)],
)  # fmt: skip
def test_shares_beyond_two_standard_errors_of_their_target_are_marked(
    designs: ModuleType, kind: str, share: float, is_miss: bool
) -> None:
    assert designs.misses(kind, [round(400 * share), 400]) == is_miss
