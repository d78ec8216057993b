"""Assumptions as log-odds, and answers that follow them."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.power.design import StudyDesign
from gan_eval.stats.power.simulate import effect_of, grade_thresholds, questions_of, simulate, truth_of
from gan_eval.study.power import deal_design, planned_stimuli

SETTINGS = PowerSettings(
    false_alarm_rate=0.2,
    fooling_rate=0.6,
    fooling_rates={"two": 0.4},
    sd_participant=0.6,
    sd_slope=0,
    sd_model=0,
    sd_stimulus=0.9,
)


def dealt(models: str = "d/one d/two", *, pictures: int = 20, **quiz: object) -> StudyDesign:
    """The design of 30 people who judge these models, each written as DATASET/MODEL."""
    stimuli = planned_stimuli(
        [(dataset, name) for dataset, name in (each.split("/") for each in models.split())], pictures
    )
    return deal_design(stimuli, QuizSettings.model_validate(quiz), seed=0, participants=30)


@pytest.fixture
def design() -> StudyDesign:
    return dealt(pictures=60, real=20, fake=20)


def test_rates_are_those_of_the_typical_participant_and_picture(design: StudyDesign) -> None:
    truth = truth_of(design.groups, SETTINGS)
    assert [group.role for group in design.groups] == ["", "one", "two"]
    np.testing.assert_allclose(expit(truth.base), [0.2, 0.4, 0.6])
    sd = np.hypot(0.6, 0.9)
    wanted = [quad(lambda z, eta=eta: expit(eta + sd * z) * norm.pdf(z), -12, 12)[0] for eta in truth.base]
    np.testing.assert_allclose(truth.shares(), wanted, atol=1e-8)


def test_effects_are_differences_of_shares_over_all(design: StudyDesign) -> None:
    truth = truth_of(design.groups, SETTINGS)
    reported, of_one, _, pair = questions_of(design, AnalysisSettings())
    real, one, two = truth.shares()
    assert effect_of(reported, design, truth) == pytest.approx((one + two) / 2 - real)
    assert (of_one.name, effect_of(of_one, design, truth)) == ("one told apart", pytest.approx(one - real))
    assert (pair.name, effect_of(pair, design, truth)) == ("one against two", pytest.approx(two - one))
    assert effect_of(reported, design, truth_of(design.groups, SETTINGS, "guessing")) == pytest.approx(0)
    assert effect_of(pair, design, truth_of(design.groups, SETTINGS, "equal_models")) == pytest.approx(0)


@pytest.mark.parametrize("sd_slope", [0.0, 1.5])
def test_simulated_answers_have_the_assumed_shares_and_spreads(design: StudyDesign, sd_slope: float) -> None:
    truth = truth_of(design.groups, SETTINGS.model_copy(update={"sd_slope": sd_slope}))
    random = np.random.default_rng(1)
    answers = np.stack([simulate(design, truth, random) for _ in range(400)])
    found = [answers[:, design.group == group].mean() for group in range(3)]
    np.testing.assert_allclose(found, truth.shares(), atol=0.01)
    real, fake = (design.group == 0), (design.group > 0)
    own = design.participant == 0
    spread = np.std(answers[:, fake & own].mean(axis=1) - answers[:, real & own].mean(axis=1))
    assert (spread < 0.17) == (sd_slope == 0)  # skill varies only if sd_slope is above 0


def test_grades_have_the_assumed_shares() -> None:
    design = dealt(pictures=60, protocol="rating", real=20, fake=20)
    truth = truth_of(design.groups, SETTINGS)
    grades = np.stack([simulate(design, truth, np.random.default_rng(seed)) for seed in range(200)])
    for group in range(3):
        own = grades[:, design.group == group]
        np.testing.assert_allclose([(own <= j).mean() for j in (1, 2, 3, 4)], truth.below(5)[group], atol=0.012)
    half = truth_of(design.groups, PowerSettings(fooling_rate=0.5))
    np.testing.assert_allclose(expit(half.base[1] + grade_thresholds(5)), [0.2, 0.4, 0.6, 0.8])
    higher, _, mean, _ = questions_of(design, AnalysisSettings())
    assert (higher.measure, mean.measure) == ("higher_grade", "mean_grade")
    fakes, reals = (grades[:, (design.group > 0) == side].ravel() for side in (True, False))
    assert effect_of(mean, design, truth) == pytest.approx(fakes.mean() - reals.mean(), abs=0.03)
    shuffled = np.random.default_rng(0).permutation(reals)
    signs = np.sign(fakes[: len(shuffled)] - shuffled[: len(fakes)])
    assert effect_of(higher, design, truth) == pytest.approx(signs.mean(), abs=0.012)


@pytest.mark.parametrize(("protocol", "rate"), [("paired", 0.8), ("model_vs_model", 0.55)])
def test_a_choice_rate_is_taken_as_it_is(protocol: str, rate: float) -> None:
    design = dealt(protocol=protocol, pairs=8)
    truth = truth_of(design.groups, SETTINGS.model_copy(update={"choice_rate": rate}))
    np.testing.assert_allclose(expit(truth.base), rate)


def test_pairs_of_all_are_the_mean_of_models_and_data_sets() -> None:
    design = dealt("d/one d/two e/three", protocol="paired", pairs=8)
    rates = {"one": 0.2, "two": 0.3, "three": 0.5}
    truth = truth_of(design.groups, SETTINGS.model_copy(update={"fooling_rates": rates}))
    trials = np.bincount(design.group)
    assert trials.max() > 1.5 * trials.min()
    all_pairs = questions_of(design, AnalysisSettings())[0]
    assert effect_of(all_pairs, design, truth) == pytest.approx(truth.shares().mean() - 0.5)
    assert not truth_of(design.groups, SETTINGS, "guessing").base.any()


def test_without_one_a_choice_has_the_evidence_of_both_pictures() -> None:
    design = dealt("d/one", protocol="paired", pairs=8)
    random = np.random.default_rng(0)
    real, fake = random.standard_normal((2, 400_000))
    gap = norm.ppf(0.4) - norm.ppf(0.2)  # d' of 40% hits and 20% false alarms
    right = (fake + gap > real).mean()
    assert expit(truth_of(design.groups, SETTINGS).base[0]) == pytest.approx(right, abs=0.003)
    asked = [question.name for question in questions_of(design, AnalysisSettings(margin=0.1))]
    assert asked == ["told apart", "equivalence: told apart"], "of one model on one data set nothing else"
