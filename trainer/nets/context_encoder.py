"""Context encoders (Pathak et al. 2016, arXiv 1604.07379, section 3.1; `train.lua`, `train_random.lua`)."""

from collections import OrderedDict
from functools import partial
from typing import Any

from torch import Tensor, nn

from gan_eval.settings.training import EncoderOrder, NormKind, StatisticsKind, TrainingSettings, UpsamplingKind
from trainer.nets.layers import (
    INNERMOST,
    ChannelwiseLinear,
    Network,
    doubling,
    halvings,
    inner_bias,
    norm_layer,
)

WIDEST = 8
"""Channels at 4x4 are this many times the first layer's, and half as many at each size above, down to the first's."""


def context_encoder(settings: TrainingSettings, **shared: Any) -> "ContextEncoder":
    """Return the context encoder of the settings."""
    size, holes = settings.image_size, settings.inpainting
    assert holes is not None  # the settings make sure
    hole, order = holes.centre_side(size), settings.encoder_order
    return ContextEncoder(size=size, hole=hole, bottleneck=settings.bottleneck, encoder_order=order, **shared)


def region_encoder(settings: TrainingSettings, **shared: Any) -> "RegionEncoder":
    """Return the region encoder of the settings."""
    return RegionEncoder(size=settings.image_size, encoder_order=settings.encoder_order, **shared)


class ContextEncoder(Network):
    """Sees a picture without its centre, gives that centre.

    An encoder of 4x4 convolutions halves the picture down to 4x4; a convolution takes that to `bottleneck` values, a
    transposed one back to 4x4, and a decoder doubles that up to the hole. `encoder.K`, `bottleneck` and `decoder.K`
    each have a `conv` and, but for the first and the last, a `norm`; K counts from the input. At one pixel instance
    norm would leave nothing, so `bottleneck` has none then. Of the biases, as in the U-Net, only the last layer's is
    always there. It has no dropout.
    """

    def __init__(
        self,
        *,
        size: int = 128,
        hole: int = 64,
        channels: int = 64,
        bottleneck: int = 4000,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
        upsampling: UpsamplingKind = "transposed",
        in_channels: int = 3,
        out_channels: int = 3,
        encoder_order: EncoderOrder = "norm_activation",
    ) -> None:
        super().__init__()
        downs, ups = halvings(size), halvings(hole, "inpainting.centre")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.only_size = self.multiple = self.smallest = size
        bias, widest = inner_bias(norm), WIDEST * channels
        pixel_norm: NormKind = "none" if norm == "instance" else norm
        self.encoder = _encoder(downs, in_channels, channels, norm, statistics, encoder_order)
        into = nn.Conv2d(widest, bottleneck, INNERMOST, bias=bias)
        self.bottleneck = _stage(into, norm_layer(pixel_norm, bottleneck, statistics), nn.LeakyReLU(0.2))
        out_of = nn.ConvTranspose2d(bottleneck, widest, INNERMOST, bias=bias)
        first = _stage(out_of, norm_layer(norm, widest, statistics), nn.ReLU())
        self.decoder = nn.Sequential(first, *_doublings(ups, channels, out_channels, norm, statistics, upsampling))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, size, size) in [-1, 1] to (N, out_channels, hole, hole) in [-1, 1]."""
        return self.decoder(self.bottleneck(self.encoder(x)))


class RegionEncoder(Network):
    """Sees a picture with holes anywhere, gives a whole picture.

    The encoder is the context encoder's. At 4x4 a channel-wise fully-connected layer, `channelwise`, carries
    information over the picture and a 1x1 convolution, `mixing`, over the channels (section 3.1); the decoder doubles
    back to `size`. Keys, biases and norms are otherwise as in `ContextEncoder`.
    """

    def __init__(
        self,
        *,
        size: int = 128,
        channels: int = 64,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
        upsampling: UpsamplingKind = "transposed",
        in_channels: int = 3,
        out_channels: int = 3,
        encoder_order: EncoderOrder = "norm_activation",
    ) -> None:
        super().__init__()
        levels = halvings(size)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.only_size = self.multiple = self.smallest = size
        widest = WIDEST * channels
        self.encoder = _encoder(levels, in_channels, channels, norm, statistics, encoder_order)
        self.channelwise = ChannelwiseLinear(widest, INNERMOST)
        mixing = nn.Conv2d(widest, widest, 1, bias=inner_bias(norm))
        self.mixing = _stage(mixing, norm_layer(norm, widest, statistics), nn.ReLU())
        self.decoder = nn.Sequential(*_doublings(levels, channels, out_channels, norm, statistics, upsampling))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, size, size) in [-1, 1] to (N, out_channels, size, size) in [-1, 1]."""
        return self.decoder(self.mixing(self.channelwise(self.encoder(x))))


def _widths(levels: int, channels: int) -> list[int]:
    """Channels after each halving."""
    return [channels * max(1, WIDEST >> (levels - 1 - level)) for level in range(levels)]


def _encoder(
    levels: int, in_channels: int, channels: int, norm: NormKind, statistics: StatisticsKind, order: EncoderOrder
) -> nn.Sequential:
    """(N, in_channels, 4 * 2^levels, ...) to (N, 8 * channels, 4, 4)."""
    stages: list[nn.Module] = []
    before = in_channels
    for level, width in enumerate(_widths(levels, channels)):
        conv = nn.Conv2d(before, width, 4, stride=2, padding=1, bias=inner_bias(norm))
        normed = norm_layer(norm, width, statistics) if level else None
        stages.append(_stage(conv, normed, nn.LeakyReLU(0.2), order))
        before = width
    return nn.Sequential(*stages)


def _doublings(
    levels: int,
    channels: int,
    out_channels: int,
    norm: NormKind,
    statistics: StatisticsKind,
    upsampling: UpsamplingKind,
) -> list[nn.Module]:
    """Stages from (N, 8 * channels, 4, 4) to (N, out_channels, 4 * 2^levels, ...)."""
    transposed = partial(nn.ConvTranspose2d, kernel_size=4, stride=2, padding=1)
    before, *widths = reversed(_widths(levels, channels))
    stages: list[nn.Module] = []
    for width in widths:
        conv = doubling(upsampling, transposed, before, width, bias=inner_bias(norm))
        stages.append(_stage(conv, norm_layer(norm, width, statistics), nn.ReLU()))
        before = width
    last = doubling(upsampling, transposed, before, out_channels, bias=True)
    return [*stages, _stage(last, None, nn.Tanh())]


def _stage(
    conv: nn.Module, norm: nn.Module | None, activation: nn.Module, order: EncoderOrder = "norm_activation"
) -> nn.Sequential:
    """A convolution, its norm where it has one, and the activation, in this order or the other."""
    parts = OrderedDict[str, nn.Module](conv=conv)
    if norm is not None:
        parts["norm"] = norm
    parts["activation"] = activation
    if order == "activation_norm" and norm is not None:
        parts.move_to_end("norm")
    return nn.Sequential(parts)
