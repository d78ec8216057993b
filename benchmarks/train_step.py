"""Speed of the training step beside a plain reference step with the same mathematics, on this machine.

    python benchmarks/train_step.py --size 256 --batch 1 --rounds 5 --steps 6

Each side runs in processes of its own, in turn, because ours is started with the C library told to keep freed memory
(the command line does that for `train`). Printed: the median time of a step of each side, and the ratio of each
round's medians with its spread. The reference has the order of pytorch-CycleGAN-and-pix2pix: one fake for both updates,
D frozen while G learns; its Adam is PyTorch's default.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

KEEP_FREED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}
WARM_UP = 3


def main() -> None:
    """Run both sides in turn and print the ratio."""
    parser = argparse.ArgumentParser(description="time our training step beside the reference step")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of each side in each round")
    parser.add_argument("--side", choices=sorted(SIDES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(timed(SIDES[options.side](options.size, options.batch), options.steps)))
        return
    medians: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(1, options.rounds + 1):
        for side, values in medians.items():
            values.append(statistics.median(in_own_process(side)))
        print(f"round {number}: " + ", ".join(f"{side} {values[-1]:.3f} s" for side, values in medians.items()))
    ratios = [slow / fast for slow, fast in zip(medians["reference"], medians["ours"], strict=True)]
    print(
        f"reference / ours = {statistics.median(ratios):.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}); "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def in_own_process(side: str) -> list[float]:
    """The step times of one side, in seconds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    if side == "ours":
        environment |= KEEP_FREED_MEMORY
    command = [sys.executable, *sys.argv, "--side", side]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return times


def timed(step: Callable[[], object], steps: int) -> list[float]:
    """The times of `steps` calls after the warm-up, in seconds."""
    import torch

    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    times = []
    for _ in range(WARM_UP + steps):
        started = time.perf_counter()
        step()
        wait()
        times.append(time.perf_counter() - started)
    return times[WARM_UP:]


def ours(size: int, batch: int) -> Callable[[], object]:
    """The trainer's step as a run calls it."""
    from lightning_fabric import Fabric

    from gan_eval.study import TrainingSettings
    from trainer.randomness import Purpose, seeded
    from trainer.step import Objective, training_step
    from trainer.training import new_gan

    fabric = Fabric(accelerator="auto", devices=1)
    gan = new_gan(fabric, TrainingSettings(steps=1, image_size=size, batch_size=batch))
    condition, target = (picture.to(fabric.device) for picture in _pictures(size, batch))

    def step() -> None:
        with seeded(fabric.device, Purpose.DROPOUT, 0, 0):
            training_step(gan, Objective(), condition, target, backward=fabric.backward)

    return step


def reference(size: int, batch: int) -> Callable[[], object]:
    """The plain step."""
    import torch
    import torch.nn.functional as F

    from gan_eval.study import TrainingSettings
    from trainer.nets.build import new_networks

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    G, D = (net.to(device) for net in new_networks(TrainingSettings(steps=1, image_size=size, batch_size=batch)))
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (G, D))
    a, b = (picture.to(device) for picture in _pictures(size, batch))

    def loss(logits: torch.Tensor, wanted: float) -> torch.Tensor:
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))

    def step() -> None:
        fake = G(a)
        D.requires_grad_(True)
        adam_d.zero_grad()
        d_fake = loss(D(torch.cat([a, fake.detach()], 1)), 0.0)
        d_real = loss(D(torch.cat([a, b], 1)), 1.0)
        (0.5 * (d_fake + d_real)).backward()
        adam_d.step()
        D.requires_grad_(False)
        adam_g.zero_grad()
        (loss(D(torch.cat([a, fake], 1)), 1.0) + 100 * (fake - b).abs().mean()).backward()
        adam_g.step()

    return step


def _pictures(size: int, batch: int):  # type: ignore[no-untyped-def]  # torch is imported in the child only
    import torch

    random = torch.Generator().manual_seed(0)
    return [torch.rand(batch, 3, size, size, generator=random) * 2 - 1 for _ in range(2)]


SIDES: dict[str, Callable[[int, int], Callable[[], object]]] = {"reference": reference, "ours": ours}

if __name__ == "__main__":
    main()
