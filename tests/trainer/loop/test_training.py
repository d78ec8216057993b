"""Runs: what they write, exact resume, refusals."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refused
from training_runs import Pairs, Settings, Stop, brightness, result, train

from gan_eval.tables import TRAINING_LOG
from gan_eval.tables.frames import read_rows
from trainer.job import ValidationMeasure
from trainer.state.checkpoints import list_checkpoints
from trainer.state.run_folder import load_generator


@pytest.mark.slow
def test_a_run_writes_what_the_contract_says(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3, val=2)
    settings = tiny(steps=24)
    calls: list[tuple[int, int]] = []
    progress = {"on_progress": lambda done, total, *_, **__: calls.append((done, total))}
    run = train(settings, data, tmp_path / "run", direction="BtoA", **progress)
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
    grid = np.asarray(Image.open(run / "samples" / "step_0000024.png"))
    assert grid.shape == (2 * 64, 3 * 64, 3)
    assert grid[:, :64].min() >= 150, "input: B, bright"
    assert grid[:, 128:].max() < 100, "ground truth: A, dark"
    net, definition = load_generator(run)
    assert definition["settings"] == config["settings"]
    state = torch.load(list_checkpoints(run / "checkpoints")[0], weights_only=True)
    assert torch.equal(net.down[0].conv.weight, state["generator"]["down.0.conv.weight"])


@pytest.mark.slow
def test_resume_is_bit_for_bit_exact(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    """Stop in the middle of an epoch, of a log window, and between checkpoints; with dropout and jitter."""
    data = make_pairs(train=5, val=1)
    settings = tiny(steps=11, batch_size=2)
    straight = train(settings, data, tmp_path / "straight", direction="BtoA", checkpoint_every=100)
    with pytest.raises(Stop):
        train(settings, data, tmp_path / "broken", direction="BtoA", checkpoint_every=5, stop_after=7)
    messages: list[str] = []
    how = {"direction": "BtoA", "checkpoint_every": 5, "on_message": messages.append}
    resumed = train(settings, data, tmp_path / "broken", **how)
    assert messages == ["continuing from step 5 of 11"]
    assert result(resumed) == result(straight)


def test_finished_run_returns_at_once(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    run = train(tiny(steps=2), data, tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    train(tiny(steps=2), data, run, stop_after=1)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before


def test_another_definition_is_refused_with_the_fields(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=2)
    settings = tiny(steps=2)
    run = train(settings, data, tmp_path / "run")
    refused(r"lambda_l1.*100\.0,.*10\.0", train, tiny(steps=2, lambda_l1=10), data, run)
    refused(r"'AtoB',.*'BtoA'", train, settings, data, run, direction="BtoA")
    refused(r"steps was 2, is 1", train, settings, data, run, fraction=0.5)
    Image.new("RGB", (128, 64)).save(data / "train" / "0.png")
    refused("data_sha256 has changed", train, settings, data, run)


@pytest.mark.parametrize("had_some", [True, False])
def test_other_validation_pictures_are_refused(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, had_some: bool
) -> None:
    data, settings = make_pairs(train=2, val=1, other=1), tiny(validate_every=2, plateau_patience=0)
    how: dict[str, Any] = {
        "measure": ValidationMeasure(brightness, {"psnr": True, "ssim": True}),
        "checkpoint_every": 2,
    }
    pictures = (data / "val").rename(data / "elsewhere")
    if had_some:
        (data / "val").symlink_to(pictures)
    with pytest.raises(Stop):
        train(settings, data, tmp_path / "run", stop_after=2, **how)
    (data / "val").unlink(missing_ok=True)
    for now in (None, data / "other") if had_some else (pictures,):
        if now is not None:
            (data / "val").symlink_to(now)
        refused(r"run:.*step 2", train, settings, data, tmp_path / "run", **how)


def test_other_files_and_bad_data_leave_everything_as_it_was(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("x")
    data = make_pairs(train=2)
    refused("not empty", train, tiny(), data, tmp_path / "theirs")
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["thesis.txt"]
    (data / "train" / "1.png").write_bytes(b"not a picture")
    refused(r"1\.png", train, tiny(), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_damaged_generator_is_restored_from_a_checkpoint(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data, settings = make_pairs(train=2), tiny(steps=2)
    run = train(settings, data, tmp_path / "run")
    file = run / "generator.safetensors"
    whole = file.read_bytes()
    for damaged in (whole[:-100], whole[:-4] + np.float32("nan").tobytes()):
        file.write_bytes(damaged)
        messages: list[str] = []
        train(settings, data, run, on_message=messages.append)
        assert messages == [f"{file}: damaged; restoring it from the last checkpoint", "continuing from step 2 of 2"]
        assert file.read_bytes() == whole
    file.write_bytes(b"")
    (run / "checkpoints" / "step_0000002.pt").unlink()
    refused(r"generator\.safetensors:", train, settings, data, run)
    other = (run / "config.json").read_text().replace('"format": 1', '"format": 2')
    for config in ("[1]", '{"machine": 3}', other):
        (run / "config.json").write_text(config)
        file.unlink(missing_ok=True)
        refused(r"config\.json:", train, settings, data, run)
