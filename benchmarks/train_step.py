"""Speed of the training step compared with a plain reference step with the same mathematics, on this machine.

    python benchmarks/train_step.py --size 256 --batch 1 --rounds 5 --steps 6
    python benchmarks/train_step.py --device cuda --batch 1 16 --steps 50 --precision fp32 tf32 bf16 nchw
    python benchmarks/train_step.py --check
    python benchmarks/train_step.py --convolutions       # the share of a step on the CPU that is convolutions

Each side runs in processes of its own, in turn, because ours lets the C library keep freed memory, as the command
`train` does. Printed: the median time of a step of each side, the peak memory, and the ratio of each round's medians
with its spread. `--check` trains both from equal weights and compares their losses instead.

The reference is written out here and shares no layer with the trainer: nested blocks of PyTorch's own layers as in
pytorch-CycleGAN-and-pix2pix, one fake for both updates, D frozen while G learns, PyTorch's default Adam. On a GPU the
reference is as PyTorch makes it; ours lies channels-last, takes exact kernels, fetches its batch in each step and is
recorded as a CUDA graph. The sides: `fp32` without TensorFloat-32 in convolutions, compared with a reference without;
`tf32` and `bf16` compared with the reference as PyTorch makes it, which has TensorFloat-32; `nchw`,
`tf32` without channels-last.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from gan_eval.base.start import keep_freed_memory

if TYPE_CHECKING:
    from torch import Tensor, device, nn

    from gan_eval.settings.training import TrainingSettings
    from trainer.step import Gan

WARM_UP = 5
"""Steps before the timed ones: the first ones fill caches."""
CHECKED_STEPS = 3
SIDES = {"fp32": "reference-fp32", "tf32": "reference", "bf16": "reference", "nchw": "reference"}
"""The reference that each side of ours is compared with."""

Step = Callable[[], "dict[str, Tensor]"]
"""One training step; returns its loss terms."""


class Cost(NamedTuple):
    """The cost of one side in one process."""

    step_s: float  # the median
    peak_mb: float  # of the GPU's memory, else of the process


def main() -> None:
    """Run the sides in turn and print the ratios."""
    parser = argparse.ArgumentParser(description="time our training step compared with the reference step")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of each side in each round")
    parser.add_argument("--precision", nargs="+", choices=SIDES, default=["fp32"], help="of ours")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: a GPU where there is one")
    parser.add_argument("--check", action="store_true", help="compare the losses of both sides instead")
    parser.add_argument("--convolutions", action="store_true", help="print the CPU time of convolutions instead")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        print(f"largest relative difference of a loss over {CHECKED_STEPS} steps: {check(options.size):.1e}")
    elif options.convolutions:
        convolutions(options)
    elif options.side:
        where = device_of(options)
        with kernels(options.side, where):  # as a run: once for all steps
            print(json.dumps(timed(step_of(options, where), options.steps)))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Time all sides in turn, and print a table with the ratio of each of ours to its reference."""
    print("| batch | side | a step, ms (rounds) | steps a second | peak memory, MB | times the reference (rounds) |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    sides = list(dict.fromkeys((*(SIDES[side] for side in options.precision), *options.precision)))
    for batch in options.batch:
        costs = [{side: in_own_process(side, batch) for side in sides} for _ in range(options.rounds)]
        for side in sides:
            steps = sorted(cost[side].step_s for cost in costs)
            ratios = sorted(cost[SIDES.get(side, side)].step_s / cost[side].step_s for cost in costs)
            print(
                f"| {batch} | {side} | {ranged([1000 * step for step in steps])} | {1 / statistics.median(steps):.1f} "
                f"| {max(cost[side].peak_mb for cost in costs):.0f} | {ranged(ratios)} |"
            )
    import torch

    gpu = torch.cuda.is_available() and options.device != "cpu"
    print(
        f"\n{options.size} pixels; {torch.cuda.get_device_name() if gpu else platform.machine()}, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, torch {torch.__version__}"
    )


def ranged(values: list[float]) -> str:
    """Return the median of sorted values with the least and the greatest."""
    return f"{statistics.median(values):.2f} ({values[0]:.2f} to {values[-1]:.2f})"


def in_own_process(side: str, batch: int) -> Cost:
    """Return the cost of one side."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, *sys.argv, "--side", side, "--batch", str(batch)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def timed(step: Step, steps: int) -> Cost:
    """Return the cost of a step in `steps` calls after the warm-up."""
    import resource

    import torch

    gpu = torch.cuda.is_available()
    wait = torch.cuda.synchronize if gpu else lambda: None
    times = []
    for _ in range(WARM_UP + steps):
        wait()
        started = time.perf_counter()
        step()
        wait()
        times.append(time.perf_counter() - started)
    peak = (
        torch.cuda.max_memory_reserved() / 2**20 if gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    )
    return Cost(statistics.median(times[WARM_UP:]), peak)


def convolutions(options: argparse.Namespace) -> None:
    """Print the CPU time of a step of both sides, and of the convolutions in PyTorch's kernels (oneDNN) alone.

    No step that leaves the convolutions to oneDNN is faster than these.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Timer(TorchDispatchMode):
        seconds = 0.0

        def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            started = time.process_time()
            result = function(*args, **(kwargs or {}))
            self.seconds += "convolution" in str(function) and time.process_time() - started
            return result

    whole, alone = {}, {}
    for side in ("reference", "fp32"):
        options.side, taken = side, []
        step = step_of(options, torch.device("cpu"))
        for _ in range(2 + options.steps):
            with Timer() as timer:
                started = time.process_time()
                step()
                taken.append((time.process_time() - started, timer.seconds))
        whole[side], alone[side] = (statistics.median(each) for each in zip(*taken[2:], strict=True))
        print(f"{side}: {whole[side]:.3f} s of CPU time a step, {alone[side]:.3f} s in oneDNN's convolutions")
    print(
        f"reference / ours = {whole['reference'] / whole['fp32']:.2f}; reference / its convolutions alone = "
        f"{whole['reference'] / alone['reference']:.2f} ({torch.get_num_threads()} threads, torch {torch.__version__})"
    )


def device_of(options: argparse.Namespace) -> "device":
    """The device of both sides."""
    import torch

    return torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))


