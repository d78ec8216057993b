"""Speed of the data path from the second epoch on, beside a plain reference loader, on this machine.

    python benchmarks/data_path.py --pairs 64 --rounds 5
    python benchmarks/data_path.py --batch 16 --step-ms 30 --workers 0 1 2

The script makes its own pictures: 512x256 JPEG, A|B. The reference loader does for every pair what
pytorch-CycleGAN-and-pix2pix's does: decode, halve, enlarge to 286 (bicubic), crop 256, flip, to float in [-1, 1]. Ours
takes the pair from the cache, crops, flips, to float. Both at batch 1 in one thread, in turn; the first epoch, which
fills the cache, is told apart. Printed: the mean processor time of a pair of each side, how many a second that is on a
core, and the ratio of each round's means with its spread. Then ours with worker threads, from the cache and without it,
while the main thread sleeps as it would wait for a GPU: the time for which it has to wait for its batch.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gan_eval.settings.training import TrainingSettings
from trainer.batches import CACHE_BYTES, Batches, Pictures, jitter_size
from trainer.datasets.pairs import PairedSet

SIDE = 256
STEPS = 100
"""For which is waited."""


def main() -> None:
    """Make pictures, time both sides, print the ratio."""
    parser = argparse.ArgumentParser(description="time our data path beside the reference loader")
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2, 4])
    parser.add_argument("--batch", type=int, default=1, help="pairs a step, where the main thread waits")
    parser.add_argument("--step-ms", type=float, default=10.0, help="for which it waits, as for a GPU")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = make_pictures(Path(folder), options.pairs)
        compare(paths, options.rounds)
        for cached in (True, False):
            for workers in options.workers:
                wait = waiting(paths, workers, batch=options.batch, step_s=options.step_ms / 1e3, cached=cached)
                print(
                    f"{'cache' if cached else 'no cache'}, {workers} workers, batch {options.batch}: "
                    f"{wait * 1e3:.2f} ms of waiting a step of {options.step_ms:g} ms",
                    flush=True,
                )


def make_pictures(folder: Path, count: int) -> list[Path]:
    """A|B JPEGs with the detail of photographs on the left and flat boxes on the right."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        coarse = rng.integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
        photo = np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.int16)
        photo = np.clip(photo + rng.normal(0, 12, photo.shape), 0, 255).astype(np.uint8)
        label = np.asarray(Image.fromarray(coarse[::4, ::4]).resize((SIDE, SIDE), Image.Resampling.NEAREST))
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(np.concatenate([photo, label], axis=1)).save(paths[-1], quality=95)
    return paths


def compare(paths: list[Path], rounds: int) -> None:
    """Alternate both sides and print the ratio."""
    settings = TrainingSettings(steps=1, image_size=SIDE)
    started = time.process_time()
    data_set = PairedSet(paths[0].parent.parent, "BtoA")
    batches = Batches(Pictures(data_set, paths, side=jitter_size(settings), threads=1), settings)
    first = (time.process_time() - started) / len(paths)
    print(f"ours, first epoch (decodes and fills the cache): {first * 1e3:.3f} ms a pair")
    sides: dict[str, Callable[[int], object]] = {
        "reference": lambda number: reference(paths[number % len(paths)]),
        "ours": batches,
    }
    means: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, load in sides.items():
            means[name].append(mean_time(load, len(paths), repeats=1 if name == "reference" else 5))
        print(f"round {number}: " + ", ".join(f"{name} {values[-1] * 1e3:.3f} ms" for name, values in means.items()))
    ratios = [slow / fast for slow, fast in zip(means["reference"], means["ours"], strict=True)]
    for name, times in means.items():
        print(f"{name}: {1 / statistics.median(times):.0f} pairs a second on a core")
    print(
        f"reference / ours = {statistics.median(ratios):.1f} (rounds {min(ratios):.1f} to {max(ratios):.1f}); "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def mean_time(load: Callable[[int], object], pairs: int, *, repeats: int) -> float:
    """The mean time of a pair in seconds, over `repeats` epochs: this thread's, not what other programs take."""
    started = time.thread_time()
    for number in range(pairs * repeats):
        load(number)
    return (time.thread_time() - started) / (pairs * repeats)


def reference(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """One pair as the reference project's loader makes it."""
    picture = Image.open(path).convert("RGB")
    width, height = picture.size
    halves = [picture.crop((left, 0, left + width // 2, height)) for left in (0, width // 2)]
    left, top, flipped = random.randint(0, 30), random.randint(0, 30), random.random() > 0.5
    a, b = (_prepared(half, left, top, flipped=flipped) for half in halves)
    return b[None], a[None]


def _prepared(half: Image.Image, left: int, top: int, *, flipped: bool) -> torch.Tensor:
    half = half.resize((286, 286), Image.Resampling.BICUBIC).crop((left, top, left + SIDE, top + SIDE))
    if flipped:
        half = half.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    levels = torch.from_numpy(np.array(half, np.uint8)).permute(2, 0, 1).contiguous()
    return levels.to(torch.float32).div(255).sub_(0.5).div_(0.5)


def waiting(paths: list[Path], workers: int, *, batch: int, step_s: float, cached: bool) -> float:
    """The median time for which a step of `step_s` waits for its batch, in seconds."""
    settings = TrainingSettings(steps=1, image_size=SIDE, batch_size=batch)
    data_set = PairedSet(paths[0].parent.parent, "BtoA")
    pictures = Pictures(data_set, paths, side=jitter_size(settings), cache_bytes=CACHE_BYTES if cached else 0)
    times = []
    with Batches(pictures, settings, workers=workers) as batches:
        for step in range(STEPS):
            started = time.perf_counter()
            batches(step)
            times.append(time.perf_counter() - started)
            time.sleep(step_s)
    return statistics.median(times)


if __name__ == "__main__":
    main()
