"""Pictures of any size for networks that need multiples."""

import numpy as np

from gan_eval.stimuli.pictures import Picture


def pad_to_multiple(picture: Picture, multiple: int) -> Picture:
    """(H, W, 3) uint8, continued by reflection to the right and below until both sides are multiples.

    >>> pad_to_multiple(np.zeros((400, 600, 3), np.uint8), 256).shape
    (512, 768, 3)
    """
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="reflect")


def crop_back(picture: Picture, before: Picture) -> Picture:
    """The part of a padded picture that was there before it was padded."""
    return np.ascontiguousarray(picture[: before.shape[0], : before.shape[1]])
