"""The training loop, resumable at any step."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files.locks import hold_lock
from gan_eval.files.output_folders import check_output_folder, refuse_links
from gan_eval.machine.threads import processes
from trainer.devices import cpu_threads, exact_kernels, new_fabric, speaker
from trainer.job import TrainingJob
from trainer.loop.failures import breakdowns_explained, deferred_interrupt
from trainer.loop.run import Run, open_run
from trainer.state.checkpoints import CheckpointClock
from trainer.state.run_folder import CONFIG, has_generator, recorded_threads, run_lock

Progress = Callable[[int, int, dict[str, float]], None]
"""Called after each step with the steps done, the total, and the latest means of the loss terms."""


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
        KeyboardInterrupt: Ctrl-C. The current step was finished, and a checkpoint and latest.safetensors were written.
    """
    if checkpoint_every is not None and checkpoint_every < 1:
        raise UserError(f"--checkpoint-every {checkpoint_every}: wanted 1 step or more")
    settings = job.settings
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
            stack.enter_context(hold_lock(*run_lock(out)))
        threads = cpu_threads(job.threads, fabric.device, recorded=recorded_threads(out), settings=settings)
        stack.enter_context(threads)
        run = open_run(fabric, job, out, finished=finished, say=say)
        if run is None:
            say(f"{out}: finished already; nothing was done")
            return out
        run.resume()
        with closing(run), exact_kernels(fabric.device):
            train_to_end(run, checkpoint_every=checkpoint_every, on_progress=on_progress if leads else None)
            if leads:
                run.finish()
        fabric.barrier()  # a process that ended earlier would look like a breakdown
    if run.done < run.total:
        raise KeyboardInterrupt
    return out


def train_to_end(run: Run, *, checkpoint_every: int | None, on_progress: Progress | None) -> None:
    """Train to the last step, or until Ctrl-C; write what is due after each step."""
    checkpoint_due = CheckpointClock(checkpoint_every)
    with deferred_interrupt() as interrupted:
        if not run.done:
            run.reached()
        while run.done < run.total:
            run.step()
            run.reached()
            stop = run.in_any_rank(interrupted())
            if run.leads and (stop or checkpoint_due(run.done) or run.done == run.total):
                checkpoint_due.took(run.save())
            if stop:
                return
            if on_progress is not None:
                on_progress(run.done, run.total, run.log.latest)