@contextmanager
def kernels(side: str, where: "device") -> Iterator[None]:
    """Choose the kernels of a side: exact ones for ours, TensorFloat-32, and the memory order."""
    import torch

    from trainer.devices import exact_kernels

    with ExitStack() as stack:
        if side in SIDES:
            stack.enter_context(exact_kernels(where))
        if side == "nchw":
            stack.enter_context(mock.patch("trainer.devices.memory_format", return_value=torch.contiguous_format))
        before = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = not side.endswith("fp32")
        yield
        torch.backends.cudnn.allow_tf32 = before


def step_of(options: argparse.Namespace, where: "device") -> Step:
    """The step of the side that this process times."""
    pictures = made_pictures(options.size, *options.batch)
    if options.side in SIDES:
        keep_freed_memory()
    else:
        G, D = reference_generator(options.size, channels=64), reference_discriminator(channels=64)
        return reference(G.to(where), D.to(where), [picture.to(where) for picture in pictures])
    return ours(settings_of(options), pictures, where=where)[1]


def settings_of(options: argparse.Namespace, **other: Any) -> "TrainingSettings":
    """The settings of ours."""
    from gan_eval.settings.training import TrainingSettings

    return TrainingSettings(
        steps=1,
        image_size=options.size,
        batch_size=options.batch[0],
        statistics="batch",  # as the reference's
        precision="bf16" if options.side == "bf16" else "fp32",
        **other,
    )


def ours(
    settings: "TrainingSettings", pictures: "list[Tensor]", *, where: "device", recorded: bool = True
) -> "tuple[Gan, Step]":
    """The trainer's networks and its step as a run calls it."""
    from trainer.loop.gan import new_gan
    from trainer.randomness import Purpose, seeded
    from trainer.recording import RecordedStep
    from trainer.step import Batch, training_step
    from trainer.tasks import Translation

    gan = new_gan(where, settings)
    objective = Translation(settings, "AtoB").objective(where)
    made = Batch(*pictures).pinned() if where.type == "cuda" else Batch(*pictures)

    plain = partial(training_step, gan, objective)
    of_batch = RecordedStep(plain) if recorded and where.type == "cuda" else plain

    def step() -> "dict[str, Tensor]":
        batch = made.to(where)
        with seeded(where, Purpose.DROPOUT, 0, 0):
            return of_batch(batch)

    return gan, step


def reference(G: "nn.Module", D: "nn.Module", pictures: "list[Tensor]") -> Step:
    """The plain step."""
    import torch
    import torch.nn.functional as F

    adam_g, adam_d = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (G, D))
    a, b = pictures

    def loss(logits: "Tensor", wanted: float) -> "Tensor":
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))

    def step() -> "dict[str, Tensor]":
        fake = G(a)
        D.requires_grad_(True)
        adam_d.zero_grad()
        d_fake = loss(D(torch.cat([a, fake.detach()], 1)), 0.0)
        d_real = loss(D(torch.cat([a, b], 1)), 1.0)
        (0.5 * (d_fake + d_real)).backward()
        adam_d.step()
        D.requires_grad_(False)
        adam_g.zero_grad()
        g_adversarial, g_l1 = loss(D(torch.cat([a, fake], 1)), 1.0), (fake - b).abs().mean()
        (g_adversarial + 100 * g_l1).backward()
        adam_g.step()
        terms = {"d_fake": d_fake, "d_real": d_real, "g_adversarial": g_adversarial, "g_l1": g_l1}
        return {name: term.detach() for name, term in terms.items()}

    return step


