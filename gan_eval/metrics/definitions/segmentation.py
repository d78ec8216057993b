"""Segmentation scores: agreement of a label map with the classes that a segmenter finds in the generated picture.

The scores are those of Long et al. 2015 (section 5); Isola et al. 2017 call them FCN score when they are computed on
generated pictures. docs/metrics_labels.md has the formulas. The classes are found by the colours of Cityscapes' label
maps (Cordts et al. 2016). Classes that are never evaluated have colours too: their pixels are `VOID`. Two of them have
the colour of an evaluated class: pole groups count as poles, licence plates as cars.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.jackknife import (
    JackknifeEstimate,
    OnPart,
    PictureSet,
    SetComparison,
    leave_groups_out,
    silent,
)
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

if TYPE_CHECKING:
    from gan_eval.pictures.decode import Picture

ClassMap = NDArray[np.uint8]
"""(H, W) class of each pixel, 0..18 in the order of `CLASSES`, or `VOID`."""

VOID = 255
"""Class of pixels that are not evaluated."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "road": (128, 64, 128),
    "sidewalk": (244, 35, 232),
    "building": (70, 70, 70),
    "wall": (102, 102, 156),
    "fence": (190, 153, 153),
    "pole": (153, 153, 153),
    "traffic light": (250, 170, 30),
    "traffic sign": (220, 220, 0),
    "vegetation": (107, 142, 35),
    "terrain": (152, 251, 152),
    "sky": (70, 130, 180),
    "person": (220, 20, 60),
    "rider": (255, 0, 0),
    "car": (0, 0, 142),
    "truck": (0, 0, 70),
    "bus": (0, 60, 100),
    "train": (0, 80, 100),
    "motorcycle": (0, 0, 230),
    "bicycle": (119, 11, 32),
}
"""Evaluated classes in the order of the data set's training numbers, 0..18."""

VOID_COLOURS: dict[str, tuple[int, int, int]] = {
    "unlabelled": (0, 0, 0),
    "dynamic": (111, 74, 0),
    "ground": (81, 0, 81),
    "parking": (250, 170, 160),
    "rail track": (230, 150, 140),
    "guard rail": (180, 165, 180),
    "bridge": (150, 100, 100),
    "tunnel": (150, 120, 90),
    "caravan": (0, 0, 90),
    "trailer": (0, 0, 110),
}
"""Classes that are not evaluated."""

CLASSES = tuple(COLOURS)

MAX_PALETTE_DISTANCE = 14.0
"""Maximum median distance of a label map's pixels to the palette's colours, in grey levels. It is 0 to 7 for label maps
stored as JPEG, and 20 to 50 for street photographs."""

_PALETTE = np.array([*COLOURS.values(), *VOID_COLOURS.values()], dtype=np.float32)
_CLASS_OF_COLOUR = np.array([*range(len(COLOURS)), *[VOID] * len(VOID_COLOURS)], dtype=np.uint8)
_BLOCK = 1 << 16
"""Number of pixels that are compared with all colours at a time."""


def class_map(picture: "Picture") -> ClassMap:
    """Return the class of the nearest colour of the palette, for each pixel.

    Label maps are often JPEG files, in which few pixels keep their exact colour. Distance is Euclidean in RGB, in whole
    numbers; of equally near colours the first one counts.

    >>> class_map(np.array([[[120, 70, 130], [255, 250, 0], [3, 0, 4]]], dtype=np.uint8))
    array([[  0,   7, 255]], dtype=uint8)
    """
    return _CLASS_OF_COLOUR[_nearest(picture.reshape(-1, 3))].reshape(picture.shape[:2])


