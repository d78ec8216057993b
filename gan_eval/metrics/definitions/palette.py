"""The colours of Cityscapes' label maps: which of the 19 evaluated classes a pixel belongs to.

The colours are those of the data set's own colour label maps (Cordts et al. 2016), which the pix2pix pictures of it
keep. Classes that are never evaluated (the car's own bonnet, parking, bridges, …) have colours too: their pixels are
`VOID`. Two of them share an evaluated class's colour and cannot be told from it: pole groups count as poles, licence
plates as cars.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli.pictures import Picture

ClassMap = NDArray[np.uint8]
"""(H, W): the class of each pixel, 0..18 in the order of `CLASSES`, or `VOID`."""

VOID = 255
"""The class of pixels that are not evaluated."""

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
"""The evaluated classes in the order of the data set's training numbers, 0..18."""

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
"""The classes that are not evaluated."""

CLASSES = tuple(COLOURS)

FAR = 14.0
"""Half of a label map's pixels are nearer than this to a palette colour, in grey levels. The median pixel of a label
map kept as JPEG lies 0 to 7 levels away, that of a street photograph 20 to 50."""

_PALETTE = np.array([*COLOURS.values(), *VOID_COLOURS.values()], dtype=np.float32)
_CLASS_OF_COLOUR = np.array([*range(len(COLOURS)), *[VOID] * len(VOID_COLOURS)], dtype=np.uint8)
_UNDECIDED = 254
"""Stands in the table for a cell that is nearest to several colours."""
_BLOCK = 1 << 16
"""Pixels that are compared with all colours at a time."""


def class_map(picture: Picture) -> ClassMap:
    """The class of the palette's nearest colour, for each pixel.

    Label maps are kept as JPEG, so that hardly a pixel has its exact colour. Distance is Euclidean in RGB, in whole
    numbers; of equally near colours the first one counts.

    Args:
        picture: (H, W, 3) uint8, a label map.

    Returns:
        (H, W) uint8: 0..18 in the order of `CLASSES`, or `VOID`.

    >>> class_map(np.array([[[120, 70, 130], [255, 250, 0], [3, 0, 4]]], dtype=np.uint8))
    array([[  0,   7, 255]], dtype=uint8)
    """
    found = _nearest_of_cells()[_cells(picture)]
    undecided = found == _UNDECIDED
    found[undecided] = _nearest(picture[undecided])
    return _CLASS_OF_COLOUR[found]


def label_classes(label_map: Picture) -> ClassMap:
    """As `class_map`, of a picture that is to be a label map.

    Raises:
        Unmeasurable: it is another kind of picture, or has other colours.

    >>> label_classes(np.array([[[70, 131, 178], [70, 129, 180]]], dtype=np.uint8))
    array([[10, 10]], dtype=uint8)
    """
    sample = label_map[::4, ::4].reshape(-1, 3)
    distances = np.linalg.norm(sample - _PALETTE[_nearest(sample)], axis=1)
    if np.median(distances) > FAR:
        raise Unmeasurable(
            "not a label map in the colours of Cityscapes: half of its pixels are more than "
            f"{np.median(distances):.0f} levels from each of them"
        )
    return class_map(label_map)


def _cells(picture: Picture) -> NDArray[np.uint16]:
    """The cell of each pixel: one number below 32768 made of the upper five bits of each channel."""
    red, green, blue = ((picture[..., channel] >> 3).astype(np.uint16) for channel in range(3))
    return (red << np.uint16(10)) | (green << np.uint16(5)) | blue


@lru_cache(maxsize=1)
def _nearest_of_cells() -> NDArray[np.uint8]:
    """(32768,) the nearest colour's index for each cell of 8 x 8 x 8 RGB values, or `_UNDECIDED`.

    What lies nearest to one colour is convex, so a cell is decided where its eight corners agree.
    """
    ends = np.arange(256, dtype=np.uint8).reshape(32, 8)[:, [0, 7]].reshape(-1)
    corners = np.stack(np.meshgrid(ends, ends, ends, indexing="ij"), axis=-1)
    nearest = _nearest(corners.reshape(-1, 3)).reshape(32, 2, 32, 2, 32, 2)
    of_cell = nearest.transpose(0, 2, 4, 1, 3, 5).reshape(-1, 8)
    agreed = (of_cell == of_cell[:, :1]).all(axis=1)
    return np.where(agreed, of_cell[:, 0], np.uint8(_UNDECIDED))


def _nearest(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, 3) uint8 to the index of the palette's nearest colour, (N,).

    |x - c|² less |x|², which is the same for every c: whole numbers below 2^24, which float32 holds exactly.
    """
    found = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), _BLOCK):
        part = slice(start, start + _BLOCK)
        distances = colours[part].astype(np.float32) @ (-2 * _PALETTE.T)
        distances += (_PALETTE * _PALETTE).sum(axis=1)
        found[part] = distances.argmin(axis=1)
    return found
