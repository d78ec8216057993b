"""Metrics of sets, as functions of their features."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gan_eval.metrics import fid_infinity as _infinity
from gan_eval.metrics import neighbours, segmentation
from gan_eval.metrics.frechet import frechet_distance
from gan_eval.metrics.kid import kernel_distance

Features = ArrayLike | Tensor
"""(N, d): a vector for each picture; a tensor on any device, or an array."""


def fid(real: Features, fake: Features) -> float:
    """Squared Fréchet distance of two sets of features (Heusel et al. 2017, equation 6), in float64.

    Args:
        real, fake: (N, d) and (M, d) features.

    Returns:
        0 and above; lower is better. Biased upwards, the more so the fewer pictures.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> import torch
    >>> x = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(fid(x, x + 3), 12)
    18.0
    """
    return frechet_distance(_array(real), _array(fake)).value


def fid_infinity(real: Features, fake: Features) -> float:
    """FID extrapolated to sets without end (Chong and Forsyth 2020): a line in 1/N; arguments as `fid`.

    The smaller sets are drawn by a stored seed, so the value depends on the pictures' order, a little.

    Returns:
        Lower is better; may be below 0.

    Raises:
        Unmeasurable: a set has fewer than 20 members, or a feature is not finite.

    >>> import torch
    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> abs(fid_infinity(x, x + 3) - 18) < 1
    True
    """
    return _infinity.fid_infinity(_array(real), _array(fake))


def kid(real: Features, fake: Features) -> float:
    """Unbiased squared maximum mean discrepancy (Binkowski et al. 2018): cubic kernel, all pairs; arguments as `fid`.

    Returns:
        Lower is better; may be below 0.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> import torch
    >>> x = torch.tensor([[0.0], [1.0]])
    >>> kid(x, x)
    -3.5
    """
    return kernel_distance(_array(real), _array(fake))


def precision(real: Features, fake: Features) -> float:
    """Share of the generated pictures among the real ones (Kynkäänniemi et al. 2019, k = 3); arguments as `fid`.

    Returns:
        0 to 1; higher is better.

    Raises:
        Unmeasurable: a set has fewer than 4 members, or a feature is not finite.

    >>> import torch
    >>> line = torch.arange(8.0)[:, None]
    >>> precision(line, line + 5)
    0.75
    """
    return neighbours.precision(_array(real), _array(fake))


def recall(real: Features, fake: Features) -> float:
    """Share of the real pictures among the generated ones; all else as `precision`.

    >>> import torch
    >>> line = torch.arange(8.0)[:, None]
    >>> recall(line, line[:4])
    0.875
    """
    return neighbours.recall(_array(real), _array(fake))


def density(real: Features, fake: Features) -> float:
    """How densely the real pictures surround each generated one (Naeem et al. 2020, k = 5); arguments as `fid`.

    Returns:
        0 and above, 1 where both sets are alike; higher is better.

    Raises:
        Unmeasurable: a set has fewer than 6 members, or a feature is not finite.

    >>> import torch
    >>> line = torch.arange(8.0, dtype=torch.float64)[:, None] ** 1.1
    >>> density(line, line)
    1.0
    """
    return neighbours.density(_array(real), _array(fake))


def coverage(real: Features, fake: Features) -> float:
    """Share of the real pictures with a generated one nearby (Naeem et al. 2020, k = 5); 0 to 1, else as `density`.

    >>> import torch
    >>> line = torch.arange(8.0)[:, None]
    >>> coverage(line, torch.cat([line[:6], line[:6]]))
    1.0
    """
    return neighbours.coverage(_array(real), _array(fake))


def pixel_accuracy(real: Features, fake: Features) -> float:
    """Share of the labelled pixels that a segmenter reads as their class (Long et al. 2015).

    Args:
        real: not used.
        fake: (N, 380): for each generated picture the pixels of each of the 19 classes by what they are read as
            (`gan_eval.metrics.segmentation.confusion`).

    Returns:
        0 to 1; higher is better.

    Raises:
        Unmeasurable: no pixel is labelled.

    >>> import torch
    >>> counts = torch.zeros(1, 19, 20)  # the last column: read as none of the classes
    >>> counts[0, 0, 0], counts[0, 1, :2] = 6, torch.tensor([1.0, 1.0])
    >>> counts = counts.flatten(1)
    >>> pixel_accuracy(counts, counts)
    0.875
    """
    return segmentation.pixel_accuracy(_array(real), _array(fake))


def class_accuracy(real: Features, fake: Features) -> float:
    """As `pixel_accuracy`, for each class alone; mean over the classes that occur in the label maps.

    >>> import torch
    >>> counts = torch.zeros(1, 19, 20)
    >>> counts[0, 0, 0], counts[0, 1, :2] = 6, torch.tensor([1.0, 1.0])
    >>> class_accuracy(counts.flatten(1), counts.flatten(1))
    0.75
    """
    return segmentation.class_accuracy(_array(real), _array(fake))


def class_iou(real: Features, fake: Features) -> float:
    """Intersection over union of what is read and what is labelled; mean over the classes in the label maps.

    Arguments, range and errors as `pixel_accuracy`.

    >>> import torch
    >>> counts = torch.zeros(1, 19, 20)
    >>> counts[0, 0, 0], counts[0, 1, :2] = 6, torch.tensor([1.0, 1.0])
    >>> round(class_iou(counts.flatten(1), counts.flatten(1)), 6)
    0.678571
    """
    return segmentation.class_iou(_array(real), _array(fake))


def _array(features: Features) -> NDArray[np.floating]:
    """(N, d) as an array; whole numbers and half precision become float64.

    Raises:
        ValueError: not two axes.
    """
    array = features.detach().cpu().double().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim != 2:
        raise ValueError(f"wanted (N, d) features, found the shape {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
