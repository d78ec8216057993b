"""Holes for inpainting: pure functions of a NumPy generator and a size (height, width) that give a bool array.

| kind | hole |
| --- | --- |
| centre | a centred square |
| blocks | rectangles that may overlap, a quarter of the picture at most |
| region | a silhouette |
| strokes | strokes of a round brush |
| folder | the user's own masks |
"""

from gan_eval.holes import Hole
from trainer.masks.area import Band, Size, band_of, fitted
from trainer.masks.brush import Stroke, draw_stroke, strokes
from trainer.masks.makers import at_size, blocks, centre, pasted
from trainer.masks.mixture import PUBLISHED, Mask, Masks
from trainer.masks.reading import hash_holes, read_holes
from trainer.masks.silhouettes import made_shape, region

__all__ = [
    "PUBLISHED",
    "Band",
    "Hole",
    "Mask",
    "Masks",
    "Size",
    "Stroke",
    "at_size",
    "band_of",
    "blocks",
    "centre",
    "draw_stroke",
    "fitted",
    "hash_holes",
    "made_shape",
    "pasted",
    "read_holes",
    "region",
    "strokes",
]
