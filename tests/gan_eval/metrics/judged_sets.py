"""Set metrics by other programs, and by their definitions written out plainly: functions of (real, generated)."""

import mpmath
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

Features = NDArray[np.floating]


def made(n: int, m: int, d: int = 3) -> tuple[Features, Features]:
    """Two sets that overlap in part."""
    rng = np.random.default_rng(n)
    real = rng.normal(size=(n, d))
    shared = real[:m] if len(real) >= m else rng.normal(size=(m, d))
    return real, 0.5 * shared + rng.normal(0.4, 0.7, size=(m, d))


SETS = [made(60, 60), made(45, 21), made(9, 50), made(120, 120, 5)]


def fifty_digits(real: Features, fake: Features) -> tuple[float, float]:
    """FID in 50-digit arithmetic, and the traces of the covariances.

    The roots are those of the eigenvalues of AᵀΣA with AAᵀ the other covariance, which is symmetric.
    """
    with mpmath.workdps(50):
        means, covariances = [], []
        for features in (real, fake):
            x = mpmath.matrix(features.astype(float).tolist())
            mean = [mpmath.fsum(x[:, j]) / x.rows for j in range(x.cols)]
            centred = mpmath.matrix([[x[i, j] - mean[j] for j in range(x.cols)] for i in range(x.rows)])
            means.append(mean)
            covariances.append(centred.T * centred / (x.rows - 1))
        values, vectors = mpmath.eigsy(covariances[1])
        half = vectors * mpmath.diag([mpmath.sqrt(max(value, 0)) for value in values])
        eigenvalues = mpmath.eigsy(half.T * covariances[0] * half, eigvals_only=True)
        noise = max(eigenvalues) * mpmath.mpf(10) ** -38
        root = mpmath.fsum(mpmath.sqrt(value) for value in eigenvalues if value > noise)
        traces = mpmath.fsum(covariance[i, i] for covariance in covariances for i in range(covariance.rows))
        shift = mpmath.fsum((a - b) ** 2 for a, b in zip(*means, strict=True))
        return float(shift + traces - 2 * root), float(traces)


def fid_of_torch_fidelity(real: Features, fake: Features) -> float:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(torch.tensor(features)) for features in (real, fake)]
    return float(fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"])


def fid_of_torchmetrics(real: Features, fake: Features) -> float:
    from torchmetrics.image.fid import _compute_fid

    sets = [torch.tensor(features) for features in (real, fake)]
    return float(_compute_fid(*(part for x in sets for part in (x.mean(dim=0), x.T.cov()))))


def kid_by_double_sum(real: Features, fake: Features, items: tuple[list[str], list[str]] | None = None) -> float:
    """KID by scikit-learn's kernel: means over the pairs of different items."""
    names = items or ([f"r{n}" for n in range(len(real))], [f"f{n}" for n in range(len(fake))])
    sides = [(real, np.array(names[0])), (fake, np.array(names[1]))]
    xx, yy, xy = (
        polynomial_kernel(a, b)[i[:, None] != j].mean() for (a, i), (b, j) in [(s, s) for s in sides] + [tuple(sides)]
    )
    return float(xx + yy - 2 * xy)


def kid_of_torch_fidelity(real: Features, fake: Features) -> float:
    from torch_fidelity.metric_kid import kid_features_to_metric

    sets = (torch.tensor(real), torch.tensor(fake))
    found = kid_features_to_metric(*sets, kid_subsets=1, kid_subset_size=len(real), verbose=False)
    return float(found["kernel_inception_distance_mean"])


def cmmd_by_matrices(real: Features, fake: Features) -> float:
    """CMMD by whole kernel matrices of unit vectors."""
    x, y = normalize(real), normalize(fake)
    xx, yy, xy = (rbf_kernel(a, b, gamma=1 / (2 * 10.0**2)).mean() for a, b in ((x, x), (y, y), (x, y)))
    return float(1000 * (xx + yy - 2 * xy))


def by_neighbours(real: Features, fake: Features) -> dict[str, float]:
    """Precision, recall, density and coverage by matrices of distances."""
    within_real, within_fake, across = (
        cdist(a, b, "sqeuclidean") for a, b in ((real, real), (fake, fake), (real, fake))
    )
    real3, fake3 = np.sort(within_real)[:, 3], np.sort(within_fake)[:, 3]  # the nearest one is the picture itself
    inside = across < np.sort(within_real)[:, 5, None]
    return {
        "precision": (across <= real3[:, None]).any(axis=0).mean(),
        "recall": (across <= fake3).any(axis=1).mean(),
        "density": inside.sum() / (5 * len(fake)),
        "coverage": inside.any(axis=1).mean(),
    }


def neighbours_of_torch_fidelity(real: Features, fake: Features) -> dict[str, float]:
    from torch_fidelity.metric_prc import prc_features_to_metric

    sets = (torch.tensor(fake), torch.tensor(real))
    return dict(prc_features_to_metric(*sets, prc_neighborhood=3, prc_batch_size=100, verbose=False))


def machine(real: Features, fake: Features) -> tuple[float, float]:
    """P-IDS and U-IDS of paired rows as CoModGAN's paper defines them."""
    separating = LinearSVC(dual=False)
    x, y = np.vstack([real, fake]), np.array([1] * len(real) + [0] * len(fake))
    separating.fit(x, y)
    scores = separating.decision_function
    return float(np.mean(scores(fake) > scores(real))), float(1 - separating.score(x, y))
