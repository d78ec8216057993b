"""The generator: a U-Net (Isola et al. 2017, arXiv 1611.07004, section 6.1.1; Ronneberger et al. 2015)."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_eval.base.errors import UserError
from gan_eval.settings.training import (
    DownsamplingKind,
    EncoderOrder,
    NormKind,
    StatisticsKind,
    TrainingSettings,
    UpsamplingKind,
)
from trainer.nets.layers import ChannelwiseLinear, Dropout, halvings, has_inner_bias, norm_layer, upsample_layer

MAX_FACTOR = 8  # channels double at each level up to this many times the first level's
MIN_DEPTH = 5  # smaller depths only if the settings give one, or if the size is a power of two
FIRST_DROPOUT_LEVEL = 4
"""First level of the decoder with dropout (0 is the outermost); the innermost level has none."""


MAX_BOTTLENECK = 32
"""Maximum side in pixels of a channel-wise fully-connected bottleneck: 2^20 weights for each channel."""


def unet(settings: TrainingSettings, **shared: Any) -> "UNet":
    """Return the U-Net of the settings."""
    return UNet(depth=settings.depth or default_depth(settings.image_size), **_options(settings), **shared)


def channelwise_unet(settings: TrainingSettings, **shared: Any) -> "UNet":
    """Return the U-Net with a channel-wise fully-connected bottleneck."""
    size = settings.image_size
    depth = settings.depth or halvings(size, otherwise=", or give depth")
    side = size // 2**depth
    if side > MAX_BOTTLENECK:
        raise UserError(
            f"depth {depth}: a bottleneck of {side} pixels a side, more than {MAX_BOTTLENECK}; give more depth"
        )
    return UNet(depth=depth, bottleneck_side=side, **_options(settings), **shared)


def _options(settings: TrainingSettings) -> dict[str, Any]:
    return {
        "dropout": settings.dropout, "downsampling": settings.downsampling, "encoder_order": settings.encoder_order,
    }  # fmt: skip


class UNet(nn.Module):
    """Encoder and decoder of `depth` halvings with a skip connection at each level.

    Level 0 is the outermost. `down.K.conv`, `down.K.norm`, `up.K.conv`, `up.K.norm` are the two sides of level K.
    As in pytorch-CycleGAN-and-pix2pix, level 0 and the encoder's innermost level have no norm. With BatchNorm, only the
    last layer has a bias.

    With `bottleneck_side`, a channel-wise fully-connected layer, `bottleneck`, lies between the two innermost
    convolutions (Pathak et al. 2016, arXiv 1604.07379, section 3.1). It has that number of pixels a side, so the
    network takes pictures of one size only.

    With the encoder order `activation_norm`, the LeakyReLU comes before the norm, so skip connections carry activated
    and then normalised values.

    With the downsampling `pool`, each level has a convolution with kernel 3 and stride 1; 2x2 max pooling then halves
    the sides, before the norm.
    """

    def __init__(
        self,
        *,
        depth: int,
        channels: int = 64,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
        dropout: float = 0.5,
        downsampling: DownsamplingKind = "strided",
        upsampling: UpsamplingKind = "transposed",
        in_channels: int = 3,
        out_channels: int = 3,
        bottleneck_side: int | None = None,
        encoder_order: EncoderOrder = "norm_activation",
    ) -> None:
        super().__init__()
        self.activated = encoder_order == "activation_norm"
        self.pooled = downsampling == "pool"
        self.in_channels, self.out_channels = in_channels, out_channels
        self.only_size = None if bottleneck_side is None else bottleneck_side * 2**depth
        self.multiple = self.smallest = self.only_size or 2**depth
        widths = [channels * min(2**level, MAX_FACTOR) for level in range(depth)]
        kernel, stride = (3, 1) if self.pooled else (4, 2)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, width in enumerate(widths):
            outermost, innermost = level == 0, level == depth - 1
            outside = in_channels if outermost else widths[level - 1]
            convolution = nn.Conv2d(outside, width, kernel, stride=stride, padding=1, bias=has_inner_bias(norm))
            of_down: dict[str, nn.Module | None] = {
                "conv": convolution,
                "pool": nn.MaxPool2d(2) if self.pooled else None,
                "activation": nn.LeakyReLU(0.2) if self.activated else None,
                "norm": None if outermost or innermost else norm_layer(norm, width, statistics),
            }
            self.down.append(_layers(of_down))

            inside = width if innermost else 2 * width
            outside = out_channels if outermost else outside
            has_dropout = FIRST_DROPOUT_LEVEL <= level < depth - 1 and dropout > 0
            of_up: dict[str, nn.Module | None] = {
                "conv": upsample_layer(upsampling, inside, outside, bias=outermost or has_inner_bias(norm)),
                "norm": None if outermost else norm_layer(norm, outside, statistics),
                "dropout": Dropout(dropout) if has_dropout else None,
            }
            self.up.append(_layers(of_up))
        self.bottleneck = None if bottleneck_side is None else ChannelwiseLinear(widths[-1], bottleneck_side)

    @property
    def depth(self) -> int:
        """Number of halvings."""
        return len(self.down)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) in [-1, 1] to (N, out_channels, H, W) in [-1, 1]."""
        encoded: list[Tensor] = []
        for level, down in enumerate(self.down):
            x = down(F.leaky_relu(x, 0.2) if level and not self.activated else x)
            encoded.append(x)
        if self.bottleneck is not None:
            x = self.bottleneck(x if self.activated else F.leaky_relu(x, 0.2))
        for level in reversed(range(self.depth)):
            joined = None if level == self.depth - 1 else torch.cat([encoded[level], x], dim=1)
            x = self.up[level](F.relu(x) if joined is None else F.relu_(joined))  # nothing else uses `joined`
        return torch.tanh(x)


def _layers(named: Mapping[str, nn.Module | None]) -> nn.Sequential:
    """Return the layers of a level by name, without those that it does not have."""
    return nn.Sequential(OrderedDict((name, layer) for name, layer in named.items() if layer is not None))


def default_depth(size: int) -> int:
    """Return how often `size` can be halved exactly: 8 for 256, 6 for 192.

    >>> default_depth(256), default_depth(192), default_depth(16)
    (8, 6, 4)
    """
    depth = (size & -size).bit_length() - 1
    if depth < MIN_DEPTH and size != 2**depth:
        step = 2**MIN_DEPTH
        below = size // step * step
        raise UserError(
            f"image_size {size}: halves exactly {depth} times, too few for a U-Net; "
            f"choose {f'{below} or ' if below else ''}{below + step}, or give depth"
        )
    return depth
