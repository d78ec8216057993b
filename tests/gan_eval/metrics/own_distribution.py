"""A distribution of a few lines with users' own metrics, and pictures to measure with them."""

from pathlib import Path

import numpy as np
from metric_pictures import texture

from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.stimuli import pictures
from gan_eval.stimuli.pictures import Picture

SOURCE = '''
import threading
import torch
from torchmetrics import Metric


class Difference(Metric):
    """Greatest difference of two pictures.

    More words.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 255.0
    unit = "grey levels"
    source = "this test"
    definition = "max-abs"

    def __init__(self):
        super().__init__()
        self.add_state("greatest", torch.tensor(0.0), dist_reduce_fx="max")

    def update(self, preds, target):
        assert preds.dtype == torch.uint8 and preds.shape[:2] == (1, 3)
        self.greatest = torch.maximum(self.greatest, (preds.int() - target.int()).abs().max().float())
        preds.zero_()  # what it is given is its own

    def compute(self):
        return self.greatest


class Brightness(Metric):
    higher_is_better = True

    def __init__(self):
        super().__init__()
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")
        self.threads = set()

    def update(self, picture):
        self.threads.add(threading.get_ident())
        assert len(self.threads) == 1, "used by two threads"
        if picture.max() == 0:
            raise ValueError("black\\npicture")
        self.total += picture.double().mean()
        self.count += 1

    def compute(self):
        mean = self.total / self.count
        return mean if mean < 255 else torch.tensor([1.0, 2.0])


class BrightnessGap(Metric):
    """Difference of the mean brightness of two sets."""

    higher_is_better = False

    def __init__(self):
        super().__init__()
        self.add_state("sums", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, pictures, real):
        if pictures.max() == 0:
            raise ValueError("black")
        self.sums[int(real)] += pictures.double().mean()
        self.counts[int(real)] += 1

    def compute(self):
        means = self.sums / self.counts
        return (means[0] - means[1]).abs()


class HalfBrightness(Brightness):
    definition = "mean of all levels"

    def compute(self):
        return super().compute() / 2


class Inherits(HalfBrightness):
    def compute(self):
        return torch.tensor(float("nan"))


class SameWords(Brightness):
    definition = "mean of all levels"


class Leaves(Metric):
    higher_is_better = True

    def update(self, picture):
        raise SystemExit("I leave")

    def compute(self): ...


class LeavesOfSets(Leaves):
    def update(self, picture, real): ...

    def compute(self):
        raise SystemExit("I leave")


class LeavesSetsAtOnce(LeavesOfSets):
    def update(self, picture, real):
        raise SystemExit(3)


class LeavesWhenMade(Leaves):
    def __init__(self):
        raise SystemExit("I leave")


class Undirected(Metric):
    def update(self, picture): ...
    def compute(self): ...


class Demanding(Metric):
    higher_is_better = True
    def __init__(self, model): super().__init__()
    def update(self, picture): ...
    def compute(self): ...


class Odd(Metric):
    higher_is_better = True
    def update(self, *pictures): ...
    def compute(self): ...


def function(picture): ...
'''

ENTRIES = """[gan_eval.metrics]
difference = tiny_metrics:Difference
brightness = tiny_metrics:Brightness
brightness_gap = tiny_metrics:BrightnessGap
"""


def write_distribution(folder: Path, entries: str = ENTRIES, *, name: str = "tiny-metrics") -> None:
    """The distribution as an installer leaves it, version 1.2, with these entry points."""
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / "tiny_metrics.py").write_text(SOURCE)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entries)


def own_pictures(*, black: bool = False) -> list[tuple[Picture, Picture]]:
    """Four real pictures, each with its half as the generated one; with `black`, one of these is black."""
    reals = [texture(n, 48, 48) for n in range(4)]
    return [(real, np.zeros_like(real) if black and n == 2 else real // 2) for n, real in enumerate(reals)]


def own_stimuli(folder: Path, *, black: bool = False) -> list[Stimulus]:
    """These pictures in files, and the stimuli of model m that they are."""
    stimuli = []
    for n, (real, fake) in enumerate(own_pictures(black=black)):
        for kind, model, picture in (("real", None, real), ("fake", "m", fake)):
            file = folder / kind / f"p{n}.png"
            pictures.write_png(file, picture)
            stimuli.append(Stimulus(f"d/{model or kind}/p{n}", f"d/p{n}", kind, model, "d", file, None, None))
    return stimuli
