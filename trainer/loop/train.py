"""Training a generator: the loop, resumable at any step."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from lightning_fabric import Fabric

from gan_eval.errors import UserError
from gan_eval.files import check_output_folder, remove_leftovers
from gan_eval.settings.training import Direction, TrainingSettings
from trainer.devices import AS_USUAL, Execution, exact_kernels, leader_first, machine_of, new_fabric, speaker
from trainer.evolution import evolution_path, write_evolution
from trainer.loop.failures import breakdowns_explained, deferred_interrupt
from trainer.loop.initial_weights import find_initial
from trainer.loop.plan import Assignment, Say, assign
from trainer.loop.run import Run
from trainer.state.checkpoints import KEPT, CheckpointClock
from trainer.state.run_folder import CONFIG, GENERATOR, begin_run, check_run
from trainer.tasks import new_task
from trainer.watch.tensorboard import TensorBoard, require_tensorboard, write_board
from trainer.watch.validation import Measure

Progress = Callable[[int, int, dict[str, float]], None]
"""Called after each step with the steps done, the total, and the latest means of the loss terms."""

ANIMATIONS = (".webp", ".gif")


def train(
    settings: TrainingSettings,
    data: Path,
    out: Path,
    *,
    direction: Direction = "AtoB",
    root: Path = Path(),
    init_from: Path | None = None,
    fraction: float = 1.0,
    split: str = "train",
    checkpoint_every: int | None = None,
    keep: int = KEPT,
    tensorboard: bool = False,
    gif: bool = False,
    execution: Execution = AS_USUAL,
    measure: Measure | None = None,
    on_progress: Progress | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Train a generator; the same call again goes on from the last checkpoint, and a finished run returns at once.

    A resumed run ends bit for bit like an undisturbed one on the same device with the same number of threads.

    Args:
        data: folder with `SPLIT/*.jpg`: A on the left and B on the right of each picture, or photographs with holes to
            be filled.
        out: the run's folder: config.json, training_log.csv, checkpoints/, samples/, evolution.webp,
            generator.safetensors; with snapshots and validation also snapshots/, validation.csv, best.safetensors.
        direction: of a translation: which half of a picture is the input.
        root: of inpainting: the folder that its shapes and masks are relative to.
        init_from: a trained generator to start from; default: what the settings name.
        fraction: share of the planned steps that is trained, above 0 and at most 1.
        checkpoint_every: steps between checkpoints; default: about a minute.
        keep: so many of the latest checkpoints are kept.
        tensorboard: also write tensorboard/ with curves, sample grids and settings.
        gif: also write evolution.gif.
        execution: how the steps are computed.
        measure: computes the validation metrics; without, nothing is validated.

    Returns:
        `out`.

    Raises:
        UserError: bad data or settings, another run in `out`, a loss that is not finite, a full disk, out of memory,
            another process of the run that ended.
        KeyboardInterrupt: Ctrl-C, after the step in hand was finished, and a checkpoint and latest.safetensors written.
    """
    if checkpoint_every is not None and checkpoint_every < 1:
        raise UserError(f"--checkpoint-every {checkpoint_every}: wanted 1 step or more")
    if keep < 1:
        raise UserError(f"--keep {keep}: wanted 1 checkpoint or more")
    if tensorboard:
        require_tensorboard()
    fabric = new_fabric(settings)
    say = speaker(fabric, on_message)
    out = Path(out)
    animations = ANIMATIONS if gif else ANIMATIONS[:1]
    with breakdowns_explained(settings, processes=fabric.world_size):
        with leader_first(fabric):
            if fabric.is_global_zero and not (out / CONFIG).exists():
                check_output_folder(out)
            assignment = assign(
                new_task(settings, direction=direction, root=root),
                Path(data),
                split=split,
                fraction=fraction,
                devices=fabric.world_size,
                initial=find_initial(init_from, settings, out),
                say=say,
            )
        run = _new_run(fabric, assignment, out, execution=execution, measure=measure, say=say, keep=keep)
        if run is None:
            if tensorboard and fabric.is_global_zero:
                write_board(out, settings, fraction=fraction)
            _animate(out, animations, leads=fabric.is_global_zero)
            return out
        run.resume()
        if tensorboard and run.leads:
            run.board = TensorBoard(out, settings, fraction=fraction)
        with closing(run):
            finished = _run_to_end(run, execution=execution, checkpoint_every=checkpoint_every, on_progress=on_progress)
            _animate(out, animations, leads=run.leads)
            fabric.barrier()  # a process that ended earlier would look like a breakdown
    if not finished:
        raise KeyboardInterrupt
    return out


def _new_run(
    fabric: Fabric, given: Assignment, out: Path, *, execution: Execution, measure: Measure | None, say: Say, keep: int
) -> Run | None:
    """The run at its start, its folder claimed where this process leads; None where it is finished."""
    with leader_first(fabric):
        definition, machine = given.definition(), machine_of(fabric.device, execution)
        changes = check_run(out, definition, machine) if fabric.is_global_zero else []
        if fabric.is_global_zero:
            remove_leftovers(out)
        if (out / GENERATOR).is_file():
            return None
        for line in changes:
            say(line)
        if not (out / CONFIG).exists():
            given.remark(say)
        batches = given.batches(fabric, workers=execution.workers_for(fabric.device))
        samples, validation = given.samples(say), given.validation(out, measure, say)
    run = Run(
        fabric,
        given.task,
        definition,
        out,
        batches=batches,
        milestones=given.milestones(batches),
        samples=samples,
        validation=validation,
        say=say,
        initial=given.initial,
        keep=keep,
        compiled=execution.compiled,
    )
    if run.leads:
        begin_run(out, definition, machine)
        for suffix in ANIMATIONS:
            evolution_path(out, suffix).unlink(missing_ok=True)
    return run


def _run_to_end(run: Run, *, execution: Execution, checkpoint_every: int | None, on_progress: Progress | None) -> bool:
    """Train, and write the generator as it is then; returns whether the run is finished, not stopped by Ctrl-C."""
    with exact_kernels(execution):
        _loop(run, checkpoint_every=checkpoint_every, on_progress=on_progress if run.leads else None)
    finished = run.done >= run.total
    if run.leads:
        run.finish() if finished else run.leave()
    return finished


def _animate(out: Path, suffixes: tuple[str, ...], *, leads: bool) -> None:
    """Write the animations of the samples that are not there, where this process leads."""
    for suffix in suffixes:
        if leads and not evolution_path(out, suffix).exists():
            write_evolution(out, suffix=suffix)


def _loop(run: Run, *, checkpoint_every: int | None, on_progress: Progress | None) -> None:
    """Train to the last step, or to the one in which Ctrl-C is pressed; write what is due after each step."""
    due = CheckpointClock(checkpoint_every)
    with deferred_interrupt() as interrupted:
        if not run.done:
            run.reached()
        while run.done < run.total:
            run.step()
            stop = run.anybody(interrupted())
            if run.leads and (stop or due(run.done) or run.done == run.total):
                due.took(run.save())
            if stop:
                return
            if on_progress is not None:
                on_progress(run.done, run.total, run.log.latest)
