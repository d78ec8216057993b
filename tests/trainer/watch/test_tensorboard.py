"""TensorBoard reads every point of a run once, even of a resumed run; the run itself is the same without it."""

import builtins
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from training_runs import Stop, train

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.machine.commands import setup_command
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG, VALIDATION
from gan_eval.tables.frames import read_rows
from trainer.watch.validation import Measure

Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]

pytest.importorskip("tensorboard", reason="the optional package tensorboard is not installed")

MEASURE = Measure(
    lambda folder: [{"metric": "brightness", "value": 3.5, "sd": None, "n": 2, "reason": None}], {"brightness": True}
)
HOW: dict[str, Any] = {"direction": "AtoB", "measure": MEASURE, "checkpoint_every": 4}


def read_back(run: Path) -> Any:
    """The run as TensorBoard itself reads it, nothing thinned."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    board.Reload()
    return board


def points(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Scalars by tag, as (step, value)."""
    board = read_back(run)
    return {tag: [(point.step, point.value) for point in board.Scalars(tag)] for tag in board.Tags()["scalars"]}


def points_of_tables(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the values of the run's own tables, under TensorBoard's tags."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in read_rows(run / "training_log.csv", TRAINING_LOG):
        found.setdefault(f"training/{row['term']}", []).append((row["step"], pytest.approx(row["value"], rel=1e-6)))
    for row in read_rows(run / "validation.csv", VALIDATION):
        tag = f"validation/{row['metric']}_{row['mode']}"
        found.setdefault(tag, []).append((row["step"], pytest.approx(row["value"], rel=1e-6)))
    return found


@pytest.fixture
def settings(tiny: Settings) -> TrainingSettings:
    """A run with validation in both modes."""
    return tiny(steps=24, validate_every=12, validation_metrics=("brightness",))


@pytest.mark.slow
def test_a_resumed_run_has_each_point_once(make_pairs: Pairs, settings: TrainingSettings, tmp_path: Path) -> None:
    """Stopped after step 23, when the board had points up to 20, and resumed from step 16."""
    data = make_pairs(train=3, val=2)
    run = tmp_path / "run"
    with pytest.raises(Stop):
        train(settings, data, run, tensorboard=True, stop_after=23, **HOW)
    assert points(run)["training/g_l1"][-1][0] == 20
    (run / "checkpoints" / "step_0000020.pt").unlink()
    train(settings, data, run, tensorboard=True, **HOW)
    assert points(run) == points_of_tables(run)
    pictures = read_back(run).Images("samples")
    drawn = sorted(int(path.stem.removeprefix("step_")) for path in (run / "samples").iterdir())
    assert [picture.step for picture in pictures] == drawn
    last = np.asarray(Image.open(io.BytesIO(pictures[-1].encoded_image_string)))
    assert np.array_equal(last, np.asarray(Image.open(run / "samples" / "step_0000024.png")))
    plain = train(settings, data, tmp_path / "plain", **HOW)
    for file in ("generator.safetensors", "best.safetensors", "validation.csv", "samples/step_0000024.png"):
        assert sha256_file(run / file) == sha256_file(plain / file)
    messages: list[str] = []
    train(settings, data, plain, tensorboard=True, on_message=messages.append, **HOW)
    assert messages == [f"{plain}: finished already; nothing was done"]


def test_without_the_package_one_line_before_anything_is_written(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = builtins.__import__

    def without(name: str, *args: Any, **how: Any) -> Any:
        if name.startswith(("tensorboard", "torch.utils.tensorboard")):
            raise ModuleNotFoundError(f"No module named {name!r}", name="tensorboard")
        return plain(name, *args, **how)

    monkeypatch.setattr(builtins, "__import__", without)
    advice = re.escape(setup_command("tensorboard"))
    with pytest.raises(
        UserError, match=f"--tensorboard: the package tensorboard is missing; install it with: {advice}"
    ):
        train(tiny(), make_pairs(train=2), tmp_path / "run", direction="AtoB", tensorboard=True)
    assert not (tmp_path / "run").exists()
