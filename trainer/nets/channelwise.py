"""The channel-wise fully-connected layer (Pathak et al. 2016, arXiv 1604.07379, section 3.1)."""

import torch
from torch import Tensor, nn


class ChannelwiseLinear(nn.Module):
    """Within each channel every output place sees every input place; channels do not mix.

    So information crosses the whole picture with channels * side^4 weights, where a fully-connected layer would have
    channels times as many. `weight` is (channels, places out, places in) and `bias` (channels, places), with places
    numbered row by row; both are 0 until `trainer.nets.initial` draws the weights.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        places = side * side
        self.weight = nn.Parameter(torch.zeros(channels, places, places))
        self.bias = nn.Parameter(torch.zeros(channels, places))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, side, side), same shape out.

        Raises:
            ValueError: another shape, of which the places could be as many.
        """
        if x.shape[1:] != (self.channels, self.side, self.side):
            raise ValueError(f"{tuple(x.shape)}: wanted is (N, {self.channels}, {self.side}, {self.side})")
        places = x.flatten(2).permute(1, 2, 0)  # a product for each channel, with the pictures as its columns
        y = torch.baddbmm(self.bias[:, :, None], self.weight, places)
        return y.permute(2, 0, 1).unflatten(2, (self.side, self.side))

    def extra_repr(self) -> str:
        """Channels and side, for printing."""
        return f"{self.channels}, side={self.side}"
