"""The training loop, resumable at any step: `train`, and `Run` with its networks, tables and step count."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

from gan_eval.base.atomic import remove_leftovers
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.base.output_folders import check_output_folder, refuse_links
from gan_eval.base.progress import Progress
from gan_eval.settings.training import TrainingSettings
from trainer.batches import Batches, Pictures, jitter_size
from trainer.devices import autocast, cpu_threads, exact_kernels, machine_of, memory_for, one_device, workers_for
from trainer.inference import NotFiniteError
from trainer.job import Say, TrainingJob
from trainer.loop.gan import load_optimizer, new_gan, set_learning_rates
from trainer.loop.initial_weights import find_initial, start_from
from trainer.loop.plan import TrainingPlan, decayed, make_plan
from trainer.randomness import Purpose, seeded
from trainer.recording import RecordedStep
from trainer.state.checkpoints import (
    CHECKPOINTS,
    NETS,
    OPTIMIZERS,
    State,
    broke_down,
    load_latest,
    require_finite,
    save_checkpoint,
)
from trainer.state.run_folder import (
    BEST,
    CONFIG,
    GENERATOR,
    LATEST,
    begin_run,
    check_run,
    has_generator,
    note_in_config,
    recorded_threads,
    run_lock,
    save_generator,
)
from trainer.state.trained_on import TrainedOn, pictures_of_run, record_pictures
from trainer.step import training_step
from trainer.tasks import Example, new_task
from trainer.watch.log import TrainingLog, ValidationLog
from trainer.watch.validation import Validation, sample_examples, validation_examples, write_grid

SECONDS = 60.0  # seconds between checkpoints if no number of steps is given
SHARE = 0.05  # maximum share of the time for writing them; SECONDS is raised for it


def train(
    job: TrainingJob,
    out: Path,
    *,
    checkpoint_every: int | None = None,
    on_progress: Progress | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Train a generator. The same call resumes an interrupted run, and returns for a finished one.

    A resumed run ends with the same bits as an uninterrupted one on the same device with the same number of threads.

    `out` gets config.json, training_log.csv, checkpoints/, samples/ and generator.safetensors, with snapshots and
    validation also snapshots/, validation.csv and best.safetensors.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM. The current step was finished, and a checkpoint and latest.safetensors
            were written.
    """
    settings, out = job.settings, Path(out)
    say = on_message or (lambda _line: None)
    with memory_for_training(settings), ExitStack() as stack:
        device = one_device()
        finished = has_generator(out, say)
        if not finished:  # a finished run is only read
            if not (out / CONFIG).exists():
                check_output_folder(out)
            refuse_links(out)
            stack.enter_context(hold_lock(*run_lock(out)))
        threads = cpu_threads(job.threads, device, recorded=recorded_threads(out), settings=settings)
        stack.enter_context(threads)
        run = open_run(device, job, out, finished=finished, say=say)
        if run is None:
            say(f"{out}: finished already; nothing was done")
            return out
        run.resume()
        with closing(run), exact_kernels(device):
            train_to_end(run, checkpoint_every=checkpoint_every, on_progress=on_progress)
            run.finish()
    if run.done < run.total:
        raise KeyboardInterrupt
    return out


def train_to_end(run: "Run", *, checkpoint_every: int | None, on_progress: Progress | None) -> None:
    """Train to the last step or until Ctrl-C or SIGTERM, and write the due files after each step.

    If `on_progress` raises an exception, as for a task that a cluster no longer wants, a checkpoint is written first.
    """
    wait, last, batch = SECONDS, time.monotonic(), run.plan.settings.batch_size
    with deferred_interrupt() as interrupted:
        if not run.done:
            run.reached()
        while run.done < run.total:
            run.step()
            run.reached()
            stop = interrupted()
            is_due = time.monotonic() - last >= wait if checkpoint_every is None else not run.done % checkpoint_every
            if stop or is_due or run.done == run.total:
                wait = max(SECONDS, run.save() / SHARE)
                last = time.monotonic()
            if stop:
                return
            if on_progress is not None:
                try:
                    on_progress(run.done, run.total, "", losses_text(run.log.latest), unit="images", units_each=batch)
                except Exception:
                    run.save()
                    raise