def reference_generator(size: int, *, channels: int) -> "nn.Module":
    """A U-Net down to one pixel of nested blocks: each halves, hands on to the next, doubles, and joins its input."""
    import torch
    from torch import nn

    class Joined(nn.Module):
        def __init__(self, inner: nn.Sequential) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: "Tensor") -> "Tensor":
            return torch.cat([x, self.inner(x)], 1)

    def halve(before: int, after: int) -> nn.Conv2d:
        return nn.Conv2d(before, after, 4, 2, 1, bias=False)

    def double(before: int, after: int) -> nn.ConvTranspose2d:
        return nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)

    depth = size.bit_length() - 1
    widths = [channels * min(2**level, 8) for level in range(depth)]
    outside, inside = widths[-2:]
    block: nn.Module = Joined(
        nn.Sequential(
            nn.LeakyReLU(0.2, True),
            halve(outside, inside),
            nn.ReLU(True),
            double(inside, outside),
            nn.BatchNorm2d(outside),
        )
    )
    for level in range(depth - 2, 0, -1):
        outside, inside = widths[level - 1], widths[level]
        parts = [nn.LeakyReLU(0.2, True), halve(outside, inside), nn.BatchNorm2d(inside), block, nn.ReLU(True)]
        parts += [double(2 * inside, outside), nn.BatchNorm2d(outside)]
        block = Joined(nn.Sequential(*parts, *([nn.Dropout(0.5)] if level >= 4 else [])))
    last = nn.ConvTranspose2d(2 * channels, 3, 4, 2, 1)
    return initialised(nn.Sequential(halve(3, channels), block, nn.ReLU(True), last, nn.Tanh()))


def reference_discriminator(*, channels: int) -> "nn.Module":
    """The PatchGAN that sees 70x70 pixels."""
    from torch import nn

    layers: list[nn.Module] = [nn.Conv2d(6, channels, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for factor, stride in ((2, 2), (4, 2), (8, 1)):
        before, after = channels * factor // 2, channels * factor
        layers += [nn.Conv2d(before, after, 4, stride, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2, True)]
    return initialised(nn.Sequential(*layers, nn.Conv2d(channels * 8, 1, 4, 1, 1)))


def initialised(net: "nn.Sequential") -> "nn.Sequential":
    """The network with weights from N(0, 0.02)."""
    import torch
    from torch import nn

    random = torch.Generator().manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=random)
    return net


def check(size: int = 64, *, channels: int = 8) -> float:
    """The largest relative difference of a loss between the sides over some steps from equal weights."""
    import torch

    from gan_eval.settings.training import TrainingSettings
    from trainer.nets.build import new_networks
    from trainer.step import Batch, Gan, training_step
    from trainer.tasks import Translation

    settings = TrainingSettings(
        steps=1, image_size=size, generator_channels=channels, discriminator_channels=channels, dropout=0.5
    )
    g, d = new_networks(settings)
    G, D = reference_generator(size, channels=channels), reference_discriminator(channels=channels)
    levels: Any = g
    in_order(G, [*levels.down, *reversed(levels.up)])
    D.load_state_dict({name.removeprefix("model."): tensor.clone() for name, tensor in d.state_dict().items()})
    pictures = made_pictures(size, 1)
    adams: list[Any] = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (g, d)]
    gan, theirs = Gan(g, d, *adams), reference(G, D, pictures)
    worst = 0.0
    for number in range(CHECKED_STEPS):
        torch.manual_seed(number)
        here = training_step(gan, Translation(settings, "AtoB").objective(torch.device("cpu")), Batch(*pictures))
        torch.manual_seed(number)
        there = theirs()
        worst = max(worst, *(abs(float(here[name] / there[name]) - 1) for name in there))
    return worst


def in_order(net: "nn.Module", levels: "list[Any]") -> None:
    """Copy the weights of our U-Net's levels, outermost down to innermost and up again, into the reference's."""
    import torch
    from torch import nn

    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)
    ours = [module for level in levels for module in level.modules() if isinstance(module, kinds)]
    theirs = [module for module in net.modules() if isinstance(module, kinds)]
    with torch.no_grad():
        for mine, other in zip(ours, theirs, strict=True):
            other.load_state_dict({name: tensor.clone() for name, tensor in mine.state_dict().items()})


def made_pictures(size: int, batch: int) -> "list[Tensor]":
    """An input and a target, (batch, 3, size, size) in [-1, 1]."""
    import torch

    random = torch.Generator().manual_seed(0)
    return [torch.rand(batch, 3, size, size, generator=random) * 2 - 1 for _ in range(2)]


if __name__ == "__main__":
    main()
