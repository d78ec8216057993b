"""Training a Pix2Pix generator: the loop, resumable at any step."""

from collections.abc import Callable
from pathlib import Path

import torch

from gan_eval.errors import UserError
from gan_eval.study import Direction, TrainingSettings
from trainer.checkpoints import CheckpointClock
from trainer.data import Batches, PairedPictures, hash_pairs, jitter_size, list_pairs
from trainer.gan import new_fabric
from trainer.interrupts import deferred_interrupt
from trainer.length import planned_steps, shortened
from trainer.milestones import milestones
from trainer.run import Run
from trainer.run_folder import GENERATOR, Definition, Machine, begin_run, check_run, save_generator
from trainer.samples import sample_pairs
from trainer.validation import Measure, Validation, validation_pairs

Progress = Callable[[int, int, dict[str, float]], None]
"""Called after each step with the steps done, the total, and the latest means of the loss terms."""

MANY_PAIRS = 2000
"""With more pairs than this, reading them takes long enough to be mentioned."""


def train(
    settings: TrainingSettings,
    data: Path,
    out: Path,
    *,
    direction: Direction,
    fraction: float = 1.0,
    split: str = "train",
    checkpoint_every: int | None = None,
    measure: Measure | None = None,
    on_progress: Progress | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Train a generator; the same call again goes on from the last checkpoint, and a finished run returns at once.

    A resumed run ends bit for bit like an undisturbed one on the same device with the same number of threads.

    Args:
        data: folder with `SPLIT/*.jpg`, A on the left and B on the right of each picture.
        out: the run's folder: config.json, training_log.csv, checkpoints/, samples/, generator.safetensors; with
            snapshots and validation also snapshots/, validation.csv, best.safetensors.
        fraction: share of the planned steps that is trained, above 0 and at most 1.
        checkpoint_every: steps between checkpoints; default: about a minute.
        measure: computes the validation metrics; without, nothing is validated.

    Returns:
        `out`.

    Raises:
        UserError: bad data or settings, another run in `out`, a loss that is not finite, a full disk.
        KeyboardInterrupt: Ctrl-C, after the step in hand was finished and a checkpoint written.
    """
    if checkpoint_every is not None and checkpoint_every < 1:
        raise UserError(f"checkpoint_every {checkpoint_every}: wanted 1 step or more")
    say = on_message or (lambda _line: None)
    out = Path(out)
    paths = list_pairs(data, split, limit=settings.max_pairs)
    planned = planned_steps(settings, len(paths))
    total = shortened(planned, fraction)
    if len(paths) > MANY_PAIRS:
        say(f"reading and checking {len(paths)} pictures")
    definition: Definition = {
        "settings": settings.model_dump(mode="json"),
        "fraction": fraction,
        "direction": direction,
        "split": split,
        "pairs": len(paths),
        "data_sha256": hash_pairs(paths),
        "steps": total,
    }
    fabric = new_fabric(settings)
    machine = _machine(fabric.device)
    for line in check_run(out, definition, machine):
        say(line)
    if (out / GENERATOR).is_file():
        return out

    batches = Batches(PairedPictures(paths, direction, side=jitter_size(settings)), settings)
    run = Run(
        fabric,
        settings,
        definition,
        out,
        batches=batches,
        milestones=milestones(settings, total=total, planned=planned, steps_per_epoch=batches.schedule.steps_per_epoch),
        samples=sample_pairs(data, paths, direction, size=settings.image_size),
        validation=_validation(settings, data, out, measure, direction=direction, train_split=split, say=say),
        say=say,
    )
    begin_run(out, definition, machine)
    run.resume()
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        _loop(run, checkpoint_every=checkpoint_every, on_progress=on_progress)
    save_generator(out / GENERATOR, run.generator, definition)
    return out


def _loop(run: Run, *, checkpoint_every: int | None, on_progress: Progress | None) -> None:
    """Train to the last step; write what is due after each step."""
    due = CheckpointClock(checkpoint_every)
    with deferred_interrupt() as interrupted:
        if not run.done:
            run.reached()
        while run.done < run.total:
            run.step()
            stop = interrupted()
            if stop or due(run.done) or run.done == run.total:
                due.took(run.save())
            if stop:
                raise KeyboardInterrupt
            if on_progress is not None:
                on_progress(run.done, run.total, run.log.latest)


def _validation(
    settings: TrainingSettings,
    data: Path,
    out: Path,
    measure: Measure | None,
    *,
    direction: Direction,
    train_split: str,
    say: Callable[[str], None],
) -> Validation | None:
    """What measures the generator on the way, where that is wanted and there are pictures for it."""
    if settings.validate_every is None or measure is None:
        return None
    size, count = settings.image_size, settings.validation_pairs
    pairs = validation_pairs(data, direction, size=size, count=count, train_split=train_split)
    if pairs is None:
        say(f"{data}: neither val nor test beside {train_split}; nothing is validated")
        return None
    return Validation(out / "validation", pairs, measure, settings)


def _machine(device: torch.device) -> Machine:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"device": name, "threads": torch.get_num_threads(), "torch": str(torch.__version__)}
