"""Words of settings that are options of commands, too. This starts without pydantic."""

from typing import Literal

Direction = Literal["AtoB", "BtoA"]
Mode = Literal["train", "eval"]
ResizerName = Literal["tf1", "bilinear", "pytorch-fid", "bilinear-aa", "clean"]
