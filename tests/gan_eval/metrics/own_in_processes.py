"""Own set metrics that keep lists, and what two processes do with them in `test_own_sets.py`."""

from collections.abc import Sequence
from pathlib import Path

import torch
from metric_pictures import texture
from torch import distributed

from gan_eval.metrics.registry import select
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.own_sets import own_set_rows
from gan_eval.metrics.run.processes import Processes
from gan_eval.stimuli import pictures

SOURCE = '''
import torch
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class MeanGap(Metric):
    """Distance of the two sets' mean colours; the sets are kept as (N, 3) rows."""

    higher_is_better = False

    def __init__(self):
        super().__init__()
        self.add_state("real", [], dist_reduce_fx="cat")
        self.add_state("fake", [], dist_reduce_fx="cat")

    def update(self, picture, real):
        (self.real if real else self.fake).append(picture.double().mean(dim=(2, 3)))

    def compute(self):
        return (dim_zero_cat(self.real).mean(dim=0) - dim_zero_cat(self.fake).mean(dim=0)).norm()


class Ordered(MeanGap):
    """Depends on the order of the rows."""

    def compute(self):
        rows = torch.cat([dim_zero_cat(self.real), dim_zero_cat(self.fake)])
        return (rows * torch.arange(len(rows))[:, None]).sum()


class Lists(Metric):
    """Keeps the pictures' rows in a list that torchmetrics does not join, inside another metric."""

    higher_is_better = False

    class Inside(Metric):
        def __init__(self):
            super().__init__()
            self.add_state("rows", [], dist_reduce_fx=None)
            self.add_state("most", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="max")

        def update(self, picture):
            self.rows.append(picture.double().mean(dim=(0, 1))[: 20])
            self.most = torch.maximum(self.most, picture.double().max())

        def compute(self):
            return sum(row.mean() for row in self.rows) + self.most

    def __init__(self):
        super().__init__()
        self.inside = self.Inside()

    def update(self, picture, real):
        self.inside.update(picture)

    def compute(self):
        return self.inside.compute()


class TwoKinds(MeanGap):
    """Rows of two lengths, which no process can join."""

    def update(self, picture, real):
        self.real.append(torch.zeros(1, 2 if real else 3))
'''
NAMES = ("lists", "mean_gap", "ordered", "two_kinds")
ENTRIES = """[gan_eval.metrics]
mean_gap = listing_metrics:MeanGap
ordered = listing_metrics:Ordered
lists = listing_metrics:Lists
two_kinds = listing_metrics:TwoKinds
"""


def write_distribution(folder: Path) -> None:
    """The distribution as an installer leaves it."""
    info = folder / "listing_metrics-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "listing_metrics.py").write_text(SOURCE)
    (info / "METADATA").write_text("Name: listing-metrics\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)


def alternating(folder: Path, reals: int, fakes: int) -> list[Stimulus]:
    """Stimuli in the order real, fake, real, fake, as `gan-eval generate` writes them."""
    found = []
    for n in range(max(reals, fakes)):
        for kind, model, count in (("real", None, reals), ("fake", "m", fakes)):
            if n < count:
                file = folder / kind / f"{n}.png"
                pictures.write_png(file, texture(n, 24, 24) // (2 if model else 1))
                found.append(Stimulus(f"d/{model or kind}/{n}", f"d/{n}", kind, model, "d", file, None, None))
    return found


def in_processes(rank: int, file: str, sets: Sequence[Sequence[Stimulus]]) -> None:
    """One of two processes; each writes its rows for each of the sets."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{file}.group", rank=rank, world_size=2)
    here = Processes(rank, 2, 2)
    found = [own_set_rows(stimuli, select(NAMES), unreadable={}, processes=here) for stimuli in sets]
    torch.save(found, f"{file}.{rank}")
    distributed.destroy_process_group()
