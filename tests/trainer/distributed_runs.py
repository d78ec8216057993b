"""Run by `torchrun` in two processes (see test_distributed): trainings, and what each process holds at their ends.

    torchrun --nproc-per-node 2 distributed_runs.py DATA OUT SETTINGS.json

SETTINGS.json has the settings of the runs by name; where they are validated, nothing improves. The run `interrupted` is
stopped by Ctrl-C in the second process alone, and then resumed.
"""

import contextlib
import faulthandler
import json
import os
import signal
import sys
from pathlib import Path

import torch

from gan_eval.machine.start import leave
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row
from trainer.job import TrainingJob
from trainer.loop import run as run_module
from trainer.watch.validation import Measure

RANK = int(os.environ["RANK"])
INTERRUPTED = "interrupted"
INTERRUPTED_AT = 3
HANGS_S = 480.0
"""Seconds after which a process prints its stack and exits; its parent waits a minute longer."""


class Held(run_module.Run):
    """A run that can be looked into."""

    last: "Held"

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        Held.last = self

    def step(self) -> None:
        super().step()
        if RANK == 1 and self.done == INTERRUPTED_AT and self._out.name == INTERRUPTED:
            signal.raise_signal(signal.SIGINT)


def unchanging(_: Path) -> list[Row]:
    """A metric that stays what it is."""
    assert RANK == 0, "the leader alone measures"
    return [{"metric": "m", "value": 1.0, "sd": None, "n": 1, "reason": None}]


MEASURE = Measure(unchanging, {"m": True})


def main() -> None:
    """Train, and write OUT/NAME.rankN.pt: weights and buffers, the steps after which it stopped, the last rates."""
    faulthandler.dump_traceback_later(HANGS_S, exit=True)
    torch.set_num_threads(1)
    run_module.Run = Held  # type: ignore[misc]
    data, out, file = map(Path, sys.argv[1:])
    for name, values in json.loads(file.read_text()).items():
        stops = []
        while not stops or stops[-1] < values["steps"]:
            with contextlib.suppress(KeyboardInterrupt):
                job = TrainingJob(TrainingSettings(**values), data, measure=MEASURE)
                run_module.train(job, out / name, on_message=print)
            stops.append(Held.last.done)
        nets = {"generator": Held.last.gan.generator, "discriminator": Held.last.gan.discriminator}
        held = {part: net.state_dict() for part, net in nets.items()}
        optimizers = (Held.last.gan.generator_optimizer, Held.last.gan.discriminator_optimizer)
        rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
        torch.save({**held, "stops": stops, "rates": rates}, out / f"{name}.rank{RANK}.pt")


if __name__ == "__main__":
    main()
    leave(0)  # as `gan-eval` does: a thread of gloo may abort an interpreter that is being taken down
