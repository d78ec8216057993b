"""Distances of two sets of features; no network takes part."""

from functools import partial
from typing import Any

import numpy as np
import piq
import torch
from cleanfid.fid import frechet_distance, kernel_distance
from prdc import compute_prdc
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

from gan_eval.metrics import score
from other_programs.rows import Found, Table, named

FIVE = "k = 5"


def sets_of_features() -> Table:
    """300 vectors of 128 numbers on each side; the second set lies a little apart."""
    random = np.random.default_rng(0)
    real = np.abs(random.normal(size=(300, 128)))
    fake = np.abs(random.normal(size=(300, 128)) * 1.1 + 0.1)
    return {
        "FID": fid(real, fake),
        "KID": kid(real, fake),
        "CMMD, times 100": cmmd(real, fake),
        **neighbours(real, fake),
    }


def fid(real: Any, fake: Any) -> list[Found]:
    """Fréchet distance."""
    a, b = torch.from_numpy(real), torch.from_numpy(fake)
    moments = (real.mean(0), np.cov(real, rowvar=False), fake.mean(0), np.cov(fake, rowvar=False))
    fidelity = fid_statistics_to_metric(*(fid_features_to_statistics(side) for side in (b, a)), verbose=False)
    return [
        ("gan_eval `fid`", [score("fid", b, a)], ""),
        (named("pytorch-fid"), [float(calculate_frechet_distance(*moments))], ""),
        (named("clean-fid"), [float(frechet_distance(*moments))], ""),
        (named("torchmetrics"), [float(_compute_fid(*map(torch.from_numpy, moments)))], ""),
        (named("torch-fidelity"), [fidelity["frechet_inception_distance"]], ""),
        (named("piq"), [float(piq.FID().compute_metric(b, a))], "the matrix root is iterated, and stops early"),
    ]


def kid(real: Any, fake: Any) -> list[Found]:
    """Kernel distance."""
    a, b = torch.from_numpy(real), torch.from_numpy(fake)
    fidelity = partial(kid_features_to_metric, b, a, kid_subset_size=300, kid_subsets=1, verbose=False)
    name = "kernel_inception_distance_mean"
    return [
        ("gan_eval `kid_all_pairs`", [score("kid_all_pairs", b, a)], "of all pictures, no random subsets"),
        (
            named("torchmetrics", "subset_size=300"),
            [float(poly_mmd(a, b))],
            "one subset of all pictures; by default 100 random subsets of 1,000",
        ),
        (named("clean-fid"), [float(kernel_distance(real, fake, num_subsets=1))], "random subsets of up to 1,000"),
        (named("piq"), [float(piq.KID().compute_metric(b, a))], ""),
        (
            named("torch-fidelity", "kid_subset_size=300"),
            [fidelity()[name]],
            "one subset of all; by default 100 random subsets of 1,000, and fewer pictures are refused",
        ),
        (
            named("torch-fidelity", "kid_kernel='rbf'"),
            [fidelity(kid_kernel="rbf")[name]],
            "a Gaussian kernel of width 10: another distance, though it has KID's name",
        ),
    ]


def cmmd(real: Any, fake: Any) -> list[Found]:
    """Kernel distance with a Gaussian kernel, as for CLIP's features."""
    found = 100 * score("cmmd", torch.from_numpy(fake), torch.from_numpy(real))
    double, single = (100 * published_cmmd(real, fake, precision) for precision in (np.float64, np.float32))
    rounds = "as published; rounds where the sets are close"
    return [
        ("gan_eval `cmmd`", [found], "of all pairs, a picture with itself counts (biased)"),
        ("the published arithmetic, float64", [double], ""),
        ("the published arithmetic, float32", [single], rounds),
    ]


def published_cmmd(real: Any, fake: Any, precision: Any) -> float:
    """CMMD as published, written by hand: 1000 (mean k(x, x) + mean k(y, y) - 2 mean k(x, y))."""
    x, y = ((side / np.linalg.norm(side, axis=1, keepdims=True)).astype(precision) for side in (real, fake))

    def mean(a: Any, b: Any) -> Any:
        squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
        return np.exp(-squares / precision(2 * 10**2)).mean()

    return float(1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y)))


def neighbours(real: Any, fake: Any) -> Table:
    """Precision, recall, density and coverage."""
    a, b = torch.from_numpy(real), torch.from_numpy(fake)
    three, five = ({k: float(v) for k, v in compute_prdc(real, fake, nearest).items()} for nearest in (3, 5))
    swapped = float(compute_prdc(fake, real, 3)["precision"])
    fidelity = [prc_features_to_metric(*order, verbose=False)["precision"] for order in ((b, a), (a, b))]
    piq_precision, piq_recall = map(float, piq.PR(nearest_k=5).compute_metric(a, b))
    return {
        "precision": [
            ("gan_eval `precision`", [score("precision", b, a)], "k = 3"),
            (named("prdc", "nearest_k=3"), [three["precision"]], ""),
            (named("prdc", "nearest_k=5"), [five["precision"]], FIVE),
            (named("prdc", "fake and real exchanged"), [swapped], "this is the recall"),
            (named("piq", "PR(nearest_k=5).compute_metric(real, fake)"), [piq_precision], FIVE),
            (named("torch-fidelity", "generated set first"), [fidelity[0]], ""),
            (
                named("torch-fidelity", "real set first"),
                [fidelity[1]],
                "its first input is the generated set: this is the recall",
            ),
        ],
        "recall": [
            ("gan_eval `recall`", [score("recall", b, a)], "k = 3"),
            (named("prdc", "nearest_k=3"), [three["recall"]], ""),
            (named("piq", "nearest_k=5"), [piq_recall], FIVE),
        ],
        "density": [
            ("gan_eval `density`", [score("density", b, a)], "k = 5"),
            (named("prdc", "nearest_k=5"), [five["density"]], ""),
        ],
        "coverage": [
            ("gan_eval `coverage`", [score("coverage", b, a)], "k = 5"),
            (named("prdc", "nearest_k=5"), [five["coverage"]], ""),
        ],
    }
