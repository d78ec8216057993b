"""One training run in motion: its networks, its log, what it finds, and the number of steps done.

Lower learning rates when validation stops improving (ReduceLROnPlateau).
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

from gan_eval.errors import UserError, first_sentence
from gan_eval.settings.training import TrainingSettings
from trainer.batches.batches import Batches
from trainer.devices import anybody, average, require_same_step, running_statistics, same_everywhere
from trainer.inference import NotFiniteError
from trainer.loop.gan import load_optimizer, new_gan, plain_generator, set_learning_rates, start_from
from trainer.loop.initial_weights import Initial, load_start, tell_start
from trainer.loop.plan import Milestones, decayed
from trainer.randomness import Purpose, seeded
from trainer.state.checkpoints import (
    KEPT,
    NETS,
    OPTIMIZERS,
    State,
    broke_down,
    checkpoint_path,
    load_latest,
    require_finite,
    save_checkpoint,
)
from trainer.state.run_folder import BEST, GENERATOR, LATEST, Definition, fingerprint, save_generator, snapshot_path
from trainer.step import training_step
from trainer.tasks import Example, Task
from trainer.watch.findings import Findings
from trainer.watch.log import TrainingLog
from trainer.watch.samples import draw_samples, grid_path
from trainer.watch.tensorboard import TensorBoard
from trainer.watch.validation import Validation


class Run:
    """The moving parts of a run. After each step, and before the first, `reached` does what is due there."""

    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        definition: Definition,
        out: Path,
        *,
        batches: Batches,
        milestones: Milestones,
        samples: list[Example],
        validation: Validation | None,
        say: Callable[[str], None],
        initial: Initial | None = None,
        keep: int = KEPT,
        compiled: bool = False,
    ) -> None:
        """A run at its start; `resume` brings it to its last checkpoint.

        Args:
            initial: the trained generator that it starts from.
            keep: so many of the latest checkpoints are kept.
            compiled: see `trainer.devices.Execution`.
        """
        self.total: int = definition["steps"]
        self.done = 0
        fraction = definition["fraction"]
        self.log = TrainingLog(out / "training_log.csv", told={**task.told, "fraction": fraction}, total=self.total)
        self.findings = Findings(out, fraction=fraction, told=task.told, mode=task.modes[0])
        self.gan = new_gan(fabric, task.settings, compiled=compiled)
        self.board: TensorBoard | None = None
        """What is told of each row of the log, where that is wanted."""
        self._initial = initial
        self._keep = keep
        self._compiled = compiled
        self._out = out
        self._definition = definition
        self._task = task
        self._settings = task.settings
        self._objective = task.objective(fabric.device)
        self._plateau = PlateauRate(task.settings)
        self._fabric = fabric
        self._batches = batches
        self._milestones = milestones
        self._samples = samples
        self._validation = validation
        self._say = say
        self._started = time.monotonic()
        self._saved = -1

    @property
    def generator(self) -> nn.Module:
        """The generator itself, in full precision."""
        return plain_generator(self.gan, self._settings)

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks: always, on one device."""
        return self._fabric.is_global_zero

    @property
    def seconds(self) -> float:
        """Time trained so far, pauses left out."""
        return time.monotonic() - self._started

    def step(self) -> None:
        """One training step; where this process leads, also its part of the log and what is due after it."""
        fabric = self._fabric
        batch = self._batches(self.done).to(fabric.device)
        row_due = self.log.row_due(self.done + 1)
        share = decayed(self._settings, step=self.done, total=self.total) * self._plateau.factor
        set_learning_rates(self.gan, self._settings, share)
        counters = [self.done] if fabric.world_size == 1 else [self.done, fabric.global_rank]
        if self._compiled:
            torch.compiler.cudagraph_mark_step_begin()
        with seeded(fabric.device, Purpose.DROPOUT, self.seed, *counters):
            terms = training_step(self.gan, self._objective, batch, backward=fabric.backward, gradient_norm=row_due)
        average(fabric, [*terms.values(), *running_statistics(self.gan.generator, self.gan.discriminator)])
        self.done += 1
        if self.leads:
            self._record(terms, row_due=row_due)
        if self.done in self._milestones.validations and self._settings.plateau_patience is not None:
            self._plateau.load_state_dict(same_everywhere(self._fabric, self._plateau.state_dict()))

    def _record(self, terms: Mapping[str, Tensor], *, row_due: bool) -> None:
        """Take the terms of the step into the log, and do what is due after it."""
        self.log.add(terms)
        if row_due:
            images = self._batches.schedule.images(self.done)
            self.log.end_row(step=self.done, epoch=self.epoch, images=images, seconds=self.seconds)
            self.log.write()
        self.reached()
        if row_due:
            self._warn()
            if self.board is not None:
                self.board.update(self.log, self.findings, done=self.done, seconds=self.seconds)

    def anybody(self, here: bool) -> bool:
        """Whether `here` is true in any process of the run; all ask after the same step."""
        return anybody(self._fabric, here, step=self.done)

    @property
    def epoch(self) -> int:
        """Passes over the data begun, from 1; 0 before the first step."""
        return self._batches.schedule.position(self.done - 1).epoch + 1 if self.done else 0

    def reached(self) -> None:
        """Draw, keep and measure what is due after the steps done, where this process leads.

        Raises:
            UserError: something is due, and the training broke down.
        """
        if not self.leads or not self._milestones.due(self.done):
            return
        self.log.check(self.done)
        checkpoints = self._out / "checkpoints"
        require_finite(checkpoints, self.done, {"generator": self.generator.state_dict()})
        try:
            self._do_what_is_due()
        except NotFiniteError as error:
            raise broke_down(checkpoints, f"by step {self.done}", "the generator's pictures are not finite") from error

    def _do_what_is_due(self) -> None:
        if self.done in self._milestones.samples:
            draw_samples(self.generator, self._task, self._samples, grid_path(self._out / "samples", self.done))
        if self.done in self._milestones.snapshots:
            save_generator(snapshot_path(self._out, self.done), self.generator, self._told(step=self.done))
        if self._validation is not None and self.done in self._milestones.validations:
            self._validate(self._validation)

    @property
    def seed(self) -> int:
        """The seed of all random numbers."""
        return self._settings.seed

    def _validate(self, validation: Validation) -> None:
        self.findings.add_validation(validation(self.generator), step=self.done, epoch=self.epoch)
        better = validation.higher_is_better
        value = self.findings.value(validation.best_metric, step=self.done)
        if self._plateau.told(value, step=self.done, higher_is_better=better):
            self._say(f"step {self.done}: {validation.best_metric} stopped improving; learning rates are lowered")
        if self.findings.is_best(validation.best_metric, step=self.done, higher_is_better=better):
            told = self._told(step=self.done, best_metric=validation.best_metric)
            save_generator(self._out / BEST, self.generator, told)
        self.findings.write()

    def _told(self, **more: Any) -> Definition:
        return {**self._definition, **more}

    def _warn(self) -> None:
        for line in self.findings.new_warnings(self.log.means, step=self.done):
            self._say(line)
            self.findings.write()

    def save(self) -> float:
        """Write a checkpoint unless this step has one; returns the seconds that it took."""
        started = time.monotonic()
        if self._saved != self.done:
            self.log.check(self.done)
            save_checkpoint(self._out / "checkpoints", self.done, self._state(), keep=self._keep)
            self.log.write()
            self._saved = self.done
        return time.monotonic() - started

    def resume(self) -> None:
        """Go on from the last checkpoint that can be read; without one, start from the trained generator if any.

        A checkpoint beyond the end counts as the end.
        """
        folder = self._out / "checkpoints"
        parts = self._parts()
        nets = {name: parts[name].state_dict() for name in NETS}
        state = load_latest(folder, fingerprint(self._definition), self._say, nets=nets, parts=parts)
        require_same_step(self._fabric, state["step"] if state else 0)
        if state is None:
            self._start()
            return
        try:
            for name, part in parts.items():
                load_optimizer(part, state[name]) if name in OPTIMIZERS else part.load_state_dict(state[name])
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            path = checkpoint_path(folder, state["step"])
            raise UserError(
                f"{path}: not a checkpoint of this run ({first_sentence(error)}); remove it to go on from another"
            ) from error
        self.done = self._saved = state["step"]
        self._started = time.monotonic() - state["seconds"]
        if self.leads:
            self.log.write()
            self.findings.write()
        self._say(f"going on from step {self.done} of {self.total}")

    def _start(self) -> None:
        """Take trained weights where the run starts from some."""
        if self._initial is not None:
            start = load_start(self._initial, self._settings, self._say)
            start_from(self.gan, start)
            if self.leads:
                tell_start(self._out, start)

    def finish(self) -> None:
        """Write the finished generator."""
        save_generator(self._out / GENERATOR, self.generator, self._definition)
        (self._out / LATEST).unlink(missing_ok=True)

    def leave(self) -> None:
        """After Ctrl-C: keep the generator as it is, and say what can be used."""
        save_generator(self._out / LATEST, self.generator, self._told(step=self.done))
        usable = f"{self._out / LATEST} (step {self.done})"
        if (best := self.findings.best) is not None:
            usable = f"{self._out / BEST} (step {best.step}) or {usable}"
        self._say(f"stopped after step {self.done} of {self.total}; generate takes {usable}")

    def close(self) -> None:
        """Let go of what is open."""
        self._batches.close()
        if self.board is not None:
            self.board.close()

    def _parts(self) -> Mapping[str, Any]:
        return {
            "generator": self.gan.generator,
            "discriminator": self.gan.discriminator,
            "generator_optimizer": self.gan.generator_optimizer,
            "discriminator_optimizer": self.gan.discriminator_optimizer,
            "log": self.log,
            "findings": self.findings,
            **({} if self._settings.plateau_patience is None else {"plateau": self._plateau}),
        }

    def _state(self) -> State:
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {**parts, "fingerprint": fingerprint(self._definition), "seconds": self.seconds}


