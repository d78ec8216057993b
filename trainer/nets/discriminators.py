"""Discriminators: a PatchGAN of any receptive field, one for the whole picture, and both together.

Sources: PatchGAN, arXiv 1611.07004, sections 3.2.2 and 6.1.2; whole picture, Pathak et al. 2016, arXiv 1604.07379.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gan_eval.settings.training import NormKind, StatisticsKind
from trainer.nets.layers import INNERMOST, halvings, has_inner_bias, norm_layer

KERNEL = 4  # the published kernel (arXiv 1611.07004, section 6.1.2)


@dataclass(frozen=True)
class Layer:
    """Geometry of a convolution."""

    kernel: int
    stride: int
    is_padded: bool = True

    @property
    def padding(self) -> int:
        """Width of the border of zeros: 1 for kernels of 4 and 3, as published; 0 for 2 and 1."""
        return (self.kernel - 1) // 2 if self.is_padded else 0


def plan_layers(field: int) -> tuple[Layer, ...]:
    """Return convolutions, from input to output, whose logits see exactly `field` x `field` pixels.

    A field of 1 has three convolutions of kernel 1 (the "PixelGAN"). The published family has n convolutions of kernel
    4 and stride 2 and two of stride 1: fields of 9 * 2^n - 2 pixels (16, 34, 70, 142, 286, ...). For another field, the
    next larger member is taken, and some of its kernels are made smaller. A kernel that is one pixel smaller reduces
    the field by the product of the strides before it: 1, 2, 4, ... 2^(n-1) in the first n layers, and 2^n in each of
    the last two. Sums of these numbers give every difference that is needed.

    >>> [(layer.kernel, layer.stride) for layer in plan_layers(70)]
    [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]
    >>> [(layer.kernel, layer.stride) for layer in plan_layers(50)]
    [(4, 2), (4, 2), (3, 2), (3, 1), (3, 1)]
    """
    if field == 1:
        return (Layer(1, 1),) * 3
    halvings = 0
    while 9 * 2**halvings - 2 < field:
        halvings += 1
    last_two, digits = divmod(9 * 2**halvings - 2 - field, 2**halvings)
    down = [Layer(KERNEL - (digits >> level & 1), 2) for level in range(halvings)]
    return (*down, Layer(KERNEL - last_two // 2, 1), Layer(KERNEL - (last_two + 1) // 2, 1))


def grid_sides(size: int, layers: tuple[Layer, ...]) -> list[int]:
    """Return the side of each layer's output for a picture of side `size`; below 1 the picture is too small."""
    sides: list[int] = []
    for layer in layers:
        size = (size + 2 * layer.padding - layer.kernel) // layer.stride + 1
        sides.append(size)
    return sides


def fits(size: int, layers: tuple[Layer, ...]) -> bool:
    """Return True if pictures of side `size` give a logit, and more than one pixel in the inner layers."""
    *inner, last = grid_sides(size, layers)
    return last >= 1 and min(inner) >= 2


def smallest_size(layers: tuple[Layer, ...]) -> int:
    """Return the minimum side of a picture.

    >>> smallest_size(plan_layers(70))
    24
    """
    size = 1
    while not fits(size, layers):
        size += 1
    return size


MAX_FACTOR = 8  # channels double at each layer up to this many times the first layer's


def convolutions(
    layers: Sequence[Layer], in_channels: int, channels: int, norm: NormKind, statistics: StatisticsKind
) -> nn.Sequential:
    """Return the layers from input to logits (one for each place); all but the first and last have a norm.

    `channels` is the number of channels of the first layer; it doubles at each layer, up to `MAX_FACTOR` times.
    """
    first, *inner, last = layers
    modules: list[nn.Module] = [
        nn.Conv2d(in_channels, channels, first.kernel, first.stride, first.padding),
        nn.LeakyReLU(0.2, True),
    ]
    width = channels
    for level, layer in enumerate(inner, start=1):
        before, width = width, channels * min(2**level, MAX_FACTOR)
        modules += [
            nn.Conv2d(before, width, layer.kernel, layer.stride, layer.padding, bias=has_inner_bias(norm)),
            norm_layer(norm, width, statistics),
            nn.LeakyReLU(0.2, True),
        ]
    return nn.Sequential(*modules, nn.Conv2d(width, 1, last.kernel, last.stride, last.padding))


class PatchGAN(nn.Module):
    """Convolutions whose logits see patches of side `receptive_field`; norms in all but the first and last layer.

    Keys are those of pytorch-CycleGAN-and-pix2pix: convolutions `model.{0,2,5,8,11}` and norms `model.{3,6,9}` at 70
    pixels. At 1 pixel the keys are `model.{0,2,3,5}`.
    """

    def __init__(
        self,
        *,
        in_channels: int = 6,
        channels: int = 64,
        receptive_field: int = 70,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
    ) -> None:
        super().__init__()
        self.model = convolutions(plan_layers(receptive_field), in_channels, channels, norm, statistics)

    def forward(self, x: Tensor) -> Tensor:
        """Map condition and picture, joined as (N, in_channels, H, W), to logits (N, 1, h, w), high for real."""
        return self.model(x)


class GlobalDiscriminator(nn.Module):
    """4x4 convolutions that halve the picture to 4x4, then one to a single logit; norms in all but the first and last.

    At 64 pixels these are the layers of the published network. Keys are `model.{0,2,5,...}` for convolutions and
    `model.{3,6,...}` for norms, as the PatchGAN's.
    """

    def __init__(
        self,
        *,
        size: int,
        in_channels: int = 3,
        channels: int = 64,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
    ) -> None:
        super().__init__()
        layers = [*[Layer(KERNEL, 2)] * halvings(size), Layer(INNERMOST, 1, is_padded=False)]
        self.model = convolutions(layers, in_channels, channels, norm, statistics)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, size, size) to logits (N, 1, 1, 1), high for real."""
        return self.model(x)


class GlobalAndPatch(nn.Module):
    """A `GlobalDiscriminator`, `globally`, and a `PatchGAN`, `patch`, over the same picture.

    In a mean over the logits, the whole picture has the weight of one patch.
    """

    def __init__(self, *, size: int, receptive_field: int = 70, **shared: Any) -> None:
        super().__init__()
        self.globally = GlobalDiscriminator(size=size, **shared)
        self.patch = PatchGAN(receptive_field=receptive_field, **{"in_channels": 3, **shared})

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, size, size) to logits (N, 1 + h * w): first the whole picture's, then the patches'."""
        return torch.cat([self.globally(x).flatten(1), self.patch(x).flatten(1)], dim=1)
