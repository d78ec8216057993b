"""`train --estimate`: its output, and that it leaves no files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from training_runs import estimate, train

from gan_eval.__main__ import run
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row
from trainer.loop.estimate import TIMED, WARM_UP
from trainer.state.checkpoints import list_checkpoints
from trainer.watch.validation import Measure

Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]


def no_values(_folder: Path) -> list[Row]:
    return [{"metric": "psnr", "value": 1.0, "n": 1}]


@pytest.mark.slow
def test_the_estimate_fits_the_run(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3, val=2)
    settings = tiny(steps=30, snapshots=(0, 10), validate_every=10)
    measure = Measure(no_values, {"psnr": True})
    found = estimate(settings, data, direction="AtoB", keep=1, measure=measure)
    assert found is not None
    assert (found.steps, found.steps_timed) == (30, TIMED)
    assert 0 < found.step_s <= found.slowest_step_s
    assert found.validations == 4
    expected = found.steps * found.step_s + found.samples_s + found.validations_s
    assert found.total_s == pytest.approx(expected)
    assert found.memory_bytes is not None
    assert found.memory_bytes > 50e6

    out = train(settings, data, tmp_path / "run", direction="AtoB", keep=1, measure=measure)

    def on_disk(*patterns: str) -> int:
        return sum(path.stat().st_size for pattern in patterns for path in out.glob(pattern))

    (checkpoint,) = list_checkpoints(out / "checkpoints")
    assert found.disk["checkpoints"] == pytest.approx(2 * checkpoint.stat().st_size, rel=0.2)
    assert found.disk["generators"] == pytest.approx(on_disk("**/*.safetensors"), rel=0.2)
    assert found.disk["pictures"] == pytest.approx(on_disk("samples/*", "validation/**/*.*"), rel=0.3)
    text = "\n".join(found.lines())
    assert "for 30 steps" in text
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
