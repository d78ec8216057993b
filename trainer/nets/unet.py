"""The generator: a U-Net (Isola et al. 2017, arXiv 1611.07004, section 6.1.1; Ronneberger et al. 2015)."""

from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_eval.base.errors import UserError
from gan_eval.settings.training import DownsamplingKind, EncoderOrder, TrainingSettings
from trainer.nets.layers import ChannelwiseLinear, Dropout, Network, halvings, upsample_layer

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


class UNet(Network):
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
        dropout: float = 0.5,
        downsampling: DownsamplingKind = "strided",
        bottleneck_side: int | None = None,
        encoder_order: EncoderOrder = "norm_activation",
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.activated = encoder_order == "activation_norm"
        self.pooled = downsampling == "pool"
        self.dropout = dropout
        self.only_size = None if bottleneck_side is None else bottleneck_side * 2**depth
        self.multiple = self.smallest = self.only_size or 2**depth
        self.widths = [self.channels * min(2**level, MAX_FACTOR) for level in range(depth)]
        self.down = nn.ModuleList(self._down(level) for level in range(depth))
        self.up = nn.ModuleList(self._up(level) for level in range(depth))
        self.bottleneck = None if bottleneck_side is None else ChannelwiseLinear(self.widths[-1], bottleneck_side)

    def _down(self, level: int) -> nn.Sequential:
        """Return the encoder's layers of a level."""
        width, outermost, innermost = self.widths[level], level == 0, level == len(self.widths) - 1
        outside = self.in_channels if outermost else self.widths[level - 1]
        kernel, stride = (3, 1) if self.pooled else (4, 2)
        return _layers(
            conv=nn.Conv2d(outside, width, kernel, stride=stride, padding=1, bias=self.bias),
            pool=nn.MaxPool2d(2) if self.pooled else None,
            activation=nn.LeakyReLU(0.2) if self.activated else None,
            norm=None if outermost or innermost else self.new_norm(width),
        )

    def _up(self, level: int) -> nn.Sequential:
        """Return the decoder's layers of a level."""
        width, outermost, innermost = self.widths[level], level == 0, level == len(self.widths) - 1
        outside = self.out_channels if outermost else self.widths[level - 1]
        inside = width if innermost else 2 * width
        has_dropout = level >= FIRST_DROPOUT_LEVEL and not innermost and self.dropout > 0
        return _layers(
            conv=upsample_layer(self.upsampling, inside, outside, bias=outermost or self.bias),
            norm=None if outermost else self.new_norm(outside),
            dropout=Dropout(self.dropout) if has_dropout else None,
        )

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


def _layers(**named: nn.Module | None) -> nn.Sequential:
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
