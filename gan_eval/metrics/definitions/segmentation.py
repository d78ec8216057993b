"""Segmentation scores: how much of a label map a segmenter reads in the pictures generated from it.

The scores of Long et al. 2015 ("Fully Convolutional Networks for Semantic Segmentation", section 5), which Isola et al.
2017 call FCN score when they are computed on generated pictures. With n(i, j) the pixels of class i read as class j,
over all pictures of the set, and t(i) the sum of n(i, j) over j:

- pixel accuracy: sum of n(i, i) / sum of t(i)
- class accuracy: mean over classes of n(i, i) / t(i)
- class IoU: mean over classes of n(i, i) / (t(i) + sum of n(j, i) over j - n(i, i))

The means are over the classes that occur in the label maps of the set: a class that never occurs has no accuracy. Where
all 19 occur, as in the data set's validation pictures, that is the published definition. Pixels whose label is not
evaluated are not counted at all; a pixel that is read as nothing that is evaluated counts as a miss of its class.
"""

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.palette import CLASSES, ClassMap
from gan_eval.metrics.kernels.pictures import Unmeasurable

COUNTS = len(CLASSES) * (len(CLASSES) + 1)
"""Length of a picture's vector: for each true class, the pixels read as each class and, last, as none."""

Counts = NDArray[np.floating]
"""(N, COUNTS): the vectors of N pictures."""


def confusion(true: ClassMap, read: ClassMap) -> NDArray[np.float32]:
    """The pixels of each true class by the class they are read as, as one flat vector.

    Args:
        true: (H, W) classes of the label map; those of no class are not counted.
        read: (H, W) classes that were read in the picture.

    Returns:
        (COUNTS,) float32, true classes in rows; whole numbers, exact up to 16.7 million pixels of one kind.

    Raises:
        ValueError: the shapes differ.

    >>> counts = confusion(np.array([[0, 0, 1, 255]], np.uint8), np.array([[0, 2, 255, 0]], np.uint8))
    >>> [(divmod(int(place), 20), int(counts[place])) for place in np.flatnonzero(counts)]
    [((0, 0), 1), ((0, 2), 1), ((1, 19), 1)]
    """
    if true.shape != read.shape:
        raise ValueError(f"true {true.shape} and read {read.shape}: shapes differ")
    columns = len(CLASSES) + 1
    counted = true < len(CLASSES)
    places = true[counted].astype(np.int64) * columns + np.minimum(read[counted], len(CLASSES))
    return np.bincount(places, minlength=COUNTS).astype(np.float32)


def pixel_accuracy(real: Counts, fake: Counts) -> float:
    """Share of the labelled pixels that are read as their class.

    Args:
        real: not used: what is read in the real pictures is another model's score.
        fake: (N, COUNTS) counts of the generated pictures, see `confusion`.

    Returns:
        0..1, higher is better.

    Raises:
        Unmeasurable: no pixel is labelled.

    >>> fake = np.stack([confusion(np.array([[0, 0, 1, 1]], np.uint8), np.array([[0, 0, 1, 2]], np.uint8))])
    >>> pixel_accuracy(fake, fake), class_accuracy(fake, fake), class_iou(fake, fake)
    (0.75, 0.75, 0.75)
    """
    matrix = _sum(fake)
    return float(np.trace(matrix) / matrix.sum())


def class_accuracy(real: Counts, fake: Counts) -> float:
    """As `pixel_accuracy`, for each class alone; the mean over the classes that occur in the label maps."""
    matrix = _sum(fake)
    occurring = matrix.sum(axis=1)
    there = occurring > 0
    return float(np.mean(np.diagonal(matrix)[there] / occurring[there]))


def class_iou(real: Counts, fake: Counts) -> float:
    """Intersection over union of what is read as a class and what is labelled so, among labelled pixels.

    The mean over the classes that occur in the label maps; see `pixel_accuracy` for arguments and errors.
    """
    matrix = _sum(fake)
    hits, occurring = np.diagonal(matrix), matrix.sum(axis=1)
    union = occurring + matrix.sum(axis=0)[: len(CLASSES)] - hits
    there = occurring > 0
    return float(np.mean(hits[there] / union[there]))


def _sum(counts: Counts) -> NDArray[np.float64]:
    """(19, 20): the counts of all pictures together.

    Raises:
        Unmeasurable: there are none.
    """
    matrix = np.asarray(counts, dtype=np.float64).reshape(-1, COUNTS).sum(axis=0)
    if not matrix.any():
        raise Unmeasurable("no pixel of the label maps belongs to an evaluated class of Cityscapes")
    return matrix.reshape(len(CLASSES), len(CLASSES) + 1)
