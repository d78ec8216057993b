"""Code of the two processes in `test_classes.py`: each gives its share of the pictures to every class."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from metric_pictures import disturbed, texture
from torch import Tensor, distributed
from torchmetrics import Metric

from gan_eval.metrics import classes
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.classes import MeanOfPairs, MeanOfSingles, SetMetric

COUNT = 8
OF_PICTURES = [*MeanOfPairs.__subclasses__(), *MeanOfSingles.__subclasses__()]


class Colours(torch.nn.Module):
    """(N, 3, H, W) uint8 to 12 features: means and deviations of the channels, whole and in a corner."""

    num_features = 12

    def forward(self, pictures: Tensor) -> Tensor:
        parts = [pictures.double(), pictures.double()[..., :40, :40]]
        return torch.cat([f(part, dim=(2, 3)) for part in parts for f in (torch.mean, torch.std)], dim=1)


def pictures(count: int = COUNT) -> tuple[Tensor, Tensor]:
    """Generated and real pictures, (N, 3, 192, 192) uint8."""
    real = [texture(n) for n in range(count)]
    fake = [disturbed(picture, n, strength=5 + n) for n, picture in enumerate(real)]
    return tuple(torch.from_numpy(np.stack(each)).permute(0, 3, 1, 2).contiguous() for each in (fake, real))  # type: ignore[return-value]


def make_all() -> dict[str, Metric]:
    """One of every class that needs no weights."""
    return {
        **{kind.metric: kind() for kind in OF_PICTURES if not METRICS[kind.metric].weights},
        "ssim_luma": classes.MeanStructuralSimilarity(channels="luma"),
        "pooled psnr": classes.PeakSignalNoiseRatio(),
        "fid": classes.FrechetInceptionDistance(feature_extractor=Colours()),
        "kid": classes.AllPairsKernelInceptionDistance(feature_extractor=Colours()),
        "neighbours": classes.PrecisionRecall(feature_extractor=Colours()),
        "density": classes.DensityCoverage(feature_extractor=Colours()),
    }


def hand_in(metrics: dict[str, Metric], fake: Tensor, real: Tensor) -> None:
    """Update every metric in batches of 5."""
    for fakes, reals in zip(fake.split(5), real.split(5), strict=True):
        for metric in metrics.values():
            if isinstance(metric, SetMetric):
                metric.update(reals, real=True)
                metric.update(fakes, real=False)
            elif isinstance(metric, MeanOfSingles):
                metric.update(fakes)
            else:
                metric.update(fakes, reals)


def values(metrics: dict[str, Metric]) -> dict[str, Any]:
    """Return the result of every metric as numbers."""
    found: dict[str, Any] = {}
    for name, metric in metrics.items():
        value = metric.compute()
        found |= {key: part.item() for key, part in (value if isinstance(value, dict) else {name: value}).items()}
    return found


SHARES: dict[str, Callable[[int], slice]] = {
    "every second": lambda rank: slice(rank, None, 2),
    "all to the first": lambda rank: slice(0, COUNT if rank == 0 else 0),
}
"""Functions that choose the pictures of one of two processes, by name."""


def in_processes(rank: int, file: str) -> None:
    """Run one of two processes; the first writes the values for each way of sharing."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{file}.group", rank=rank, world_size=2)
    fake, real = pictures()
    found = {}
    for name, share in SHARES.items():
        metrics = make_all()
        hand_in(metrics, fake[share(rank)], real[share(rank)])
        found[name] = values(metrics)
    if rank == 0:
        torch.save(found, Path(file))
    distributed.destroy_process_group()
