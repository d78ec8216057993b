"""Layers that the generator and the discriminator share."""

from typing import Literal

from torch import nn

Norm = Literal["batch", "instance", "none"]


def norm_layer(kind: Norm, channels: int) -> nn.Module:
    """The normalisation for (N, channels, H, W). Instance norm has neither weights nor running statistics."""
    match kind:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "none":
            return nn.Identity()


def inner_bias(kind: Norm) -> bool:
    """Whether inner convolutions have a bias: with instance norm alone.

    BatchNorm has its own bias. Instance norm cancels it, and "none" could use it; both follow the layout of
    pytorch-CycleGAN-and-pix2pix, from whose files the kind of norm is told by the biases.
    """
    return kind == "instance"
