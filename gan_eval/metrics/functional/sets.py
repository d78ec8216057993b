"""Metrics of sets, as functions of their features."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gan_eval.metrics.definitions import frechet as _infinity
from gan_eval.metrics.definitions import neighbours, segmentation
from gan_eval.metrics.definitions.frechet import frechet_distance
from gan_eval.metrics.definitions.kid import kernel_distance

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
    return frechet_distance(*_arrays(real, fake)).value


def fid_infinity(
    real: Features,
    fake: Features,
    *,
    real_items: Sequence[str] | None = None,
    fake_items: Sequence[str] | None = None,
) -> float:
    """FID extrapolated to sets without end (Chong and Forsyth 2020): a line in 1/N; `real` and `fake` as `fid`.

    The smaller sets are drawn by a stored seed. With items, an item's real and generated pictures are drawn together,
    as `evaluate` and the command do: the value is theirs. Without, both sets are drawn on their own, by the rank of
    their features: another value, by the draws' spread. The order of the pictures has no part in either.

    Args:
        real_items, fake_items: (N,) and (M,) the item of each picture (the stimuli's column `item`); both or neither.

    Returns:
        Lower is better; may be below 0.

    Raises:
        Unmeasurable: a set has fewer than 20 members, or a feature is not finite.
        ValueError: items of one set alone, or not one for each picture.

    >>> import torch
    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> abs(fid_infinity(x, x + 3) - 18) < 1
    True
    """
    return _infinity.fid_infinity(*_arrays(real, fake), real_items=real_items, fake_items=fake_items)


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
    return kernel_distance(*_arrays(real, fake))


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
    return neighbours.precision(*_arrays(real, fake))


def recall(real: Features, fake: Features) -> float:
    """Share of the real pictures among the generated ones; all else as `precision`.

    >>> import torch
    >>> line = torch.arange(8.0)[:, None]
    >>> recall(line, line[:4])
    0.875
    """
    return neighbours.recall(*_arrays(real, fake))


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
    return neighbours.density(*_arrays(real, fake))


def coverage(real: Features, fake: Features) -> float:
    """Share of the real pictures with a generated one nearby (Naeem et al. 2020, k = 5); 0 to 1, else as `density`.

    >>> import torch
    >>> line = torch.arange(8.0)[:, None]
    >>> coverage(line, torch.cat([line[:6], line[:6]]))
    1.0
    """
    return neighbours.coverage(*_arrays(real, fake))


def pixel_accuracy(counts: Features) -> float:
    """Share of the labelled pixels that a segmenter reads as their class (Long et al. 2015).

    Args:
        counts: (N, 380): for each generated picture the pixels of each of the 19 classes by what they are read as
            (`gan_eval.metrics.definitions.segmentation.confusion`).

    Returns:
        0 to 1; higher is better.

    Raises:
        Unmeasurable: no pixel is labelled.
        ValueError: not 380 columns.

    >>> import torch
    >>> counts = torch.zeros(1, 19, 20)  # the last column: read as none of the classes
    >>> counts[0, 0, 0], counts[0, 1, :2] = 6, torch.tensor([1.0, 1.0])
    >>> counts = counts.flatten(1)
    >>> pixel_accuracy(counts)
    0.875
    """
    return _score(segmentation.pixel_accuracy, counts)


def class_accuracy(counts: Features) -> float:
    """As `pixel_accuracy`, for each class alone; mean over the classes that occur in the label maps.

    >>> import torch
    >>> counts = torch.zeros(1, 19, 20)
    >>> counts[0, 0, 0], counts[0, 1, :2] = 6, torch.tensor([1.0, 1.0])
    >>> class_accuracy(counts.flatten(1))
    0.75
    """
    return _score(segmentation.class_accuracy, counts)


def class_iou(counts: Features) -> float:
    """Intersection over union of what is read and what is labelled; mean over the classes in the label maps.

    Argument, range and errors as `pixel_accuracy`.

    >>> import torch
    >>> counts = torch.zeros(1, 19, 20)
    >>> counts[0, 0, 0], counts[0, 1, :2] = 6, torch.tensor([1.0, 1.0])
    >>> round(class_iou(counts.flatten(1)), 6)
    0.678571
    """
    return _score(segmentation.class_iou, counts)


def _score(score: Callable[[segmentation.Counts, segmentation.Counts], float], counts: Features) -> float:
    array = _array(counts)
    if array.shape[1] != segmentation.COUNTS:
        raise ValueError(f"wanted (N, {segmentation.COUNTS}) counts, found the shape {array.shape}")
    return score(array, array)


def _arrays(real: Features, fake: Features) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Both sets as arrays.

    Raises:
        ValueError: not two axes each, or unequal numbers of features.
    """
    x, y = _array(real), _array(fake)
    if x.shape[1] != y.shape[1]:
        widths = f"real pictures have {x.shape[1]} features and generated ones {y.shape[1]}"
        raise ValueError(f"{widths}; wanted (N, d) and (M, d)")
    return x, y


def _array(features: Features) -> NDArray[np.floating]:
    """(N, d) as an array; whole numbers and half precision become float64.

    Raises:
        ValueError: not two axes.
    """
    array = features.detach().cpu().double().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim != 2:
        raise ValueError(f"wanted (N, d) features, found the shape {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
