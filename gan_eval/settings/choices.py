"""Words and ranges of settings that are options of commands, too. This starts without pydantic."""

from typing import Literal

Direction = Literal["AtoB", "BtoA"]
Mode = Literal["train", "eval"]
ResizerName = Literal["tf1", "bilinear", "pytorch-fid", "bilinear-aa", "clean"]
DISTANCES_CM = (20, 500)
"""Range of accepted viewing distances, from the eyes to the screen."""
SCREEN_WIDTHS_CM = (5, 500)
"""Range of accepted screen widths, from a telephone to a projection."""
