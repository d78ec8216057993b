"""Trainings as the tests call them, and what a run leaves in a form that two runs can be compared by."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan_eval.base.digests import sha256_file
from gan_eval.pictures.decode import Picture, list_pictures, read_rgb
from gan_eval.settings.training import TrainingSettings
from gan_eval.study.training import train_model
from gan_eval.tables import TRAINING_LOG
from gan_eval.tables.frames import Row, read_rows
from trainer.inference import translate_batch
from trainer.job import TrainingJob
from trainer.loop.estimate import TimeEstimate
from trainer.loop.estimate import estimate as estimate_job
from trainer.loop.run import train as train_job
from trainer.nets.build import new_networks
from trainer.randomness import Purpose
from trainer.state.checkpoints import list_checkpoints
from trainer.state.run_folder import GENERATOR, begin_run, save_generator

Pairs = Callable[..., Path]
"""The fixture make_pairs."""
Settings = Callable[..., TrainingSettings]
"""The fixture tiny."""
OF_RUN = ("checkpoint_every", "on_progress", "on_message")


class Stop(BaseException):
    """Ends a run in the middle, as a kill does: without a checkpoint, which any `Exception` of a listener writes."""


def train(
    settings: TrainingSettings,
    data: Path,
    out: Path,
    *,
    stop_after: int | None = None,
    loop: Callable[..., Path] = train_job,
    **how: Any,
) -> Path:
    """Train; `how` has the other fields of the job and the options of `train`. With `stop_after`, end in `Stop`."""

    def stop(done: int, *_: object, **__: object) -> None:
        if done == stop_after:
            raise Stop

    options = {name: how.pop(name) for name in OF_RUN if name in how}
    if stop_after is not None:
        options["on_progress"] = stop
    return loop(TrainingJob(settings, data, **how), out, **options)


train_measured = partial(train, loop=train_model)
"""The same with the metrics that the settings name."""


def estimate(settings: TrainingSettings, data: Path, *, on_message: Any = None, **how: Any) -> TimeEstimate:
    return estimate_job(TrainingJob(settings, data, **how), on_message=on_message)


def finished_run(folder: Path, settings: TrainingSettings) -> Path:
    """A run whose generator has initial weights, scaled up so that its pictures have contrast."""
    net, _ = new_networks(settings)
    with torch.no_grad():
        net.up[0].conv.weight.mul_(20)
    definition = {
        "settings": settings.model_dump(mode="json"), "fraction": 0.25, "direction": "BtoA", "split": "train",
        "pairs": 1, "data_sha256": "0", "steps": 1,
    }  # fmt: skip
    begin_run(folder, definition, {})
    save_generator(folder / GENERATOR, net, definition)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder, by its path there."""
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in folder.rglob("*") if path.is_file()}


def brightness(folder: Path) -> list[Row]:
    """A metric of the generated pictures."""
    values = [read_rgb(path).mean() for path in list_pictures(folder / "fake")]
    return [{"metric": "brightness", "value": float(np.mean(values)), "sd": None, "n": len(values), "reason": None}]


def result(run: Path) -> dict[str, Any]:
    """Everything a run leaves, without times: files by hash, last checkpoint by tensor bytes, log rows."""
    state = torch.load(list_checkpoints(run / "checkpoints")[0], map_location="cpu", weights_only=True)
    return {
        "generator": sha256_file(run / "generator.safetensors"),
        "samples": {path.name: sha256_file(path) for path in (run / "samples").iterdir()},
        "log": [{**row, "seconds": None} for row in read_rows(run / "training_log.csv", TRAINING_LOG)],
        "state": flat({key: state[key] for key in state if key not in ("seconds", "log")}),
    }


def flat(value: Any) -> Any:
    """The same with tensors as their types, shapes and bytes, which compare exactly."""
    if isinstance(value, torch.Tensor):
        return (str(value.dtype), tuple(value.shape), value.numpy().tobytes())
    if isinstance(value, dict):
        return {key: flat(inner) for key, inner in value.items()}
    return [flat(inner) for inner in value] if isinstance(value, list | tuple) else value


def translate(net: torch.nn.Module, picture: Picture, *, purpose: Purpose, seed: int, number: int) -> Picture:
    """Return one picture through the generator, alone in its batch."""
    return translate_batch(net, [picture], purpose=purpose, seed=seed, numbers=[number])[0]
