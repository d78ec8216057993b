"""Runs of the two inpainting families from start to end: what they write, exact resume, refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_photographs import SIDE, encoder, filler, make_photographs
from PIL import Image
from training_runs import Stop, result, train_measured

from gan_eval.files.digests import sha256_file
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG, VALIDATION
from gan_eval.tables.frames import read_rows


def hasty(**changes: Any) -> TrainingSettings:
    """The GAN at so high a rate that validation gets worse at times."""
    return filler(learning_rate=0.05, **changes)


KINDS: dict[str, Callable[..., TrainingSettings]] = {"encoder": encoder, "filler": hasty}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_photographs(tmp_path_factory.mktemp("photographs"), train=6, val=3, test=2)


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An undisturbed run of each kind."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs")
    return {name: train_measured(kind(), data, folder / name) for name, kind in KINDS.items()}


def left_by(run: Path) -> dict[str, Any]:
    """Everything that a run leaves, without times."""
    validation = (run / "validation.csv").read_text()
    return {**result(run), "best": sha256_file(run / "best.safetensors"), "validation": validation}


@pytest.mark.parametrize(("name", "terms"), [("encoder", {"g_l1", "g_l2"}), ("filler", {"g_l1", "g_tv"})])
def test_a_run_logs_validates_and_draws(runs: dict[str, Path], name: str, terms: set[str]) -> None:
    run = runs[name]
    rows = read_rows(run / "training_log.csv", TRAINING_LOG)
    usual = {"g_adversarial", "d_real", "d_fake", "d_accuracy"}
    usual |= {f"{net}_gradient_norm{suffix}" for net in "gd" for suffix in ("", "_max")}
    assert {row["term"] for row in rows} == usual | terms
    assert all(np.isfinite(row["value"]) for row in rows)
    measured = read_rows(run / "validation.csv", VALIDATION)
    assert {row["metric"] for row in measured} == {"psnr_hole", "ssim_hole", "l1_hole", "diversity"}
    assert {row["mode"] for row in measured} == ({"eval"} if name == "encoder" else {"train", "eval"})
    assert sorted({row["step"] for row in measured}) == [0, 2, 4, 6, 8]
    assert {row["style_network"] for row in (*rows, *measured)} == {"none"}
    values = [row["value"] for row in measured if row["metric"] == "psnr_hole"]
    assert all(0 < value < 60 for value in values)
    assert Image.open(run / "samples" / "step_0000008.png").size == (4 * SIDE, 2 * SIDE)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stop", "workers"), [("encoder", 5, 0), ("filler", 5, 2)])
def test_a_stopped_run_ends_like_an_undisturbed_one(
    runs: dict[str, Path], data: Path, tmp_path: Path, name: str, stop: int, workers: int
) -> None:
    """Weights, optimizers, plateau, log, validation, grids and the best generator."""
    settings, how = KINDS[name](), {"checkpoint_every": 2, "workers": workers}
    with pytest.raises(Stop):
        train_measured(settings, data, tmp_path / "run", **how, stop_after=stop)
    messages: list[str] = []
    train_measured(settings, data, tmp_path / "run", **how, on_message=messages.append)
    assert messages[0] == f"continuing from step {stop - 1} of 8"
    assert left_by(tmp_path / "run") == left_by(runs[name])
    if name == "filler":
        assert result(tmp_path / "run")["state"]["plateau"]["factor"] < 1, "it was lowered, so it is looked at"
