"""What no number of participants can exceed: the formula against very many simulated answers."""

import numpy as np
import pytest

from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.compare.grades import HIGHER, MEAN
from gan_eval.stats.power.ceiling import _of_grades, ceilings, stimuli_needed
from gan_eval.stats.power.design import Design, Group, deal_design, planned_stimuli
from gan_eval.stats.power.planning import make_world
from gan_eval.stats.power.simulate import World, one_study


def crossed_design(people: int, real: int, fake: int) -> Design:
    """All judge the same pictures."""
    size = real + fake
    return Design(
        groups=(Group("d", "", real), Group("d", "one", fake)),
        participant=np.repeat(np.arange(people), size),
        stimulus=np.tile(np.arange(size), people),
        stimulus_group=np.repeat([0, 1], [real, fake]),
        item=np.arange(size),
        trials=size,
    )


BEFORE = {"sd_participant": 0.5, "sd_slope": 0.0, "unanswered": 0.0, "dropout": 0.0, "excluded": 0.0}


def world(people: int, real: int = 12, fake: int = 12, **settings: float) -> World:
    assumed = PowerSettings.model_validate(
        {"false_alarm_rate": 0.3, "fooling_rate": 0.5, **BEFORE, "sd_stimulus": 0.8, **settings}
    )
    return make_world(crossed_design(people, real, fake), assumed, AnalysisSettings())


def test_it_is_what_very_many_participants_find() -> None:
    planned, studies = world(200), 16
    top = ceilings(planned)["told apart"]
    found = [one_study(planned, (200, number))[0] for number in range(studies)]
    share, error = np.mean([each.positive for each in found]), np.sqrt(0.25 / studies)
    assert 0.4 < top.power < 0.95  # a case in which it can be wrong
    assert abs(share - top.power) < 3 * error
    assert np.mean([each.width for each in found]) == pytest.approx(top.width, rel=0.12)


def test_more_people_never_exceed_it_but_more_pictures_do() -> None:
    small, large = ceilings(world(10))["told apart"], ceilings(world(10, 60, 60))["told apart"]
    assert small.power < large.power
    assert small.width > 1.8 * large.width
    assert ceilings(world(10), size=60)["told apart"] == large


def test_without_a_difference_it_is_the_level_of_the_test() -> None:
    top = ceilings(world(10, fooling_rate=0.7), simulations=10_000)["told apart"]
    assert top.power == pytest.approx(0.05, abs=0.012)


def test_the_pool_that_is_needed_reaches_the_target() -> None:
    planned = world(10)
    question = planned.questions[0]
    needed = stimuli_needed(planned, question, 0.9)
    assert needed is not None
    assert needed > 12
    assert ceilings(planned, size=needed)["told apart"].power >= 0.9
    assert ceilings(planned, size=needed // 2)["told apart"].power < 0.9
    assert stimuli_needed(world(10, fooling_rate=0.7), question, 0.9) is None


def graded_world(people: int, size: int, **settings: float) -> World:
    assumed = {"fooling_rate": 0.5, "fooling_rates": {"two": 0.65}, **settings}
    rows = planned_stimuli([("d", "one"), ("d", "two")], size)
    quiz = QuizSettings(protocol="rating", real=size // 3, fake=2 * (size // 3))
    design = deal_design(rows, quiz, seed=0, participants=people)
    return make_world(design, PowerSettings.model_validate(assumed), AnalysisSettings())


def test_of_grades_the_derivatives_are_those_of_the_difference() -> None:
    mean, sd, step = np.array([[0.3, -0.4]]), np.array([[1.2, 0.8]]), 1e-5
    for measure in (HIGHER, MEAN):
        _, by_mean, by_sd = _of_grades(mean, sd, 5, measure)
        for at, shift in enumerate(step * np.eye(2)):
            of_mean = [_of_grades(mean + sign * shift, sd, 5, measure)[0][0] for sign in (1, -1)]
            of_sd = [_of_grades(mean, sd + sign * shift, 5, measure)[0][0] for sign in (1, -1)]
            assert by_mean[0, at] == pytest.approx(-np.diff(of_mean)[0] / 2 / step, rel=1e-5)
            assert by_sd[0, at] == pytest.approx(-np.diff(of_sd)[0] / 2 / step, rel=1e-4)


@pytest.mark.slow
def test_of_grades_it_is_what_very_many_participants_find() -> None:
    planned, studies = graded_world(150, 36), 8
    places = [at for at, question in enumerate(planned.questions) if question.name.startswith("fakes against reals")]
    found = [one_study(planned, (150, number, *places)) for number in range(studies)]
    for place, at in enumerate(places):
        top = ceilings(planned)[planned.questions[at].name]
        width = np.mean([each[place].width for each in found])
        assert 1.0 < width / top.width < 1.3  # 150 people are not without limit


def test_what_versions_have_in_common_cancels_between_models() -> None:
    alone = ceilings(graded_world(2, 60, sd_stimulus=1.0), simulations=200)
    common = ceilings(graded_world(2, 60, sd_stimulus=0.6, sd_item=0.8), simulations=200)
    between, kinds = "one against two: mean_grade", "fakes against reals: mean_grade"
    assert common[between].width < 0.75 * alone[between].width
    assert common[between].power > alone[between].power
    assert common[kinds].width == pytest.approx(alone[kinds].width, rel=0.05)


def test_pictures_without_spread_set_no_ceiling() -> None:
    assert ceilings(world(10, sd_stimulus=0.0))["told apart"].power == 1
