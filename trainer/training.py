"""Training a Pix2Pix generator: the loop, resumable at any step."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.optim import Adam

from gan_eval.errors import UserError
from gan_eval.images import Picture
from gan_eval.study import Direction, TrainingSettings
from trainer.checkpoints import CheckpointClock, State, load_latest, save_checkpoint
from trainer.data import Batches, PairedPictures, hash_pairs, jitter_size, list_pairs
from trainer.interrupts import deferred_interrupt
from trainer.length import planned_steps
from trainer.log import TrainingLog
from trainer.nets.build import new_networks
from trainer.randomness import Purpose, seeded
from trainer.run_folder import (
    GENERATOR,
    Definition,
    Machine,
    begin_run,
    check_run,
    fingerprint,
    save_generator,
)
from trainer.samples import draw_samples, sample_pairs, sample_steps
from trainer.step import Gan, Objective, training_step

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
    on_progress: Progress | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Train a generator; the same call again goes on from the last checkpoint, and a finished run returns at once.

    A resumed run ends bit for bit like an undisturbed one on the same device with the same number of threads.

    Args:
        data: folder with `SPLIT/*.jpg`, A on the left and B on the right of each picture.
        out: the run's folder: config.json, training_log.csv, checkpoints/, samples/, generator.safetensors.
        fraction: share of the planned steps that is trained, above 0 and at most 1.
        checkpoint_every: steps between checkpoints; default: about a minute.

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
    total = planned_steps(settings, len(paths), fraction=fraction)
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
    fabric = Fabric(accelerator="auto", devices=1)
    machine = _machine(fabric.device)
    for line in check_run(out, definition, machine):
        say(line)
    if (out / GENERATOR).is_file():
        return out

    pictures = PairedPictures(paths, direction, side=jitter_size(settings))
    samples = sample_pairs(data, paths, direction, size=settings.image_size)
    run = _Run(fabric, settings, definition, out, Batches(pictures, settings), samples)
    begin_run(out, definition, machine)
    run.resume(say)
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        _loop(run, checkpoint_every=checkpoint_every, on_progress=on_progress)
    save_generator(out, run.gan.generator, definition)
    return out


def _loop(run: "_Run", *, checkpoint_every: int | None, on_progress: Progress | None) -> None:
    """Train to the last step; write what is due after each step."""
    due = CheckpointClock(checkpoint_every)
    with deferred_interrupt() as interrupted:
        while run.done < run.total:
            run.step()
            stop = interrupted()
            if stop or due(run.done) or run.done == run.total:
                due.took(run.save())
            if stop:
                raise KeyboardInterrupt
            if on_progress is not None:
                on_progress(run.done, run.total, run.log.latest)


class _Run:
    """The moving parts of a run: networks, optimizers, log, and the number of steps done."""

    def __init__(
        self,
        fabric: Fabric,
        settings: TrainingSettings,
        definition: Definition,
        out: Path,
        batches: Batches,
        samples: list[tuple[Picture, Picture]],
    ) -> None:
        self.out = out
        self.total: int = definition["steps"]
        self.done = 0
        self.log = TrainingLog(out / "training_log.csv", fraction=definition["fraction"], total=self.total)
        self.gan = new_gan(fabric, settings)
        self._objective = Objective(reconstruction_weight=settings.lambda_l1, d_loss_factor=settings.d_loss_factor)
        self._fabric = fabric
        self._seed = settings.seed
        self._fingerprint = fingerprint(definition)
        self._batches = batches
        self._samples = samples
        self._sample_steps = sample_steps(self.total)
        self._started = time.monotonic()
        self._saved = -1

    def step(self) -> None:
        """One training step, with its part of the log and its sample grid."""
        device = self._fabric.device
        condition, target = (batch.to(device) for batch in self._batches(self.done))
        row_due = self.log.row_due(self.done + 1)
        with seeded(device, Purpose.DROPOUT, self._seed, self.done):
            terms = training_step(
                self.gan, self._objective, condition, target, backward=self._fabric.backward, gradient_norm=row_due
            )
        self.done += 1
        self.log.add(terms)
        if row_due:
            schedule = self._batches.schedule
            epoch = schedule.position(self.done - 1).epoch + 1
            self.log.end_row(step=self.done, epoch=epoch, images=schedule.images(self.done), seconds=self.seconds)
            self.log.write()
        if self.done in self._sample_steps:
            grid = self.out / "samples" / f"step_{self.done:07d}.png"
            draw_samples(self.gan.generator, self._samples, grid, seed=self._seed)

    @property
    def seconds(self) -> float:
        """Time trained so far, pauses left out."""
        return time.monotonic() - self._started

    def save(self) -> float:
        """Write a checkpoint unless this step has one; returns the seconds that it took."""
        started = time.monotonic()
        if self._saved != self.done:
            self.log.check(self.done)
            save_checkpoint(self.out / "checkpoints", self.done, self._state())
            self.log.write()
            self._saved = self.done
        return time.monotonic() - started

    def resume(self, say: Callable[[str], None]) -> None:
        """Go on from the last checkpoint that can be read, if there is one."""
        state = load_latest(self.out / "checkpoints", self._fingerprint, say)
        if state is None:
            return
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.log.load_state(state["log"])
        self.done = self._saved = state["step"]
        self._started = time.monotonic() - state["seconds"]
        self.log.write()
        say(f"going on from step {self.done} of {self.total}")

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.gan.generator,
            "discriminator": self.gan.discriminator,
            "generator_optimizer": self.gan.generator_optimizer,
            "discriminator_optimizer": self.gan.discriminator_optimizer,
        }

    def _state(self) -> State:
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {**parts, "fingerprint": self._fingerprint, "log": self.log.state(), "seconds": self.seconds}


def new_gan(fabric: Fabric, settings: TrainingSettings) -> Gan:
    """Networks with their initial weights and an Adam each, on the device."""
    nets = [net.to(fabric.device) for net in new_networks(settings)]
    adam: dict[str, Any] = {
        "lr": settings.learning_rate,
        "betas": (settings.beta1, settings.beta2),
        "fused": fabric.device.type in ("cpu", "cuda"),
    }
    (generator, g_optimizer), (discriminator, d_optimizer) = (
        fabric.setup(net, Adam(net.parameters(), **adam)) for net in nets
    )
    return Gan(generator, discriminator, g_optimizer, d_optimizer)


def _machine(device: torch.device) -> Machine:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"device": name, "threads": torch.get_num_threads(), "torch": str(torch.__version__)}
