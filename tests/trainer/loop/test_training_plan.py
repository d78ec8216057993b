"""Milestones of a run, its decay, rates that fall at a plateau; and its estimate."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_photographs import filler, make_photographs
from training_runs import Pairs, Settings, estimate, train

from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row
from trainer.job import ValidationMeasure
from trainer.loop import run as run_module
from trainer.loop.estimate import WARM_UP
from trainer.loop.plan import milestones
from trainer.state.checkpoints import list_checkpoints


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
    with pytest.raises(UserError, match=r"snapshots: 11.*run's 10 steps"):
        milestones(TrainingSettings(steps=10, snapshots=(11,)), total=10, planned=10, steps_per_epoch=5)


class Rates(run_module.Run):
    """A run whose optimizers' learning rates are looked at in each step."""

    seen: list[tuple[float, float]]

    def step(self) -> None:
        super().step()
        gan = self.gan
        optimizers: list[Any] = [gan.generator_optimizer, gan.discriminator_optimizer]
        generator, discriminator = ({group["lr"] for group in one.param_groups} for one in optimizers)
        Rates.seen.append((*generator, *discriminator))  # type: ignore[arg-type]


def falling(values: Iterator[float | None]) -> ValidationMeasure:
    def measured(_: Path) -> list[Row]:
        return [{"metric": "m", "value": next(values), "sd": None, "n": 2, "reason": None}]

    return ValidationMeasure(measured, {"m": True})


def test_both_optimizers_learn_at_the_lowered_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check 8 steps, measured before and after each: 9 untrained, 3, NaN, 2 (lowered), inf, none, 4, 4 (lowered), 5."""
    monkeypatch.setattr("trainer.loop.run.Run", Rates)
    Rates.seen = []
    settings = filler(
        learning_rate=0.01, discriminator_learning_rate=0.002, decay=0.5, plateau_factor=0.1,
        norm="instance", validation_metrics=("m",), best_metric="m", validate_every=1,
    )  # fmt: skip
    values = iter(value for value in (9.0, 3.0, math.nan, 2.0, math.inf, None, 4.0, 4.0, 5.0) for _mode in range(2))
    messages: list[str] = []
    data = make_photographs(tmp_path / "data", train=4, val=2)
    train(settings, data, tmp_path / "run", measure=falling(values), on_message=messages.append)
    shares = [1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01]
    linear = [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    wanted = [share * one for share, one in zip(shares, linear, strict=True)]
    assert [pair[0] for pair in Rates.seen] == pytest.approx([0.01 * share for share in wanted])
    assert [pair[1] for pair in Rates.seen] == pytest.approx([0.002 * share for share in wanted])
    lowered = [line for line in messages if "stopped improving" in line]
    assert [line.split(":")[0] for line in lowered] == ["step 3", "step 7"]
    assert lowered[0] == "step 3: m stopped improving; the learning rates are lowered"


def no_values(_folder: Path) -> list[Row]:
    return [{"metric": "psnr", "value": 1.0, "n": 1}]


@pytest.mark.slow
def test_the_estimate_fits_the_run(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.loop.estimate.TIMED", 5)
    data = make_pairs(train=3, val=2)
    settings = tiny(steps=12, snapshots=(0, 4), validate_every=4)
    measure = ValidationMeasure(no_values, {"psnr": True})
    found = estimate(settings, data, keep=1, measure=measure)
    assert (found.steps, found.steps_timed) == (12, 5)
    assert found.step_s > 0
    assert found.validations == 4
    expected = found.steps * found.step_s + found.samples_s + found.validations_s
    assert found.total_s == pytest.approx(expected)
    assert found.memory_bytes is not None
    assert found.memory_bytes > 50e6

    out = train(settings, data, tmp_path / "run", keep=1, measure=measure)

    def on_disk(*patterns: str) -> int:
        return sum(path.stat().st_size for pattern in patterns for path in out.glob(pattern))

    (checkpoint,) = list_checkpoints(out / "checkpoints")
    assert found.disk["checkpoints"] == pytest.approx(2 * checkpoint.stat().st_size, rel=0.2)
    assert found.disk["generators"] == pytest.approx(on_disk("**/*.safetensors"), rel=0.2)
    assert found.disk["pictures"] == pytest.approx(on_disk("samples/*", "validation/**/*.*"), rel=0.3)
    text = "\n".join(found.lines())
    assert "for 12 steps" in text
    assert "4 validations" in text


def test_the_command_tells_and_leaves_nothing(
    make_pairs: Pairs, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out, temporary = make_pairs(train=2), tmp_path / "run", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    small = ["--image-size", "64", "--set", "generator_channels=2", "--set", "discriminator_channels=2"]
    command = ["train", "--data", str(data), "--out", str(out), "--steps", "5", *small, "--estimate"]
    assert run(command) == 0
    output = capsys.readouterr()
    assert output.out == ""
    lines = [line.split(":")[0] for line in output.err.splitlines()]
    assert lines[-4:] == ["speed", "time", "memory", "disk"]
    assert run([*command, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["steps"], values["steps_timed"]) == (5, 5 - WARM_UP)
    assert values["disk_bytes"] == sum(values["disk"].values()) > 0
    assert not out.exists()
    assert list(temporary.iterdir()) == []
