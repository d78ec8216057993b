"""Context encoders (Pathak et al. 2016, arXiv 1604.07379, section 3.1; `train.lua`, `train_random.lua`)."""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from gan_eval.settings.training import EncoderOrder, TrainingSettings
from trainer.nets.layers import INNERMOST, ChannelwiseLinear, Network, halvings, upsample_layer

MAX_FACTOR = 8
"""Maximum number of channels, at 4x4, as a multiple of the first layer's; it halves with each larger size."""


def context_encoder(settings: TrainingSettings, **shared: Any) -> "ContextEncoder":
    """Return the context encoder of the settings."""
    size, holes = settings.image_size, settings.inpainting
    assert holes is not None  # the settings check this
    hole, order = holes.centre_side(size), settings.encoder_order
    return ContextEncoder(size=size, hole=hole, bottleneck=settings.bottleneck, encoder_order=order, **shared)


def region_encoder(settings: TrainingSettings, **shared: Any) -> "RegionEncoder":
    """Return the region encoder of the settings."""
    return RegionEncoder(size=settings.image_size, encoder_order=settings.encoder_order, **shared)


class Encoder(Network):
    """A network whose `encoder` of 4x4 convolutions halves the picture down to 4x4.

    Each `encoder.K` and `decoder.K` (K counts from the input) has a `conv` and, except the first and the last, a
    `norm`. As in the U-Net, only the last layer always has a bias. Dropout is not used.
    """

    def __init__(self, *, size: int = 128, encoder_order: EncoderOrder = "norm_activation", **shared: Any) -> None:
        super().__init__(**shared)
        self.multiple = self.smallest = self.only_size = size
        self.widest = MAX_FACTOR * self.channels
        stages: list[nn.Module] = []
        before = self.in_channels
        for level, width in enumerate(self.widths(halvings(size))):
            conv = nn.Conv2d(before, width, 4, stride=2, padding=1, bias=self.bias)
            stages.append(_stage(conv, self.new_norm(width) if level else None, nn.LeakyReLU(0.2), encoder_order))
            before = width
        self.encoder = nn.Sequential(*stages)

    def widths(self, levels: int) -> list[int]:
        """Return the channels after each halving."""
        return [self.channels * max(1, MAX_FACTOR >> (levels - 1 - level)) for level in range(levels)]

    def doublings(self, levels: int) -> list[nn.Module]:
        """Return the stages from (N, 8 * channels, 4, 4) to (N, out_channels, 4 * 2^levels, ...)."""
        before, *widths = reversed(self.widths(levels))
        stages: list[nn.Module] = []
        for width in widths:
            conv = upsample_layer(self.upsampling, before, width, bias=self.bias)
            stages.append(_stage(conv, self.new_norm(width), nn.ReLU()))
            before = width
        last = upsample_layer(self.upsampling, before, self.out_channels, bias=True)
        return [*stages, _stage(last, None, nn.Tanh())]


class ContextEncoder(Encoder):
    """Network that fills the centre of a picture.

    A convolution reduces the encoder's 4x4 to `bottleneck` values, a transposed one returns to 4x4, and a decoder
    doubles the size up to that of the hole. Instance norm of one pixel is 0, so `bottleneck` has no instance norm.
    """

    def __init__(self, *, hole: int = 64, bottleneck: int = 4000, **shared: Any) -> None:
        super().__init__(**shared)
        ups = halvings(hole, "inpainting.centre")
        into = nn.Conv2d(self.widest, bottleneck, INNERMOST, bias=self.bias)
        normed = nn.Identity() if self.norm == "instance" else self.new_norm(bottleneck)
        self.bottleneck = _stage(into, normed, nn.LeakyReLU(0.2))
        out_of = nn.ConvTranspose2d(bottleneck, self.widest, INNERMOST, bias=self.bias)
        first = _stage(out_of, self.new_norm(self.widest), nn.ReLU())
        self.decoder = nn.Sequential(first, *self.doublings(ups))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, size, size) in [-1, 1] to (N, out_channels, hole, hole) in [-1, 1]."""
        return self.decoder(self.bottleneck(self.encoder(x)))


class RegionEncoder(Encoder):
    """Network that fills holes at any place, and returns a whole picture.

    At 4x4 a channel-wise fully-connected layer, `channelwise`, carries information over the picture and a 1x1
    convolution, `mixing`, over the channels (section 3.1); the decoder doubles back to `size`.
    """

    def __init__(self, **shared: Any) -> None:
        super().__init__(**shared)
        self.channelwise = ChannelwiseLinear(self.widest, INNERMOST)
        mixing = nn.Conv2d(self.widest, self.widest, 1, bias=self.bias)
        self.mixing = _stage(mixing, self.new_norm(self.widest), nn.ReLU())
        self.decoder = nn.Sequential(*self.doublings(halvings(self.smallest)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, size, size) in [-1, 1] to (N, out_channels, size, size) in [-1, 1]."""
        return self.decoder(self.mixing(self.channelwise(self.encoder(x))))


def _stage(
    conv: nn.Module, norm: nn.Module | None, activation: nn.Module, order: EncoderOrder = "norm_activation"
) -> nn.Sequential:
    """Return a convolution, its norm if there is one, and the activation, in this order or reversed."""
    parts = OrderedDict[str, nn.Module](conv=conv)
    if norm is not None:
        parts["norm"] = norm
    parts["activation"] = activation
    if order == "activation_norm" and norm is not None:
        parts.move_to_end("norm")
    return nn.Sequential(parts)
