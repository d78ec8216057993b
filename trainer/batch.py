"""What one training step is given."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.devices import on_device


@dataclass(frozen=True)
class Batch:
    """N items, float32 in [-1, 1]."""

    inputs: Tensor
    """(N, C, H, W): what the generator takes."""
    target: Tensor
    """(N, 3, h, w): what it ought to give."""
    hole: Tensor | None = None
    """(N, 1, h, w), 1 where the generator's output counts and 0 where the picture is known; None: all of it counts."""

    def to(self, device: torch.device) -> "Batch":
        """The same on the device."""
        hole = None if self.hole is None else on_device(self.hole, device)
        return replace(self, inputs=on_device(self.inputs, device), target=on_device(self.target, device), hole=hole)

    def filled(self, output: Tensor) -> Tensor:
        """The composite: `output` in the hole and the target's pixels, bit for bit, around it; (N, 3, h, w)."""
        return output if self.hole is None else torch.where(self.hole > 0, output, self.target)