def losses_text(terms: Mapping[str, float]) -> str:
    """Return the loss terms as text, the generator's first."""
    names = sorted(terms, key=lambda name: not name.startswith("g_"))
    return "  ".join(f"{name} {terms[name]:.3g}" for name in names)


@contextmanager
def memory_for_training(settings: TrainingSettings) -> Iterator[None]:
    """Convert a lack of memory into a message for the user."""
    what = f"a training step at batch_size {settings.batch_size} and image_size {settings.image_size}"
    fix = (
        "lower these, generator_channels or discriminator_channels, or give precision = 'bf16', and train into a new "
        "folder; checkpoints are kept; train --estimate reports the memory beforehand"
    )
    with memory_for(what, fix):
        yield


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C or SIGTERM only set a flag, so that the step finishes, and yield a function that returns it.

    A second one interrupts immediately. Outside the main thread nothing changes, as only that receives signals.
    """
    pressed = False

    def remember(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    in_main_thread = threading.current_thread() is threading.main_thread()
    caught = (signal.SIGINT, signal.SIGTERM) if in_main_thread else ()  # a batch system sends SIGTERM at its time limit
    before = {number: signal.signal(number, remember) for number in caught}
    try:
        yield lambda: pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def open_run(device: torch.device, job: TrainingJob, out: Path, *, finished: bool, say: Say) -> "Run | None":
    """Claim the job's folder and return its run before the first step.

    Returns:
        None if the run in `out` is finished. `Run.resume` continues from its last checkpoint.
    """
    settings = job.settings
    task = new_task(settings, direction=job.direction, root=job.root)
    initial = find_initial(job.init_from, settings)
    plan = make_plan(task, job, initial=initial, say=say)
    definition, machine = plan.definition, machine_of(device)
    changes = check_run(out, definition, machine)
    remove_leftovers(out)
    if finished:
        return None
    for change in changes:
        say(change)
    if not (out / CONFIG).exists():
        for remark in plan.data_set.remarks(plan.paths):
            say(remark)
    batches = Batches(
        Pictures(plan.data_set, plan.paths, side=jitter_size(settings)),
        settings,
        assemble=task.assemble,
        workers=workers_for(device, job.workers),
        pin_for=device if device.type == "cuda" else None,
    )
    samples = sample_examples(task, plan.data_set, plan.paths, train_split=job.split, say=say)
    start, sha256 = initial.source if initial else None, str(definition["data_sha256"])
    trained = pictures_of_run(out, plan.data_set, plan.paths, data_sha256=sha256, start=start)
    validation = new_validation(plan, job, out, trained=trained, say=say)
    run = Run(device, plan, job, out, batches=batches, samples=samples, validation=validation, say=say)
    begin_run(out, definition, machine)
    record_pictures(out, trained, data_sha256=sha256)
    return run


def new_validation(
    plan: TrainingPlan, job: TrainingJob, out: Path, *, trained: TrainedOn, say: Say
) -> Validation | None:
    """Return the validation of a run; None if nothing is measured."""
    if job.settings.validate_every is None or job.measure is None:
        return None
    folder, count = plan.data_set.folder, job.settings.validation_count(uses_best=job.uses_best)
    examples = validation_examples(plan.data_set, plan.paths, trained=trained, count=count, train_split=job.split)
    if examples is None:
        say(f"{folder}: neither val nor test next to {job.split}; nothing is validated")
        return None
    if examples.seen:
        say(
            f"{folder}: {examples.n_seen} of the {len(examples.paths)} validation pictures of {examples.split} are "
            "also trained on"
        )
    return Validation(out / "validation", plan.task, examples, job.measure)


class Run:
    """The state of a run. `reached` writes the due files after each step and before the first."""

    def __init__(
        self,
        device: torch.device,
        plan: TrainingPlan,
        job: TrainingJob,
        out: Path,
        *,
        batches: Batches,
        samples: list[Example],
        validation: Validation | None,
        say: Say,
    ) -> None:
        """Make a run at step 0; `resume` continues from its last checkpoint."""
        task, settings = plan.task, plan.settings
        self.plan = plan
        self.samples = samples
        self.validation = validation
        self._validated = None if validation is None else validation.sha256
        self.total = plan.total
        self.done = 0
        facts = {**task.row_facts, "fraction": plan.fraction}
        self.log = TrainingLog(out / "training_log.csv", facts=facts, total=self.total)
        self.validation_log = ValidationLog(out / "validation.csv", facts=facts, mode=task.modes[0])
        self.gan = new_gan(device, settings)
        self._keep = job.keep
        self._out = out
        objective = task.objective(device, autocast=partial(autocast, device, settings.precision))
        step = partial(training_step, self.gan, objective)
        self._step = RecordedStep(step) if device.type == "cuda" else step
        self._plateau: PlateauFactor | None = None
        if settings.plateau_patience is not None:
            higher_is_better = validation is not None and validation.higher_is_better
            self._plateau = PlateauFactor(settings, higher_is_better=higher_is_better)
        self._device = device
        self._batches = batches
        self._say = say
        self._started = time.monotonic()
        self._saved = -1

    @property
    def generator(self) -> nn.Module:
        """Return the generator itself, in full precision."""
        return self.gan.generator

    @property
    def seconds(self) -> float:
        """Training time in seconds, without the time in which the run was stopped."""
        return time.monotonic() - self._started

    @property
    def epoch(self) -> int:
        """Number of the current pass over the data; 0 before the first step."""
        schedule = self._batches.schedule
        return schedule.samples(self.done - 1).start // schedule.pairs + 1 if self.done else 0

    def step(self) -> None:
        """Do one training step, and log it."""
        device, settings = self._device, self.plan.settings
        batch = self._batches(self.done).to(device)
        factor = decayed(settings, step=self.done, total=self.total)
        if self._plateau is not None:
            factor *= self._plateau.value
        set_learning_rates(self.gan, settings, factor)
        with seeded(device, Purpose.DROPOUT, settings.seed, self.done):
            terms = self._step(batch)
        self.done += 1
        self.log.add(terms)
        if self.log.row_due(self.done):
            images = self._batches.schedule.samples(self.done - 1).stop
            self.log.end_row(step=self.done, epoch=self.epoch, images=images, seconds=self.seconds)
            self.log.write_if_old()

    def reached(self) -> None:
        """Write and measure what is due at the current step."""
        done, due = self.done, self.plan.milestones
        if done not in due.samples | due.snapshots | due.validations:
            return
        self.log.check(done)
        checkpoints, stem = self._out / CHECKPOINTS, f"step_{done:07d}"
        require_finite(checkpoints, done, {"generator": self.generator.state_dict()})
        try:
            if done in due.samples:
                write_grid(self.generator, self.plan.task, self.samples, self._out / "samples" / f"{stem}.png")
            if done in due.snapshots:
                file = self._out / "snapshots" / f"{stem}.safetensors"
                save_generator(file, self.generator, {**self.plan.definition, "step": done})
            if self.validation is not None and done in due.validations:
                self._validate(self.validation)
        except NotFiniteError as error:
            raise broke_down(checkpoints, f"by step {done}", "the generator's pictures are not finite") from error

    def _validate(self, validation: Validation) -> None:
        """Measure the generator, save it if it is the best, and lower the rates if it stopped improving."""
        metric, better = validation.best_metric, validation.higher_is_better
        self.validation_log.add(validation(self.generator), step=self.done, epoch=self.epoch)
        value = self.validation_log.value(metric, step=self.done)
        if self._plateau is not None and self.done and value is not None and math.isfinite(value):
            before = self._plateau.value
            self._plateau.step(value)
            if self._plateau.value < before:
                self._say(f"step {self.done}: {metric} stopped improving; the learning rates are lowered")
        if self.validation_log.is_best(metric, step=self.done, higher_is_better=better):
            definition = {**self.plan.definition, "step": self.done, "best_metric": metric}
            save_generator(self._out / BEST, self.generator, definition)
        self.validation_log.write()

    def save(self) -> float:
        """Write a checkpoint unless this step has one; return the seconds that it took."""
        started = time.monotonic()
        if self._saved != self.done:
            self.log.check(self.done)
            state = {name: part.state_dict() for name, part in self._parts().items()}
            state |= {"fingerprint": sha256_json(self.plan.definition), "seconds": self.seconds}
            state["validated"] = self._validated
            save_checkpoint(self._out / CHECKPOINTS, self.done, state, keep=self._keep)
            self.log.write()
            self._saved = self.done
        return time.monotonic() - started

    def resume(self) -> None:
        """Continue from the last readable checkpoint, else from the weights that the run starts from, if any."""
        folder = self._out / CHECKPOINTS
        parts = self._parts()
        nets = {name: parts[name].state_dict() for name in NETS}

        def take(state: State) -> None:
            if state.get("validated", self._validated) != self._validated:
                raise UserError(
                    f"{self._out}: its validation pictures have changed since step {state['step']}; restore them (in a "
                    "study also generate.checkpoint, which decides how many there are), or train into a new folder"
                )
            for name, part in parts.items():
                load_optimizer(part, state[name]) if name in OPTIMIZERS else part.load_state_dict(state[name])
            self.log.write()
            self.validation_log.write()

        state = load_latest(folder, sha256_json(self.plan.definition), self._say, nets=nets, parts=parts, take=take)
        if state is None:
            if self.plan.initial is not None:
                facts = start_from(self.plan.initial, self.gan, self.plan.settings, self._say)
                note_in_config(self._out, facts)
            return
        self.done = self._saved = state["step"]
        self._started = time.monotonic() - state["seconds"]
        self._say(f"continuing from step {self.done} of {self.total}")

    def finish(self) -> None:
        """Write the finished generator; after a signal write latest.safetensors and name the usable files."""
        if self.done >= self.total:
            (self._out / LATEST).unlink(missing_ok=True)
            save_generator(self._out / GENERATOR, self.generator, self.plan.definition)
            return
        save_generator(self._out / LATEST, self.generator, {**self.plan.definition, "step": self.done})
        usable = f"{self._out / LATEST} (step {self.done})"
        if (best := self.validation_log.best) is not None:
            usable = f"{self._out / BEST} (step {best[0]}) or {usable}"
        self._say(f"stopped after step {self.done} of {self.total}; generate accepts {usable}")

    def close(self) -> None:
        """Stop the workers; after an error write the log's last rows."""
        self._batches.close()
        if self.log.latest and self.done != self._saved:
            self.log.write()

    def _parts(self) -> Mapping[str, Any]:
        """Return the parts of a checkpoint by name."""
        return {
            "generator": self.gan.generator,
            "discriminator": self.gan.discriminator,
            "generator_optimizer": self.gan.generator_optimizer,
            "discriminator_optimizer": self.gan.discriminator_optimizer,
            "log": self.log,
            "validation": self.validation_log,
            **({} if self._plateau is None else {"plateau": self._plateau}),
        }


class PlateauFactor(ReduceLROnPlateau):
    """A factor of both learning rates that falls when best_metric stops improving."""

    def __init__(self, settings: TrainingSettings, *, higher_is_better: bool) -> None:
        """Set up PyTorch's rule with a dummy optimizer whose rate starts at 1."""
        super().__init__(
            SGD([torch.zeros(1)], lr=1.0),
            mode="max" if higher_is_better else "min",
            factor=settings.plateau_factor,
            patience=settings.plateau_patience or 0,
            threshold=0.0,
            threshold_mode="abs",
            eps=0.0,
        )

    @property
    def value(self) -> float:
        """Return the factor."""
        return float(self.get_last_lr()[0])

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.optimizer.param_groups[0]["lr"] = state["_last_lr"][0]
        super().load_state_dict(state)
