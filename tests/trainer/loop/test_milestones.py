"""When something is drawn, kept or measured."""

import pytest

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.loop.plan import decayed, milestones


def test_snapshots_and_validations_come_after_the_same_share_of_a_shorter_run() -> None:
    settings = TrainingSettings(steps=50_000, snapshots=(0, 1000, 49_000), validate_every=1000)
    full = milestones(settings, total=50_000, planned=50_000, steps_per_epoch=2975)
    short = milestones(settings, total=2500, planned=50_000, steps_per_epoch=100)
    assert full.snapshots == {0, 1000, 49_000}
    assert short.snapshots == {0, 50, 2450}
    assert full.validations == set(range(0, 50_001, 1000))
    assert short.validations == set(range(0, 2501, 50))
    assert full.snapshots <= full.samples
    assert set(range(2975, 50_001, 2975)) <= full.samples, "one grid for each epoch"


def test_very_short_and_very_many_epochs() -> None:
    settings = TrainingSettings(steps=50_000, validate_every=1)
    tiny = milestones(settings, total=6, planned=50_000, steps_per_epoch=100)
    assert tiny.validations == {0, 1, 2, 3, 4, 5, 6}
    assert {0, 1, 6} <= tiny.samples <= set(range(7))
    many = milestones(settings, total=50_000, planned=50_000, steps_per_epoch=3)
    assert len(many.samples) == 11, "16,667 epochs of three steps: tenths only"
    part = milestones(settings, total=5_000, planned=50_000, steps_per_epoch=3)
    assert len(part.validations) <= 202


def test_a_snapshot_after_the_end_is_refused() -> None:
    with pytest.raises(UserError, match=r"snapshots: 11 is beyond the run's 10 steps"):
        milestones(TrainingSettings(steps=10, snapshots=(11,)), total=10, planned=10, steps_per_epoch=5)


def test_learning_rate_falls_to_zero_at_the_end() -> None:
    settings = TrainingSettings(decay=0.5)
    rates = [decayed(settings, step=step, total=200) for step in range(200)]
    assert rates[:101] == [1.0] * 101
    assert rates[150] == pytest.approx(0.5)
    assert rates[199] == pytest.approx(0.01)
    assert decayed(TrainingSettings(), step=199, total=200) == 1.0