class PlateauRate:
    """The share of the learning rates that is left: PyTorch's scheduler decides, by best_metric."""

    def __init__(self, settings: TrainingSettings) -> None:
        self._patience = settings.plateau_patience
        self._rate = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        """Its learning rate is the share; it has nothing to learn."""
        self._scheduler = ReduceLROnPlateau(
            self._rate,
            factor=settings.plateau_factor,
            patience=settings.plateau_patience or 0,
            threshold=0.0,
            threshold_mode="abs",
            eps=0.0,
        )

    @property
    def factor(self) -> float:
        """In (0, 1]: both learning rates are multiplied by it."""
        return float(self._rate.param_groups[0]["lr"])

    def told(self, value: float | None, *, step: int, higher_is_better: bool) -> bool:
        """Take the value measured after `step` steps; returns whether the rates are lowered.

        The untrained generator's does not count, nor a value that could not be had.
        """
        if self._patience is None or value is None or not step or not math.isfinite(value):
            return False
        before = self.factor
        self._scheduler.step(-value if higher_is_better else value)
        return self.factor < before

    def state_dict(self) -> dict[str, Any]:
        """What it goes on from."""
        return {
            "factor": self.factor,
            "best": float(self._scheduler.best),
            "bad": self._scheduler.num_bad_epochs,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._rate.param_groups[0]["lr"] = state["factor"]
        self._scheduler.best = state["best"]
        self._scheduler.num_bad_epochs = state["bad"]
