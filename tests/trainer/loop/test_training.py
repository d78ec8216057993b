"""Runs: what they write, exact resume, refusals."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from run_results import result

from gan_eval.errors import UserError
from gan_eval.files import sha256_file, temporary_name
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG
from gan_eval.tabular import read_rows
from trainer.devices import Execution
from trainer.loop.plan import shortened
from trainer.loop.train import train
from trainer.state.checkpoints import list_checkpoints
from trainer.state.run_folder import is_finished, load_generator

Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]


class Stop(Exception):  # noqa: N818
    """Ends a run in the middle."""


def stop_after(step: int) -> Callable[[int, int, dict[str, float]], None]:
    def progress(done: int, _total: int, _terms: dict[str, float]) -> None:
        if done == step:
            raise Stop

    return progress


@pytest.mark.slow
def test_a_run_writes_what_the_contract_says(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3, val=2)
    settings = tiny(steps=24)
    calls: list[tuple[int, int]] = []
    run = train(
        settings,
        data,
        tmp_path / "run",
        direction="BtoA",
        on_progress=lambda done, total, _: calls.append((done, total)),
    )
    assert run == tmp_path / "run"
    assert calls == [(step, 24) for step in range(1, 25)]

    config = json.loads((run / "config.json").read_text())
    assert config["settings"] == settings.model_dump(mode="json")
    assert (config["direction"], config["fraction"], config["steps"], config["pairs"]) == ("BtoA", 1.0, 24, 3)
    assert config["machine"]["threads"] == 1

    rows = read_rows(run / "training_log.csv", TRAINING_LOG)
    assert [row["step"] for row in rows if row["term"] == "g_l1"] == [10, 20, 24]
    assert {row["term"] for row in rows} == {
        "g_adversarial", "g_l1", "d_real", "d_fake", "d_accuracy", "g_gradient_norm", "g_gradient_norm_max",
        "d_gradient_norm", "d_gradient_norm_max",
    }  # fmt: skip
    assert [(row["epoch"], row["images"]) for row in rows if row["term"] == "g_l1"] == [(4, 10), (7, 20), (8, 24)]
    assert all(row["fraction"] == 1.0 and row["value"] > 0 for row in rows)

    drawn = {int(path.stem.removeprefix("step_")) for path in (run / "samples").iterdir()}
    assert drawn == {0, 2, 3, 5, 6, 7, 9, 10, 12, 14, 15, 17, 18, 19, 21, 22, 24}, "before, tenths, ends of epochs"
    assert Image.open(run / "samples" / "step_0000024.png").size == (3 * 64, 2 * 64)
    net, definition = load_generator(run)
    assert definition["settings"] == config["settings"]
    state = torch.load(list_checkpoints(run / "checkpoints")[0], weights_only=True)
    assert torch.equal(net.down[0].conv.weight, state["generator"]["down.0.conv.weight"])


@pytest.mark.slow
def test_no_path_and_no_time_in_the_generator_file(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    one, two = (
        sha256_file(train(tiny(), data, tmp_path / name, direction="AtoB") / "generator.safetensors")
        for name in ("one", "two")
    )
    assert one == two
    assert str(tmp_path).encode() not in (tmp_path / "one" / "generator.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "every"), [(7, 3), (13, 5)])
def test_resume_is_bit_for_bit_exact(make_pairs: Pairs, tiny: Settings, tmp_path: Path, stop: int, every: int) -> None:
    """In the middle of an epoch, of a log window, and of a stretch between checkpoints; with dropout and jitter."""
    data = make_pairs(train=5, val=1)
    settings = tiny(steps=24, batch_size=2)
    straight = train(settings, data, tmp_path / "straight", direction="BtoA", checkpoint_every=100)
    with pytest.raises(Stop):
        train(
            settings, data, tmp_path / "broken", direction="BtoA", checkpoint_every=every, on_progress=stop_after(stop)
        )
    first: list[int] = []
    messages: list[str] = []
    resumed = train(
        settings, data, tmp_path / "broken", direction="BtoA", checkpoint_every=every,
        on_progress=lambda done, _total, _terms: first.append(done), on_message=messages.append,
    )  # fmt: skip
    assert first[0] == stop - stop % every + 1
    assert messages == [f"going on from step {stop - stop % every} of 24"]
    assert result(resumed) == result(straight)


@pytest.mark.slow
def test_killed_by_signal_9_and_resumed(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3)
    settings = tiny(steps=30)
    straight = train(settings, data, tmp_path / "straight", direction="AtoB")
    script = (
        "import sys, torch; from pathlib import Path; torch.set_num_threads(1);"
        "from gan_eval.settings.training import TrainingSettings; from trainer.loop.train import train;"
        "train(TrainingSettings.model_validate_json(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]),"
        " direction='AtoB', checkpoint_every=4, on_progress=lambda done, *_: print(done, flush=True))"
    )
    command = [sys.executable, "-c", script, settings.model_dump_json(), str(data), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= 11:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "generator.safetensors").exists()
    resumed = train(settings, data, tmp_path / "killed", direction="AtoB", checkpoint_every=4)
    assert result(resumed) == result(straight)


def test_finished_run_returns_at_once(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = train(tiny(), data, tmp_path / "run", direction="AtoB")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    train(tiny(), data, run, direction="AtoB", on_progress=stop_after(1))
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before


def test_another_definition_is_refused_with_the_fields(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = train(tiny(), data, tmp_path / "run", direction="AtoB")
    with pytest.raises(UserError, match=r"settings\.lambda_l1 \(100\.0 there, 10\.0 asked for\)"):
        train(tiny(lambda_l1=10), data, run, direction="AtoB")
    with pytest.raises(UserError, match=r"another direction \(AtoB there, BtoA asked for\)"):
        train(tiny(), data, run, direction="BtoA")
    with pytest.raises(UserError, match=r"another fraction \(1\.0 there, 0\.5 asked for\), another steps"):
        train(tiny(), data, run, direction="AtoB", fraction=0.5)
    Image.new("RGB", (128, 64)).save(data / "train" / "0.png")
    with pytest.raises(UserError, match="another data_sha256"):
        train(tiny(), data, run, direction="AtoB")


def test_somebody_elses_folder_is_refused_and_left_alone(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        train(tiny(), make_pairs(train=2), tmp_path / "theirs", direction="AtoB")
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["thesis.txt"]


def test_bad_data_leaves_no_folder(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    (data / "train" / "1.png").write_bytes(b"not a picture")
    with pytest.raises(UserError, match=r"1\.png"):
        train(tiny(), data, tmp_path / "run", direction="AtoB")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_truncated_checkpoint_falls_back_to_the_one_before(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3)
    straight = train(tiny(), data, tmp_path / "straight", direction="AtoB")
    with pytest.raises(Stop):
        train(tiny(), data, tmp_path / "cut", direction="AtoB", checkpoint_every=2, on_progress=stop_after(7))
    last, before = list_checkpoints(tmp_path / "cut" / "checkpoints")
    assert (last.name, before.name) == ("step_0000006.pt", "step_0000004.pt")
    last.write_bytes(last.read_bytes()[:-1000])
    messages: list[str] = []
    resumed = train(tiny(), data, tmp_path / "cut", direction="AtoB", checkpoint_every=2, on_message=messages.append)
    assert "step_0000006.pt: the checkpoint cannot be read" in messages[0]
    assert messages[1].endswith("step_0000006.pt: set aside as step_0000006.pt.damaged")
    assert messages[2] == "going on from step 4 of 8"
    assert result(resumed) == result(straight)


def test_all_checkpoints_broken_is_an_error(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3)
    with pytest.raises(Stop):
        train(tiny(), data, tmp_path / "run", direction="AtoB", checkpoint_every=2, on_progress=stop_after(5))
    for path in list_checkpoints(tmp_path / "run" / "checkpoints"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="none of the checkpoints can be read"):
        train(tiny(), data, tmp_path / "run", direction="AtoB")


def test_leftovers_of_a_killed_process_are_removed(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = tmp_path / "run"
    with pytest.raises(Stop):
        train(tiny(), data, run, direction="AtoB", checkpoint_every=2, on_progress=stop_after(5))
    leftovers = [
        run / "checkpoints" / temporary_name("step_0000006.pt"),
        run / "samples" / temporary_name("step_0000006.png"),
    ]
    names = [".hidden", ".notes-personal", ".env-variable.txt", ".git-mybranch/.old-abcdefgh", ".gan-eval/marker"]
    mine = [run / name for name in names]
    for path in (*leftovers, *mine):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    train(tiny(), data, run, direction="AtoB")
    assert [path for path in leftovers if path.exists()] == []
    assert [path for path in mine if not path.exists()] == []


def test_leftovers_in_a_finished_run_are_removed(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    """Killed while the animation was written, after the finished generator."""
    data = make_pairs(train=2)
    run = train(tiny(), data, tmp_path / "run", direction="AtoB")
    left = run / temporary_name("evolution.webp")
    (run / "evolution.webp").rename(left)
    train(tiny(), data, run, direction="AtoB")
    assert (run / "evolution.webp").is_file()
    assert not left.exists()


@pytest.mark.parametrize("damage", ["truncated", "NaN"])
def test_a_damaged_generator_is_restored_from_the_last_checkpoint(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, damage: str
) -> None:
    data = make_pairs(train=2)
    run = train(tiny(steps=2), data, tmp_path / "run", direction="AtoB")
    file = run / "generator.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] if damage == "truncated" else whole[:-4] + np.float32("nan").tobytes())
    arguments: dict[str, Any] = {"direction": "AtoB", "split": "train", "fraction": 1.0}
    assert not is_finished(run, tiny(steps=2), data, **arguments)
    told: list[str] = []
    train(tiny(steps=2), data, run, direction="AtoB", on_message=told.append)
    assert told == [f"{file}: damaged; restoring it from the last checkpoint", "going on from step 2 of 2"]
    assert file.read_bytes() == whole
    assert is_finished(run, tiny(steps=2), data, **arguments)
    file.write_bytes(b"")
    (run / "checkpoints" / "step_0000002.pt").unlink()
    with pytest.raises(UserError, match=r"generator\.safetensors: damaged, without a checkpoint to restore it from"):
        train(tiny(steps=2), data, run, direction="AtoB")


@pytest.mark.parametrize("config", ["[1]", '{"machine": 3}'])
def test_a_damaged_configuration_is_named(make_pairs: Pairs, tiny: Settings, tmp_path: Path, config: str) -> None:
    data = make_pairs(train=2)
    run = train(tiny(steps=1), data, tmp_path / "run", direction="AtoB")
    (run / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"config\.json: not the configuration of a run"):
        train(tiny(steps=1), data, run, direction="AtoB")


def test_a_checkpoint_beyond_the_end_is_the_end(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = train(tiny(), data, tmp_path / "run", direction="AtoB")
    (run / "generator.safetensors").unlink()
    (last,) = list_checkpoints(run / "checkpoints")
    torch.save(torch.load(last, weights_only=True) | {"step": 9}, last.with_name("step_0000009.pt"))
    last.unlink()
    train(tiny(), data, run, direction="AtoB")
    assert (run / "generator.safetensors").is_file()


def test_checkpoints_are_kept_as_asked_for(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = train(tiny(), data, tmp_path / "run", direction="AtoB", checkpoint_every=2, keep=3)
    assert [path.stem for path in list_checkpoints(run / "checkpoints")] == [
        "step_0000008", "step_0000006", "step_0000004",
    ]  # fmt: skip
    with pytest.raises(UserError, match="keep 0: wanted 1 checkpoint or more"):
        train(tiny(), data, tmp_path / "other", direction="AtoB", keep=0)


def test_animations_of_a_finished_run(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = train(tiny(), data, tmp_path / "run", direction="AtoB")
    assert (run / "evolution.webp").is_file()
    assert not (run / "evolution.gif").exists()
    train(tiny(), data, run, direction="AtoB", gif=True, on_progress=stop_after(1))
    assert (run / "evolution.gif").is_file()


def test_a_checkpoint_of_another_network_is_named_by_its_key(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    small = train(tiny(), data, tmp_path / "small", direction="AtoB")
    wide = tmp_path / "wide"
    with pytest.raises(Stop):
        train(tiny(generator_channels=3), data, wide, direction="AtoB", checkpoint_every=2, on_progress=stop_after(2))
    (wide / "checkpoints" / "step_0000002.pt").unlink()
    (small / "checkpoints" / "step_0000008.pt").rename(wide / "checkpoints" / "step_0000008.pt")
    with pytest.raises(UserError, match=r"step_0000008\.pt: a checkpoint of another network: generator: down\.0\."):
        train(tiny(generator_channels=3), data, wide, direction="AtoB")


def test_another_thread_count_is_warned_of(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3)
    run = tmp_path / "run"
    with pytest.raises(Stop):
        train(tiny(steps=2), data, run, direction="AtoB", checkpoint_every=1, on_progress=stop_after(1))
    messages: list[str] = []
    how = Execution(threads=2)
    train(tiny(steps=2), data, run, direction="AtoB", execution=how, on_message=messages.append)
    assert messages[1:] == ["going on from step 1 of 2"]
    assert messages[0].startswith("threads was 1 when the run began and is 2 now")


def test_a_resumed_run_keeps_its_number_of_threads(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    data, messages = make_pairs(train=2), list[str]()
    train(tiny(steps=2), data, tmp_path / "whole", execution=Execution(threads=2))
    with pytest.raises(Stop):
        train(
            tiny(steps=2), data, tmp_path / "run", execution=Execution(threads=2), checkpoint_every=1,
            on_progress=stop_after(1),
        )  # fmt: skip
    train(tiny(steps=2), data, tmp_path / "run", on_message=messages.append)
    assert messages == ["going on from step 1 of 2"]
    files = [(tmp_path / name / "generator.safetensors").read_bytes() for name in ("whole", "run")]
    assert files[0] == files[1]


def test_planned_steps() -> None:
    assert TrainingSettings(steps=100).planned_steps(7) == 100
    assert TrainingSettings(epochs=3, batch_size=4).planned_steps(10) == 9
    assert shortened(TrainingSettings(epochs=3).planned_steps(10), 0.1) == 3
    assert shortened(10, 0.001) == 1
    with pytest.raises(UserError, match="neither steps nor epochs"):
        TrainingSettings().planned_steps(10)
    for fraction in (0.0, 1.5):
        with pytest.raises(UserError, match=f"fraction {fraction}"):
            shortened(10, fraction)


def test_samples_show_input_generated_and_ground_truth(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    run = train(tiny(), make_pairs(train=2, val=1), tmp_path / "run", direction="BtoA")
    grid = np.asarray(Image.open(run / "samples" / "step_0000008.png"))
    assert grid[:, :64].min() >= 150  # input: B, bright
    assert grid[:, 128:].max() < 100  # ground truth: A, dark


@pytest.mark.slow
def test_training_brings_the_generated_closer_to_the_target(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    run = train(tiny(steps=60, learning_rate=2e-3), make_pairs(train=2), tmp_path / "run", direction="BtoA")
    values = [row["value"] for row in read_rows(run / "training_log.csv", TRAINING_LOG) if row["term"] == "g_l1"]
    assert values[-1] < 0.5 * values[0]
