"""What no number of participants can exceed: the formula against very many simulated answers."""

import numpy as np
import pytest

from gan_eval.power.ceiling import ceilings, stimuli_needed
from gan_eval.power.design import Design, Group
from gan_eval.power.planning import make_world
from gan_eval.power.simulate import World, one_study
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings


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


def world(people: int, real: int = 12, fake: int = 12, **settings: float) -> World:
    assumed = PowerSettings.model_validate(
        {"false_alarm_rate": 0.3, "fooling_rate": 0.5, "sd_stimulus": 0.8, **settings}
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


def test_pictures_without_spread_set_no_ceiling() -> None:
    assert ceilings(world(10, sd_stimulus=0.0))["told apart"].power == 1
