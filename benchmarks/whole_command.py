"""Time and peak memory of whole `gan-eval metrics` commands compared with loops over other programs' functions.

    python benchmarks/whole_command.py                     # both comparisons
    python benchmarks/whole_command.py pairs --rounds 9
    python benchmarks/whole_command.py fid --pictures 1000

pairs: PSNR, SSIM and NIQE of 400 PNG pairs of 256 pixels. Ours is the command from start to end, without cached values,
and measures NIQE of both sides; theirs is a loop over piq and pyiqa, without its imports, with NIQE of one side.
fid: FID of two npz files (`arr_0`, N x 64 x 64 x 3), together `--pictures`. Theirs is torch-fidelity, imports included,
with the same weights: random numbers, with the batch normalisation of some of the pictures, so that features vary as
those of a trained network do.

The sides take turns, each in a process of its own, with the same limits on threads that wait. Printed are medians, and
ratios of wall and of CPU time (user and system, which other work on the machine changes less); peak memory is that of
the process.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from metric_sides import pair_folders, peer_network, photographs, pyiqa_niqe
from peers import METRIC_PEERS, ROOT, peers_python

from gan_eval.base.threads import WAITING_SETTINGS


class Cost(NamedTuple):
    """The cost of one side."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description="time whole commands compared with other programs")
    parser.add_argument("work", nargs="*", metavar="WORK", help="from: pairs, fid; default: both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=10_000, help="of both npz files together")
    parser.add_argument("--peers", type=Path, default=ROOT / "build" / "peers", help="folder of the environment")
    parser.add_argument("--threads", default="2", help="of both sides; 1: no thread spins on a busy machine")
    parser.add_argument("--side", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        import torch

        torch.set_num_threads(int(options.threads))
        name, folder = options.side
        print(THEIRS[name](Path(folder)))
        return
    python = str(peers_python(options.peers, METRIC_PEERS))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for work in options.work or ("pairs", "fid"):
            make, arguments = {"pairs": (make_pairs, PAIRS), "fid": (make_arrays, FID)}[work]
            pictures = options.pairs if work == "pairs" else options.pictures
            # in a process of its own, as a side's peak begins with the peak of the process that starts it
            with multiprocessing.get_context("spawn").Pool(1) as process:
                process.apply(make, (folder, pictures))
            command = [sys.executable, "-P", "-m", "gan_eval", "metrics", "--threads", options.threads]
            command += [word.format(folder=folder) for word in arguments]
            theirs = [python, __file__, "--side", work, scratch, "--threads", options.threads]
            compare(work, command, theirs, 1 if work == "fid" else options.rounds)


def compare(work: str, ours: list[str], theirs: list[str], rounds: int) -> None:
    """Run both sides in turn, after one run of ours that compiles what is to be compiled, and print the ratios."""
    if work == "pairs":
        cost_of(ours)
    found: dict[str, list[Cost]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        found["ours"].append(cost_of(ours))
        found["theirs"].append(cost_of(theirs, is_loop=work == "pairs"))
    medians = {side: Cost(*map(statistics.median, zip(*costs, strict=True))) for side, costs in found.items()}
    for side, cost in medians.items():
        print(f"{work} {side}: {cost.wall_s:.2f} s, CPU {cost.cpu_s:.2f} s, peak {cost.peak_mb:.0f} MB")
    ratios = [
        statistics.median(b[k] / a[k] for a, b in zip(found["ours"], found["theirs"], strict=True)) for k in range(3)
    ]
    print(
        f"{work} theirs / ours, {rounds} rounds: {ratios[0]:.2f} in wall time, {ratios[1]:.2f} in CPU time, "
        f"{ratios[2]:.2f} in peak memory (load {os.getloadavg()[0]:.1f})",
        flush=True,
    )


def cost_of(command: list[str], *, is_loop: bool = False) -> Cost:
    """Return the cost of a process; of a loop, its times as it prints them."""
    environment = os.environ | WAITING_SETTINGS | {"PYTHONPATH": str(ROOT), "GAN_EVAL_CACHE_MB": "0"}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    printed, said = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(said)
    if is_loop:
        wall, cpu = map(float, printed.split()[-2:])
        return Cost(wall, cpu, used.ru_maxrss / 1024)
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


PAIRS = ["--real", "{folder}/real", "--fake", "{folder}/fake", "--metrics", "psnr,ssim,niqe", "--no-cache"]
PAIRS += ["--out", "{folder}/out-pairs"]
FID = ["--real", "{folder}/real.npz", "--fake", "{folder}/fake.npz", "--metrics", "fid", "--no-cache"]
FID += ["--weights", "inception={folder}/inception.pth", "--out", "{folder}/out-fid"]


def make_pairs(folder: Path, count: int) -> None:
    """Write PNG pairs."""
    pair_folders(folder, count)


def loop_over_pairs(folder: Path) -> str:
    """Return wall and CPU seconds of piq's PSNR and SSIM and pyiqa's NIQE, once everything is imported."""
    import piq
    import torch
    from metric_sides import as_floats
    from PIL import Image

    niqe = pyiqa_niqe(folder)
    wall, cpu = time.perf_counter(), cpu_seconds()
    for path in sorted((folder / "fake").iterdir()):
        generated, reference = (as_floats(Image.open(place)) for place in (path, folder / "real" / path.name))
        with torch.no_grad():
            piq.psnr(generated, reference, data_range=1.0)
            piq.ssim(generated, reference, data_range=1.0, downsample=False)
            niqe(generated)
    return f"{time.perf_counter() - wall} {cpu_seconds() - cpu}"


def cpu_seconds() -> float:
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def make_arrays(folder: Path, count: int) -> None:
    """Write two npz files of 64 x 64 pictures, and the weights."""
    import numpy as np
    import torch
    from PIL import Image
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    small = [np.asarray(Image.fromarray(picture).resize((64, 64))) for picture in photographs(count)]
    np.savez(folder / "real.npz", arr_0=np.stack(small[::2]))
    np.savez(folder / "fake.npz", arr_0=np.stack(small[1::2]))
    torch.manual_seed(0)
    network = peer_network(FeatureExtractorInceptionV3).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network(torch.from_numpy(np.stack(small[:32])).permute(0, 3, 1, 2))
    torch.save(network.eval().state_dict(), folder / "inception.pth")


def torch_fidelity(folder: Path) -> str:
    """Return the FID of both files by torch-fidelity."""
    import numpy as np
    import torch
    from torch_fidelity import calculate_metrics

    class Pictures(torch.utils.data.Dataset):
        def __init__(self, file: Path) -> None:
            self.pictures = np.load(file)["arr_0"]

        def __len__(self) -> int:
            return len(self.pictures)

        def __getitem__(self, number: int) -> torch.Tensor:
            return torch.from_numpy(self.pictures[number]).permute(2, 0, 1)

    found = calculate_metrics(
        input1=Pictures(folder / "fake.npz"),
        input2=Pictures(folder / "real.npz"),
        cuda=False,
        fid=True,
        feature_extractor_weights_path=str(folder / "inception.pth"),
        verbose=False,
        save_cpu_ram=True,
    )
    return str(found["frechet_inception_distance"])


THEIRS: dict[str, Callable[[Path], str]] = {"pairs": loop_over_pairs, "fid": torch_fidelity}

if __name__ == "__main__":
    main()
