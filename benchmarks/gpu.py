"""The parts of gpu.sh that are not a benchmark of their own: the machine, parity of the step, features a second.

Parity: one step from equal weights on the GPU and on the CPU, in fp32, at 64 pixels (at 256, eight layers of BatchNorm
make 1e-3 of the rounding, also between two memory orders of one CPU), without dropout, which draws other numbers there;
and 12 steps recorded as a CUDA graph, compared with 12 plain ones. It ends with 1 if a difference is above the limit.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from metric_sides import peer_network, photographs
from torch import Tensor
from train_step import kernels, made_pictures, ours, settings_of

from gan_eval.base.threads import usable_cores
from gan_eval.metrics.networks.extractors import inception_extractor

LIMIT = 1e-4
"""Largest relative difference of a step on the GPU from the CPU's: Euclidean norm of the difference of all numbers."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="parity and features on a GPU")
    parser.add_argument("--dry-run", action="store_true", help="tiny, on the CPU")
    options = parser.parse_args()
    where = torch.device("cpu" if options.dry_run else "cuda")
    print(f"# Measured on {machine(where)}\n\n## Parity\n")
    print("| numbers | largest relative difference | limit |\n| --- | --- | --- |")
    small, size = (32, 32) if options.dry_run else (64, 256)
    found = {**parity(where, small), "weights of recorded and plain steps": bits(where, size)}
    limits = dict.fromkeys(found, LIMIT) | {"weights of recorded and plain steps": 0.0}
    for name, difference in found.items():
        print(f"| {name} | {difference:.1e} | {limits[name]:.0e} |")
    print("\n## Features of FID\n\n| side | pictures a second |\n| --- | --- |", flush=True)
    for side, rate in features(where, 4 if options.dry_run else 1024):
        print(f"| {side} | {rate:.1f} |", flush=True)
    sys.exit(any(difference > limits[name] for name, difference in found.items()))


def machine(where: torch.device) -> str:
    """Return card, driver, versions and date."""
    card = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    name = subprocess.check_output(card, text=True).strip() if where.type == "cuda" else "a CPU (dry run)"
    versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    return f"{name}, {versions}, {datetime.now(UTC):%Y-%m-%d}"


def parity(where: torch.device, size: int) -> dict[str, float]:
    """Return the relative differences of a step on the device from the same step on the CPU."""
    sides = [numbers_after(1, device, size, side) for device, side in (("cpu", "fp32"), (where.type, "fp32"))]
    return {name: relative(sides[1][name], sides[0][name]) for name in sides[0]}


def bits(where: torch.device, size: int) -> float:
    """Return the largest difference of a weight after recorded steps from plain ones."""
    sides = [numbers_after(12, where.type, size, "tf32", recorded=recorded) for recorded in (True, False)]
    names = [name for name in sides[0] if "weights" in name]
    return max(float((sides[0][name] - sides[1][name]).abs().max()) for name in names)


def numbers_after(steps: int, device: str, size: int, side: str, *, recorded: bool = True) -> dict[str, Tensor]:
    """Return the losses of the last step, and each network's gradients and weights after it."""
    where, options = torch.device(device), argparse.Namespace(size=size, batch=[1], side=side)
    with kernels(side, where):
        settings = settings_of(options, dropout=0.0)
        gan, step = ours(settings, made_pictures(size, 1), where=where, recorded=recorded)
        for _ in range(steps):
            terms = step()
        found = {"losses": torch.stack(list(terms.values()))}
        for name, net, optimizer in (
            ("generator", gan.generator, gan.generator_optimizer),
            ("discriminator", gan.discriminator, gan.discriminator_optimizer),
        ):
            moments = [state["exp_avg"] for state in optimizer.state_dict()["state"].values()]
            found[f"gradients of the {name}"] = joined(moments)  # a tenth of them after the first step
            found[f"weights of the {name}"] = joined(net.parameters())
    return {name: numbers.detach().cpu() for name, numbers in found.items()}


def joined(tensors: Iterable[Tensor]) -> Tensor:
    """Return all numbers of tensors."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def relative(found: Tensor, wanted: Tensor) -> float:
    """Return the norm of the difference in parts of the norm."""
    return float((found - wanted).norm() / wanted.norm())


def features(where: torch.device, count: int) -> Iterable[tuple[str, float]]:
    """Yield features a second of pictures of 256 pixels in the CPU's memory, of ours and of torch-fidelity's network.

    Ours without TensorFloat-32, as `metrics` has it; pictures are resized by a thread on each core meanwhile.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    pictures = photographs(count)
    peer = peer_network(FeatureExtractorInceptionV3).to(where)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "weights.pth"
        torch.save(peer.state_dict(), file)
        extractor = inception_extractor(file, device=where.type)
    size = extractor.batch_size

    def part(first: int) -> object:
        return extractor.features([extractor.prepare(picture) for picture in pictures[first : first + size]])

    def our_side() -> None:
        with ThreadPoolExecutor(usable_cores()) as workers:
            list(workers.map(part, range(0, count, size)))

    def their_side() -> None:
        with torch.inference_mode():
            for batch in torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous().split(64):
                peer(batch.to(where))[0].cpu()

    yield "ours", count / fastest(our_side)
    yield "torch-fidelity", count / fastest(their_side)
    torch.backends.cudnn.allow_tf32 = False
    yield "torch-fidelity without TensorFloat-32", count / fastest(their_side)


def fastest(work: Callable[[], None]) -> float:
    """Return the seconds of the fastest of three calls after the first."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times[1:])


if __name__ == "__main__":
    main()
