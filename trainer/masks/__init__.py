"""Holes for inpainting: pure functions of a NumPy generator and a size (height, width) that give a bool array.

| kind | hole |
| --- | --- |
| centre | a centred square |
| blocks | rectangles that may overlap, a quarter of the picture at most |
| region | a silhouette |
| strokes | strokes of a round brush |
| folder | the user's own masks |
"""

from trainer.masks.makers import Mask, Masks, at_size
from trainer.masks.silhouettes import hash_holes, read_holes, region

__all__ = ["Mask", "Masks", "at_size", "hash_holes", "read_holes", "region"]
