"""The benchmark of false alarms: every kind of study gives an answer in every row."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from make_trials import judged

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.tables.comparisons import comparisons

ROOT = Path(__file__).resolve().parents[3]


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
    place = names.index(f"row, {level}, {lists}")
    said = np.array([calibration.one_study(0, (place, column, number)) for number in range(40)])
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
