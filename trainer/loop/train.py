"""Training a generator: the loop, resumable at any step."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files import check_output_folder, refuse_links
from gan_eval.launch import processes
from gan_eval.locks import hold_lock
from gan_eval.settings.training import Direction, TrainingSettings
from trainer.devices import AS_USUAL, Execution, cpu_threads, exact_kernels, new_fabric, speaker
from trainer.evolution import SUFFIXES, evolution_path, write_evolution
from trainer.loop.failures import breakdowns_explained, deferred_interrupt
from trainer.loop.run import Run, open_run
from trainer.state.checkpoints import KEPT, CheckpointClock
from trainer.state.run_folder import CONFIG, has_generator, recorded_threads, run_lock
from trainer.watch.tensorboard import TensorBoard, require_tensorboard, write_board
from trainer.watch.validation import Measure

Progress = Callable[[int, int, dict[str, float]], None]
"""Called after each step with the steps done, the total, and the latest means of the loss terms."""


def train(
    settings: TrainingSettings,
    data: Path,
    out: Path,
    *,
    direction: Direction = "AtoB",
    root: Path = Path(),
    init_from: Path | None = None,
    init_encoder: Path | None = None,
    fraction: float = 1.0,
    split: str = "train",
    checkpoint_every: int | None = None,
    keep: int = KEPT,
    tensorboard: bool = False,
    gif: bool = False,
    execution: Execution = AS_USUAL,
    measure: Measure | None = None,
    uses_best: bool = False,
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
        init_encoder: of a context encoder: trained weights to start its encoder from; default: what the settings name.
        fraction: share of the planned steps that is trained, above 0 and at most 1.
        checkpoint_every: steps between checkpoints; default: about a minute.
        keep: so many of the latest checkpoints are kept.
        tensorboard: also write tensorboard/ with curves, sample grids and settings.
        gif: also write evolution.gif.
        execution: how the steps are computed.
        measure: computes the validation metrics; without, nothing is validated.
        uses_best: best.safetensors is what is going to be used: where validation_pairs does not say how many pictures
            choose it, the whole split does.

    Returns:
        `out`.

    Raises:
        UserError: bad data or settings, another run in `out`, another process that trains there, a loss that is not
            finite, a full disk, out of memory, another process of the run that ended.
        KeyboardInterrupt: Ctrl-C, after the step in hand was finished, and a checkpoint and latest.safetensors written.
    """
    if checkpoint_every is not None and checkpoint_every < 1:
        raise UserError(f"--checkpoint-every {checkpoint_every}: wanted 1 step or more")
    if keep < 1:
        raise UserError(f"--keep {keep}: wanted 1 checkpoint or more")
    if tensorboard:
        require_tensorboard()
    with breakdowns_explained(settings, processes=processes()):
        fabric = new_fabric(settings)
    leads, out = fabric.is_global_zero, Path(out)
    say = speaker(fabric, on_message)
    with breakdowns_explained(settings, processes=fabric.world_size), ExitStack() as stack:
        finished = has_generator(out, say)
        if leads and not finished:  # a finished run is only read
            if not (out / CONFIG).exists():
                check_output_folder(out)
            refuse_links(out)
            stack.enter_context(hold_lock(*run_lock(out), say=say))
        threads = cpu_threads(execution.threads, fabric.device, recorded=recorded_threads(out), settings=settings)
        stack.enter_context(threads)
        run = open_run(
            fabric, settings, data, out, direction=direction, root=root, init_from=init_from,
            init_encoder=init_encoder, fraction=fraction, split=split, keep=keep,
            finished=finished, execution=execution, measure=measure, uses_best=uses_best, say=say,
        )  # fmt: skip
        if run is None:
            if tensorboard and leads:
                write_board(out, settings, fraction=fraction)
        else:
            run.resume()
            if tensorboard and leads:
                run.board = TensorBoard(out, settings, fraction=fraction)
            with closing(run), exact_kernels(fabric.device, tf32=execution.tf32):
                train_to_end(run, checkpoint_every=checkpoint_every, on_progress=on_progress if leads else None)
                if leads:
                    run.finish()
        for suffix in SUFFIXES if gif else SUFFIXES[:1]:
            if leads and not evolution_path(out, suffix).exists():
                write_evolution(out, suffix=suffix)
        if run is not None:
            fabric.barrier()  # a process that ended earlier would look like a breakdown
    if run is not None and run.done < run.total:
        raise KeyboardInterrupt
    return out


def train_to_end(run: Run, *, checkpoint_every: int | None, on_progress: Progress | None) -> None:
    """Train to the last step, or to the one in which Ctrl-C is pressed; write what is due after each step."""
    checkpoint_due = CheckpointClock(checkpoint_every)
    with deferred_interrupt() as interrupted:
        if not run.done:
            run.reached()
        while run.done < run.total:
            run.step()
            run.reached()
            stop = run.anybody(interrupted())
            if run.leads and (stop or checkpoint_due(run.done) or run.done == run.total):
                checkpoint_due.took(run.save())
            if stop:
                return
            if on_progress is not None:
                on_progress(run.done, run.total, run.log.latest)
