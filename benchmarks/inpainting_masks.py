"""What holes cost by their kind: `inpainting_step.py --masks`."""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from inpainting_sides import our_gan, our_step, prepared, settings_of

from gan_eval.settings.training import TrainingSettings

WARM_UP = 2
KINDS = ("centre", "blocks", "region", "strokes", "folder")
MOST_FOR_MASKS = 0.05
"""Share of a step that holes and their filling may take."""


def mask_table(options: argparse.Namespace) -> str:
    """What holes cost the thread that trains, by kind of hole, as a share of a step."""
    kinds = KINDS if options.family == "hole_filling" else KINDS[:1]
    lines = [
        "kind      holes and filling   whole batch    step      share of holes   of the batch   waiting, 2 workers"
    ]
    for kind in kinds:
        folder = "masks" if kind == "folder" else ""
        holes, whole, step, waiting = mask_costs(options, settings_of(options, masks={kind: 1}, mask_folder=folder))
        lines.append(
            f"{kind:9} {1000 * holes:14.2f} ms {1000 * whole:10.2f} ms {1000 * step:8.1f} ms {holes / step:13.2%} "
            f"{whole / step:15.2%} {1000 * waiting:12.2f} ms ({waiting / step:.2%})"
            + ("" if holes / step < MOST_FOR_MASKS else "  TOO MUCH")
        )
    return "\n".join(lines)


def mask_costs(options: argparse.Namespace, settings: TrainingSettings) -> tuple[float, float, float, float]:
    """Medians in seconds: holes and filling of a batch, all of a batch, a step without it, and the wait for a batch
    that two workers make during the steps."""

    times: dict[str, list[float]] = {"holes": [], "whole": [], "step": [], "waiting": []}

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = call()
        times[name].append(time.perf_counter() - started)
        return result

    with (
        prepared(options, settings, workers=0) as (task, batches),
        prepared(options, settings, workers=2) as (_, ahead),
    ):
        fabric, gan = our_gan(options, settings)
        train = our_step(fabric, gan, task)
        shape = 1, settings.batch_size, 3, settings.image_size, settings.image_size
        crops = np.zeros(shape, np.float32)
        for number in range(WARM_UP + options.steps):
            samples = list(range(number * settings.batch_size, (number + 1) * settings.batch_size))
            clocked("holes", lambda crops=crops, samples=samples: task.assemble(crops, samples))
            batch = clocked("whole", lambda number=number: batches(number)).to(fabric.device)
            clocked("step", lambda batch=batch: seconds_of_one(train, batch))
            clocked("waiting", lambda number=number: ahead(number))
    holes, whole, step, waiting = (statistics.median(values[WARM_UP:]) for values in times.values())
    return holes, whole, step, waiting


def seconds_of_one(train: Callable[[Any], object], batch: Any) -> None:
    """A step to its end."""

    train(batch)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
