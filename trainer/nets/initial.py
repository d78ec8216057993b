"""Initial weights: N(0, 0.02) (arXiv 1611.07004, section 6.2)."""

import torch
from torch import nn

from trainer.nets.channelwise import ChannelwiseLinear

STD = 0.02


def initialise(net: nn.Module, generator: torch.Generator) -> None:
    """Draw every weight of `net` in place: convolutions and channel-wise layers N(0, 0.02), norms N(1, 0.02).

    Biases become 0 and statistics are reset. The numbers come from `generator` alone, in the order of the modules, on
    the generator's device.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | ChannelwiseLinear):
            nn.init.normal_(module.weight, 0.0, STD, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, STD, generator=generator)
            module.reset_running_stats()
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