def label_classes(label_map: "Picture") -> ClassMap:
    """Return `class_map` of a label map; refuse other pictures.

    Raises:
        Unmeasurable: the picture is not a label map, or has other colours.

    >>> label_classes(np.array([[[70, 131, 178], [70, 129, 180]]], dtype=np.uint8))
    array([[10, 10]], dtype=uint8)
    """
    sample = label_map[::4, ::4].reshape(-1, 3)
    distances = np.linalg.norm(sample - _PALETTE[_nearest(sample)], axis=1)
    if np.median(distances) > MAX_PALETTE_DISTANCE:
        raise Unmeasurable(
            "not a label map in the colours of Cityscapes: half of its pixels are more than "
            f"{np.median(distances):.0f} levels from each of them"
        )
    return class_map(label_map)


def _nearest(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (N,) the index of the palette's colour nearest to each of (N, 3) uint8.

    It compares |x - c|² - |x|², since |x|² is the same for every c: whole numbers below 2^24, exact in float32.
    """
    nearest = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), _BLOCK):
        part = slice(start, start + _BLOCK)
        distances = colours[part].astype(np.float32) @ (-2 * _PALETTE.T)
        distances += (_PALETTE * _PALETTE).sum(axis=1)
        nearest[part] = distances.argmin(axis=1)
    return nearest


COUNTS = len(CLASSES) * (len(CLASSES) + 1)
"""Length of a picture's vector: for each true class, the pixels predicted as each class and, last, as none."""

Counts = NDArray[np.floating]
"""(N, COUNTS) vectors of N pictures."""
ClassNumbers = NDArray[np.intp]
"""(K,) classes."""


def confusion(true: ClassMap, predicted: ClassMap) -> NDArray[np.float32]:
    """Return (COUNTS,) the numbers of pixels by true class and predicted class; both maps have one shape.

    >>> counts = confusion(np.array([[0, 0, 1, 255]], np.uint8), np.array([[0, 2, 255, 0]], np.uint8))
    >>> [(divmod(int(place), 20), int(counts[place])) for place in np.flatnonzero(counts)]
    [((0, 0), 1), ((0, 2), 1), ((1, 19), 1)]
    """
    columns = len(CLASSES) + 1
    counted = true < len(CLASSES)
    cells = true[counted].astype(np.int64) * columns + np.minimum(predicted[counted], len(CLASSES))
    return np.bincount(cells, minlength=COUNTS).astype(np.float32)


def pixel_accuracy(real: Counts, fake: Counts) -> float:
    """Return the share of the labelled pixels whose predicted class is the label.

    Raises:
        Unmeasurable: no pixel is labelled.

    >>> fake = np.stack([confusion(np.array([[0, 0, 1, 1]], np.uint8), np.array([[0, 0, 1, 2]], np.uint8))])
    >>> pixel_accuracy(fake, fake), class_accuracy(fake, fake), class_iou(fake, fake)
    (0.75, 0.75, 0.75)
    """
    matrix = _sum(fake)
    return float(np.trace(matrix) / matrix.sum())


def class_accuracy(real: Counts, fake: Counts, classes: ClassNumbers | None = None) -> float:
    """Return the mean of `pixel_accuracy` over classes; default: those that occur in the label maps."""
    matrix = _sum(fake)
    classes = _occurring(fake) if classes is None else classes
    return float(np.mean(np.diagonal(matrix)[classes] / _pixels_of(classes, matrix)))


def class_iou(real: Counts, fake: Counts, classes: ClassNumbers | None = None) -> float:
    """Return the mean over classes of intersection over union of predicted and labelled pixels.

    Only labelled pixels count; see `class_accuracy` and `pixel_accuracy` for arguments and errors.
    """
    matrix = _sum(fake)
    classes = _occurring(fake) if classes is None else classes
    hits, occurring = np.diagonal(matrix)[classes], _pixels_of(classes, matrix)
    union = occurring + matrix.sum(axis=0)[classes] - hits
    return float(np.mean(hits / union))


def compare_segmentations(real: PictureSet) -> SetComparison:
    """Return a function that computes the scores of a set.

    The classes are those of all pictures, even when a group of items is left out for the interval.
    """

    def compare(fake: PictureSet, names: Sequence[str], _: OnPart = silent) -> dict[str, JackknifeEstimate]:
        classes = _occurring(fake.features)
        functions: dict[str, Callable[[Counts, Counts], float]] = {
            "pixel_accuracy": pixel_accuracy,
            "class_accuracy": partial(class_accuracy, classes=classes),
            "class_iou": partial(class_iou, classes=classes),
        }
        return {name: leave_groups_out(functions[name], real, fake) for name in names}

    return compare


def _occurring(fake: Counts) -> ClassNumbers:
    """Return the classes in the label maps."""
    return np.flatnonzero(_sum(fake).sum(axis=1) > 0)


def _pixels_of(classes: ClassNumbers, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number of labelled pixels of each class."""
    pixels = matrix.sum(axis=1)[classes]
    if not pixels.all():
        name = CLASSES[int(classes[pixels == 0][0])]
        raise Unmeasurable(f"the class {name!r} is in the pictures of one group of items alone")
    return pixels


def _sum(counts: Counts) -> NDArray[np.float64]:
    """Return (19, 20): the sum of the counts of all pictures."""
    matrix = np.asarray(counts, dtype=np.float64).reshape(-1, COUNTS).sum(axis=0)
    if not matrix.any():
        raise Unmeasurable("no pixel of the label maps belongs to an evaluated class of Cityscapes")
    return matrix.reshape(len(CLASSES), len(CLASSES) + 1)


COLOURS_SIZE = 4 * len(CLASSES)
"""Length of a picture's vector of colours: for each class the mean R, G, B of its region, and its pixels."""
MIN_REGION = 16
"""Minimum number of pixels of a label in a picture."""
MIN_REGIONS = 5
"""Minimum number of pictures with a label in each of the two sets."""
MIN_SPREAD = 1.0
"""Minimum spread of a label over the real pictures, in grey levels."""


def region_colours(true: ClassMap, picture: "Picture") -> NDArray[np.float32]:
    """Return the mean colour of each class's region in a picture.

    >>> region_colours(np.array([[0, 0, 255]], np.uint8), np.array([[[9, 0, 0], [1, 2, 3], [7, 7, 7]]], np.uint8))[:5]
    array([5. , 1. , 1.5, 2. , 0. ], dtype=float32)
    """
    counted = true < len(CLASSES)
    classes, colours = true[counted], picture[counted]
    counts = np.bincount(classes, minlength=len(CLASSES))
    sums = [np.bincount(classes, colours[:, channel], len(CLASSES)) for channel in range(3)]
    means = [channel / np.maximum(counts, 1) for channel in sums]
    return np.stack([*means, counts], axis=1).astype(np.float32).reshape(-1)


def label_colour_spreads(real: NDArray[np.floating], fake: NDArray[np.floating]) -> dict[str, float]:
    """Return the spread of each label's colour over the generated pictures divided by that over the real ones.

    The spread of a label is the standard deviation of its region's mean colour over the pictures: the root of the sum
    of the variances of R, G and B. Pictures with fewer than 16 pixels of the label do not count for it.
    """
    (of_real, real_counts), (of_fake, fake_counts) = _spreads(real), _spreads(fake)
    compared = (np.minimum(real_counts, fake_counts) >= MIN_REGIONS) & (of_real >= MIN_SPREAD)
    return {CLASSES[label]: float(of_fake[label] / of_real[label]) for label in np.flatnonzero(compared)}


def _spreads(features: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return (19,) each: the spreads of the labels over a set, NaN below 2 pictures, and their numbers of pictures."""
    values = np.asarray(features, dtype=np.float64).reshape(-1, len(CLASSES), 4)
    counted = values[..., 3] >= MIN_REGION
    spreads = np.full(len(CLASSES), np.nan)
    counts = counted.sum(axis=0)
    for label in np.flatnonzero(counts > 1):
        spreads[label] = np.sqrt(values[counted[:, label], label, :3].var(axis=0, ddof=1).sum())
    return spreads, counts


def label_colour_spread(
    real: NDArray[np.floating], fake: NDArray[np.floating], labels: Sequence[int] | None = None
) -> float:
    """Return how well each label's spread of colour matches that of the real pictures, 0..1.

    It is the mean over labels of the smaller spread divided by the larger (1 for a label without spread). By default,
    the labels are those that can be compared.

    Raises:
        Unmeasurable: no label can be compared.

    >>> real = np.zeros((6, 76))
    >>> real[:, 52], real[:, 55] = [0, 50, 100, 150, 200, 250], 100  # cars: red, and pixels
    >>> fake = real.copy()
    >>> fake[:, 52] = [120, 125, 130, 120, 125, 130]  # all cars of nearly one red
    >>> round(label_colour_spread(real, real), 3), round(label_colour_spread(real, fake), 3)
    (1.0, 0.048)
    """
    labels = _compared(real, fake) if labels is None else labels
    spreads = np.stack([_spreads(real)[0], _spreads(fake)[0]])[:, labels]
    if np.isnan(spreads).any():
        raise Unmeasurable("a label is in fewer than 2 pictures of a set")
    smaller, larger = spreads.min(axis=0), spreads.max(axis=0)
    return float(np.divide(smaller, larger, out=np.ones_like(larger), where=larger > 0).mean())


def compare_label_colours(real: PictureSet) -> SetComparison:
    """Return a function that compares a set with these real pictures.

    The labels are chosen from all pictures, even when a group of items is left out for the interval.
    """

    def compare(fake: PictureSet, _: Sequence[str], on_part: OnPart = silent) -> dict[str, JackknifeEstimate]:
        match = partial(label_colour_spread, labels=_compared(real.features, fake.features))
        return {"label_colour_spread": leave_groups_out(match, real, fake, on_part=on_part)}

    return compare


def _compared(real: NDArray[np.floating], fake: NDArray[np.floating]) -> list[int]:
    """Return the labels of `label_colour_spreads`."""
    labels = [CLASSES.index(name) for name in label_colour_spreads(real, fake)]
    if not labels:
        raise Unmeasurable(
            f"no label of Cityscapes has {MIN_REGION} pixels in {MIN_REGIONS} pictures of each kind and varies in "
            f"colour by {MIN_SPREAD:g} grey level over the real ones"
        )
    return labels


LABEL_COLOUR_SPREAD = Metric(
    name="label_colour_spread",
    title="Match of label colour spread",
    kind="set",
    measures="how well the spread of a label's mean colour over the generated pictures matches that over the real "
    "ones: the smaller divided by the larger; mean over labels",
    high=1,
    higher_is_better=True,
    source="ours: standard deviation over pictures of each region's mean RGB; labels by the nearest palette colour",
    definition="label-colour-spread/cityscapes19/16px/5pictures/min-over-max/1level",
    function=label_colour_spread,
    extractor="label_colours",
    compare=compare_label_colours,
    depends_on_count=True,
)

SCORES = tuple(
    Metric(
        name=function.__name__,
        title=function.__name__.replace("_", " ").replace("iou", "IoU"),
        kind="set",
        measures=measures,
        high=1,
        higher_is_better=True,
        source="Long et al. 2015, as the FCN score of Isola et al. 2017; labels by the nearest palette colour",
        definition=f"segmentation/cityscapes19/{function.__name__.replace('_', '-')}",
        function=function,
        extractor="segmenter",
        compare=compare_segmentations,
    )
    for function, measures in (
        (
            pixel_accuracy,
            "share of the pixels of generated pictures to which a segmenter gives the class of the label map",
        ),
        (class_accuracy, "as pixel_accuracy, for each class alone; mean over the classes in the label maps"),
        (
            class_iou,
            "intersection over union of predicted and labelled pixels; mean over the classes in the label maps",
        ),
    )
)
METRICS = (*SCORES, LABEL_COLOUR_SPREAD)
