"""Speed of the step that learns to fill holes compared with a plain step of the same networks, on this machine.

    python benchmarks/inpainting_step.py context_encoder --batch 16 --rounds 5 --steps 4
    python benchmarks/inpainting_step.py hole_filling --size 128 --batch 8 --style
    python benchmarks/inpainting_step.py hole_filling --check

Two families: the published context encoder (128 pixels, a hole of 64, 4000 values between its halves), and a U-Net
around a channel-wise layer with a discriminator of the whole and of patches of 40 pixels.

Ours is the trainer's step as a run calls it: pictures from its cache, crops, holes and their filling made by as many
workers as a run takes, weights, composites, its optimizers. The plain side (inpainting_plain.py) is given its inputs:
they are made beforehand. So all that holes cost is counted against us, and a ratio of 1 or more says that it is made up
for elsewhere. Both have BatchNorm over the batch. Each side runs in processes of its own, in turn, ours with the
settings of the C library that the command line gives it.

`--check` trains both from equal weights and compares their losses instead.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from inpainting_sides import CHECKED_STEPS, check, ours, plain, prepared, settings_of

from gan_eval.base.start import keep_freed_memory

WARM_UP = 2
SIDES = {"plain": plain, "ours": ours}
CLOCKS = {"wall": time.perf_counter, "CPU": time.process_time}
"""The second counts the seconds of this process's threads alone, which other programs change little."""


def main() -> None:
    """Run the sides in turn and print the ratio, or what was asked for instead."""
    options = arguments().parse_args()
    if options.check:
        print(f"largest relative difference of a loss over {CHECKED_STEPS} steps: {check(options):.1e}")
    elif options.side:
        print(json.dumps(timed(options)))
    else:
        compare(options)


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description="time our step that learns to fill holes compared with a plain one")
    parser.add_argument("family", choices=["context_encoder", "hole_filling"])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, help="default: 16, for hole_filling 8")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--bottleneck", type=int, default=4000, help="of the context encoder")
    parser.add_argument("--style", action="store_true", help="hole_filling: with the style loss of VGG16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="timed steps of each side in each round")
    parser.add_argument("--workers", type=int, help="threads that make batches; default: a run's")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: a GPU where there is one")
    parser.add_argument("--check", action="store_true", help="compare the losses of both sides instead")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser


def compare(options: argparse.Namespace) -> None:
    """Time both sides in turn, and print the ratios of the rounds by either clock."""
    medians: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for number in range(1, options.rounds + 1):
        for side in sorted(SIDES, reverse=number % 2 == 1):
            medians[side].append(in_own_process(side))
        print(
            f"round {number}: " + ", ".join(f"{side} {medians[side][-1]['wall']:.4f} s" for side in SIDES), flush=True
        )
    for clock in CLOCKS:
        slow, fast = ([values[clock] for values in medians[side]] for side in SIDES)
        ratios = [a / b for a, b in zip(slow, fast, strict=True)]
        print(
            f"{clock} time: plain {statistics.median(slow):.4f} s, ours {statistics.median(fast):.4f} s; "
            f"plain / ours = {statistics.median(ratios):.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f})"
        )
    print(place(options))


def place(options: argparse.Namespace) -> str:
    """Return the results and the machine."""
    gpu = torch.cuda.is_available() and options.device != "cpu"
    return (
        f"{options.family}, size {options.size}, batch {settings_of(options).batch_size}"
        f"{', style of VGG16' if options.style else ''}; "
        f"{torch.cuda.get_device_name() if gpu else platform.machine()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}"
    )


def in_own_process(side: str) -> dict[str, float]:
    """The median time of a step of one side in seconds, by clock."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, *sys.argv, "--side", side]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return times


def timed(options: argparse.Namespace) -> dict[str, float]:
    """The median time of the steps of one side after the warm-up, in seconds, by clock."""
    if options.side == "ours":
        keep_freed_memory()
    settings = settings_of(options)
    with prepared(options, settings) as (task, batches):
        return medians_of(SIDES[options.side](options, task, batches), options.steps)


def medians_of(step: Callable[[], object], times: int) -> dict[str, float]:
    """Return the seconds of a call after the warm-up."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    taken: dict[str, list[float]] = {clock: [] for clock in CLOCKS}
    for _ in range(WARM_UP + times):
        wait()
        started = {clock: now() for clock, now in CLOCKS.items()}
        step()
        wait()
        for clock, now in CLOCKS.items():
            taken[clock].append(now() - started[clock])
    return {clock: statistics.median(values[WARM_UP:]) for clock, values in taken.items()}


if __name__ == "__main__":
    main()
